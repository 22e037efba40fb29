"""What a report shows, as values that are already computed: this package draws, it measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import plotly.graph_objects as go  # type: ignore[import-untyped]
import polars as pl

TIMELINE_COLUMNS = ("tick", "session", "agent", "kind", "space", "text", "score", "tainted")
"""`kind` says what happened to a record ("recalled", "written", "refused", ...); `score` may be null; `tainted`
marks text that descends from an attack, which readers of the report see and agents never did."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question that a reader has, with its answer in a sentence, a figure and a table (either may be absent).

    `id` is unique in a report and fit for a link (letters, digits, hyphens). `note` says how to read the figure.
    `multiples` are small figures side by side, each with its title, for what one figure could not hold.
    """

    id: str
    question: str
    answer: str
    figure: go.Figure | None = None
    table: pl.DataFrame | None = None
    note: str = ""
    multiples: tuple[tuple[str, go.Figure], ...] = ()


@dataclass(frozen=True, slots=True)
class TrialPage:
    """One trial: its facts in the order given, how it ended, and its timeline with `TIMELINE_COLUMNS`."""

    id: str
    title: str
    facts: Mapping[str, str]
    timeline: pl.DataFrame
    failure: str = ""


@dataclass(frozen=True, slots=True)
class ReportContext:
    """All of a report: a title, one paragraph, facts of the run, panels in reading order, limits, and trials."""

    title: str
    summary: str
    facts: Mapping[str, str]
    panels: tuple[Panel, ...]
    limits: tuple[str, ...] = ()
    trials: tuple[TrialPage, ...] = field(default=())
