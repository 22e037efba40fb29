"""The tables of one trial, computed from its trace alone and kept as parquet files beside it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from simonides.experiments.metrics.aims import aims
from simonides.experiments.metrics.holdings import contamination, memory
from simonides.experiments.metrics.needs import illegal, needs
from simonides.experiments.metrics.persistence import descent, dormancy
from simonides.experiments.metrics.probes import probes
from simonides.experiments.metrics.questions import questions
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.reads import reads
from simonides.experiments.metrics.rulings import doors, rulings
from simonides.experiments.metrics.sessions import sessions, writes
from simonides.experiments.metrics.spending import cost, latency, ticks
from simonides.experiments.metrics.spread import cascade, descents, outbreaks, spread
from simonides.experiments.metrics.states import items, states
from simonides.sim.errors import ContractBroken
from simonides.sim.registry import registry

METRICS = "metrics.parquet"
FOLDER = "tables"
DEFAULTS = (
    "answer-f1", "evidence-recall", "ndcg", "attack-success", "tainted-recall", "contamination", "memory-size", "cost",
    "latency", "reward", "task-success", "illegal-actions", "poisoning", "aim", "defence",
    "infection", "infected-spaces", "cascade", "transmission",
    "dormancy", "success-by-session", "retention", "experience-following", "error-propagation", "backward-transfer",
    "progress", "sharing", "descent",
)  # fmt: skip
"""Metrics that every trial has; a study's `metrics` come on top."""
SCHEMA = {"metric": pl.String, "part": pl.String, "value": pl.Float64}


@dataclass(frozen=True, slots=True)
class TrialTables:
    """What a metric is given. The modules `questions`, `needs`, `holdings`, `spending`, `probes`, `states`, `rulings`,
    `spread`, `aims`, `reads`, `persistence` and `sessions` say what each table has."""

    questions: pl.DataFrame
    contamination: pl.DataFrame
    memory: pl.DataFrame
    cost: pl.DataFrame
    ticks: pl.DataFrame
    latency: pl.DataFrame
    needs: pl.DataFrame
    illegal: pl.DataFrame
    probes: pl.DataFrame
    states: pl.DataFrame
    items: pl.DataFrame
    aims: pl.DataFrame
    rulings: pl.DataFrame
    doors: pl.DataFrame
    spread: pl.DataFrame
    cascade: pl.DataFrame
    outbreaks: pl.DataFrame
    reads: pl.DataFrame
    dormancy: pl.DataFrame
    descent: pl.DataFrame
    sessions: pl.DataFrame
    writes: pl.DataFrame


NAMES = tuple(field.name for field in fields(TrialTables))


def tables_of(reading: Reading) -> TrialTables:
    """Return all tables of a trial."""
    came, ruled, descended = states(reading), rulings(reading), descents(reading)
    held, spent, lived, took, decided = (of(reading) for of in (memory, cost, ticks, latency, needs))
    return TrialTables(
        questions=questions(reading),
        contamination=contamination(reading),
        memory=held,
        cost=spent,
        ticks=lived,
        latency=took,
        needs=decided,
        illegal=illegal(reading),
        probes=probes(reading),
        states=came,
        items=items(reading, came),
        aims=aims(reading, came),
        rulings=ruled,
        doors=doors(reading, ruled),
        spread=spread(descended),
        cascade=cascade(descended),
        outbreaks=outbreaks(descended),
        reads=reads(reading),
        dormancy=dormancy(reading, came),
        descent=descent(reading),
        sessions=sessions(lived, decided, held, spent, took),
        writes=writes(reading),
    )


def metrics_of(tables: TrialTables, extra: Sequence[str] = ()) -> pl.DataFrame:
    """Return (metric, part, value) of the default metrics and of `extra` ones, registered or "module:attribute".

    `part` is "" for a metric's overall value and else what its value is about, such as a category of questions. A
    metric that does not apply to a trial has no rows. Raises UnknownName, ContractBroken for a metric whose result is
    neither a number nor a map of numbers.
    """
    rows = []
    for name in dict.fromkeys((*DEFAULTS, *extra)):
        for part, value in _values(name, registry("metric").load(name)(tables)).items():
            if not math.isnan(value):
                rows.append((name, part, value))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _values(name: str, result: object) -> dict[str, float]:
    try:
        given: Mapping[Any, Any] = result if isinstance(result, Mapping) else {"": result}
        return {str(part): float(value) for part, value in given.items()}
    except (TypeError, ValueError):
        raise ContractBroken(
            f"The metric {name!r} returned {result!r:.80}; a metric returns a number, or a map of names to numbers."
        ) from None


def measure(folder: Path, extra: Sequence[str] = ()) -> tuple[TrialTables, pl.DataFrame]:
    """Compute a trial's tables and metrics from its trace and keep them in its folder; return both.

    Each file is whole or absent, and `metrics.parquet` comes last, so that its presence says that all are there.
    Raises UserError without a trace, CorruptFile, OSError.
    """
    tables = tables_of(Reading(folder))
    values = metrics_of(tables, extra)
    (folder / METRICS).unlink(missing_ok=True)
    (folder / FOLDER).mkdir(exist_ok=True)
    for name in NAMES:
        _keep(getattr(tables, name), folder / FOLDER / f"{name}.parquet")
    _keep(values, folder / METRICS)
    return tables, values


def file_of(folder: Path, name: str) -> Path:
    """Return where a trial keeps one of its tables, or its "metrics"."""
    return folder / METRICS if name == "metrics" else folder / FOLDER / f"{name}.parquet"


def complete(folder: Path) -> bool:
    """Return whether all of a trial's tables are there."""
    return all(file_of(folder, name).exists() for name in (*NAMES, "metrics"))


def measured(folder: Path, extra: Sequence[str] = ()) -> tuple[TrialTables, pl.DataFrame]:
    """Return a trial's tables and metrics as kept in its folder, computed anew when they are missing or damaged."""
    try:
        values = pl.read_parquet(file_of(folder, "metrics"))
        tables = TrialTables(*(pl.read_parquet(file_of(folder, name)) for name in NAMES))
    except (OSError, pl.exceptions.PolarsError):
        return measure(folder, extra)
    return tables, values


def _keep(table: pl.DataFrame, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        table.write_parquet(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
