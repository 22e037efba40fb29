"""Render a report as one HTML file that needs no network: plotly, styles and scripts are inside it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import jinja2
import plotly.graph_objects as go  # type: ignore[import-untyped]
import polars as pl
from markupsafe import Markup
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from simonides.experiments.report.context import TIMELINE_COLUMNS, ReportContext, TrialPage
from simonides.sim.errors import ContractBroken

HEADINGS = {"low": "95 % low", "high": "95 % high", "n": "seeds"}
"""Column names that a newcomer would not guess; others are shown with spaces for underscores."""

_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


def render_report(context: ReportContext) -> str:
    """Return the report as HTML text. Equal contexts give equal text.

    Raises ContractBroken for an id that repeats or cannot be linked to, and for a timeline that lacks a column.
    """
    _check(context)
    return _environment().get_template("report.html.j2").render(report=context, plotly_js=_plotly_js())


def _check(context: ReportContext) -> None:
    ids = [panel.id for panel in context.panels] + [trial.id for trial in context.trials]
    for name in ids:
        if not _ID.fullmatch(name):
            raise ContractBroken(f"A report cannot link to the id {name!r}: use letters, digits and hyphens.")
        if ids.count(name) > 1:
            raise ContractBroken(f"Two parts of this report have the id {name!r}.")
    for trial in context.trials:
        missing = [name for name in TIMELINE_COLUMNS if name not in trial.timeline.columns]
        if missing:
            raise ContractBroken(f"The timeline of trial {trial.id!r} has no column {', '.join(missing)}.")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_packaged), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"figure": _figure, "cells": _cells, "heading": _heading, "ticks": _ticks}
    environment.globals["packaged"] = lambda name: Markup(_packaged(name))
    return environment


def _packaged(name: str) -> str:
    return resources.files("simonides.experiments.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _plotly_js() -> Markup:
    return Markup(get_plotlyjs())


def _figure(figure: go.Figure, name: str) -> Markup:
    # The element's id is given, because plotly would draw a random one and equal reports would differ.
    settings = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, div_id=f"{name}-figure", config=settings))


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell: what is shown, and the number that it sorts by ("" for text and for what is not known)."""

    text: str
    order: str
    numeric: bool


def _cells(table: pl.DataFrame) -> list[list[Cell]]:
    columns = [[_cell(value, column.dtype.is_numeric(), _digits(column)) for value in column] for column in table]
    return [list(row) for row in zip(*columns, strict=True)]


def _digits(column: pl.Series) -> int:
    """Return the decimals of a whole column, so that its numbers line up: fewer for larger ones, none for counts."""
    if not column.dtype.is_float():
        return 0
    largest = max((abs(value) for value in column if value is not None and math.isfinite(value)), default=0.0)
    return 3 if largest < 10 else 1 if largest < 1_000 else 0


def _cell(value: object, numeric: bool, digits: int) -> Cell:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell("–", "", numeric)
    if isinstance(value, (int, float)) and numeric:
        return Cell(f"{value:,.{digits}f}", repr(value), numeric)
    return Cell(str(value), "", numeric)


def _heading(column: str) -> str:
    return HEADINGS.get(column, column.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened in one tick of a trial: rows of the timeline, in their order."""

    tick: int
    session: int
    rows: tuple[dict[str, object], ...]


def _ticks(trial: TrialPage) -> Iterable[Tick]:
    for (tick,), rows in trial.timeline.group_by("tick", maintain_order=True):
        yield Tick(int(str(tick)), int(rows["session"][0]), tuple(rows.iter_rows(named=True)))
