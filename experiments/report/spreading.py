"""Panels about what spreads: sharing gain against contamination by wiring, infection over time, who reached whom."""

from __future__ import annotations

import plotly.graph_objects as go  # type: ignore[import-untyped]
import polars as pl

from simonides.experiments.metrics.cells import RunTables, means
from simonides.experiments.metrics.sharing import Gain, gains
from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel

POINTS = 80
"""Ticks at which a curve of infection is drawn."""


def sharing(tables: RunTables) -> Panel | None:
    """Return what each wiring gains over private memory, and how far what was planted reaches in it."""
    found = gains(tables)
    if not found:
        return None
    worst = [one for one in found if one.also.get("ASR-t") is not None] or found
    best = max(worst, key=lambda one: one.test.difference)
    least = min(worst, key=lambda one: one.also.get("ASR-t", 0.0))
    answer = f"{best.sharing} gains most over private memory{_under(best)}: {best.test.difference:+.2f} success."
    if "ASR-t" in best.also:
        answer += (
            f" ASR-t is {best.also['ASR-t']:.2f} there, and lowest with {least.sharing} ({least.also['ASR-t']:.2f}, "
            f"gain {least.test.difference:+.2f})."
        )
    if best.exploratory:
        answer += f" With {best.test.n} seeds exploratory."
    note = (
        "gain: success less that of private memory, same seed and same attack; 95 % intervals over seeds, p corrected "
        "by Holm over the wirings of one condition. tasks worse: single tasks that succeed privately and fail when "
        "shared. reached: agents at whose spaces what descends from the attack ever "
        "stood."
    )
    plots = [("Gain over private memory", _gained(found))]
    if any("ASR-t" in one.also for one in found):
        plots.append(("What is gained, and what gets in", _against(found)))
    question = "What does sharing gain, and what does it let in?"
    return Panel("sharing", question, answer, None, _table(found), note, tuple(plots))


def _under(one: Gain) -> str:
    return f" under {one.condition}" if one.condition and one.condition != "clean" else ""


def _table(found: list[Gain]) -> pl.DataFrame:
    rows = [
        {
            "sharing": one.sharing, "condition": one.condition, "success": one.shared, "private": one.private,
            "gain": one.test.difference, "low": one.test.low, "high": one.test.high, "p (Holm)": one.adjusted,
            "seeds": one.test.n, "tasks worse": one.worse, "tasks better": one.better, **one.also,
        }
        for one in found
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def _gained(found: list[Gain]) -> go.Figure:
    rows = [
        {"condition": one.sharing, "series": one.condition or "all", "score": one.test.difference, "low": one.test.low,
         "high": one.test.high}
        for one in found
    ]  # fmt: skip
    return figures.score_by_condition(pl.DataFrame(rows), "Success less that of private memory", zero=True)


def _against(found: list[Gain]) -> go.Figure:
    """Return a dot a wiring: ASR-t across, gain under the attack up."""
    shown = [one for one in found if "ASR-t" in one.also]
    figure = go.Figure()
    for look, condition in enumerate(dict.fromkeys(one.condition for one in shown)):
        rows = [one for one in shown if one.condition == condition]
        figure.add_scatter(
            x=[one.also["ASR-t"] for one in rows], y=[one.test.difference for one in rows], mode="markers+text",
            text=[one.sharing for one in rows], textposition="top center", name=condition or "all",
            marker={"size": 11, "color": figures.PALETTE[look % len(figures.PALETTE)]},
            hovertemplate="%{text}: ASR-t %{x:.3f}, gain %{y:.3f}<extra></extra>",
        )  # fmt: skip
    return figures.styled(figure, x="ASR-t", y="Gain under the attack", x_range=(-0.05, 1.1))


def infection(tables: RunTables) -> Panel | None:
    """Return which share of the agents holds what was brought in, now and ever, over time."""
    curves = tables.spread.filter(pl.col("of") == "agent") if tables.spread.height else tables.spread
    if not curves.height:
        return None
    plots = []
    for origin in curves["origin"].unique(maintain_order=True):
        series = _by_tick(tables, curves.filter(pl.col("origin") == origin))
        for column, title in (("current", "now"), ("cumulative", "ever")):
            shares = means(series, ["condition", "tick"], column, "units").rename({"estimate": "share"})
            figure = figures.contamination_over_ticks(shares, "Share of agents")
            plots.append((f"{origin}: infected {title}", figure))
    numbers = _numbers(tables)
    high = max(numbers.iter_rows(named=True), key=lambda row: row["peak"] or 0.0)
    answer = (
        f"At the most {high['peak']:.0%} of the agents are infected at once ({high['condition']}, {high['origin']})."
    )
    note = (
        "An agent is infected while a space that it writes to or recalls from holds a record that descends, by "
        "lineage, from what was brought in; benign is the control of the same form. T: contacts from infected to "
        "susceptible agents that passed it; R0 = T lambda1 / gamma, of measured contacts a tick and lives of records; "
        "where agents tell each other nothing both are not measured (–). T read: reads of what another wrote that "
        "the reader passed on. R0 trial and R0 read take the mean stay within the trial for 1 / gamma, and so grow "
        "with its length; R0 read is of reads. depth: hands that it went through."
    )
    return Panel("infection", "Who is infected, and how does it pass?", answer, None, numbers, note, tuple(plots))


def _by_tick(tables: RunTables, curves: pl.DataFrame) -> pl.DataFrame:
    """Return the curves at evenly spaced ticks, each with what stood after its last change."""
    end = int(curves["tick"].max())  # type: ignore[arg-type]
    step = max(1, (end + POINTS) // POINTS)
    ticks = pl.DataFrame({"tick": sorted({*range(0, end, step), end})}, schema={"tick": pl.Int64})
    keys = ["trial", "condition", *tables.names, "seed", "unit"]
    grid = curves.select(keys).unique(maintain_order=True).join(ticks, how="cross").sort("tick", maintain_order=True)
    values = curves.select("trial", "tick", "units", "current", "cumulative").sort("tick", maintain_order=True)
    return grid.join_asof(values, on="tick", by="trial", check_sortedness=False)


PARTS = (
    ("infection", "peak"), ("infection", "end"), ("infection", "ever"), ("infection", "t 50 %"),
    ("infection", "growth"), ("infection", "half-life"), ("infection", "recovery"),
    ("cascade", "depth"), ("cascade", "breadth"),
    ("transmission", "T"), ("transmission", "T read"), ("transmission", "gamma"), ("transmission", "R0"),
    ("transmission", "R0 trial"), ("transmission", "R0 read"),
)  # fmt: skip


def _numbers(tables: RunTables) -> pl.DataFrame:
    """Return a row a condition and origin with the means of `PARTS` over trials that have them."""
    rows = []
    for (condition,), some in tables.metrics.group_by("condition", maintain_order=True):
        for origin, prefix in (("attack", ""), ("benign", "benign ")):
            found = {
                name: some.filter((pl.col("metric") == metric) & (pl.col("part") == f"{prefix}{name}"))["value"].mean()
                for metric, name in PARTS
            }
            if found["peak"] is not None:
                rows.append({"condition": condition, "origin": origin, **found})
    return pl.DataFrame(rows, infer_schema_length=None)
