"""Infection as arrays: what is drawn, and that it is the law played literally with albums."""

from collections import deque

import numpy as np
import pytest

from simonides.envs.contagion.vectorised import (
    AlbumWorld,
    MemorylessWorld,
    curve,
    first_infected,
    meetings,
    round_generator,
)
from simonides.sim.errors import UserError


def played_with_albums(agents, album, alpha, beta, infected, seed, rounds):
    """Yield who is infected before each round and after the last, from albums that hold their items."""
    albums = [deque(["benign"] * album, maxlen=album) for _ in range(agents)]
    for agent in first_infected(seed, agents, infected):
        albums[agent][-1] = "virus"
    yield {agent for agent, items in enumerate(albums) if "virus" in items}
    for number in range(rounds):
        met = meetings(round_generator(seed, number), agents, alpha, beta)
        before = [tuple(items) for items in albums]
        for asks, answers, retrieved, accepted in zip(
            met.questioners, met.answerers, met.retrieved, met.accepted, strict=True
        ):
            caught = "virus" in before[asks] and retrieved and accepted
            albums[answers].append("virus" if caught else "benign")
        yield {agent for agent, items in enumerate(albums) if "virus" in items}


@pytest.mark.parametrize("album, alpha, beta", [(1, 0.9, 0.9), (3, 0.8, 0.6), (10, 1.0, 1.0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_arrays_and_albums_have_equal_infected_sets_in_every_round(album, alpha, beta, seed):
    world = AlbumWorld(60, album, alpha, beta, 6, seed)
    for infected in played_with_albums(60, album, alpha, beta, 6, seed, 40):
        assert set(np.flatnonzero(world.infected).tolist()) == infected
        world.step()


def test_everyone_meets_one_other_in_a_round():
    met = meetings(round_generator(3, 7), 1_000, 0.5, 0.5)
    assert sorted([*met.questioners, *met.answerers]) == list(range(1_000))


def test_a_round_follows_from_seed_and_round_alone():
    first, again = (meetings(round_generator(3, 7), 100, 0.5, 0.5) for _ in range(2))
    other = meetings(round_generator(3, 8), 100, 0.5, 0.5)
    assert (first.questioners == again.questioners).all() and (first.accepted == again.accepted).all()
    assert (first.questioners != other.questioners).any()


def test_the_draws_are_those_written_down():
    """Guards the order of draws: another engine relies on it."""
    rng = round_generator(0, 0)
    pairs = rng.permutation(8).reshape(4, 2)
    asks, retrieved, accepted = rng.random(4) < 0.5, rng.random(4) < 0.3, rng.random(4) < 0.7
    met = meetings(round_generator(0, 0), 8, 0.3, 0.7)
    assert met.questioners.tolist() == [pair[0 if first else 1] for pair, first in zip(pairs, asks, strict=True)]
    assert met.answerers.tolist() == [pair[1 if first else 0] for pair, first in zip(pairs, asks, strict=True)]
    assert (met.retrieved == retrieved).all() and (met.accepted == accepted).all()


def test_certain_infection_and_certain_recovery():
    world = MemorylessWorld(10, 1.0, 1.0, 10, 0)
    world.step()
    assert not world.infected.any()
    world = MemorylessWorld(10, 1.0, 0.0, 1, 0)
    assert (np.diff(curve(world, 60)) >= 0).all() and world.infected.all()


def test_who_is_caught_in_a_round_does_not_recover_in_it():
    world = MemorylessWorld(2, 1.0, 1.0, 1, 0)
    (ill,) = np.flatnonzero(world.infected)
    asks = meetings(round_generator(0, 0), 2, 1.0, 1.0).questioners[0] == ill
    world.step()
    assert world.infected.sum() == int(asks)


@pytest.mark.parametrize(
    "given, complaint",
    [
        ((7, 3, 0.5, 0.5, 1, 0), "even; asked for 7 agents"),
        ((8, 0, 0.5, 0.5, 1, 0), "at least 1 item; asked for album 0"),
        ((8, 3, 1.5, 0.5, 1, 0), "alpha is a probability, in .0, 1.; found 1.5"),
        ((8, 3, 0.5, 0.5, 9, 0), "9 infected agents; there are 8"),
    ],
)
def test_what_cannot_be_is_named(given, complaint):
    with pytest.raises(UserError, match=complaint):
        AlbumWorld(*given)
