"""Weigh 100,000 logical agents and time a tick of their world: each has a private memory in one process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
from pathlib import Path
from time import perf_counter

from simonides.experiments.benchmarks.measure import Figure, Result, Scale
from simonides.experiments.benchmarks.trials import PARTS, trial_of
from simonides.sim.codec import decode, pack
from simonides.sim.config import Layout, Trial
from simonides.sim.loop import tick
from simonides.sim.trial import Models, assemble, open_worlds, services_of
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
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as text:
        folder = Path(text)
        before = _resident()
        world = _world(trial, folder)
        times = asyncio.run(_live(world))
        awake = _resident()
        assert world.local is not None
        packed = {name: space.pack() for name, space in world.local.spaces.items()}
        (folder / "snapshots").write_bytes(pack(world.local.snapshots()))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            idle = pool.apply(_weigh, (trial, folder))
    return Result(
        "agents",
        (
            Figure("agents", agents, ""),
            Figure("a tick of all agents: act and remember", min(times[1:]), "s"),
            Figure("an agent's tick", min(times[1:]) / agents * 1e6, "us"),
            Figure(f"an agent awake, with {TICKS} records", (awake - before) / agents, "bytes"),
            Figure("of an idle agent: its packed memory", sum(map(len, packed.values())) / agents, "bytes"),
            Figure.at_most("an idle agent in all", idle / agents, 4096, "bytes"),
        ),
    )


def _world(trial: Trial, folder: Path) -> World:
    services = services_of(trial.study, None, Models())
    (world,) = open_worlds(assemble(trial, services), Layout(), 0, folder, services, {})
    return world


def _weigh(trial: Trial, folder: Path) -> int:
    """Return the bytes that a world whose spaces are all packed takes in a fresh process.

    Where the spaces have just been packed, the allocator still holds what their records took.
    """
    states = decode((folder / "snapshots").read_bytes())  # let go when they have been restored, so not weighed
    before = _resident()
    world = _world(trial, folder / "weighed")
    assert world.local is not None
    world.local.restore(states)
    return _resident() - before


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
