"""The panel of paired differences: what interventions change, against the same trials without them."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.contrasts import flips, rho_factor
from simonides.experiments.metrics.pairs import Paired, pairs
from simonides.experiments.metrics.stats import CLAIM_SEEDS
from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel

NOTE = (
    "Both trials of a pair have the same seed and went on from the same state. Differences are with less without, "
    "their 95 % intervals resample seeds, and p is corrected by Holm within this table. lost and gained count single "
    "yes-or-no outcomes that only one of the two reached; McNemar's exact p takes them as independent of each other."
)


def paired_differences(tables: RunTables) -> Panel | None:
    """Return what the interventions of a study with pairs change."""
    found = pairs(tables)
    if not found:
        return None
    first = [one for one in found if one.measure == found[0].measure]
    largest = max(first, key=lambda one: abs(one.test.difference))
    answer = (
        f"{largest.intervention} changes {largest.measure} by {largest.test.difference:+.3f}"
        f"{'' if largest.condition == 'all trials' else f' ({largest.condition})'}, the most of {len(first)}."
    )
    if largest.exploratory:
        answer += f" With {largest.test.n} pairs exploratory: {CLAIM_SEEDS} make a claim."
    bars = [
        {"condition": f"{one.condition} · {one.intervention}", "score": one.test.difference, "low": one.test.low,
         "high": one.test.high, "pairs": one.test.n}
        for one in first
    ]  # fmt: skip
    figure = figures.score_by_condition(pl.DataFrame(bars), f"Difference in {found[0].measure}", zero=True)
    return Panel("pairs", "What do the interventions change?", answer, figure, _marked(tables, found), NOTE)


def _marked(tables: RunTables, found: list[Paired]) -> pl.DataFrame:
    """Return the table, with a column for conclusions that flip with rho where a study varies it."""
    factor = next((one.name for one in tables.factors if one.attack), "")
    if rho_factor(tables) is None:
        return table_of(found)
    asked = [((*one.condition.split(" · "),), f"{one.intervention}: {one.measure}", one.test) for one in found]
    marks = ["flips" if flag else "" for flag in flips(tables, factor, asked)]
    return table_of(found).with_columns(pl.Series("flips with rho", marks))


def table_of(found: list[Paired]) -> pl.DataFrame:
    """Return the pairs as the report's table, one row a measure."""
    rows = [
        {
            "condition": one.condition, "intervention": one.intervention, "measure": one.measure,
            "without": one.without, "with": one.with_it, "difference": one.test.difference, "low": one.test.low,
            "high": one.test.high, "pairs": one.test.n, "p (Holm)": one.adjusted, "lost": one.lost,
            "gained": one.gained, "p (McNemar)": one.mcnemar,
        }
        for one in found
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)
