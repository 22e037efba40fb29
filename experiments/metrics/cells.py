"""All trials of a run together: their tables by condition, and means with 95 % intervals over independent units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simonides.experiments.metrics.conditions import Factor, condition, factors, labeller
from simonides.experiments.metrics.stats import LEVEL, RESAMPLES
from simonides.experiments.metrics.tables import NAMES, TrialTables, complete, file_of, measure, measured
from simonides.experiments.runs import Outcome, Run
from simonides.sim.config import Study, Trial
from simonides.sim.errors import SimonidesError
from simonides.sim.seeds import generator, seed_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables(TrialTables):
    """A run's tables, one after another, each row with `trial`, `seed`, `unit`, `condition` and a column a factor.

    `unit` is what intervals resample: the seed, or with a single seed and several worlds that share nothing (as
    recorded conversations) the world. `trials` has one row a trial; `metrics` is (metric, part, value) a trial.
    """

    study: Study
    factors: tuple[Factor, ...]
    unit: str
    """"seed" or "world": what the units are."""
    trials: pl.DataFrame
    metrics: pl.DataFrame
    missing: tuple[str, ...]
    """One line for each trial whose tables could not be made."""

    @property
    def names(self) -> list[str]:
        """The names of the factors, which are columns of every table."""
        return [factor.name for factor in self.factors]

    @property
    def units(self) -> int:
        """How many independent units stand behind each condition."""
        return int(self.trials["seed"].n_unique()) if self.unit == "seed" else int(self.ticks["world"].n_unique())


def run_tables(run: Run, again: bool = False) -> RunTables:
    """Read what each ended trial measured, computing what is missing, or all of it `again` from the traces.

    Trials that have not ended, or whose trace cannot be read, are left out; `missing` names them.
    """
    study, missing, told, kept = run.study, [], [], []
    named = labeller(study)
    for trial, outcome in run.outcomes():
        told.append(_row(condition(named(trial)), trial, outcome))
        if outcome is None or not (outcome.ticks and outcome.digest):
            missing.append(f"{trial.id}: it has not ended" if outcome is None else f"{trial.id}: it failed")
            continue
        try:
            if again or not complete(run.folder_of(trial)):
                measure(run.folder_of(trial), study.metrics)
        except SimonidesError as error:
            missing.append(f"{trial.id}: {error}")
            continue
        kept.append(trial)
    joined = _read(run, kept)
    trials = pl.DataFrame(told, infer_schema_length=None)
    return RunTables(study=study, factors=factors(study), trials=trials, missing=tuple(missing), **joined)


def _read(run: Run, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the tables of these trials by name, and what their units are.

    All files of a table are read at once, which takes a tenth of the time of one by one; where that fails, because one
    is damaged or of another version, trial by trial.
    """
    study, folders = run.study, [run.folder_of(trial) for trial in trials]
    try:
        found = {name: _scanned([file_of(folder, name) for folder in folders]) for name in (*NAMES, "metrics")}
    except (OSError, pl.exceptions.PolarsError):
        one_by_one = [measured(folder, study.metrics) for folder in folders]
        found = {name: _stacked([getattr(tables, name) for tables, _ in one_by_one]) for name in NAMES}
        found["metrics"] = _stacked([values for _, values in one_by_one])
    marks, unit = _marks(study, trials), _unit(study, found["ticks"])
    return {name: _marked(table, marks, unit) for name, table in found.items()} | {"unit": unit}


PLACE = "_place"
"""The column that says from which trial, by its place in their order, a row is."""


def _scanned(files: Sequence[Path]) -> pl.DataFrame:
    if not files:
        return pl.DataFrame()
    places = pl.DataFrame({"_file": [str(file) for file in files], PLACE: range(len(files))})
    rows = pl.read_parquet(list(files), include_file_paths="_file", glob=False)
    return rows.join(places, on="_file", how="left", maintain_order="left").drop("_file")


def _stacked(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    marked = [table.with_columns(pl.lit(place).cast(pl.Int64).alias(PLACE)) for place, table in enumerate(tables)]
    return pl.concat(marked) if marked else pl.DataFrame()


def _row(where: str, trial: Trial, outcome: Outcome | None) -> dict[str, object]:
    return {
        "trial": trial.id, "seed": trial.seed, "condition": where,
        "status": "not ended" if outcome is None else outcome.status,
        "ticks": outcome.ticks if outcome else 0, "seconds": outcome.seconds if outcome else 0.0,
        "digest": outcome.digest if outcome else "",
    }  # fmt: skip


def _unit(study: Study, ticks: pl.DataFrame) -> str:
    seeds = study.seeds if isinstance(study.seeds, int) else len(study.seeds)
    if seeds != 1 or not ticks.height:
        return "seed"
    apart = {"private"} >= {trial.study.wiring.name for trial in study.trials()}
    worlds = int(ticks.group_by(PLACE).agg(pl.col("world").n_unique())["world"].min() or 0)  # type: ignore[arg-type]
    return "world" if apart and worlds > 1 else "seed"


def _marks(study: Study, trials: Sequence[Trial]) -> pl.DataFrame:
    """Return one row a trial: its place, id, seed and condition, and a column a factor."""
    names, named, rows = [factor.name for factor in factors(study)], labeller(study), []
    for place, trial in enumerate(trials):
        values = named(trial)
        known = {PLACE: place, "trial": trial.id, "seed": trial.seed, "condition": condition(values)}
        rows.append(known | dict(zip(names, values, strict=True)))
    return pl.DataFrame(rows, infer_schema_length=None)


def _marked(table: pl.DataFrame, marks: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return a table with the columns of `_marks`, which replace its own of these names, and its units."""
    if not table.columns:
        return pl.DataFrame(schema={"condition": pl.String})
    own = table.drop([name for name in marks.columns if name != PLACE], strict=False)
    joined = own.join(marks, on=PLACE, how="left", maintain_order="left").drop(PLACE)
    return joined.with_columns(_unit_column(table, unit).alias("unit"))


def _unit_column(table: pl.DataFrame, unit: str) -> pl.Expr:
    if unit == "world" and "world" in table.columns:
        return pl.col("world")
    if unit == "world" and "space" in table.columns:
        return pl.col("space").str.extract(r"(w\d{4,})").fill_null(pl.col("space"))
    if unit == "world" and "name" in table.columns:
        return pl.col("name").str.extract(r"(w\d{4,})").fill_null(pl.col("name"))
    return pl.col("seed").cast(pl.String)


# --- intervals --------------------------------------------------------------------------------------------------------


@cache
def _draws(units: int) -> Floats:
    """Return how often each of `units` is drawn in each bootstrap resample: float64[RESAMPLES, units]."""
    rng = generator(seed_of(0, "bootstrap", str(units)))
    drawn: Floats = rng.multinomial(units, np.full(units, 1.0 / units), size=RESAMPLES).astype(np.float64)
    return drawn


def interval(sums: Floats, counts: Floats) -> tuple[float, float, float]:
    """Return sum(sums) / sum(counts) over units, with the ends of its percentile bootstrap interval.

    The same estimate and resampling as `stats.bootstrap_over_seeds`, from sums a unit and without scipy, because a
    report needs thousands. Ends are nan for a single unit.
    """
    estimate = float(sums.sum() / counts.sum())
    if len(sums) < 2:
        return estimate, float("nan"), float("nan")
    draws = _draws(len(sums))
    means = (draws @ sums) / np.maximum(draws @ counts, 1e-300)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return estimate, float(low), float(high)


def means(table: pl.DataFrame, by: Sequence[str], value: str, weight: str | None = None) -> pl.DataFrame:
    """Return `estimate, low, high, n` by the columns `by`, in their order of appearance; nulls do not count.

    The estimate is the mean of `value` over rows, or sum(value) / sum(weight); `n` counts rows.
    """
    weights = pl.lit(1.0) if weight is None else pl.col(weight).cast(pl.Float64)
    known = table.filter(pl.col(value).is_not_null()).with_columns(
        pl.col(value).cast(pl.Float64).alias("_sum"), weights.alias("_count")
    )
    summed = known.group_by([*by, "unit"], maintain_order=True).agg(
        pl.col("_sum").sum(), pl.col("_count").sum(), pl.len().alias("n")
    )
    rows = list(_estimates(summed.filter(pl.col("_count") > 0), by))
    schema = {name: table.schema[name] for name in by} | dict.fromkeys(("estimate", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema | {"n": pl.Int64}, orient="row")


def _estimates(summed: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[object, ...]]:
    groups = summed.group_by(by, maintain_order=True) if by else [((), summed)]
    for key, rows in groups:
        if rows.height:
            yield *key, *interval(rows["_sum"].to_numpy(), rows["_count"].to_numpy()), int(rows["n"].sum())


def effects(table: RunTables, scores: pl.DataFrame, value: str) -> pl.DataFrame:
    """Return what each choice changes: for every factor, each value against its first, all else equal.

    `scores` has the factors' columns, `unit`, and `value`. A pair is two cells that differ in this factor alone, in the
    same unit; the difference is averaged over pairs, its interval over units. Columns: factor, choice, instead_of,
    difference, low, high, pairs.
    """
    rows = []
    for factor in table.factors:
        others = [name for name in [*table.names, "unit"] if name != factor.name]
        cells = scores.group_by([*table.names, "unit"], maintain_order=True).agg(pl.col(value).mean())
        first = cells.filter(pl.col(factor.name) == factor.labels[0])
        for choice in factor.labels[1:]:
            pairs = first.join(cells.filter(pl.col(factor.name) == choice), on=others, suffix="_other")
            pairs = pairs.with_columns((pl.col(f"{value}_other") - pl.col(value)).alias("difference"))
            found = means(pairs, [], "difference")
            if found.height:
                rows.append((factor.name, choice, factor.labels[0], *found.row(0)))
    columns = ["factor", "choice", "instead_of", "difference", "low", "high", "pairs"]
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
