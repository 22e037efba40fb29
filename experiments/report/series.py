"""Tables over logical time that figures draw: one row a trial and tick, or a trial and session."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables

POINTS = 80
"""Ticks at which a line over time is drawn."""


def contamination_by_tick(tables: RunTables) -> pl.DataFrame:
    """Return (..., tick, held, tainted) of all spaces together, for trials under attack, at evenly spaced ticks.

    A space counts at a tick with what it held after its last change.
    """
    keys = ["trial", "condition", *tables.names, "seed", "unit"]
    attacked = tables.contamination.group_by("trial").agg(pl.col("tainted").sum()).filter(pl.col("tainted") > 0)
    changes = tables.contamination.join(attacked.select("trial"), on="trial", maintain_order="left")
    end = int(str(changes["tick"].max() or 0))
    step = max(1, (end + POINTS) // POINTS)
    ticks = pl.DataFrame({"tick": sorted({*range(0, end, step), end})}, schema={"tick": pl.Int64})
    spaces = changes.select(*keys, "space").unique(maintain_order=True)
    grid = spaces.join(ticks, how="cross").sort("tick", maintain_order=True)
    known = changes.select("trial", "space", "tick", "held", "tainted").sort("tick", maintain_order=True)
    filled = grid.join_asof(known, on="tick", by=["trial", "space"], check_sortedness=False)
    totals = filled.group_by([*keys, "tick"], maintain_order=True).agg(pl.col("held", "tainted").fill_null(0).sum())
    return totals


def records_by_session(tables: RunTables) -> pl.DataFrame:
    """Return (..., session, records, characters, tokens) of all spaces together at the end of each session.

    A space that did not change in a session counts with what it held before.
    """
    if not tables.memory.height:
        return tables.memory
    keys = ["trial", "condition", *tables.names, "seed", "unit"]
    spaces = tables.memory.select(*keys, "space").unique(maintain_order=True)
    sessions = tables.memory.select("trial", "session").unique(maintain_order=True)
    grid = spaces.join(sessions, on="trial", maintain_order="left").sort("session", maintain_order=True)
    columns = ["records", "characters", "tokens"]
    known = tables.memory.select("trial", "space", "session", *columns).sort("session", maintain_order=True)
    filled = grid.join_asof(known, on="session", by=["trial", "space"], check_sortedness=False)
    return filled.group_by([*keys, "session"], maintain_order=True).agg(pl.col(columns).fill_null(0).sum())


def spent_by_session(tables: RunTables) -> pl.DataFrame:
    """Return (..., session, calls, tokens, embedded) of all parts together; the asking of questions included."""
    keys = ["trial", "condition", *tables.names, "seed", "unit", "session"]
    spent = tables.cost.with_columns((pl.col("prompt_tokens") + pl.col("completion_tokens")).alias("tokens"))
    return spent.group_by(keys, maintain_order=True).agg(pl.col("calls", "tokens", "embedded").sum()).sort("session")
