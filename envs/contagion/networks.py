"""Infection along a network's links, as sparse arrays: susceptible, infected, susceptible again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from simonides.envs.contagion.vectorised import Flags, first_infected, round_generator
from simonides.sim.errors import UserError


class NetworkWorld:
    """SIS in discrete time: each infected neighbour infects with probability beta a round, independently.

    Those infected at the start of a round recover in it with probability gamma. `links` is a symmetric matrix of 0 and
    1, of shape (agents, agents). The draws of a round, from the generator of `vectorised.round_generator`:
    1. `random(agents)`, who is caught: below 1 - (1 - beta)^k with k infected neighbours; 2. `random(agents) < gamma`,
    who recovers. Raises UserError for parameters out of range.
    """

    def __init__(self, links: csr_array, beta: float, gamma: float, infected: int, seed: int) -> None:
        agents = links.shape[0]
        if not 0 <= infected <= agents:
            raise UserError(f"Asked for {infected} infected agents; the network has {agents}.")
        for name, value in (("beta", beta), ("gamma", gamma)):
            if not 0.0 <= value <= 1.0:
                raise UserError(f"{name} is a probability, in [0, 1]; found {value}.")
        self.links, self.beta, self.gamma, self.seed = links.astype(np.float32), beta, gamma, seed
        self.round = 0
        self.infected: Flags = np.zeros(agents, np.bool_)
        """Who is infected, of shape (agents,)."""
        self.infected[first_infected(seed, agents, infected)] = True

    def step(self) -> None:
        """Play one round; all reads are of the state before it."""
        rng = round_generator(self.seed, self.round)
        neighbours: NDArray[np.float32] = self.links @ self.infected.astype(np.float32)
        caught = rng.random(len(self.infected)) < 1.0 - (1.0 - self.beta) ** neighbours
        recovers = rng.random(len(self.infected)) < self.gamma
        self.infected = np.where(self.infected, ~recovers, caught)
        self.round += 1
