"""What sharing gains and what it lets in, by wiring: success against private, contamination, and attacks that reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import Factor
from simonides.experiments.metrics.stats import CLAIM_SEEDS, PairedTest, holm, paired_bootstrap

PRIVATE = "private"
ALSO = (
    ("contamination", "contamination", ""), ("ASR-t", "poisoning", "ASR-t"), ("ASR-r", "poisoning", "ASR-r"),
    ("reached", "infection", "ever"), ("benign reached", "infection", "benign ever"),
)  # fmt: skip
"""Name, metric and part of what stands beside the gain: means over seeds."""


@dataclass(frozen=True, slots=True)
class Gain:
    """One wiring under one attack: success, and what it gains over private with the same seeds and the same attack."""

    sharing: str
    attack: str
    """Label of the attack, "" in a study without any."""
    success: float
    private: float
    test: PairedTest
    """Paired over seeds; its difference is with sharing less private."""
    adjusted: float
    """Its p after Holm's correction over the wirings under the same attack."""
    also: dict[str, float]
    """Means over seeds of the measures of `ALSO` that apply."""

    @property
    def exploratory(self) -> bool:
        """True where too few seeds stand behind it for a claim."""
        return self.test.n < CLAIM_SEEDS


def gains(tables: RunTables) -> list[Gain]:
    """Return every wiring against private under every attack; [] where a study does not vary them or has no needs."""
    shared = next((one for one in tables.factors if PRIVATE in one.labels and not one.attack), None)
    if shared is None or len(shared.labels) < 2 or not tables.needs.height:
        return []
    attack = next((one for one in tables.factors if one.attack), None)
    known = {shared.name} | ({attack.name} if attack is not None else set())
    if known != set(tables.names):
        return []  # another factor would be averaged over
    labels = attack.labels if attack is not None else ("",)
    return [one for label in labels for one in _under(tables, shared, attack, label)]


def _under(tables: RunTables, shared: Factor, attack: Factor | None, label: str) -> list[Gain]:
    needs = tables.needs if attack is None else tables.needs.filter(pl.col(attack.name) == label)
    seeds = needs.group_by(shared.name, "seed").agg(pl.col("success").cast(pl.Float64).mean())
    base = seeds.filter(pl.col(shared.name) == PRIVATE).select("seed", pl.col("success").alias("private"))
    found = []
    for sharing in (one for one in shared.labels if one != PRIVATE):
        both = seeds.filter(pl.col(shared.name) == sharing).join(base, on="seed").sort("seed")
        if both.height:
            test = paired_bootstrap(both["success"].to_list(), both["private"].to_list())
            means = [float(both[name].to_numpy().mean()) for name in ("success", "private")]
            also = dict(_also(tables, shared, attack, sharing, label))
            found.append(Gain(sharing, label, means[0], means[1], test, float("nan"), also))
    adjusted = holm({one.sharing: one.test.p for one in found})
    return [
        Gain(o.sharing, o.attack, o.success, o.private, o.test, adjusted[o.sharing], o.also) for o in found
    ]  # fmt: skip


def _also(
    tables: RunTables, shared: Factor, attack: Factor | None, sharing: str, label: str
) -> Iterator[tuple[str, float]]:
    rows = tables.metrics.filter(pl.col(shared.name) == sharing)
    rows = rows if attack is None else rows.filter(pl.col(attack.name) == label)
    for name, metric, part in ALSO:
        values = rows.filter((pl.col("metric") == metric) & (pl.col("part") == part))["value"]
        if len(values):
            yield name, float(values.to_numpy().mean())
