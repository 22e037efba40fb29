"""A chain of decisions: what stage k-1 came to is an input of stage k, so that a wrong turn is carried on.

After "Interdependent multi-session tasks" of MemoryArena: each session's task needs the outcome of the session before,
and progress (stages that ended where they should) is told apart from the full task (all of them). The stages are drawn
here; an environment words them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

TASK, AGAIN = "chain", "asked again"
"""Names of the tasks: a stage's decision, and an earlier outcome that is asked for again at the end."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The values that each stage can come to, and how stage k follows from what stage k-1 came to.

    `onward[k][value]` is where stage k + 1 ends for one who goes on rightly from `value` of stage k. It is one to one,
    so that who guesses is right once in as many times as there are values.
    """

    values: tuple[tuple[str, ...], ...]
    start: str
    onward: tuple[Mapping[str, str], ...]

    @property
    def right(self) -> tuple[str, ...]:
        """What each stage comes to where every decision is right; the first is the start."""
        found = [self.start]
        for step in self.onward:
            found.append(step[found[-1]])
        return tuple(found)

    def believed(self, stage: int, outcome: str) -> str:
        """Return what one believes that stage - 1 came to, who lets this stage come to `outcome`; "" for no outcome."""
        return next((value for value, after in self.onward[stage - 1].items() if after == outcome), "")


def draw(rng: np.random.Generator, pools: Sequence[Sequence[str]], options: int) -> Stages:
    """Return stages of `options` values each, from one pool a stage (the first is the start's)."""
    values = tuple(tuple(pool[i] for i in rng.permutation(len(pool))[:options]) for pool in pools)
    onward = tuple(
        dict(zip(sorted(before), (after[i] for i in rng.permutation(options)), strict=True))
        for before, after in pairwise(values)
    )
    return Stages(tuple(tuple(sorted(some)) for some in values), values[0][0], onward)
