"""The panel of planted items: how far they came, in counts by condition, from what was planted to what it did."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.states import RATES, STATES, rates
from simonides.experiments.report.context import Panel

NOTE = (
    "Each row counts the queries that are about a tainted item, by the furthest state they show. unused and influenced "
    "are told apart by the reader's notes of the records that it used; without such notes a query stays selected. "
    "Errors are counted apart and never as a success. " + "; ".join(f"{name}: {what}" for name, what in RATES) + "."
)


def poisoning(tables: RunTables) -> Panel | None:
    """Return what became of what was planted; None where nothing tainted was."""
    found = poisoning_rates(tables)
    if not found.height:
        return None
    bad = tables.items.filter("tainted")
    kept = bad.height - int(bad["admitted"].sum())
    aimed = tables.states.filter("tainted", "targeted")
    done = aimed.filter(pl.col("state").is_in(["target action", "target effect"])).height
    answer = f"Of {aimed.height} queries about what was planted, {done} led to what it asks for."
    if kept:
        answer += f" {kept} of {bad.height} items never reached a memory: neither a success nor a defence's doing."
    counts = aimed.group_by("condition", "state", maintain_order=True).len()
    table = found
    for state in (one for one in STATES if one in counts["state"].to_list()):
        some = counts.filter(pl.col("state") == state).select("condition", pl.col("len").alias(state))
        table = table.join(some, on="condition", how="left", maintain_order="left")
    return Panel("poisoning", "How far did the planted records come?", answer, None, table.fill_null(0), NOTE)


def poisoning_rates(tables: RunTables) -> pl.DataFrame:
    """Return each rate by condition, as "count/of", with the trials that failed; empty where nothing was planted."""
    if "tainted" not in tables.items.columns or not tables.items["tainted"].any():
        return pl.DataFrame()
    rows = []
    for (condition,), some in tables.items.filter("tainted").group_by(["condition"], maintain_order=True):
        found = rates(some, tables.states.filter(pl.col("condition") == condition))
        trials = tables.trials.filter(pl.col("condition") == condition)
        told = {name: f"{count}/{of}" if of else "" for name, (count, of) in found.items()}
        rows.append({"condition": condition, **told, "failed": trials.filter(pl.col("status") == "failed").height})
    return pl.DataFrame(rows, infer_schema_length=None)
