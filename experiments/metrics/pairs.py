"""What interventions change, by pairs of trials that went on from the same state: with them, and without.

The unit is the trial seed: what is paired are the means of two trials of one seed and cell, and intervals resample
seeds. Outcomes that are yes or no also get McNemar's exact test over the single outcomes; outcomes of one trial depend
on each other, so that its p is exact only with one a trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import Factor
from simonides.experiments.metrics.stats import CLAIM_SEEDS, PairedTest, holm, mcnemar_exact, paired_bootstrap
from simonides.sim.pairing import clean_level


@dataclass(frozen=True, slots=True)
class Paired:
    """One measure under one intervention, against the same trials without it."""

    condition: str
    """The cell, by its labels, without the intervention."""
    intervention: str
    measure: str
    without: float
    with_it: float
    test: PairedTest
    """Paired over seeds; its difference is with less without."""
    adjusted: float
    """Its p after Holm's correction within the run's table."""
    lost: int | None = None
    gained: int | None = None
    """Single outcomes that were yes only without, and only with the intervention; None where they are no yes or no."""
    mcnemar: float | None = None

    @property
    def exploratory(self) -> bool:
        """True where too few seeds stand behind it for a claim."""
        return self.test.n < CLAIM_SEEDS


ACC = "ACC"
MEASURES = (
    ("task success", "needs", "success", ("world", "agent", "need")),
    (ACC, "needs", "success", ("world", "agent", "need")),
    ("answers F1", "questions", "official_f1", ()),
    ("reward", "ticks", "reward", ()),
)
"""Name, table, column, and for outcomes that are yes or no what tells the single ones of a trial apart. ACC leaves out
the decisions that the interventions' tainted items are about, in both trials of a pair."""


def pairs(tables: RunTables) -> list[Paired]:
    """Return every measure of every intervention of a study with pairs; [] for other studies."""
    factor = next((one for one in tables.factors if one.attack), None)
    if not tables.study.pair or factor is None:
        return []
    level = clean_level(tables.study, factor.path)
    if level is None:
        return []
    clean = factor.labels[list(tables.study.factors[factor.path]).index(level[0])]
    found = [one for measure in MEASURES for one in _of_measure(tables, factor, clean, *measure)]
    adjusted = holm({str(i): one.test.p for i, one in enumerate(found)})
    return [
        Paired(o.condition, o.intervention, o.measure, o.without, o.with_it, o.test, adjusted[str(i)], o.lost, o.gained,
               o.mcnemar)
        for i, o in enumerate(found)
    ]  # fmt: skip


def _of_measure(
    tables: RunTables, factor: Factor, clean: str, measure: str, table: str, column: str, item: tuple[str, ...]
) -> Iterator[Paired]:
    rows: pl.DataFrame = getattr(tables, table)
    if not rows.height:
        return
    others = [name for name in tables.names if name != factor.name]
    rows = rows.filter(pl.col(column).is_not_null()).with_columns(pl.col(column).cast(pl.Float64))
    for cell, some in rows.group_by(others, maintain_order=True) if others else [((), rows)]:
        before = some.filter(pl.col(factor.name) == clean)
        for label in (label for label in factor.labels if label != clean):
            after = some.filter(pl.col(factor.name) == label)
            if measure == ACC:
                aimed = after.filter("targeted").select("seed", *item)
                if not aimed.height:
                    continue
                after, base = (one.join(aimed, on=["seed", *item], how="anti") for one in (after, before))
            else:
                base = before
            seeds = _joined(base, after, column, ("seed",))
            if seeds.height:
                test = paired_bootstrap(seeds["after"].to_list(), seeds["before"].to_list())
                lost, gained, p = _mcnemar(base, after, column, item)
                where = " · ".join(map(str, cell)) or "all trials"
                means = float(seeds["before"].mean()), float(seeds["after"].mean())  # type: ignore[arg-type]
                yield Paired(where, label, measure, *means, test, float("nan"), lost, gained, p)


def _joined(before: pl.DataFrame, after: pl.DataFrame, column: str, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return (keys, before, after): the means of what both have, sorted by the keys."""
    first, second = (
        some.group_by(keys).agg(pl.col(column).mean().alias(name))
        for some, name in ((before, "before"), (after, "after"))
    )
    return first.join(second, on=list(keys)).sort(list(keys))


def _mcnemar(
    before: pl.DataFrame, after: pl.DataFrame, column: str, item: tuple[str, ...]
) -> tuple[int | None, int | None, float | None]:
    if not item:
        return None, None, None
    one = _joined(before, after, column, ("seed", *item))
    first, second = one["before"] > 0.5, one["after"] > 0.5
    p = mcnemar_exact(second.to_list(), first.to_list()).p
    return int((first & ~second).sum()), int((~first & second).sum()), p
