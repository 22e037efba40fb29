"""Draw simulations beside their laws: simulations in colour, theory in ink, dashed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]

from simonides.experiments.report.figures import FONT, GRID, INK, PALETTE, SYMBOLS
from simonides.experiments.theory.comparison import Comparison
from simonides.experiments.theory.fading import Faded
from simonides.experiments.theory.first_case import FirstCases
from simonides.experiments.theory.forgetting import MINUTES, SAVINGS, best_strength, ebbinghaus, retention
from simonides.experiments.theory.loop import Looped
from simonides.experiments.theory.outbreaks import Outbreak

LAW = {"color": INK, "width": 2, "dash": "dash"}


def curves(found: Comparison) -> go.Figure:
    """Return a thin line a seed, and the law."""
    figure = go.Figure()
    for number, curve in enumerate(found.curves):
        figure.add_scatter(
            y=curve, mode="lines", line={"color": PALETTE[5], "width": 1.5}, name="simulated", legendgroup="simulated",
            showlegend=number == 0, hovertemplate=f"run {number}, round %{{x}}: %{{y:.4f}}<extra></extra>",
        )  # fmt: skip
    hover = "law, round %{x}: %{y:.4f}<extra></extra>"
    figure.add_scatter(y=found.theory, mode="lines", line=LAW, name="law", hovertemplate=hover)
    top = 1.02 if found.setting.fixed_point > 0.0 else 1.2 * float(max(found.curves.max(), found.theory.max()))
    return styled(figure, "Round", "Infected share", y_range=(-0.02 * top, top))


def looped(found: Looped) -> go.Figure:
    """Return the infected share in the loop, and as arrays."""
    figure = go.Figure()
    line = {"color": PALETTE[5], "width": 3}
    figure.add_scatter(y=found.loop.mean(axis=1), mode="lines", line=line, name="loop")
    figure.add_scatter(y=found.arrays.mean(axis=1), mode="lines", line=LAW, name="arrays")
    return styled(figure, "Round", "Infected share", y_range=(-0.02, 1.02))


def times(found: FirstCases) -> go.Figure:
    """Return how many runs reached the share in which round, and when the law does."""
    bins = {"size": max(1, (max(found.times, default=1) - min(found.times, default=0)) // 15)}
    figure = go.Figure(
        go.Histogram(
            x=found.times, xbins=bins, marker={"color": PALETTE[5]}, name="simulated", showlegend=True,
            hovertemplate="rounds %{x}: %{y} runs<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=found.mean_field, line=LAW)
    figure.add_scatter(x=[None], y=[None], mode="lines", line=LAW, name="law")
    return styled(figure, "Rounds until 40 % are infected", "Runs")


def strengths(found: Sequence[Outbreak]) -> go.Figure:
    """Return the infected share of each run by strength, and the mean field."""
    figure = go.Figure()
    points = [(outbreak.times, share) for outbreak in found for share in outbreak.shares]
    figure.add_scatter(
        x=[at for at, _ in points], y=[share for _, share in points], mode="markers", name="simulated",
        marker={"color": PALETTE[0], "size": 7, "opacity": 0.6},
        hovertemplate="%{x} times the threshold: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[outbreak.times for outbreak in found], y=[outbreak.mean_field for outbreak in found], mode="lines", line=LAW,
        name="mean field", hovertemplate="mean field, %{x}: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=1.0, line={"color": INK, "width": 1, "dash": "dot"})
    return styled(figure, "beta / gamma over the threshold", "Infected share", y_range=(-0.02, 1.02))


def kept(found: Sequence[Faded]) -> go.Figure:
    """Return what was kept by days with its interval, one colour a strength, and the exponentials."""
    figure = go.Figure()
    days = np.linspace(0.0, max(one.days for one in found), 80)
    for look, strength in enumerate(sorted({one.strength for one in found})):
        rows = [one for one in found if one.strength == strength]
        figure.add_scatter(
            x=[one.days for one in rows], y=[one.kept.estimate for one in rows], mode="markers",
            name=f"strength {strength}", marker={"color": PALETTE[look], "symbol": SYMBOLS[look], "size": 9},
            error_y={
                "type": "data", "symmetric": False, "array": [one.kept.high - one.kept.estimate for one in rows],
                "arrayminus": [one.kept.estimate - one.kept.low for one in rows],
            },
            hovertemplate=f"strength {strength}, %{{x}} days: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=days, y=[retention(day, strength) for day in days], mode="lines", line=LAW, name="exp(-t / S)",
            legendgroup="law", showlegend=look == 0, hoverinfo="skip",
        )  # fmt: skip
    return styled(figure, "Days since the last recall", "Share kept", y_range=(-0.02, 1.02))


def savings() -> go.Figure:
    """Return Ebbinghaus' savings, his own formula, and the exponential nearest to them."""
    minutes = np.geomspace(2.0, MINUTES[-1], 200)
    strength = best_strength(np.array(MINUTES), np.array(SAVINGS))
    figure = go.Figure()
    figure.add_scatter(
        x=[minute / 60 for minute in MINUTES], y=SAVINGS, mode="markers", name="Ebbinghaus 1885",
        marker={"color": PALETTE[0], "size": 9}, hovertemplate="%{x:.1f} h: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    for name, line, law in (
        ("his formula", LAW, ebbinghaus),
        ("nearest exponential", {"color": PALETTE[1], "width": 2}, lambda minute: retention(minute, strength)),
    ):
        figure.add_scatter(x=minutes / 60, y=[law(at) for at in minutes], mode="lines", line=line, name=name)
    styled(figure, "Hours since learning", "Savings", y_range=(-0.02, 1.02))
    return figure.update_xaxes(type="log", tickvals=[0.1, 1, 10, 100], ticktext=["0.1", "1", "10", "100"])


def styled(figure: go.Figure, x: str, y: str, y_range: tuple[float, float] | None = None) -> go.Figure:
    """Give a small figure the report's looks."""
    figure.update_layout(
        template="plotly_white", height=300, margin={"l": 55, "r": 15, "t": 15, "b": 45},
        font={"family": FONT, "size": 13, "color": INK}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title_text=x, gridcolor=GRID, zeroline=False)
    return figure.update_yaxes(title_text=y, range=y_range, gridcolor=GRID, zeroline=False)
