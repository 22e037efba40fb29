"""Ebbinghaus' curve has the values that he printed, and MemoryBank forgets by the exponential named after him."""

import numpy as np
import pytest

from simonides.experiments.theory.fading import faded
from simonides.experiments.theory.forgetting import MINUTES, SAVINGS, best_strength, ebbinghaus, retention
from simonides.memory_actors.systems.dialogue import memorybank


def test_ebbinghaus_formula_is_near_his_data():
    found = [ebbinghaus(minutes) for minutes in MINUTES]
    assert found == pytest.approx([0.570, 0.468, 0.345, 0.304, 0.281, 0.249, 0.212], abs=5e-4)
    assert found == pytest.approx(SAVINGS, abs=0.035)
    assert ebbinghaus(1.0) == 1.0


def test_no_exponential_is_near_his_data():
    strength = best_strength(np.array(MINUTES), np.array(SAVINGS))
    assert max(abs(retention(at, strength) - saved) for at, saved in zip(MINUTES, SAVINGS, strict=True)) > 0.2


def test_the_nearest_exponential_to_an_exponential_is_itself():
    minutes = np.array(MINUTES)
    assert best_strength(minutes, np.exp(-minutes / 3_000)) == pytest.approx(3_000, rel=0.01)


@pytest.mark.parametrize("time", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("strength", [1, 2, 5])
def test_memorybanks_formula_is_the_reference(time, strength):
    assert memorybank.retention(time, strength) == pytest.approx(retention(time, strength))


def test_memorybank_keeps_what_the_exponential_says():
    assert [one for one in faded(300, seed=0) if not one.holds] == []


def test_the_public_codes_reading_is_another_curve():
    assert memorybank.retention(2.0, 2.0, "repo") == pytest.approx(retention(4.0, 5.0))
