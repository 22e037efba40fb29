"""What environments whose world is drawn from a seed have in common: how they start over."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from pettingzoo import ParallelEnv


class Seeded(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """A PettingZoo ParallelEnv that lays its world out anew by `_begin` and shows it to its agents by `_views`.

    `_seed` is that of the world, until a reset brings another.
    """

    _seed: int

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Start again, with the world of another seed if one is given; return what each agent sees, and its info."""
        if seed is not None:
            self._seed = seed
        self.agents = list(self.possible_agents)
        self._begin()
        return self._views()

    @abstractmethod
    def _begin(self) -> None:
        """Lay out the world of `_seed`."""

    @abstractmethod
    def _views(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return observations and infos by agent."""
