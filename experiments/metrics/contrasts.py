"""What a study declared before it ran: outcome and contrast, paired over seeds; and conclusions that flip with rho."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import Factor
from simonides.experiments.metrics.stats import CLAIM_SEEDS, PairedTest, holm, paired_bootstrap
from simonides.sim.config import Primary

Cell = tuple[str, ...]
RHO = "rho"


@dataclass(frozen=True, slots=True)
class Contrast:
    """The primary outcome at one level against another, in one cell of the other factors."""

    cell: Cell
    """The labels of the other factors, in the study's order."""
    level: str
    against: str
    means: tuple[float, float]
    """Over seeds that both have: at the level, and at the one that it is held against."""
    test: PairedTest
    adjusted: float
    """Its p after Holm's correction over the whole table."""
    primary: bool
    """That this is what was declared; the others are the table beside it."""
    flips: bool = False
    """That the same contrast concludes otherwise at another rho."""

    @property
    def exploratory(self) -> bool:
        """True where too few seeds stand behind it for a claim."""
        return self.test.n < CLAIM_SEEDS


def contrasts(tables: RunTables) -> list[Contrast]:
    """Return the declared outcome's contrasts; [] for a study that declares none, or where it was never measured."""
    declared = tables.study.primary
    if declared is None or not tables.metrics.height:
        return []
    factor = next(one for one in tables.factors if one.path == declared.factor)
    rows = tables.metrics.filter(metric=declared.metric, part=declared.part)
    found = list(_cells(tables, factor, declared, rows))
    adjusted = holm({str(n): one.test.p for n, one in enumerate(found)})
    found = [replace(one, adjusted=adjusted[str(n)]) for n, one in enumerate(found)]
    flipped = flips(tables, factor.name, [(one.cell, one.level, one.test) for one in found])
    return [replace(one, flips=flag) for one, flag in zip(found, flipped, strict=True)]


def _cells(tables: RunTables, factor: Factor, declared: Primary, rows: pl.DataFrame) -> Iterator[Contrast]:
    levels = dict(zip(factor.labels, tables.study.factors[factor.path], strict=True))
    base = next(label for label, value in levels.items() if value == declared.against)
    others, wanted = [name for name in tables.names if name != factor.name], _wanted(tables, declared)
    for key, some in rows.group_by(others, maintain_order=True) if others else [((), rows)]:
        cell = tuple(map(str, key))
        aimed = all(dict(zip(others, cell, strict=True))[name] == label for name, label in wanted.items())
        for label, value in levels.items():
            both = _both(some, factor.name, label, base) if label != base else pl.DataFrame()
            if both.height:
                test = paired_bootstrap(both["value"].to_list(), both["value_right"].to_list())
                means = float(both["value"].mean()), float(both["value_right"].mean())  # type: ignore[arg-type]
                named = declared.level is None or value == declared.level
                yield Contrast(cell, label, base, means, test, float("nan"), aimed and named)


def _wanted(tables: RunTables, declared: Primary) -> Mapping[str, str]:
    """Return factor -> label of the cells that the declared contrast is about."""
    return {
        one.name: one.labels[list(tables.study.factors[one.path]).index(declared.at[one.path])]
        for one in tables.factors
        if one.path in declared.at
    }


def _both(rows: pl.DataFrame, factor: str, label: str, base: str) -> pl.DataFrame:
    """Return (seed, value, value_right): what both levels measured, by seed."""
    first, second = (rows.filter(pl.col(factor) == one).select("seed", "value") for one in (label, base))
    return first.join(second, on="seed").sort("seed")


def rho_factor(tables: RunTables) -> Factor | None:
    """Return the factor that varies how readily the victim obeys, by its path; None where none does."""
    return next((one for one in tables.factors if one.path.split(".")[-1] == RHO), None)


def flips(tables: RunTables, factor: str, found: Iterable[tuple[Cell, str, PairedTest]]) -> list[bool]:
    """Return for each (cell without `factor`, level, test) whether the same at another rho concludes otherwise.

    A conclusion is the difference's sign where its interval leaves out 0, and none elsewhere.
    """
    rows, varied = list(found), rho_factor(tables)
    if varied is None or varied.name == factor:
        return [False] * len(rows)
    place = [name for name in tables.names if name != factor].index(varied.name)
    said: dict[tuple[Cell, str], set[int]] = {}
    keys = [((*cell[:place], *cell[place + 1 :]), level) for cell, level, _ in rows]
    for key, (_, _, test) in zip(keys, rows, strict=True):
        said.setdefault(key, set()).add(conclusion(test))
    return [len(said[key]) > 1 for key in keys]


def conclusion(test: PairedTest) -> int:
    """Return 1 or -1, the sign of a difference whose 95 % interval leaves out 0; else 0."""
    return int(test.low > 0) - int(test.high < 0)
