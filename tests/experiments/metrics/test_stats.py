"""Intervals and tests agree with textbook values and say honestly what small samples cannot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simonides.experiments.metrics.stats import (
    bootstrap_mean,
    bootstrap_over_seeds,
    holm,
    mcnemar_exact,
    paired_bootstrap,
    wilcoxon,
    wilson,
)


def isnan(*values):
    return all(math.isnan(value) for value in values)


def test_no_seed_gives_nan_and_one_seed_a_mean_without_ends():
    none, one = bootstrap_mean([]), bootstrap_mean([0.4])
    assert isnan(none.estimate, none.low, none.high)
    assert none.n == 0
    assert one.estimate == 0.4
    assert isnan(one.low, one.high)
    assert one.n == 1


def test_equal_scores_give_an_interval_of_no_width():
    interval = bootstrap_mean([0.5] * 4)
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_the_bootstrap_comes_near_the_normal_interval_for_many_seeds():
    scores = np.random.default_rng(7).normal(0.6, 0.1, 400)
    interval = bootstrap_mean(list(scores))
    half = 1.96 * scores.std() / 20
    assert interval.low == pytest.approx(scores.mean() - half, abs=0.001)
    assert interval.high == pytest.approx(scores.mean() + half, abs=0.001)


def test_the_bootstrap_is_a_function_of_its_seed():
    scores = [0.1, 0.5, 0.9, 0.3]
    assert bootstrap_mean(scores, seed=3) == bootstrap_mean(scores, seed=3)


def test_seeds_are_resampled_whole_and_items_weigh_equally():
    alike = bootstrap_over_seeds([[1.0] * 50, [0.0] * 50, [1.0] * 50])
    assert alike.estimate == pytest.approx(2 / 3)
    assert (alike.n, alike.low, alike.high) == (3, 0.0, 1.0)
    assert bootstrap_over_seeds([[1.0], [0.0, 0.0, 0.0], []]).estimate == 0.25
    assert bootstrap_over_seeds([[1.0], [0.0, 0.0, 0.0], []]).n == 2


def test_fewer_than_twenty_seeds_are_exploratory():
    assert bootstrap_mean([0.1, 0.2] * 9).exploratory
    assert not bootstrap_mean([0.1, 0.2] * 10).exploratory


def test_wilson_matches_the_textbook():
    interval = wilson(7, 10)
    assert (interval.low, interval.high) == pytest.approx((0.3968, 0.8922), abs=1e-4)
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_holds_its_estimate_inside_zero_and_one(k, n):
    interval = wilson(min(k, n), n)
    assert -1e-12 <= interval.low <= interval.estimate + 1e-12 <= interval.high + 2e-12 <= 1 + 3e-12


def test_a_paired_difference_that_never_changes_sign_is_significant():
    test = paired_bootstrap([0.9, 0.8, 0.85, 0.95], [0.5, 0.6, 0.5, 0.6])
    assert test.difference == pytest.approx(0.325)
    assert test.low > 0
    assert 0 < test.p < 0.001


def test_a_paired_bootstrap_of_equals_finds_nothing():
    test = paired_bootstrap([0.5, 0.6], [0.5, 0.6])
    assert (test.difference, test.p) == (0.0, 1.0)
    assert isnan(paired_bootstrap([0.5], [0.2]).p, paired_bootstrap([], []).difference)


def test_unpaired_scores_are_refused():
    with pytest.raises(ValueError, match="got 2 and 1"):
        wilcoxon([0.1, 0.2], [0.1])


def test_mcnemar_counts_only_the_pairs_that_disagree():
    test = mcnemar_exact([True] * 8 + [False] * 2 + [True] * 5, [False] * 8 + [True] * 2 + [True] * 5)
    assert test.p == pytest.approx(0.109375)
    assert test.difference == pytest.approx(6 / 15)
    assert mcnemar_exact([True], [True]).p == 1.0
    assert isnan(mcnemar_exact([], []).p)


def test_wilcoxon_matches_the_exact_distribution():
    assert wilcoxon([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]).p == pytest.approx(2 / 32)
    assert wilcoxon([0.5, 0.5], [0.5, 0.5]).p == 1.0
    assert wilcoxon([0.5, 0.5, 0.9], [0.5, 0.4, 0.8]).difference == pytest.approx(0.1)
    assert isnan(wilcoxon([], []).p)


def test_holm_steps_down_in_order_and_leaves_out_tests_not_made():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    adjusted = holm({"a": 0.02, "b": float("nan")})
    assert adjusted["a"] == 0.02
    assert isnan(adjusted["b"])
    assert holm({}) == {}


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_and_never_passes_one(values):
    named = {str(n): p for n, p in enumerate(values)}
    assert all(named[name] <= p <= 1 for name, p in holm(named).items())
