"""SIS on networks: thresholds that are known, and simulations beside them."""

import numpy as np
import pytest

from simonides.experiments.theory.networks import (
    NETWORKS,
    RING_CRITICAL,
    mean_field_share,
    mean_field_step,
    network,
    spectral_threshold,
)
from simonides.experiments.theory.outbreaks import outbreaks, settled_share
from simonides.sim.errors import UnknownName


def test_thresholds_that_are_known_in_closed_form():
    assert spectral_threshold(network("ring", 100, 0)) == pytest.approx(1 / 2)
    assert spectral_threshold(network("complete", 100, 0)) == pytest.approx(1 / 99)


def test_the_threshold_of_a_drawn_network_is_that_of_its_dense_spectrum():
    links = network("scale-free", 200, 1)
    assert spectral_threshold(links) == pytest.approx(1 / np.linalg.eigvalsh(links.toarray()).max())


def test_the_mean_field_of_a_complete_network_solves_its_equation():
    nodes, beta, gamma = 50, 0.01, 0.1
    p = mean_field_share(network("complete", nodes, 0), beta, gamma)
    assert gamma * p == pytest.approx((1 - p) * (1 - (1 - beta * p) ** (nodes - 1)), abs=1e-8)


def test_the_mean_field_with_certain_infection():
    links = network("ring", 5, 0)
    after = mean_field_step(np.array([1.0, 0, 0, 0, 0]), links, 1.0, 0.25)
    assert after == pytest.approx([0.75, 1, 0, 0, 1])
    half = mean_field_step(np.array([0.5, 0, 0, 0, 0]), links, 1.0, 0.25)
    assert half == pytest.approx([0.375, 0.5, 0, 0, 0.5])


@pytest.mark.parametrize("name", list(NETWORKS))
def test_theorys_bounds_hold_on_every_network(name):
    found = outbreaks(name, 200, range(2), times=(0.7, 1.5, 4.0))
    assert all(one.consistent for one in found)
    assert found[0].share < 0.005
    assert found[-1].share > 0.3


def test_on_a_complete_network_the_mean_field_is_close():
    (found,) = outbreaks("complete", 300, range(3), times=(3.0,))
    assert found.share == pytest.approx(found.mean_field, abs=0.02)


def test_the_threshold_of_a_ring_is_that_of_the_contact_process():
    """Rounds are short here (gamma = 0.02), since the known value is that of continuous time."""
    links = network("ring", 400, 0)
    below, above = (settled_share(links, factor * RING_CRITICAL * 0.02, 0.02, 3_000, 0) for factor in (0.6, 1.25))
    assert 1.9 * spectral_threshold(links) < 0.6 * RING_CRITICAL
    assert below < 0.005 and above > 0.3


def test_a_network_that_is_not_known_names_the_near_one():
    with pytest.raises(UnknownName, match="Did you mean 'ring'"):
        network("rings", 10, 0)
