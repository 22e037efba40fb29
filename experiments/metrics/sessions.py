"""Tables by session and space: what was decided and what it cost, and how writes met each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading
from simonides.sim.rows import SpaceRow

SESSIONS: Mapping[str, Any] = {
    "session": pl.Int64, "ticks": pl.Int64, "needs": pl.Int64, "succeeded": pl.Int64, "records": pl.Int64,
    "characters": pl.Int64, "tokens": pl.Int64, "calls": pl.Int64, "asked_tokens": pl.Int64, "seconds": pl.Float64,
}  # fmt: skip
"""One row a session. `records`, `characters` and `tokens` are what all spaces hold at its end, `calls` and
`asked_tokens` what models were asked in it, `seconds` the mean wall time of a tick, null where it was not measured."""

WRITES: Mapping[str, Any] = {
    "space": pl.String, "session": pl.Int64, "writes": pl.Int64, "conflicts": pl.Int64,
}  # fmt: skip
"""`conflicts`: writes that changed a record which another write of the same tick and space had changed before."""


def sessions(
    ticks: pl.DataFrame, needs: pl.DataFrame, memory: pl.DataFrame, cost: pl.DataFrame, latency: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows of `SESSIONS` from a trial's other tables."""
    every = ticks.group_by("session").agg(pl.len().cast(pl.Int64).alias("ticks")).sort("session")
    decided = needs.group_by("session").agg(
        pl.len().cast(pl.Int64).alias("needs"), pl.col("success").sum().cast(pl.Int64).alias("succeeded")
    )
    spent = cost.group_by("session").agg(
        pl.col("calls").sum(), (pl.col("prompt_tokens") + pl.col("completion_tokens")).sum().alias("asked_tokens")
    )
    took = latency.group_by("session").agg(pl.col("seconds").mean())
    table = every
    for part in (decided, _held(every, memory), spent, took):
        table = table.join(part, on="session", how="left", maintain_order="left")
    counts = [name for name, kind in SESSIONS.items() if kind == pl.Int64]
    return table.with_columns(pl.col(counts).fill_null(0)).select(list(SESSIONS))


def _held(every: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """Return what all spaces together hold at the end of each session, whether or not they changed in it."""
    sizes = ["records", "characters", "tokens"]
    grid = memory.select("space").unique(maintain_order=True).join(every.select("session"), how="cross")
    known = memory.select("space", "session", *sizes).sort("session", maintain_order=True)
    filled = grid.sort("session", maintain_order=True).join_asof(
        known, on="session", by="space", check_sortedness=False
    )
    return filled.group_by("session").agg(pl.col(sizes).fill_null(0).sum())


def writes(reading: Reading) -> pl.DataFrame:
    """Return how many writes each space took in each session, and how many of them met another."""
    rows = [(row.space, reading.moment_of(row).session, *_met(row)) for row in reading.spaces]
    table = pl.DataFrame(rows, schema=WRITES, orient="row")
    return table.group_by("space", "session").sum().filter(pl.col("writes") > 0).sort("space", "session")


def _met(row: SpaceRow) -> tuple[int, int]:
    changed: set[str] = set()
    count = conflicts = 0
    for records in _changes(row):
        count += 1
        conflicts += not changed.isdisjoint(records)
        changed |= records
    return count, conflicts


def _changes(row: SpaceRow) -> Iterator[set[str]]:
    """Yield the records that each write of a tick revised or retired."""
    for done in row.operations:
        if done.kind == "write":
            yield {*done.revised, *(record for record, _ in done.retired)}
