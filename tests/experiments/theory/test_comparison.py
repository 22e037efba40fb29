"""Simulated infection follows its law, and a comparison tells when it does not."""

import numpy as np
import pytest

from simonides.experiments.theory.comparison import ALBUMS, EACH, EXTINCT, MEAN, MEMORYLESS, Album, Comparison, compare
from simonides.experiments.theory.first_case import FirstCases, first_cases
from simonides.experiments.theory.page import first_rows

SEEDS = range(8)


def test_the_settings_end_where_they_should():
    found = [round(setting.fixed_point, digits) for setting, digits in zip(ALBUMS, (3, 4, 3, 3, 3), strict=True)]
    assert found == [1.0, 0.9985, 0.929, 0.719, 0.0]
    assert [setting.rounds for setting in ALBUMS] == [60, 80, 120, 120, 120]


@pytest.mark.parametrize("setting", [*ALBUMS, *MEMORYLESS], ids=lambda setting: setting.label)
def test_ten_thousand_agents_follow_the_law_within_chance(setting):
    """Chance is larger than with 100,000 agents by the root of ten."""
    found = compare(setting, 10_000, range(3))
    assert found.each <= 10**0.5 * EACH
    assert found.mean <= 10**0.5 * MEAN
    assert not found.judged


@pytest.mark.slow
@pytest.mark.parametrize("setting", [*ALBUMS, *MEMORYLESS], ids=lambda setting: setting.label)
def test_a_hundred_thousand_agents_meet_the_criterion(setting):
    found = compare(setting, 100_000, SEEDS)
    assert found.judged and found.holds
    assert found.each <= 0.02 and found.mean <= 0.01
    if setting in (ALBUMS[-1], MEMORYLESS[-1]):
        assert found.end < 0.005


@pytest.mark.parametrize(
    "wrong", [Album(9, 0.5, 0.5, 120), Album(10, 0.5, 0.525, 120)], ids=lambda setting: setting.label
)
def test_a_slightly_different_law_fails_the_criterion(wrong):
    """The criterion can fail: one item less, or five percent more infectious, is seen (not by the first setting)."""
    right = ALBUMS[2]
    assert not Comparison(right, 100_000, right.theory(0.05), wrong.theory(0.05)[None]).holds


def test_what_ought_to_die_out_and_does_not_fails():
    dying = ALBUMS[-1]
    theory = dying.theory(0.05)
    assert Comparison(dying, 100_000, theory, theory[None]).holds
    assert not Comparison(dying, 100_000, theory, np.maximum(theory, EXTINCT)[None]).holds


@pytest.mark.parametrize("setting", [ALBUMS[1], ALBUMS[3]], ids=lambda setting: setting.label)
def test_one_infected_agent_dies_out_as_often_as_a_branching_process(setting):
    found = first_cases(setting, 2_000, range(60))
    assert found.extinct.low <= found.extinction <= found.extinct.high
    assert len(found.times) + found.reached.count(None) == 60
    assert found.times[0] < found.mean_field < found.times[-1]


def test_a_setting_in_which_every_run_died_out_has_no_rounds():
    setting = Album(10, 0.5, 0.5, 120)
    (row,) = first_rows([FirstCases(setting, 2_000, (None, None))]).iter_rows(named=True)
    assert row["rounds to 40 %"] == "" and row["died out"] == 1.0
    (row,) = first_rows([FirstCases(setting, 2_000, (30, None, 34))]).iter_rows(named=True)
    assert row["rounds to 40 %"] == "30-34-34"
