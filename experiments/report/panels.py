"""The questions that a reader of a run has first, each with its answer in a sentence, its figures and its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import plotly.graph_objects as go  # type: ignore[import-untyped]
import polars as pl

from simonides.experiments.metrics.cells import RunTables, effects, means
from simonides.experiments.metrics.conditions import Factor
from simonides.experiments.metrics.tables import DEFAULTS
from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel
from simonides.experiments.report.contrasts import primary
from simonides.experiments.report.gap import memory_gap
from simonides.experiments.report.horizon import lasting, success
from simonides.experiments.report.pairs import paired_differences
from simonides.experiments.report.poisoning import aimed, poisoning
from simonides.experiments.report.series import contamination_by_tick, records_by_session, spent_by_session
from simonides.experiments.report.spreading import infection, sharing

Maker = Callable[[RunTables], Panel | None]
KINDS = ("single-hop", "multi-hop", "temporal", "open-domain", "adversarial", "knowledge-update")
"""The order of the authors' table, then ours."""


def panels_of(tables: RunTables) -> tuple[Panel, ...]:
    """Return the panels that apply to a run, in reading order."""
    if not tables.ticks.height:
        return ()
    return tuple(panel for make in MAKERS for panel in [make(tables)] if panel is not None)


def score(tables: RunTables) -> Panel | None:
    """Return which condition answers best; for worlds without questions, which earns most."""
    if tables.questions.height:
        found, name = means(tables.questions, ["condition"], "official_f1"), "answers F1"
        note = "LoCoMo's official F1: overlap of the words of answer and truth, by the rule of each kind of question."
    else:
        metrics = tables.metrics.filter(pl.col("metric") == "reward")
        found, name, note = means(metrics, ["condition"], "value"), "reward", "Mean reward of an agent a tick."
    if not found.height:
        return None
    best, worst = found.sort("estimate", descending=True).row(0, named=True), found.sort("estimate").row(0, named=True)
    answer = (
        f"Best: {best['condition']} with {_number(best)}. Worst: {worst['condition']} with {_number(worst)}."
        if found.height > 1 else f"{name}: {_number(best)}."
    )  # fmt: skip
    shown = found.rename({"estimate": "score", "n": "answers" if tables.questions.height else "trials"})
    figure = figures.score_by_condition(_side_by_side(tables, shown), name)
    return Panel("score", "Which memory answers best?", answer, figure, shown, note)


def _side_by_side(tables: RunTables, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table by condition with the attack as `series`, so that clean and attacked stand on one line."""
    factor = next((one for one in tables.factors if one.attack), None)
    others = [one.name for one in tables.factors if not one.attack]
    if factor is None or not others:
        return table
    cells = tables.ticks.select("condition", *tables.names).unique(maintain_order=True)
    joined = table.join(cells, on="condition", maintain_order="left")
    return joined.with_columns(
        pl.concat_str(others, separator=" · ").alias("condition"), pl.col(factor.name).alias("series")
    )


def choices(tables: RunTables) -> Panel | None:
    """Return what each choice changes, all else equal."""
    if not tables.questions.height or not tables.factors:
        return None
    found = effects(tables, tables.questions, "official_f1")
    if not found.height:
        return None
    labelled = found.with_columns(
        pl.format("{} instead of {}", "choice", "instead_of").alias("condition"), pl.col("difference").alias("score")
    )
    largest = found.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
    answer = (
        f"The largest difference: {largest['choice']} instead of {largest['instead_of']} changes F1 by "
        f"{largest['difference']:+.3f} on average."
    )
    figure = figures.score_by_condition(labelled, "Difference in answers F1", zero=True)
    note = "Paired: the same seed and all other choices equal, averaged over them. Left of the line is worse."
    return Panel("choices", "Which choice matters how much?", answer, figure, found, note)


def reach(tables: RunTables) -> Panel | None:
    """Return who can answer what: by the narrowest sharing that covers a question's evidence."""
    asked = tables.questions.filter(pl.col("reach") != "") if tables.questions.height else tables.questions
    if not asked.height or asked["reach"].n_unique() < 2:
        return None
    colour = _colour(tables, tables.factors[0].name if tables.factors else None)
    clean = _clean(tables, asked)
    names = {"private": "oneself", "team": "team-mate", "global": "somebody else"}
    clean = clean.with_columns(pl.col("reach").replace(names).alias("category"))
    order = [name for name in names.values() if name in clean["category"].to_list()]
    answer = _reach_sentence(clean, colour)
    plots = _multiples(tables, clean, colour, ["category"], "official_f1", order)
    numbers = _flat(tables, clean, ["reach"], "official_f1")
    note = "Answers F1 by who heard what answers the question: the asked agent itself, or others; without an attack."
    return Panel("reach", "Does sharing help with what one did not hear?", answer, None, numbers, note, plots)


def _reach_sentence(asked: pl.DataFrame, colour: str) -> str:
    far = asked.filter(pl.col("reach") == "global")
    found = means(far, [colour], "official_f1")
    told = ", ".join(f"{row[colour]} {row['estimate']:.2f}" for row in found.iter_rows(named=True))
    return f"On what only people outside the asked agent's team heard, mean F1 is: {told}." if told else ""


def recall(tables: RunTables) -> Panel | None:
    """Return whether the evidence was found, by kind of question."""
    asked = tables.questions
    if not asked.height:
        return None
    columns = [f"recall_{k}" for k in (10, 5, 25, 1) if asked[f"recall_{k}"].count()]
    if not columns:
        return None
    column = columns[0]
    k = column.removeprefix("recall_")
    clean = _clean(tables, asked).with_columns(pl.col("kind").replace({"": "other"}).alias("category"))
    order = [kind for kind in KINDS if kind in clean["category"].to_list()]
    order += sorted(set(clean["category"].to_list()) - set(order))
    overall = means(clean, ["condition"], column).sort("estimate", descending=True).row(0, named=True)
    answer = f"{overall['condition']} finds most: {_number(overall)} of the evidence is among its first {k} records."
    plots = _multiples(tables, clean, _colour(tables, None), ["category"], column, order)
    numbers = _flat(tables, clean, ["kind"], column, "recall")
    note = f"Share of the turns that hold the answer among the first {k} recalled records; trials without an attack."
    return Panel("recall", "Was the right evidence found?", answer, None, numbers, note, plots)


def attack(tables: RunTables) -> Panel | None:
    """Return whether answers repeat what was planted, and what that costs."""
    asked = tables.questions
    if not asked.height or not asked["targeted"].any():
        return None
    hit = asked.filter("targeted")
    by = ["condition"]
    repeats = means(hit, by, "repeats_false").rename({"estimate": "score", "n": "questions"})
    table = _beside(repeats, means(hit, by, "tainted_recalled"), "recalled")
    cost = _damage(tables)
    if cost is not None:
        table = _beside(table, cost, "f1_change")
    share = float(hit["repeats_false"].cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]
    answer = f"Of {hit.height} answers to questions that the false record is about, {share:.0%} repeat it."
    note = (
        "Share of targeted answers that hold the false value. recalled: share of those questions for which a tainted "
        "record was recalled. f1_change: F1 on the same questions, against the same trial without the record."
    )
    figure = figures.score_by_condition(_without_attack(tables, repeats), "Answers that repeat the false record")
    return Panel("attack", "Do answers repeat the false record?", answer, figure, table, note)


def _without_attack(tables: RunTables, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose conditions do not name the attack, where a run has a single one."""
    found = _side_by_side(tables, table)
    several = "series" not in found.columns or found["series"].n_unique() > 1
    return found if several else found.drop("series")


def _damage(tables: RunTables) -> pl.DataFrame | None:
    """Return the paired difference in F1 on targeted questions, attacked minus clean, by condition."""
    factor = next((one for one in tables.factors if one.attack), None)
    if factor is None or "clean" not in factor.labels:
        return None
    keys = [name for name in tables.names if name != factor.name] + ["seed", "world", "question"]
    clean = tables.questions.filter(pl.col(factor.name) == "clean").select(*keys, pl.col("official_f1").alias("before"))
    pairs = tables.questions.filter("targeted").join(clean, on=keys)
    pairs = pairs.with_columns((pl.col("official_f1") - pl.col("before")).alias("change"))
    return means(pairs, ["condition"], "change")


def contamination(tables: RunTables) -> Panel | None:
    """Return how much of what is held descends from an attack, over time."""
    if not tables.contamination.height or not tables.contamination["tainted"].sum():
        return None
    series = contamination_by_tick(tables)
    colour = _colour(tables, None)
    plots = []
    for title, rows in _facets(tables, series, colour):
        shares = means(rows, [colour, "tick"], "tainted", "held")
        shown = shares.rename({colour: "condition", "estimate": "share"})
        plots.append((title, figures.contamination_over_ticks(shown, top=_top(series))))
    last = series.filter(pl.col("tick") == pl.col("tick").max().over("trial"))
    table = means(last, ["condition"], "tainted", "held").rename({"estimate": "share", "n": "trials"})
    high = table.sort("share", descending=True).row(0, named=True)
    answer = f"At the end {high['share']:.1%} of all records are tainted with {high['condition']}, the most."
    note = "Tainted by lineage: a record counts if anything it was made from descends from what was planted."
    return Panel("contamination", "How far does the false record spread?", answer, None, table, note, tuple(plots))


def _top(series: pl.DataFrame) -> float:
    shares = series.filter(pl.col("held") > 0).select(pl.col("tainted") / pl.col("held")).to_series()
    return min(1.0, 1.15 * float(shares.max() or 0.0)) or 1.0  # type: ignore[arg-type]


def size(tables: RunTables) -> Panel | None:
    """Return how large memories grow."""
    series = records_by_session(tables)
    if not series.height:
        return None
    ends = series.filter(pl.col("session") == pl.col("session").max().over("trial"))
    table = means(ends, ["condition"], "records").rename({"estimate": "records", "n": "trials"})
    for name in ("tokens", "characters"):
        table = _beside(table, means(ends, ["condition"], name), name)
    high, low = table.sort("records", descending=True).row(0, named=True), table.sort("records").row(0, named=True)
    answer = (
        f"All memories of a trial together end with {low['records']:,.0f} records ({low['condition']}) to "
        f"{high['records']:,.0f} ({high['condition']})."
    )
    plots = _by_session(tables, series, "records", "Records held")
    note = "Records of all spaces together at the end of each session. The table adds their characters and tokens."
    return Panel("size", "How large do memories grow?", answer, None, table, note, plots)


def spending(tables: RunTables) -> Panel | None:
    """Return what memories and policies ask of models and embedders."""
    series = spent_by_session(tables)
    totals = series.group_by(["condition", "unit", "trial"], maintain_order=True).agg(
        pl.col("calls", "tokens", "embedded").sum()
    )
    table = totals.select("condition").unique(maintain_order=True)
    for name, heading in {"calls": "model_calls", "tokens": "model_tokens", "embedded": "texts_embedded"}.items():
        table = _beside(table, means(totals, ["condition"], name), heading)
    if not table["model_calls"].sum() and not table["texts_embedded"].sum():
        return None
    high = table.sort("model_calls", descending=True).row(0, named=True)
    answer = (
        f"Most model calls: {high['condition']} with {high['model_calls']:,.0f} a trial "
        f"({high['model_tokens']:,.0f} tokens)." if high["model_calls"] else "No model was called; texts were embedded."
    )  # fmt: skip
    column, label = ("tokens", "Model tokens a session") if high["model_calls"] else ("embedded", "Texts embedded")
    plots = _by_session(tables, series, column, label)
    note = "Sums over a trial, of policies and memories together; texts embedded count repeated ones, cached or not."
    return Panel("spending", "What do they ask of models?", answer, None, table, note, plots)


def latency(tables: RunTables) -> Panel | None:
    """Return how long a tick takes, by session and while agents are asked; None where every tick asks."""
    if not tables.latency.height or tables.latency["asking"].all():
        return None
    took = tables.latency.with_columns(pl.col("seconds") * 1000.0)
    told, asking = took.filter(~pl.col("asking")), took.filter("asking")
    if not told.height:  # a world that asks at every tick
        told, asking = took, asking.clear()
    table = means(told, ["condition"], "seconds").select("condition", pl.col("estimate").alias("ms_told"))
    if asking.height:
        table = _beside(table, means(asking, ["condition"], "seconds"), "ms_asked")
    high = table.sort(table.columns[-1], descending=True, nulls_last=True).row(0, named=True)
    ticks = "tick of questions" if asking.height else "tick"
    answer = f"Slowest: {high['condition']}, {high[table.columns[-1]]:.1f} ms a {ticks}."
    plots = _by_session(tables, told, "seconds", "Milliseconds a tick")
    note = (
        "Wall time where it ran, beside whatever else that machine did: not part of the digest. The figure shows the "
        "ticks in which agents are told things; the table also those in which they are asked."
    )
    return Panel("latency", "How long does a tick take?", answer, None, table, note, plots)


def extra(tables: RunTables) -> Panel | None:
    """Return the metrics that the study names on top of those that every trial has."""
    own = [name for name in tables.study.metrics if name not in DEFAULTS]
    found = tables.metrics.filter(pl.col("metric").is_in(own))
    if not found.height:
        return None
    table = means(found, ["metric", "part", "condition"], "value").rename({"n": "trials"})
    return Panel("metrics", "What do this study's own metrics say?", f"{', '.join(own)}.", None, table)


MAKERS: tuple[Maker, ...] = (
    memory_gap,
    primary,
    paired_differences,
    sharing,
    score,
    choices,
    reach,
    recall,
    attack,
    poisoning,
    aimed,
    lasting,
    success,
    contamination,
    infection,
    size,
    spending,
    latency,
    extra,
)


# --- shared -----------------------------------------------------------------------------------------------------------


def _number(row: dict[str, float]) -> str:
    interval = "" if math.isnan(row["low"]) else f" (95 % {row['low']:.2f} to {row['high']:.2f})"
    return f"{row['estimate']:.2f}{interval}"


def _beside(table: pl.DataFrame, found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return a table by condition with another's estimate as a further column."""
    other = found.select("condition", pl.col("estimate").alias(name))
    return table.join(other, on="condition", how="left", maintain_order="left")


def _clean(tables: RunTables, table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of trials without an attack; all rows where every trial has one or none has."""
    factor = next((one for one in tables.factors if one.attack), None)
    rows = table if factor is None else table.filter(pl.col(factor.name) == "clean")
    return rows if rows.height else table


def _shown(tables: RunTables) -> list[Factor]:
    return [factor for factor in tables.factors if not factor.attack]


def _colour(tables: RunTables, wanted: str | None, last: bool = False) -> str:
    """Return the factor whose values get the colours of a figure: the first, or the last."""
    names = [factor.name for factor in _shown(tables) if len(factor.labels) <= len(figures.PALETTE)]
    if wanted in names:
        return str(wanted)
    return names[-1 if last else 0] if names else "condition"


def _facets(tables: RunTables, table: pl.DataFrame, colour: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield (title, rows) for each combination of the other factors: one small figure each."""
    others = [factor.name for factor in _shown(tables) if factor.name != colour]
    if not others or colour == "condition":
        yield "", table
        return
    for key, rows in table.group_by(others, maintain_order=True):
        yield " · ".join(map(str, key)), rows


def _multiples(
    tables: RunTables, table: pl.DataFrame, colour: str, by: list[str], value: str, order: list[str]
) -> tuple[tuple[str, go.Figure], ...]:
    plots = []
    ranked = table.with_columns(pl.col("category").replace_strict({k: i for i, k in enumerate(order)}).alias("_at"))
    for title, rows in _facets(tables, ranked.sort("_at", maintain_order=True), colour):
        found = means(rows, [colour, *by], value)
        levels = {name: i for i, name in enumerate(rows[colour].unique(maintain_order=True))}
        found = found.sort(pl.col(colour).replace_strict(levels), maintain_order=True)
        shown = found.rename({colour: "condition", "estimate": "recall"})
        label = "Evidence recall" if value.startswith("recall") else "Answers F1"
        plots.append((title, figures.recall_by_category(shown, label)))
    return tuple(plots)


def _by_session(tables: RunTables, table: pl.DataFrame, value: str, label: str) -> tuple[tuple[str, go.Figure], ...]:
    colour = _colour(tables, None, last=True)
    plots = []
    for title, rows in _facets(tables, _clean(tables, table), colour):
        found = means(rows, [colour, "session"], value).rename({colour: "condition", "estimate": "value"})
        plots.append((title, figures.measure_by_session(found, label)))
    return tuple(plots)


def _flat(tables: RunTables, table: pl.DataFrame, by: list[str], value: str, name: str = "score") -> pl.DataFrame:
    return means(table, ["condition", *by], value).rename({"estimate": name, "n": "questions"})
