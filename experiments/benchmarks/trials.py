"""Build the small trials that are timed, and run their worlds in this process with the assembly left out."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from simonides.experiments.benchmarks.measure import Timing
from simonides.sim.config import Layout, Trial, parse_study
from simonides.sim.inline import live_all
from simonides.sim.trial import Models, assemble, open_worlds, services_of
from simonides.sim.types import Plain

PARTS = "simonides.experiments.benchmarks.parts:"


def trial_of(**fields: Plain) -> Trial:
    """Return a trial with private window memories and no checkpoints, unless `fields` of the study say otherwise."""
    study = {"name": "benchmark", "memory": "window", "wiring": "private", "checkpoint_every": 0, "seeds": 1, **fields}
    return next(iter(parse_study(study).trials()))


def ring(n: int, length: int, work: float = 0.0, **policy: Plain) -> Trial:
    """Return a trial of one world: `n` agents in a ring."""
    return trial_of(
        environment={"name": f"{PARTS}Ring", "n": n, "length": length, "work": work},
        policy={"name": f"{PARTS}Alternating", **policy},
    )


def cartpoles(worlds: int, each: int, length: int, **policy: Plain) -> Trial:
    """Return a trial of worlds with CartPoles, `each` so many; every CartPole is an agent with a private memory."""
    return trial_of(
        environment={"name": f"{PARTS}CartPole", "n": each, "length": length},
        policy={"name": f"{PARTS}Alternating", **policy},
        worlds=worlds,
    )


def live_here(trial: Trial) -> Timing:
    """Run a trial's worlds in this process; return the seconds from the first tick to the last, assembly apart.

    Raises RuntimeError when a world fails: a failed run must not count as a quick one.
    """
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
        services = services_of(trial.study, None, Models())
        worlds = open_worlds(assemble(trial, services), Layout(), 0, Path(folder), services, {})
        cpu, wall = process_time(), perf_counter()
        results = asyncio.run(live_all(worlds))
        timing = Timing(perf_counter() - wall, process_time() - cpu)
    for result in results:
        if result.failure is not None:
            raise RuntimeError(result.text)
    return timing
