"""Weigh 100,000 logical agents and time a tick of their world: each has a private memory in one process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
from dataclasses import dataclass
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

WINDOW = 20
"""Turns of a full window, for which fewer agents are weighed: AGENTS / FEWER."""
FEWER = 5


@dataclass(frozen=True, slots=True)
class Weighed:
    """Seconds of the quickest tick, and bytes of an agent: awake, idle in all, and its packed memory."""

    tick: float
    awake: float
    idle: float
    memory: float


def crowd(scale: Scale) -> Result:
    """Return the seconds of a tick, and bytes of an agent: its space, and its memory, packed as an idle one is."""
    agents = scale.of(AGENTS)
    some, full = _lived(agents, TICKS), _lived(agents // FEWER, WINDOW)
    return Result(
        "agents",
        (
            Figure("agents", agents, ""),
            Figure("a tick of all agents: act and remember", some.tick, "s"),
            Figure("an agent's tick", some.tick / agents * 1e6, "us"),
            Figure(f"an agent awake, with {TICKS} records", some.awake, "bytes"),
            Figure(f"an idle agent's packed memory, {TICKS} records", some.memory, "bytes"),
            Figure.at_most(f"an idle agent in all, {TICKS} records", some.idle, 4096, "bytes"),
            Figure(f"an idle agent's packed memory, a full window of {WINDOW}", full.memory, "bytes"),
            Figure.at_most(f"an idle agent in all, a full window of {WINDOW}", full.idle, 4096, "bytes"),
        ),
    )


def _lived(agents: int, ticks: int) -> Weighed:
    """Let so many agents live and remember so many ticks; return what was weighed."""
    trial = _trial(agents, ticks)
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as text:
        folder = Path(text)
        before = _resident()
        world = _world(trial, folder)
        times = asyncio.run(_live(world, ticks))
        awake = _resident() - before
        assert world.local is not None
        memory = sum(len(space.pack()) for space in world.local.spaces.values())
        (folder / "snapshots").write_bytes(pack(world.local.snapshots()))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            idle = pool.apply(_weigh, (trial, folder))
    return Weighed(min(times[1:]), awake / agents, idle / agents, memory / agents)


def _trial(agents: int, ticks: int) -> Trial:
    return trial_of(
        environment={"name": f"{PARTS}Crowd", "n": agents, "length": ticks + 1},
        policy={"name": f"{PARTS}Alternating"},
    )


def _world(trial: Trial, folder: Path) -> World:
    services = services_of(trial.study, None, Models())
    (world,) = open_worlds(assemble(trial, services), Layout(), 0, folder, services, {})
    return world


def _weigh(trial: Trial, folder: Path) -> int:
    """Return the bytes that a world whose spaces are all packed takes in a fresh process.

    Where the spaces have just been packed, the allocator still holds what their records took.
    """
    _world(_trial(1, 1), folder / "first")  # what is imported and kept for the first world is no agent's
    states = decode((folder / "snapshots").read_bytes())  # let go when they have been restored, so not weighed
    before = _resident()
    world = _world(trial, folder / "weighed")
    assert world.local is not None
    world.local.restore(states)
    return _resident() - before


async def _live(world: World, ticks: int) -> list[float]:
    """Live so many ticks and one more, which applies the last; return the seconds of each."""
    world.begin()
    times = []
    for _ in range(ticks + 1):
        began = perf_counter()
        await tick(world)
        times.append(perf_counter() - began)
    return times


def _resident() -> int:
    """Return the bytes of this process that are in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
