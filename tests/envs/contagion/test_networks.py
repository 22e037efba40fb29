"""Infection along links."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from simonides.envs.contagion.networks import NetworkWorld
from simonides.envs.contagion.vectorised import round_generator
from simonides.sim.errors import UserError

LINKS = csr_array(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float))
"""Three agents in a row, and one alone."""


def test_infection_passes_links_alone_and_one_a_round():
    world = NetworkWorld(LINKS, 1.0, 0.0, 0, 0)
    world.infected[0] = True
    world.step()
    assert world.infected.tolist() == [True, True, False, False]
    world.step()
    assert world.infected.tolist() == [True, True, True, False]


def test_whoever_recovers_in_a_round_has_infected_in_it():
    world = NetworkWorld(LINKS, 1.0, 1.0, 0, 0)
    world.infected[1] = True
    world.step()
    assert world.infected.tolist() == [True, False, True, False]


def test_each_infected_neighbour_is_one_chance():
    links = csr_array(np.kron(np.eye(400), np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]])))
    world = NetworkWorld(links, 0.3, 0.0, 0, 0)
    world.infected[0::3] = world.infected[1::3] = True
    world.step()
    assert world.infected[2::3].mean() == pytest.approx(1 - 0.7**2, abs=0.07)


def test_the_draws_are_those_written_down():
    world = NetworkWorld(LINKS, 0.5, 0.4, 4, 3)
    rng = round_generator(3, 0)
    rng.random(4)
    recovers = rng.random(4) < 0.4
    world.step()
    assert world.infected.tolist() == (~recovers).tolist()


def test_what_cannot_be_is_named():
    with pytest.raises(UserError, match="Asked for 5 infected agents; the network has 4"):
        NetworkWorld(LINKS, 0.5, 0.5, 5, 0)
    with pytest.raises(UserError, match="gamma is a probability"):
        NetworkWorld(LINKS, 0.5, -0.5, 1, 0)
