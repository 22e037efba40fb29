"""Draw the report's figures from tables that hold estimates with the ends of their 95 % intervals.

Every builder takes a polars table with the columns that its docstring names; `low` and `high` may be null or nan where
there is no interval, and none is drawn there. ContractBroken names a missing column.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import plotly.graph_objects as go  # type: ignore[import-untyped]
import polars as pl

from simonides.sim.errors import ContractBroken

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
"""Okabe and Ito's colours, which readers with any common colour vision tell apart."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
INK, GRID = "#24303c", "#e3e8ed"


def score_by_condition(table: pl.DataFrame, label: str = "Task score", zero: bool = False) -> go.Figure:
    """Return one dot with its interval a condition, in the table's order: `condition, score, low, high`.

    A column `series`, where there is one, gets a colour a value, side by side. `zero` draws a line at 0, for
    differences.
    """
    _need(table, "condition", "score", "low", "high")
    figure = go.Figure()
    series = table["series"].unique(maintain_order=True).to_list() if "series" in table.columns else [""]
    for look, name in enumerate(series):
        rows = table.filter(pl.col("series") == name) if name else table
        figure.add_scatter(
            x=rows["score"].to_list(), y=rows["condition"].to_list(), name=name, mode="markers", showlegend=bool(name),
            orientation="h", error_x=_bars(rows, "score"), offsetgroup=name or None,
            hovertemplate=f"%{{y}} {name}: %{{x:.3f}}<extra></extra>",
            marker={"size": 11, "color": PALETTE[look % len(PALETTE)], "symbol": SYMBOLS[look % len(SYMBOLS)]},
        )  # fmt: skip
    if len(series) > 1:
        figure.update_layout(scattermode="group", scattergap=0.45)
    figure.update_yaxes(autorange="reversed", automargin=True)
    if zero:
        figure.add_vline(x=0, line={"color": INK, "width": 1})
    x_range = None if zero else _unit(table, "score")
    lines, row = table["condition"].n_unique(), 30 + 10 * (len(series) > 1)
    return styled(figure, x=label, y="", height=120 + row * lines, x_range=x_range)


def recall_by_category(table: pl.DataFrame, label: str = "Evidence recall") -> go.Figure:
    """Return grouped bars by category, one colour a condition: `condition, category, recall, low, high`."""
    _need(table, "condition", "category", "recall", "low", "high")
    figure = go.Figure()
    for look, (name, rows) in enumerate(_conditions(table)):
        figure.add_bar(
            x=rows["category"].to_list(), y=rows["recall"].to_list(), name=name, error_y=_bars(rows, "recall"),
            marker={"color": PALETTE[look % len(PALETTE)]},
            hovertemplate=f"{name}, %{{x}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.05)
    wrapped = {
        name: name.replace("adversarial", "adver-sarial").replace("-", "-<br>").replace(" ", "<br>")
        for name in map(str, table["category"].unique())
    }
    figure.update_xaxes(tickvals=list(wrapped), ticktext=list(wrapped.values()), tickangle=0, tickfont={"size": 11})
    return styled(figure, x="", y=label, y_range=_unit(table, "recall"))


def contamination_over_ticks(
    table: pl.DataFrame, label: str = "Share of tainted records", top: float = 1.0
) -> go.Figure:
    """Return one line with its band a condition, over logical time: `condition, tick, share, low, high`.

    `top` is the end of the axis, the same in figures that are to be compared.
    """
    _need(table, "condition", "tick", "share", "low", "high")
    figure = go.Figure()
    for look, (name, rows) in enumerate(_conditions(table.sort("tick", maintain_order=True))):
        ticks, colour = rows["tick"].to_list(), PALETTE[look % len(PALETTE)]
        banded = rows.filter(pl.col("low").is_not_null() & pl.col("low").is_not_nan() & pl.col("high").is_not_nan())
        edge = {"x": banded["tick"].to_list(), "legendgroup": name, "hoverinfo": "skip", "showlegend": False}
        flat = {"mode": "lines", "line": {"width": 0}}
        figure.add_scatter(y=banded["high"].to_list(), **edge, **flat)
        figure.add_scatter(y=banded["low"].to_list(), fill="tonexty", fillcolor=_faint(colour), **edge, **flat)
        figure.add_scatter(
            x=ticks, y=rows["share"].to_list(), name=name, mode="lines", legendgroup=name,
            line={"color": colour, "dash": DASHES[look % len(DASHES)], "width": 2.5},
            hovertemplate=f"{name}, tick %{{x}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    return styled(figure, x="Tick", y=label, y_range=(-0.02 * top, 1.02 * top))


def measure_by_session(table: pl.DataFrame, label: str, x: str = "Session") -> go.Figure:
    """Return one line with interval bars a condition: `condition, session, value, low, high`.

    For memory size (records), tokens, model calls or latency; `label` names the measure with its unit, `x` what
    sessions are counted from.
    """
    _need(table, "condition", "session", "value", "low", "high")
    figure = go.Figure()
    for look, (name, rows) in enumerate(_conditions(table.sort("session", maintain_order=True))):
        colour = PALETTE[look % len(PALETTE)]
        figure.add_scatter(
            x=rows["session"].to_list(), y=rows["value"].to_list(), name=name, mode="lines+markers",
            error_y=_bars(rows, "value"), line={"color": colour, "width": 2},
            marker={"symbol": SYMBOLS[look % len(SYMBOLS)], "size": 8},
            hovertemplate=f"{name}, session %{{x}}: %{{y:,.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(dtick=1 if table["session"].n_unique() <= 20 else None)
    return styled(figure, x=x, y=label, y_from_zero=True)


def _need(table: pl.DataFrame, *columns: str) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ContractBroken(
            f"This figure needs the columns {', '.join(columns)}; the table has no {', '.join(missing)} "
            f"(found: {', '.join(table.columns) or 'none'})."
        )


def _conditions(table: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for name in table["condition"].unique(maintain_order=True):
        yield str(name), table.filter(pl.col("condition") == name)


def _bars(table: pl.DataFrame, estimate: str) -> dict[str, object]:
    """Return plotly's asymmetric error bars; no bar where an end is not known."""
    middle, low, high = (table[name].to_list() for name in (estimate, "low", "high"))
    return {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 4,
        "array": [_length(end - at) if _known(at, end) else 0 for at, end in zip(middle, high, strict=True)],
        "arrayminus": [_length(at - end) if _known(at, end) else 0 for at, end in zip(middle, low, strict=True)],
    }  # fmt: skip


def _length(value: float) -> float:
    return max(0.0, value)


def _known(*values: float | None) -> bool:
    return all(value is not None and not math.isnan(value) for value in values)


def _unit(table: pl.DataFrame, estimate: str) -> tuple[float, float] | None:
    """Return the axis of a share, all of [0, 1], so that small differences look small; None for other measures."""
    values = [value for name in (estimate, "low", "high") for value in table[name].to_list() if _known(value)]
    return (-0.02, 1.02) if all(0 <= value <= 1 for value in values) else None


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def styled(
    figure: go.Figure, x: str, y: str, height: int = 400, x_range: Sequence[float] | None = None,
    y_range: Sequence[float] | None = None, y_from_zero: bool = False,
) -> go.Figure:  # fmt: skip
    """Give a figure the report's looks."""
    figure.update_layout(
        template="plotly_white", height=height, margin={"l": 60, "r": 20, "t": 20, "b": 50},
        font={"family": FONT, "size": 14, "color": INK}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0}, hoverlabel={"font": {"family": FONT}},
    )  # fmt: skip
    figure.update_xaxes(title_text=x, range=x_range, gridcolor=GRID, zeroline=False)
    figure.update_yaxes(title_text=y, range=y_range, gridcolor=GRID, zeroline=False)
    if y_from_zero:
        figure.update_yaxes(rangemode="tozero")
    return figure
