"""SIS simulated on networks, against the threshold of their spectrum and the individual mean field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from simonides.experiments.elsewhere import attribute
from simonides.experiments.theory.comparison import EXTINCT
from simonides.experiments.theory.networks import mean_field_share, network, spectral_threshold

GAMMA = 0.1
CHANCE = 0.02
"""What a simulated share may lie above the mean field's, because networks and runs are finite."""
ROUNDS = 400
TIMES = (0.8, 1.2, 1.5, 2.0, 3.0, 4.0, 6.0)
"""beta / gamma in units of each network's threshold."""


@dataclass(frozen=True, slots=True)
class Outbreak:
    """One network at one strength: `shares` are the infected shares over the second half of the rounds, one a seed."""

    network: str
    threshold: float
    times: float
    shares: tuple[float, ...]
    mean_field: float

    @property
    def share(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.shares))

    @property
    def consistent(self) -> bool:
        """Whether theory's bounds hold: below the threshold it dies out, above it stays below the mean field."""
        return self.share < EXTINCT if self.times < 1.0 else self.share <= self.mean_field + CHANCE


def outbreaks(name: str, nodes: int, seeds: Sequence[int], times: Sequence[float] = TIMES) -> list[Outbreak]:
    """Run SIS on one network at several strengths, each from a fifth infected, once a seed."""
    links = network(name, nodes, seed=0)
    threshold = spectral_threshold(links)
    found = []
    for strength in times:
        beta = strength * threshold * GAMMA
        shares = tuple(settled_share(links, beta, GAMMA, ROUNDS, seed) for seed in seeds)
        found.append(Outbreak(name, threshold, strength, shares, mean_field_share(links, beta, GAMMA)))
    return found


def settled_share(links: csr_array, beta: float, gamma: float, rounds: int, seed: int) -> float:
    """Return the mean infected share over the second half of the rounds, from a fifth infected."""
    world = attribute("simonides.envs.contagion.networks:NetworkWorld")(
        links, beta, gamma, infected=links.shape[0] // 5, seed=seed
    )
    shares = []
    for number in range(rounds):
        world.step()
        if number >= rounds // 2:
            shares.append(world.infected.mean())
    return float(np.mean(shares))
