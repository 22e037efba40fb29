"""Weigh 100,000 logical agents and time a tick of their world: each has a private memory in one process."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from pathlib import Path
from time import perf_counter

from simonides.experiments.benchmarks.measure import Figure, Result, Scale
from simonides.experiments.benchmarks.trials import PARTS, trial_of
from simonides.sim.config import Layout
from simonides.sim.loop import tick
from simonides.sim.trial import assemble, open_worlds, services_of
from simonides.sim.world import World

AGENTS = 100_000
TICKS = 6
"""Experiences that each agent remembers before it is weighed."""


def crowd(scale: Scale) -> Result:
    """Return the seconds of a tick, and bytes of an agent: its space, and its memory, packed as an idle one is."""
    agents = scale.of(AGENTS)
    trial = trial_of(
        environment={"name": f"{PARTS}Crowd", "n": agents, "length": TICKS + 1},
        policy={"name": f"{PARTS}Alternating"},
    )
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
        services = services_of(trial.study, None)
        before = _resident()
        (world,) = open_worlds(assemble(trial, services), Layout(), 0, Path(folder), services, {})
        made = _resident()
        times = asyncio.run(_live(world))
        awake = _resident()
        assert world.local is not None
        packed = sum(len(space.pack()) for space in world.local.spaces.values())
        gc.collect()
        idle = _resident()
    return Result(
        "agents",
        (
            Figure("agents", agents, ""),
            Figure("a tick of all agents: act and remember", min(times[1:]), "s"),
            Figure("an agent's tick", min(times[1:]) / agents * 1e6, "us"),
            Figure("an agent before its first tick", (made - before) / agents, "bytes"),
            Figure(f"an agent awake, with {TICKS} records", (awake - before) / agents, "bytes"),
            Figure("of an idle agent: its packed memory", packed / agents, "bytes"),
            Figure.at_most("an idle agent in all", (idle - before) / agents, 4096, "bytes"),
        ),
    )


async def _live(world: World) -> list[float]:
    """Live some ticks; return the seconds of each."""
    world.begin()
    times = []
    for _ in range(TICKS + 1):
        began = perf_counter()
        await tick(world)
        times.append(perf_counter() - began)
    return times


def _resident() -> int:
    """Return the bytes of this process that are in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
