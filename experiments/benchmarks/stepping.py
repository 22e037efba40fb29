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
WORLDS = 32
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

    In seconds of the processor, the median of differences between neighbouring runs.
    """
    figures = []
    for kind, policy in KINDS.items():
        one = _above(1, scale.of(2000, 100), scale.repeats, policy) * 1e6
        many = _above(MANY, scale.of(200, 20), scale.repeats, policy) * 1e6
        each = (many - one) / (MANY - 1)
        figures.append(Figure.at_most(f"{kind}: a tick", one - each, 100, "us"))
        figures.append(Figure.at_most(f"{kind}: an agent", each, 30, "us"))
    length, work = scale.of(1000, 100), 0.001
    loads = {"bare": bare(1, length, work), "ours": ours(ring(1, length, work, asks=True), length)}
    found = in_turns(loads, scale.repeats)
    share = 100 * found["bare"].wall / found["ours"].wall
    figures.append(Figure.at_least("share of bare speed where a step costs 1 ms", share, 90, "%"))
    return Result("overhead", tuple(figures))


def _above(n: int, length: int, repeats: int, policy: dict[str, bool]) -> float:
    plain, lived = bare(n, length), ours(ring(n, length, **policy), length)
    return median(lived().cpu - plain().cpu for _ in range(repeats))


def vector(scale: Scale) -> Result:
    """Compare CartPoles in a world actor, each a world with a private memory, with Gymnasium's AsyncVectorEnv."""
    steps, length = scale.of(500, 50), scale.of(500, 100)
    trial = cartpoles(WORLDS, length)
    with actors() as ray:

        def worlds(count: int) -> Load:
            def load() -> Timing:
                with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
                    seconds = ray.live(trial, Path(folder), Layout(runtime="ray", world_actors=count))
                return Timing(seconds, 0.0).each(WORLDS * length)

            return load

        loads = {f"async {n}": _async(n, steps) for n in VECTORS} | {"one": worlds(1), "two": worlds(2)}
        found = {name: 1 / timing.wall for name, timing in in_turns(loads, scale.repeats).items()}
    best = max(found[f"async {n}"] for n in VECTORS)
    return Result(
        "vector",
        (
            Figure("AsyncVectorEnv, the best of " + ", ".join(map(str, VECTORS)), best, "steps/s"),
            Figure("one world actor", found["one"], "steps/s"),
            Figure("two world actors", found["two"], "steps/s"),
            Figure.at_least("one world actor against AsyncVectorEnv", found["one"] / best, 5),
            Figure.at_least("two world actors against AsyncVectorEnv", found["two"] / best, 5),
        ),
    )


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
