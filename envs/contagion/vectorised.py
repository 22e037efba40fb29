"""Infection among up to millions of agents who meet in pairs, as arrays: no texts, no spaces, no trace.

All draws of a round follow from (seed, round), so that another engine can make the same ones (`meetings`). The album
law is that of Gu et al., *Agent Smith* (arXiv 2402.08567), with a first-in-first-out album.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simonides.sim.errors import UserError
from simonides.sim.seeds import generator, seed_of

Agents = NDArray[np.int64]
Flags = NDArray[np.bool_]
PURPOSE = "contagion"


@dataclass(frozen=True, slots=True)
class Meetings:
    """The pairs of one round and what chance decides in them; all arrays have shape (agents / 2,), in pair order."""

    questioners: Agents
    answerers: Agents
    retrieved: Flags
    """Whether a virus in the questioner's album would be retrieved (probability alpha)."""
    accepted: Flags
    """Whether a retrieved virus would infect the answerer (probability beta)."""


def first_infected(seed: int, agents: int, infected: int) -> Agents:
    """Return who is infected at the start: the first `infected` of a permutation drawn from (seed, "start")."""
    return generator(seed_of(seed, PURPOSE, "start")).permutation(agents)[:infected]


def round_generator(seed: int, round_: int) -> np.random.Generator:
    """Return the generator of one round, counted from 0: `generator(seed_of(seed, "contagion", "round", round_))`."""
    return generator(seed_of(seed, PURPOSE, "round", round_))


def meetings(rng: np.random.Generator, agents: int, alpha: float, beta: float) -> Meetings:
    """Draw the pairs of a round from its generator, always in this order.

    1. `permutation(agents)`: the pairs are its entries 0 and 1, 2 and 3, ...
    2. `random(agents // 2) < 0.5`: whether the first of each pair asks.
    3. `random(agents // 2) < alpha`: retrieved.
    4. `random(agents // 2) < beta`: accepted.

    All are drawn for every pair, needed or not.
    """
    first, second = rng.permutation(agents).reshape(-1, 2).T
    asks = rng.random(agents // 2) < 0.5
    retrieved = rng.random(agents // 2) < alpha
    accepted = rng.random(agents // 2) < beta
    return Meetings(np.where(asks, first, second), np.where(asks, second, first), retrieved, accepted)


class AlbumWorld:
    """Process F: every agent has a first-in-first-out album, and whoever is asked stores one item.

    Kept is, for each agent, after how many more stores its newest copy of the virus is evicted: 0 (clean) to `album`.
    Nothing else of an album matters to who is infected. Raises UserError for parameters out of range.
    """

    def __init__(self, agents: int, album: int, alpha: float, beta: float, infected: int, seed: int) -> None:
        _check(agents, infected, alpha=alpha, beta=beta)
        if album < 1:
            raise UserError(f"An album holds at least 1 item; asked for album {album}.")
        self.album, self.alpha, self.beta, self.seed = album, alpha, beta, seed
        self.round = 0
        self.left = np.zeros(agents, np.int32)
        self.left[first_infected(seed, agents, infected)] = album

    @property
    def infected(self) -> Flags:
        """Return who holds at least one copy of the virus, of shape (agents,)."""
        return self.left > 0

    def step(self) -> None:
        """Play one round; all reads are of the state before it."""
        met = meetings(round_generator(self.seed, self.round), len(self.left), self.alpha, self.beta)
        infects = (self.left[met.questioners] > 0) & met.retrieved & met.accepted
        fewer = np.maximum(self.left[met.answerers] - 1, 0)
        self.left[met.answerers] = np.where(infects, self.album, fewer)
        self.round += 1


class MemorylessWorld:
    """Process S: infected questioners infect with probability beta, and the infected recover with probability gamma.

    The draws of a round are those of `meetings` (with alpha 1), then `random(agents) < gamma` in agents' order: who
    recovers, if infected at the start of the round. Raises UserError for parameters out of range.
    """

    def __init__(self, agents: int, beta: float, gamma: float, infected: int, seed: int) -> None:
        _check(agents, infected, beta=beta, gamma=gamma)
        self.beta, self.gamma, self.seed = beta, gamma, seed
        self.round = 0
        self.infected: Flags = np.zeros(agents, np.bool_)
        """Who is infected, of shape (agents,)."""
        self.infected[first_infected(seed, agents, infected)] = True

    def step(self) -> None:
        """Play one round; all reads are of the state before it."""
        rng = round_generator(self.seed, self.round)
        met = meetings(rng, len(self.infected), 1.0, self.beta)
        recovers = rng.random(len(self.infected)) < self.gamma
        after = self.infected & ~recovers
        caught = self.infected[met.questioners] & met.accepted & ~self.infected[met.answerers]
        after[met.answerers[caught]] = True
        self.infected = after
        self.round += 1


def curve(world: AlbumWorld | MemorylessWorld, rounds: int) -> NDArray[np.float64]:
    """Play rounds and return the infected share before each and after the last, of shape (rounds + 1,)."""
    shares = [world.infected.mean()]
    for _ in range(rounds):
        world.step()
        shares.append(world.infected.mean())
    return np.array(shares)


def _check(agents: int, infected: int, **probabilities: float) -> None:
    if agents < 2 or agents % 2:
        raise UserError(f"Agents meet in pairs, so their number is even; asked for {agents} agents.")
    if not 0 <= infected <= agents:
        raise UserError(f"Asked for {infected} infected agents; there are {agents}.")
    for name, value in probabilities.items():
        if not 0.0 <= value <= 1.0:
            raise UserError(f"{name} is a probability, in [0, 1]; found {value}.")
