"""What a run found: a table of conditions for the terminal, its report as HTML, and its figures as files."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simonides.experiments.metrics.cells import RunTables, means, run_tables
from simonides.experiments.metrics.gap import FEW_SEEDS, FULL, NONE, REMOVED, SEEDS, Arm, gaps
from simonides.experiments.metrics.pairs import pairs
from simonides.experiments.metrics.states import RATES
from simonides.experiments.metrics.stats import CLAIM_SEEDS
from simonides.experiments.report.page import render_report
from simonides.experiments.report.poisoning import poisoning_rates
from simonides.experiments.report.run import context_of
from simonides.experiments.runs import REPORT, Run, write_whole

COLUMNS = {
    "F1": "how well answers match the truth, 0 to 1 (LoCoMo's word overlap), with a 95 % interval over {units}",
    "found": "share of the turns that hold an answer among the first {k} records recalled for its question",
    "repeats": "answers that repeat the planted false record, of the questions that it is about",
    "tainted": "share of all records held at the end that descend from the planted one",
    "records": "records that all memories hold together at the end",
    "success": "share of the decisions that need a remembered fact which reached their goal, with a 95 % interval",
    "illegal": "actions that were none of the legal ones, a trial",
    "reward": "mean reward of an agent a tick",
    "s": "wall seconds of a trial",
}
"""The heading of each column and what it means, as printed below the table."""
UNITS = {"seed": "seeds", "world": "the worlds of one seed, such as recorded conversations"}


def write_report(run: Run, again: bool = False) -> tuple[RunTables, Path]:
    """Measure a run, write `report.html` into its folder, and return its tables and the report's path."""
    tables = run_tables(run, again)
    path = run.folder / REPORT
    write_whole(path, render_report(context_of(run, tables)))
    return tables, path


def print_results(tables: RunTables, console: Console) -> None:
    """Print one row a condition, and below it what each column means."""
    cells = {name: cell for name, cell in _cells(tables).items() if any(cell.values())}
    table = Table(title=f"{escape(tables.study.name)}: what {tables.trials.height} trials found", title_justify="left")
    for name in tables.names or ["condition"]:
        table.add_column(escape(name))
    for name in cells:
        table.add_column(name, justify="right", no_wrap=True)
    before = None
    for values, condition in _conditions(tables):
        if before is not None and values[:1] != before[:1] and len(values) > 1:
            table.add_section()
        table.add_row(*map(escape, values), *(cell.get(condition, "") for cell in cells.values()))
        before = values
    console.print(table)
    k = 10 if _recall_column(tables) == "recall_10" else 5
    for name in cells:
        text = COLUMNS[name].format(units=UNITS[tables.unit], k=k)
        console.print(f"  {name}: {text}", markup=False, highlight=False, soft_wrap=True)
    if tables.unit == "seed" and tables.units < 20:
        many = f"{tables.units} seed{'s' if tables.units > 1 else ''}"
        console.print(f"  With {many} these numbers are exploratory: 20 or more make a claim.", highlight=False)
    for line in tables.missing:
        console.print(f"  left out: {line}", markup=False, highlight=False, soft_wrap=True)


GAP_COLUMNS = (
    "full memory, no memory, fact removed: shares of decisions that succeeded, with Wilson's 95 % interval",
    "chance: 1 / m for m possible values; constant: the best answer that is always the same",
    "memory decides: yes when full memory's interval lies above 0.85 and the others are no better than chance",
)  # fmt: skip


def print_gap(tables: RunTables, console: Console) -> None:
    """Print the memory gap of each task, where a run has arms with full memory and without."""
    found = gaps(tables)
    if not found:
        return
    table = Table(title="Memory gap: the same reader with and without recall", title_justify="left")
    table.add_column("task")
    for name in ("needs", "seeds", "chance", "constant", FULL, NONE, REMOVED, "gap", "memory decides"):
        table.add_column(name, justify="right" if name != "memory decides" else "left")
    for one in found:
        shares = [_share(one.arms[arm]) if arm in one.arms else "" for arm in (FULL, NONE, REMOVED)]
        decides = "; ".join(one.faults) or _claimed(one.seeds)
        numbers = (str(one.arms[FULL].needs), str(one.seeds), f"{one.chance:.2f}", f"{one.constant:.2f}")
        table.add_row(escape(" · ".join(one.labels)), *numbers, *shares, f"{one.gap:+.2f}", escape(decides))
    console.print(table)
    for line in GAP_COLUMNS:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def print_poisoning(tables: RunTables, console: Console) -> None:
    """Print what became of what was planted, in counts."""
    found = poisoning_rates(tables)
    if not found.height:
        return
    table = Table(title="What became of what was planted", title_justify="left")
    for name in found.columns:
        table.add_column(name, justify="left" if name == "condition" else "right")
    for row in found.iter_rows():
        table.add_row(*(escape(str(value)) for value in row))
    console.print(table)
    for name, what in RATES:
        console.print(f"  {name}: {what}", markup=False, highlight=False, soft_wrap=True)


PAIR_COLUMNS = (
    "without, with: means over seeds of the trials without the interventions and with them, from the same state",
    "difference: with less without, with a 95 % interval over seeds; p corrected by Holm within this table",
    "lost, gained: single yes-or-no outcomes that only one of the two reached, with McNemar's exact p",
)  # fmt: skip


def print_pairs(tables: RunTables, console: Console) -> None:
    """Print what the interventions of a study with pairs change."""
    found = pairs(tables)
    if not found:
        return
    table = Table(title="What the interventions change: paired differences", title_justify="left")
    for name in ("condition", "intervention", "measure"):
        table.add_column(name)
    for name in ("pairs", "without", "with", "difference", "p", "lost, gained"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        t = one.test
        interval = "" if math.isnan(t.low) else f" [{t.low:+.3f}, {t.high:+.3f}]"
        single = "" if one.lost is None else f"{one.lost}, {one.gained} (p {one.mcnemar:.3f})"
        numbers = (str(t.n), f"{one.without:.3f}", f"{one.with_it:.3f}", f"{t.difference:+.3f}{interval}")
        p = "" if math.isnan(one.adjusted) else f"{one.adjusted:.3f}"
        table.add_row(escape(one.condition), escape(one.intervention), one.measure, *numbers, p, single)
    console.print(table)
    for line in PAIR_COLUMNS:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if any(one.exploratory for one in found):
        few = min(one.test.n for one in found)
        console.print(f"  With {few} pairs these are exploratory: {CLAIM_SEEDS} or more make a claim.", highlight=False)


def _claimed(seeds: int) -> str:
    if seeds < FEW_SEEDS:
        return f"yes; with {seeds} seeds exploratory"
    return "yes" if seeds >= SEEDS else f"yes, with {seeds} seeds"


def _share(arm: Arm) -> str:
    share = arm.share
    return f"{share.estimate:.2f} [{share.low:.2f}, {share.high:.2f}]"


def _conditions(tables: RunTables) -> list[tuple[tuple[str, ...], str]]:
    """Return (labels of the factors, name) of each condition, in the study's order."""
    conditions = tables.trials["condition"].unique(maintain_order=True).to_list()
    return [(tuple(name.split(" · ")) if tables.names else (name,), name) for name in conditions]


def _recall_column(tables: RunTables) -> str:
    known = tables.questions.columns and tables.questions.height and tables.questions["recall_10"].count()
    return "recall_10" if known else "recall_5"


def _cells(tables: RunTables) -> dict[str, dict[str, str]]:
    """Return column -> condition -> what its cell says; empty where a column does not apply to this run."""
    asked, metrics, by = tables.questions, tables.metrics, ["condition"]
    found: dict[str, dict[str, str]] = {name: {} for name in COLUMNS}
    if asked.height:
        found["F1"] = _with_interval(means(asked, by, "official_f1"))
        found["found"] = _plain(means(asked, by, _recall_column(tables)), "{:.2f}")
        found["repeats"] = _counted(asked.filter("targeted"))
    if tables.needs.height:
        found["success"] = _with_interval(means(tables.needs, by, "success"))
    if metrics.height:
        shares = metrics.filter(pl.col("metric") == "contamination")
        attacked = tables.contamination.filter(pl.col("tainted") > 0)["condition"].unique()
        shares = shares.filter(pl.col("condition").is_in(attacked.implode()))
        found["tainted"] = _plain(means(shares, by, "value"), "{:.1%}")
        sizes = metrics.filter((pl.col("metric") == "memory-size") & (pl.col("part") == "records"))
        found["records"] = _plain(means(sizes, by, "value"), "{:,.0f}")
        illegal = metrics.filter((pl.col("metric") == "illegal-actions") & (pl.col("value") > 0))
        found["illegal"] = _plain(means(illegal, by, "value"), "{:.1f}")
        if not asked.height and not tables.needs.height:
            found["reward"] = _plain(means(metrics.filter(pl.col("metric") == "reward"), by, "value"), "{:.3f}")
    ended = tables.trials.filter(pl.col("status") != "not ended").with_columns(pl.lit("").alias("unit"))
    found["s"] = _plain(means(ended, by, "seconds"), "{:.1f}")
    return found


def _plain(table: pl.DataFrame, form: str) -> dict[str, str]:
    return {row["condition"]: form.format(row["estimate"]) for row in table.iter_rows(named=True)}


def _with_interval(table: pl.DataFrame) -> dict[str, str]:
    return {
        row["condition"]: f"{row['estimate']:.2f}"
        + ("" if math.isnan(row["low"]) else f" [{row['low']:.2f}, {row['high']:.2f}]")
        for row in table.iter_rows(named=True)
    }


def _counted(asked: pl.DataFrame) -> dict[str, str]:
    counts = asked.group_by("condition").agg(pl.col("repeats_false").sum().alias("hits"), pl.len().alias("n"))
    return {row["condition"]: f"{row['hits']} of {row['n']}" for row in counts.iter_rows(named=True)}
