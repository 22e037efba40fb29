"""Render recalled records to the context that a policy reads: dated lines, whole records only, never over budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from simonides.sim.types import Recalled


def date_of(time: float) -> str:
    """Return the UTC date of a simulated time, such as "2023-05-08"; "" outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(time, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def line_of(item: Recalled) -> str:
    """Return one recalled record as text: its date, when it has one, before its words."""
    date = date_of(item.time)
    return f"[{date}] {item.text}" if date else item.text


def render(items: Iterable[Recalled], budget: int | None, tokens: Callable[[str], int]) -> str:
    """Return recalled records one below the other, in their order, as many as `budget` tokens hold.

    A record is shown whole or not at all; the first that does not fit ends the context, so that a better record is
    never left out for a worse one. `tokens` counts those of a text (`ctx.tokens`); None is no limit.
    """
    text = ""
    for item in items:
        longer = f"{text}\n{line_of(item)}" if text else line_of(item)
        if budget is not None and tokens(longer) > budget:
            break
        text = longer
    return text
