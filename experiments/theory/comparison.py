"""Simulated infection against its law: largest differences over all rounds, held against a criterion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simonides.experiments.elsewhere import attribute
from simonides.experiments.theory import infection

WORLDS = "simonides.envs.contagion.vectorised"
P0 = 0.05
"""Share of the agents that is infected at the start of every comparison."""
EACH, MEAN, EXTINCT = 0.02, 0.01, 0.005
"""The criterion: largest absolute difference of each seed, that of the seeds' mean, and the end of what dies out."""
JUDGED_FROM = 100_000
"""Agents from which the criterion is asked: chance alone is larger with fewer."""

Curve = NDArray[np.float64]


class Setting(Protocol):
    """One law with its parameters: what theory says of it, and the world that must follow."""

    @property
    def label(self) -> str:
        """The parameters, for people."""

    @property
    def rounds(self) -> int:
        """How long it is compared."""

    @property
    def fixed_point(self) -> float:
        """The infected share in the long run."""

    def theory(self, p0: float) -> Curve:
        """Return the law's infected shares, of shape (rounds + 1,)."""

    def world(self, agents: int, infected: int, seed: int) -> Any:
        """Return a world of this law with `infected` infected agents."""


@dataclass(frozen=True, slots=True)
class Album:
    """Process F: first-in-first-out albums of `album` items; retrieved with probability alpha, infecting with beta."""

    album: int
    alpha: float
    beta: float
    rounds: int

    @property
    def label(self) -> str:
        """The parameters, for people."""
        return f"A={self.album}, alpha={self.alpha:g}, beta={self.beta:g}"

    @property
    def fixed_point(self) -> float:
        """The infected share in the long run."""
        return infection.album_fixed_point(self.album, self.alpha * self.beta)

    def theory(self, p0: float) -> Curve:
        """Return the law's infected shares, of shape (rounds + 1,)."""
        return infection.album_curve(self.album, self.alpha * self.beta, p0, self.rounds)

    def world(self, agents: int, infected: int, seed: int) -> Any:
        """Return a world of this law with `infected` infected agents."""
        return attribute(f"{WORLDS}:AlbumWorld")(agents, self.album, self.alpha, self.beta, infected, seed)


@dataclass(frozen=True, slots=True)
class Memoryless:
    """Process S: infected questioners infect with probability beta; the infected recover with probability gamma."""

    beta: float
    gamma: float
    rounds: int

    @property
    def label(self) -> str:
        """The parameters, for people."""
        return f"beta={self.beta:g}, gamma={self.gamma:g}"

    @property
    def fixed_point(self) -> float:
        """The infected share in the long run."""
        return infection.memoryless_fixed_point(self.beta, self.gamma)

    def theory(self, p0: float) -> Curve:
        """Return the law's infected shares, of shape (rounds + 1,)."""
        return infection.memoryless_curve(self.beta, self.gamma, p0, self.rounds)

    def world(self, agents: int, infected: int, seed: int) -> Any:
        """Return a world of this law with `infected` infected agents."""
        return attribute(f"{WORLDS}:MemorylessWorld")(agents, self.beta, self.gamma, infected, seed)


ALBUMS = (
    Album(10, 1.0, 1.0, 60), Album(10, 0.8, 0.6, 80), Album(10, 0.5, 0.5, 120), Album(3, 0.8, 0.6, 120),
    Album(3, 0.6, 0.5, 120),
)  # fmt: skip
MEMORYLESS = (
    Memoryless(1.0, 0.05, 80), Memoryless(0.6, 0.1, 120), Memoryless(0.4, 0.1, 120), Memoryless(0.2, 0.15, 120),
)  # fmt: skip
"""Settings on both sides of the thresholds; the last of each dies out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One setting's law and its runs: `theory` of shape (rounds + 1,), `curves` of shape (seeds, rounds + 1)."""

    setting: Setting
    agents: int
    theory: Curve
    curves: Curve

    @property
    def each(self) -> float:
        """The largest absolute difference of any seed in any round."""
        return float(np.abs(self.curves - self.theory).max())

    @property
    def mean(self) -> float:
        """The largest absolute difference of the seeds' mean in any round."""
        return float(np.abs(self.curves.mean(axis=0) - self.theory).max())

    @property
    def end(self) -> float:
        """The largest infected share after the last round."""
        return float(self.curves[:, -1].max())

    @property
    def judged(self) -> bool:
        """Whether the criterion is asked of so many agents."""
        return self.agents >= JUDGED_FROM

    @property
    def holds(self) -> bool:
        """Whether the criterion holds."""
        near = self.each <= EACH and self.mean <= MEAN
        return near and (self.setting.fixed_point > 0.0 or self.end < EXTINCT)


def compare(setting: Setting, agents: int, seeds: Sequence[int]) -> Comparison:
    """Run a setting with `P0` infected, once a seed, and return it beside its law. Raises UserError for odd agents."""
    play: Callable[[Any, int], Curve] = attribute(f"{WORLDS}:curve")
    infected = round(P0 * agents)
    curves = np.stack([play(setting.world(agents, infected, seed), setting.rounds) for seed in seeds])
    return Comparison(setting, agents, setting.theory(P0), curves)
