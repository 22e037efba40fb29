"""Write the figures of a run's report as files: pages that need no network, or pictures where kaleido is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go  # type: ignore[import-untyped]

from simonides.experiments.metrics.cells import run_tables
from simonides.experiments.report.context import Panel
from simonides.experiments.report.panels import panels_of
from simonides.experiments.runs import Run
from simonides.sim.errors import MissingExtra, UserError

Form = Literal["html", "svg", "png", "pdf"]
SCALE = 2
"""Pixels a point in pictures, for screens and print."""


def write_figures(run: Run, folder: Path, form: Form = "html") -> list[Path]:
    """Write every figure and the table beside it, and return the files in the report's order.

    HTML files share one `plotly.min.js` in the folder. Raises MissingExtra for another form without kaleido, UserError
    for a run in which nothing has ended.
    """
    panels = panels_of(run_tables(run))
    if not panels:
        raise UserError(f"{run.folder}: no trial has ended, so there is nothing to draw.")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for panel in panels:
        for name, figure in _figures(panel):
            written.append(_write(figure, folder / f"{name}.{form}", form))
        if panel.table is not None:
            path = folder / f"{panel.id}.csv"
            panel.table.write_csv(path)
            written.append(path)
    return written


def _figures(panel: Panel) -> Iterator[tuple[str, go.Figure]]:
    if panel.figure is not None:
        yield panel.id, panel.figure
    for title, figure in panel.multiples:
        words = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()
        yield f"{panel.id}-{words}".strip("-"), go.Figure(figure).update_layout(title=title, margin={"t": 80})


def _write(figure: go.Figure, path: Path, form: Form) -> Path:
    if form == "html":
        figure.write_html(path, include_plotlyjs="directory", div_id=path.stem, config={"displaylogo": False})
        return path
    if find_spec("kaleido") is None:
        raise MissingExtra(
            f"Pictures as {form} need kaleido, which is not installed: pip install 'simonides[figures]'. "
            "--format html needs nothing."
        )
    figure.write_image(path, width=900, height=figure.layout.height or 400, scale=SCALE)
    return path
