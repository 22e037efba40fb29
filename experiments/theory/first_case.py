"""One infected agent among many: how long until 40 % are infected, and how often it comes to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simonides.experiments.metrics.stats import Interval, wilson
from simonides.experiments.theory import infection
from simonides.experiments.theory.comparison import Album

SHARE = 0.4
LIMIT = 1_000
"""Rounds after which a run that neither died out nor reached `SHARE` is given up."""


@dataclass(frozen=True, slots=True)
class FirstCases:
    """The runs of one setting: rounds until `SHARE` were infected, or None where the virus died out before."""

    setting: Album
    agents: int
    reached: tuple[int | None, ...]

    @property
    def times(self) -> list[int]:
        """The rounds of those that got there, sorted."""
        return sorted(time for time in self.reached if time is not None)

    @property
    def extinct(self) -> Interval:
        """The share that died out, with Wilson's interval."""
        return wilson(self.reached.count(None), len(self.reached))

    @property
    def extinction(self) -> float:
        """The probability of a branching process to die out."""
        return infection.album_extinction(self.setting.album, self.setting.alpha * self.setting.beta)

    @property
    def mean_field(self) -> int:
        """The round in which the law, begun at 1 / agents, reaches `SHARE`."""
        curve = infection.album_curve(
            self.setting.album, self.setting.alpha * self.setting.beta, 1.0 / self.agents, LIMIT
        )
        return int(np.argmax(curve >= SHARE))


def first_cases(setting: Album, agents: int, seeds: Sequence[int]) -> FirstCases:
    """Run a setting whose law passes `SHARE` with one infected agent, once a seed."""
    return FirstCases(setting, agents, tuple(_reached(setting, agents, seed) for seed in seeds))


def _reached(setting: Album, agents: int, seed: int) -> int | None:
    world = setting.world(agents, 1, seed)
    for number in range(LIMIT + 1):
        infected = int(world.infected.sum())
        if infected >= SHARE * agents:
            return number
        if infected == 0:
            return None
        world.step()
    raise RuntimeError(f"{setting.label}, seed {seed}: neither extinct nor at {SHARE:.0%} after {LIMIT} rounds.")
