"""What sharing memory gains and costs: cells that share against those that do not, paired by seed.

Gain is the mean paired difference S_shared - S_private of task success (of answers' F1, where a world poses no needs),
with a bootstrap interval over seeds and Holm's correction within the table. Negative transfer is the share of single
tasks that went worse with sharing, and `better` that of those that went better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.stats import CLAIM_SEEDS, PairedTest, holm, paired_bootstrap

PRIVATE = "private"
MEASURES = (
    ("needs", "success", ("world", "agent", "need")),
    ("questions", "official_f1", ("world", "agent", "question")),
)
"""Table, column, and what tells the single tasks of a trial apart."""


@dataclass(frozen=True, slots=True)
class Gain:
    """One wiring against private memories, in one cell of the other factors."""

    condition: str
    wiring: str
    private: float
    shared: float
    test: PairedTest
    adjusted: float
    worse: float
    """Negative transfer."""
    better: float
    tasks: int

    @property
    def exploratory(self) -> bool:
        """True where too few seeds stand behind it for a claim."""
        return self.test.n < CLAIM_SEEDS


def gains(tables: RunTables) -> list[Gain]:
    """Return the gain of every wiring over private memories; [] for a study that does not vary the wiring so."""
    factor = next((one for one in tables.factors if one.path == "wiring" and PRIVATE in one.labels), None)
    if factor is None:
        return []
    found = list(_gains(tables, factor.name, factor.labels))
    adjusted = holm({str(i): one.test.p for i, one in enumerate(found)})
    return [replace(one, adjusted=adjusted[str(i)]) for i, one in enumerate(found)]


def _gains(tables: RunTables, factor: str, wirings: tuple[str, ...]) -> Iterator[Gain]:
    table, column, item = next((one for one in MEASURES if getattr(tables, one[0]).height), MEASURES[0])
    rows: pl.DataFrame = getattr(tables, table)
    if not rows.height:
        return
    rows = rows.filter(pl.col(column).is_not_null()).with_columns(pl.col(column).cast(pl.Float64).alias("_score"))
    others = [name for name in tables.names if name != factor]
    for cell, some in rows.group_by(others, maintain_order=True) if others else [((), rows)]:
        apart = some.filter(pl.col(factor) == PRIVATE)
        for wiring in (one for one in wirings if one != PRIVATE):
            both = _paired(apart, some.filter(pl.col(factor) == wiring), ("seed", *item))
            if both.height:
                yield _gain(" · ".join(map(str, cell)) or "all trials", wiring, both)


def _paired(apart: pl.DataFrame, shared: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return (keys, private, shared): what both did, by single task."""
    first, second = (
        some.group_by(keys).agg(pl.col("_score").mean().alias(name))
        for some, name in ((apart, "private"), (shared, "shared"))
    )
    return first.join(second, on=list(keys)).sort(list(keys))


def _gain(condition: str, wiring: str, both: pl.DataFrame) -> Gain:
    seeds = both.group_by("seed").agg(pl.col("private", "shared").mean()).sort("seed")
    test = paired_bootstrap(seeds["shared"].to_list(), seeds["private"].to_list())
    change = both["shared"] - both["private"]
    means = float(seeds["private"].mean()), float(seeds["shared"].mean())  # type: ignore[arg-type]
    worse, better = float((change < 0).mean()), float((change > 0).mean())  # type: ignore[arg-type]
    return Gain(condition, wiring, *means, test, float("nan"), worse, better, both.height)
