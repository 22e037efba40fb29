"""The panel on a run's models: what each of them did, where it ran, by the clock."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from simonides.experiments.metrics.serving import serving
from simonides.experiments.report.context import Panel

NOTE = (
    "By the clock of where it ran: not part of the digest. Tokens a second are those of replies, over the seconds in "
    "which anything was being asked; of a replica, over the looks at it between which it made new ones. Known are "
    "calls that the record answered, shared those that waited for an identical one, cache hits the share of prompt "
    "tokens that the engine had read before; at once and waiting are the most that were seen."
)


HEADINGS = {
    "prompt_tokens": "tokens in",
    "reply_tokens": "tokens out",
    "tokens_a_second": "tokens/s",
    "most_at_once": "at once",
    "most_waiting": "waiting",
}
"""Short ones, so that the table needs no scrolling."""


def serving_panel(folder: Path) -> tuple[Panel, ...]:
    """Return the panel of a run's folder; none where no model was asked through a record or on Ray."""
    table = serving(folder)
    if not table.height:
        return ()
    shown = table.select([name for name in table.columns if table[name].null_count() < table.height])
    return (
        Panel("serving", "What did the models do?", _answer(table), None, shown.rename(HEADINGS, strict=False), NOTE),
    )


def _answer(table: pl.DataFrame) -> str:
    """Return the sum over those who keep the record; replicas answer for their gate."""
    doors = table.filter(~pl.col("where").str.starts_with("replica"))
    if not doors.height:
        return "Their calls were not recorded."
    asked, known, shared = (_sum(doors, name) for name in ("asked", "known", "shared"))
    rates = [rate for rate in doors["tokens_a_second"] if rate is not None]
    told = f"{asked:,} calls were asked, {known + shared:,} answered by the record"
    speed = f"; up to {max(rates):,.0f} tokens a second" if rates else ""
    restarts = _sum(table, "restarts")
    return f"{told}{speed}{f'; replicas were started again {restarts} times' if restarts else ''}."


def _sum(table: pl.DataFrame, column: str) -> int:
    return sum(value for value in table[column] if value is not None)
