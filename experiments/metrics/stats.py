"""Intervals and tests for trial scores: bootstrap over seeds, Wilson, paired comparisons, Holm's correction.

The unit is the trial seed: items within a trial depend on each other, so a trial counts as one draw. Nothing here
warns or raises for small samples: what cannot be said is nan, and `n` says on how little a number rests. scipy is
imported where it is called, because it takes a second and most readers of this file want the constants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simonides.sim.seeds import generator, seed_of

LEVEL = 0.95
RESAMPLES = 9_999
"""Efron and Tibshirani's advice of some thousands for percentile ends; 9,999 is also scipy's default."""
CLAIM_SEEDS = 20
"""Fewer seeds than this are called exploratory."""

NAN = float("nan")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its interval at confidence `level`, and the number of units that it rests on."""

    estimate: float
    low: float
    high: float
    n: int
    level: float = LEVEL

    @property
    def exploratory(self) -> bool:
        """Say whether too few seeds stand behind this for a claim."""
        return self.n < CLAIM_SEEDS


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A comparison of paired scores, `difference` being first minus second.

    `n` counts pairs; `p` is two-sided; ends are nan for tests that give no interval.
    """

    test: str
    n: int
    difference: float
    p: float
    low: float = NAN
    high: float = NAN


def bootstrap_mean(scores: Sequence[float], level: float = LEVEL, seed: int = 0) -> Interval:
    """Return the mean of one score a seed with its percentile bootstrap interval.

    n = 0 gives nan throughout; n = 1 gives the score with nan ends, since one seed says nothing about spread. Equal
    scores give an interval of width 0. Percentile and not BCa, because BCa is undefined for nearly constant scores.
    """
    return bootstrap_over_seeds([[score] for score in scores], level, seed)


def bootstrap_over_seeds(items: Sequence[Sequence[float]], level: float = LEVEL, seed: int = 0) -> Interval:
    """Return the mean over all items with an interval from resampling whole seeds: `items[s]` are seed s's scores.

    A seed with more items weighs more, as in the micro mean that benchmarks print. Seeds without items are left out.
    n counts seeds; n = 0 and n = 1 behave as in `bootstrap_mean`.
    """
    filled = [np.asarray(group, dtype=np.float64) for group in items if len(group)]
    if not filled:
        return Interval(NAN, NAN, NAN, 0, level)
    sums = np.array([group.sum() for group in filled])
    counts = np.array([float(group.size) for group in filled])
    estimate = float(_pooled(sums, counts))
    if len(filled) == 1:
        return Interval(estimate, NAN, NAN, 1, level)
    low, high = _ends(sums, counts, level, seed)
    return Interval(estimate, low, high, len(filled), level)


def _pooled(sums: Floats, counts: Floats, axis: int = -1) -> Floats:
    pooled: Floats = sums.sum(axis=axis) / counts.sum(axis=axis)
    return pooled


def _resampled(sums: Floats, counts: Floats, level: float, seed: int) -> tuple[float, float, Floats]:
    from scipy import stats as scipy_stats  # type: ignore[import-untyped]

    result = scipy_stats.bootstrap(
        (sums, counts), _pooled, paired=True, vectorized=True, n_resamples=RESAMPLES, batch=1_000,
        confidence_level=level, method="percentile", rng=generator(seed_of(seed, "bootstrap")),
    )  # fmt: skip
    interval = result.confidence_interval
    return float(interval.low), float(interval.high), np.asarray(result.bootstrap_distribution, dtype=np.float64)


def _ends(sums: Floats, counts: Floats, level: float, seed: int) -> tuple[float, float]:
    low, high, _ = _resampled(sums, counts, level, seed)
    return low, high


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Return a share with Wilson's score interval, for independent yes-or-no outcomes.

    n = 0 gives nan with ends 0 and 1: nothing is known. ValueError unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"Successes must lie between 0 and n, got {successes} of {n}.")
    if n == 0:
        return Interval(NAN, 0.0, 1.0, 0, level)
    from scipy import stats as scipy_stats

    ends = scipy_stats.binomtest(successes, n).proportion_ci(confidence_level=level, method="wilson")
    return Interval(successes / n, float(ends.low), float(ends.high), n, level)


def paired_bootstrap(
    first: Sequence[float], second: Sequence[float], level: float = LEVEL, seed: int = 0
) -> PairedTest:
    """Return the mean paired difference with its percentile bootstrap interval and a two-sided bootstrap p.

    Position i of both is the same seed. p is twice the smaller share of resampled means on either side of 0, with one
    added to count and total so that it is never 0. n = 0: nan throughout; n = 1: the difference, ends and p nan.
    """
    differences = _differences(first, second)
    if differences.size < 2:
        return PairedTest("paired bootstrap", differences.size, _mean(differences), NAN)
    low, high, means = _resampled(differences, np.ones_like(differences), level, seed)
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    p = min(1.0, 2 * (tail + 1) / (means.size + 1))
    return PairedTest("paired bootstrap", differences.size, _mean(differences), p, low, high)


def mcnemar_exact(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """Return McNemar's exact test of paired yes-or-no outcomes; `difference` is that of the two shares.

    Only pairs that disagree inform it: without any p is 1 (nan for n = 0).
    """
    from scipy import stats as scipy_stats

    differences = _differences([float(x) for x in first], [float(y) for y in second])
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    p = float(scipy_stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return PairedTest("McNemar exact", differences.size, _mean(differences), p if differences.size else NAN)


def wilcoxon(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Return Wilcoxon's signed-rank test (zero differences dropped); `difference` is the median paired difference.

    Without a difference other than 0, p is 1 (nan for n = 0).
    """
    from scipy import stats as scipy_stats

    differences = _differences(first, second)
    median = float(np.median(differences)) if differences.size else NAN
    p = float(scipy_stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
    return PairedTest("Wilcoxon signed-rank", differences.size, median, p if differences.size else NAN)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's step-down adjusted p of each named test, in the order given.

    nan, a test that could not be made, stays nan and is not counted in the family.
    """
    known = sorted((p, name) for name, p in p_values.items() if not math.isnan(p))
    adjusted: dict[str, float] = {}
    floor = 0.0  # an adjusted p is never below that of a test with a smaller p
    for rank, (p, name) in enumerate(known):
        floor = max(floor, min(1.0, p * (len(known) - rank)))
        adjusted[name] = floor
    return {name: adjusted.get(name, NAN) for name in p_values}


def _differences(first: Sequence[float], second: Sequence[float]) -> Floats:
    if len(first) != len(second):
        raise ValueError(f"Paired scores need one partner each: got {len(first)} and {len(second)}.")
    return np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else NAN
