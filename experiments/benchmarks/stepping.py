"""Compare a world's steps, with its loop, memories and trace, with bare steps of the same environment."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium
import numpy as np

from simonides.experiments.benchmarks.actors import actors
from simonides.experiments.benchmarks.measure import Figure, Load, Result, Scale, Timing, clocked, in_turns
from simonides.experiments.benchmarks.parts import Ring
from simonides.experiments.benchmarks.trials import cartpoles, live_here, ring
from simonides.sim.config import Layout, Trial

MANY = 32
"""Agents of the larger ring: the two sizes give the cost of a tick and of an agent."""

KINDS: dict[str, dict[str, bool]] = {
    "acts": {"keeps": False},
    "acts and remembers": {},
    "acts, remembers, recalls": {"asks": True},
}
CARTS = 32
"""CartPoles in all."""
VECTORS = (2, 8, 32)
"""Sizes of the AsyncVectorEnv; its best is compared."""


def bare(n: int, length: int, work: float = 0.0) -> Load:
    """Return a load: `length` steps of the bare environment."""

    def load() -> Timing:
        environment = Ring(n, length, work)
        environment.reset(seed=0)
        agents = environment.possible_agents

        def steps() -> None:
            for now in range(length):
                environment.step(dict.fromkeys(agents, now % 2))

        return clocked(steps).each(length)

    return load


def ours(trial: Trial, length: int) -> Load:
    """Return a load: a trial of one world, lived here for `length` ticks."""
    return lambda: live_here(trial).each(length)


def overhead(scale: Scale) -> Result:
    """Return what the loop costs a tick and an agent in this process, above the bare environment's step.

    In the processor's time, the median of differences between neighbouring runs.
    """
    figures = []
    for kind, policy in KINDS.items():
        one = _above(1, scale.of(2000, 100), scale.repeats, policy) * 1e6
        many = _above(MANY, scale.of(200, 20), scale.repeats, policy) * 1e6
        each = (many - one) / (MANY - 1)
        figures.append(Figure.at_most(f"{kind}: a tick", one - each, 100, "us"))
        figures.append(Figure.at_most(f"{kind}: an agent", each, 30, "us"))
    return Result("overhead", (*figures, *_shares(scale)))


def _shares(scale: Scale) -> list[Figure]:
    length, work = scale.of(1000, 100), 0.001
    lived = {kind: ours(ring(1, length, work, **policy), length) for kind, policy in KINDS.items()}
    found = in_turns({"bare": bare(1, length, work), **lived}, scale.repeats)
    return [
        Figure.at_least(
            f"{kind}: share of bare speed, a step of 1 ms", 100 * found["bare"].cpu / found[kind].cpu, 90, "%"
        )
        for kind, timing in found.items()
        if kind in KINDS
    ]


def _above(n: int, length: int, repeats: int, policy: dict[str, bool]) -> float:
    plain, lived = bare(n, length), ours(ring(n, length, **policy), length)
    return median(lived().cpu - plain().cpu for _ in range(repeats))


def vector(scale: Scale) -> Result:
    """Compare CartPoles in world actors, each with a private memory, with Gymnasium's AsyncVectorEnv.

    As many worlds of one CartPole, and as one world of as many in each actor. AsyncVectorEnv only steps: what "acts"
    only is the like of it, with the trace; the others also write every step to a memory.
    """
    steps, length = scale.of(500, 50), scale.of(500, 100)
    with actors() as ray:

        def live(count: int, worlds: int, **policy: bool) -> Load:
            trial = cartpoles(worlds, CARTS // worlds, length, **policy)

            def load() -> Timing:
                with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
                    seconds = ray.live(trial, Path(folder), Layout(runtime="ray", world_actors=count))
                return Timing(seconds, 0.0).each(CARTS * length)

            return load

        lived = {
            f"{count} world actor{'s' * (count > 1)}, {worlds} world{'s' * (worlds > 1)}": live(count, worlds)
            for count, worlds in ((1, CARTS), (2, CARTS), (1, 1), (2, 2))
        }
        lived[f"2 world actors, {CARTS} worlds, acts"] = live(2, CARTS, **KINDS["acts"])
        lived["2 world actors, 2 worlds, acts"] = live(2, 2, **KINDS["acts"])
        loads = {f"AsyncVectorEnv of {n}": _async(n, steps) for n in VECTORS} | lived
        found = {name: 1 / timing.wall for name, timing in in_turns(loads, scale.repeats).items()}
    best = max(found[name] for name in loads if name not in lived)
    speeds = [Figure(name, speed, "steps/s") for name, speed in found.items()]
    ratios = [Figure.at_least(f"{name}, against AsyncVectorEnv's best", found[name] / best, 5) for name in lived]
    return Result("vector", (*speeds, *ratios))


def _async(count: int, steps: int) -> Load:
    def load() -> Timing:
        environment: Any = gymnasium.make_vec("CartPole-v1", num_envs=count, vectorization_mode="async")
        try:
            environment.reset(seed=0)
            environment.step(np.zeros(count, int))

            def step() -> None:
                for now in range(steps):
                    environment.step(np.full(count, now % 2))

            return clocked(step).each(count * steps)
        finally:
            environment.close()

    return load
