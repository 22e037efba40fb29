"""What sharing memory gains, costs and lets in: cells that share against those that do not, paired by seed.

Gain is the mean paired difference S_shared - S_private of task success (of answers' F1, where a world poses no needs),
with a bootstrap interval over seeds and Holm's correction over the wirings of a condition. Negative transfer is the
share of single tasks that went worse with sharing. Beside it stand contamination and how far attacks reach.
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
ALSO = (
    ("contamination", "contamination", ""), ("ASR-t", "poisoning", "ASR-t"), ("ASR-r", "poisoning", "ASR-r"),
    ("reached", "infection", "ever"), ("benign reached", "infection", "benign ever"),
)  # fmt: skip
"""Name, metric and part of what stands beside the gain: means over seeds."""


@dataclass(frozen=True, slots=True)
class Gain:
    """One wiring against private memories with the same seeds, in one cell of the other factors."""

    condition: str
    """Labels of the other factors, "" without any."""
    sharing: str
    private: float
    shared: float
    test: PairedTest
    """Paired over seeds; its difference is with sharing less private."""
    adjusted: float
    """Its p after Holm's correction over the wirings of the same condition."""
    worse: float
    """Negative transfer."""
    better: float
    tasks: int
    also: dict[str, float]
    """Means over seeds of the measures of `ALSO` that apply."""

    @property
    def exploratory(self) -> bool:
        """True where too few seeds stand behind it for a claim."""
        return self.test.n < CLAIM_SEEDS


def gains(tables: RunTables) -> list[Gain]:
    """Return the gain of every wiring over private memories; [] for a study that does not vary the wiring so."""
    factor = next((one for one in tables.factors if PRIVATE in one.labels and not one.attack), None)
    if factor is None:
        return []
    table, column, item = next((one for one in MEASURES if getattr(tables, one[0]).height), MEASURES[0])
    rows: pl.DataFrame = getattr(tables, table)
    if not rows.height:
        return []
    rows = rows.filter(pl.col(column).is_not_null()).with_columns(pl.col(column).cast(pl.Float64).alias("_score"))
    others = [name for name in tables.names if name != factor.name]
    found = []
    for cell, some in rows.group_by(others, maintain_order=True) if others else [((), rows)]:
        at = dict(zip(others, cell, strict=True))
        metrics = tables.metrics.filter(**at) if at else tables.metrics
        found += _corrected(list(_gains(some, metrics, factor.name, factor.labels, item, " · ".join(map(str, cell)))))
    return found


def _corrected(found: list[Gain]) -> list[Gain]:
    adjusted = holm({one.sharing: one.test.p for one in found})
    return [replace(one, adjusted=adjusted[one.sharing]) for one in found]


def _gains(
    rows: pl.DataFrame, metrics: pl.DataFrame, factor: str, labels: tuple[str, ...], item: tuple[str, ...], where: str
) -> Iterator[Gain]:
    apart = rows.filter(pl.col(factor) == PRIVATE)
    for sharing in (one for one in labels if one != PRIVATE):
        both = _paired(apart, rows.filter(pl.col(factor) == sharing), ("seed", *item))
        if both.height:
            also = dict(_also(metrics.filter(pl.col(factor) == sharing))) if metrics.height else {}
            yield _gain(where, sharing, both, also)


def _paired(apart: pl.DataFrame, shared: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return (keys, private, shared): what both did, by single task."""
    first, second = (
        some.group_by(keys).agg(pl.col("_score").mean().alias(name))
        for some, name in ((apart, "private"), (shared, "shared"))
    )
    return first.join(second, on=list(keys)).sort(list(keys))


def _gain(condition: str, sharing: str, both: pl.DataFrame, also: dict[str, float]) -> Gain:
    seeds = both.group_by("seed").agg(pl.col("private", "shared").mean()).sort("seed")
    test = paired_bootstrap(seeds["shared"].to_list(), seeds["private"].to_list())
    change = both["shared"] - both["private"]
    means = float(seeds["private"].mean()), float(seeds["shared"].mean())  # type: ignore[arg-type]
    worse, better = float((change < 0).mean()), float((change > 0).mean())  # type: ignore[arg-type]
    return Gain(condition, sharing, *means, test, float("nan"), worse, better, both.height, also)


def _also(rows: pl.DataFrame) -> Iterator[tuple[str, float]]:
    for name, metric, part in ALSO:
        values = rows.filter(metric=metric, part=part)["value"]
        if len(values):
            yield name, float(values.to_numpy().mean())
