"""The memory gap: how much a reader gains by recalling, against chance, a constant guess, and the fact left out.

Two readers differ only in recall. Memory decides a task when the one that recalls succeeds, the one that does not is no
better than chance, and the one that recalls but was never told the fact is no better either: nothing else tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.stats import Interval, wilson
from simonides.sim.config import Trial

FULL, NONE, REMOVED = "full memory", "no memory", "fact removed"
ARM = "_arm"
"""The column that holds a trial's arm; a study may have a factor called arm."""

SUCCEEDS = 0.85
"""The lower end of the 95 % interval of success with full memory."""

SLACK = 0.10
"""By how much a reader without memory may exceed chance."""

SEEDS, FEW_SEEDS = 100, 40
"""Seeds that a claim takes, and where episodes are expensive."""

ALIKE = 0.05
"""Fisher's exact p below which two arms are not alike."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Successes among the needs of one arm."""

    hits: int
    needs: int

    @property
    def share(self) -> Interval:
        """The share with its Wilson 95 % interval."""
        return wilson(self.hits, self.needs)


@dataclass(frozen=True, slots=True)
class Gap:
    """One row of the table: a task, by its labels in the study, and its three arms."""

    labels: tuple[str, ...]
    seeds: int
    chance: float
    """1 / m, averaged over the needs."""
    constant: float
    """Success of the best answer that is always the same: a value, or a place among the options."""
    arms: Mapping[str, Arm]

    @property
    def gap(self) -> float:
        """Success with full memory less success without."""
        return self.arms[FULL].share.estimate - self.arms[NONE].share.estimate

    @property
    def faults(self) -> tuple[str, ...]:
        """What keeps this from being a task that memory decides; empty when it is one."""
        full, none = self.arms[FULL].share, self.arms[NONE].share
        found = []
        if full.low < SUCCEEDS:
            found.append(f"full memory's lower bound is {full.low:.2f}, not {SUCCEEDS}")
        if none.estimate > self.chance + SLACK:
            found.append(f"no memory is {none.estimate - self.chance:+.2f} above chance")
        if none.low > self.constant:
            found.append("no memory is better than the best constant guess")
        if REMOVED not in self.arms:
            found.append("no arm without the fact")
        elif self._leaks():
            found.append("the fact leaks: with it removed, recall still helps")
        return tuple(found)

    def _leaks(self) -> bool:
        from scipy.stats import fisher_exact  # type: ignore[import-untyped]  # importing it takes longer than any of this

        removed, none = self.arms[REMOVED], self.arms[NONE]
        table = [[removed.hits, removed.needs - removed.hits], [none.hits, none.needs - none.hits]]
        return float(fisher_exact(table, alternative="greater").pvalue) < ALIKE


def arm_of(trial: Trial) -> str:
    """Return the arm of a trial, from the policy's `recall` and the environment's `reveal`."""
    recalls = trial.study.policy.params.get("recall", True)
    reveals = trial.study.environment.params.get("reveal", True)
    return NONE if not recalls else FULL if reveals else REMOVED


def gaps(tables: RunTables) -> list[Gap]:
    """Return the gap of every task in a run: the cells that have an arm with full memory and one without.

    A reader without memory whose fact was removed as well says nothing more, and is left out.
    """
    if not tables.needs.height:
        return []
    arms = {trial.id: arm_of(trial) for trial in tables.study.trials()}
    marked = tables.needs.with_columns(pl.col("trial").replace_strict(arms).alias(ARM))
    of_arms = {f.name for f in tables.factors if _varies_arm(marked, tables, f.name)}
    names = [name for name in tables.names if name not in of_arms]
    groups = marked.group_by(names, maintain_order=True) if names else [((), marked)]
    found = [_gap(tuple(map(str, key)), rows) for key, rows in groups]
    return [one for one in found if {FULL, NONE} <= set(one.arms)]


def _varies_arm(marked: pl.DataFrame, tables: RunTables, name: str) -> bool:
    others = [other for other in tables.names if other != name]
    seen = marked.select(*tables.names, ARM).unique()
    by_cell = seen.group_by(others).agg(pl.col(ARM).n_unique()) if others else seen.select(pl.col(ARM).n_unique())
    return int(by_cell[ARM].max() or 0) > 1  # type: ignore[arg-type]


def _gap(labels: tuple[str, ...], rows: pl.DataFrame) -> Gap:
    arms = {
        str(name): Arm(int(part["success"].sum()), part.height)
        for (name,), part in rows.group_by([ARM], maintain_order=True)
    }
    full = rows.filter(pl.col(ARM) == FULL)
    counted = full if full.height else rows
    constant = max(_most(counted, "truth"), _most(counted, "place"))
    return Gap(labels, rows["seed"].n_unique(), float((1 / counted["m"]).mean()), constant, arms)  # type: ignore[arg-type]


def _most(rows: pl.DataFrame, column: str) -> float:
    return float(rows[column].value_counts()["count"].max()) / rows.height  # type: ignore[arg-type]
