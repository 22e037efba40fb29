"""Show what a run asked its models: by purpose, or one call with its whole prompt and reply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from simonides.sim.budget import Spent
from simonides.sim.errors import UserError, near
from simonides.sim.modelcalls import FILE, Call, read_calls


def calls_of(folder: Path) -> list[Call]:
    """Return a run's recorded calls in the order they were stored. Raises UserError when there are none."""
    if not (folder / FILE).is_file():
        raise UserError(f"{folder} holds no {FILE}: its models were not asked, or with --calls off.")
    return list(read_calls(folder))


def by_purpose(calls: list[Call]) -> Table:
    """Return a table of calls and tokens by model and purpose."""
    sums: dict[tuple[str, str], Spent] = {}
    for call in calls:
        sums.setdefault((call.identity, call.purpose), Spent()).count([call.completion])
    table = Table(title=f"{len(calls)} recorded calls", title_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("purpose")
    for name in ("calls", "prompt tokens", "reply tokens"):
        table.add_column(name, justify="right")
    for key in sorted(sums):
        table.add_row(*key, *(f"{count:,}" for count in sums[key].plain()))
    return table


def of_purpose(calls: list[Call], purpose: str) -> Table:
    """Return a table of the calls of one purpose, a line each. Raises UserError for an unknown one."""
    known = sorted({call.purpose for call in calls})
    if purpose not in known:
        raise UserError(f"No call of {purpose!r} is recorded.{near(purpose, known)} Recorded: {', '.join(known)}.")
    table = Table(title=f"Calls of {purpose}", title_justify="left")
    for name in ("key", "asked by", "tokens", "reply"):
        table.add_column(name, overflow="fold" if name == "reply" else "ellipsis")
    for call in calls:
        if call.purpose == purpose:
            tokens = f"{call.completion.prompt_tokens} + {call.completion.completion_tokens}"
            table.add_row(call.key.hex()[:12], str(call.parameters["caller"]), tokens, call.completion.text[:200])
    return table


def told(calls: list[Call], key: str) -> Iterator[str]:
    """Yield the lines of one call: parameters, messages, reply. Raises UserError unless the key names exactly one."""
    found = [call for call in calls if call.key.hex().startswith(key.lower())]
    if len(found) != 1:
        raise UserError(f"{len(found)} recorded calls have a key that begins with {key!r}; give more of it, or less.")
    (call,) = found
    yield f"{call.key.hex()}  {call.purpose}  {call.identity}"
    yield "  ".join(f"{name}={value}" for name, value in call.parameters.items() if value is not None)
    asked = call.asked if isinstance(call.asked, list) else [["prompt", str(call.asked)]]
    for role, content in asked:
        yield f"--- {role}"
        yield content
    yield f"--- reply ({call.completion.finish}, {call.completion.completion_tokens} tokens)"
    yield call.completion.text
