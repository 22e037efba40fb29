"""Render what a policy reads as words: dated records within a budget, an observation, the actions that are legal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import numpy as np

from simonides.sim.errors import ContractBroken
from simonides.sim.types import Observation, Plain, Recalled

LARGEST = 256
"""Elements of an array that are shown; of a larger one, such as a picture, only its shape is told."""


def date_of(time: float) -> str:
    """Return the UTC date of a simulated time, such as "2023-05-08"; "" outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(time, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def line_of(item: Recalled) -> str:
    """Return one recalled record as text: its date before its words. Time 0 means that the world tells no dates."""
    date = date_of(item.time) if item.time else ""
    return f"[{date}] {item.text}" if date else item.text


def fitting(items: Iterable[Recalled], budget: int | None, tokens: Callable[[str], int]) -> list[str]:
    """Return recalled records as lines, in their order, as many as `budget` tokens hold when joined by line breaks.

    A record is shown whole or not at all; the first that does not fit ends the context, so that a better record is
    never left out for a worse one. `tokens` counts those of a text (`ctx.tokens`); None is no limit.
    """
    lines: list[str] = []
    text = ""
    for item in items:
        line = line_of(item)
        text = f"{text}\n{line}" if lines else line
        if budget is not None and tokens(text) > budget:
            break
        lines.append(line)
    return lines


def render(items: Iterable[Recalled], budget: int | None, tokens: Callable[[str], int]) -> str:
    """Return the records that fit, one below the other; see `fitting`."""
    return "\n".join(fitting(items, budget, tokens))


def situation_of(observation: Observation) -> str:
    """Return an observation in words: its text, or else its raw value; then `info["question"]`, unless it is in it."""
    question = str(observation.info.get("question", ""))
    words = observation.text or ("" if question or observation.raw is None else words_of(observation.raw))
    return words if question in words else f"{words}\n{question}".strip()


def words_of(value: Plain) -> str:
    """Return a raw observation as words: numbers to four digits, maps as `name: value`, large arrays by their shape."""
    if isinstance(value, np.ndarray) and value.size > LARGEST:
        return f"array of shape {'x'.join(map(str, value.shape))}"
    if isinstance(value, np.ndarray | np.generic):
        return words_of(value.tolist())
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {words_of(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(words_of, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def legal_actions(info: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return what each legal action is called -> the value that the environment takes, in the environment's order.

    `info["legal_actions"]` lists values, or maps with `text` and `value` (the text, if there is none). Raises
    ContractBroken when two actions have one name.
    """
    found: dict[str, Plain] = {}
    for one in info.get("legal_actions", ()):
        named = isinstance(one, Mapping) and "text" in one
        text, value = (str(one["text"]), one.get("value", one["text"])) if named else (str(one), one)
        if text in found:
            raise ContractBroken(
                f"info['legal_actions']: two actions are called {text!r}; give each a text of its own."
            )
        found[text] = value
    return found
