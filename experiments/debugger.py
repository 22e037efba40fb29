"""Run one trial in this process and stop in Python's debugger when a world reaches a tick."""

from __future__ import annotations

import asyncio
import tempfile
from bdb import BdbQuit
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from simonides.experiments.runs import cache_folder
from simonides.sim.config import Trial
from simonides.sim.errors import UserError
from simonides.sim.exchange import Batch, Reply
from simonides.sim.inline import run_inline
from simonides.sim.world import Exchange, World


class Stop:
    """Stops in the debugger when a world has observed at a tick, and not yet recalled."""

    def __init__(self, at: int | None, say: Callable[[str], None]) -> None:
        self.at = at
        self.say = say
        self.stopped: set[str] = set()
        self.quit = False

    async def watch(self, worlds: Sequence[World]) -> None:
        """Stand between every world and its memory, before the first tick."""
        for world in worlds:
            for port in world.ports[:1]:
                port.exchange = partial(self._exchange, world, port.exchange)
        await asyncio.Event().wait()

    async def _exchange(self, world: World, exchange: Exchange, batch: Batch) -> Reply:
        at = world.setup.join if self.at is None else self.at
        if batch.tick != at or batch.leave or self.quit or world.name in self.stopped:
            return await exchange(batch)
        self.stopped.add(world.name)
        names = "world.observations, world.policies, world.local, batch.reads"
        self.say(f"World {world.name!r} at tick {batch.tick}. In hand: {names}.")
        try:
            breakpoint()
            return await exchange(batch)
        except BdbQuit:
            self.quit = True
            raise asyncio.CancelledError from None  # an ordinary exception would be the world's failure


def debug_trial(trial: Trial, at: int | None, say: Callable[[str], None]) -> int:
    """Run a trial with a stop in the debugger at a tick; return 0, or 1 when it failed. Nothing is kept.

    Raises UserError when no world reaches the tick.
    """
    stop = Stop(at, say)
    with tempfile.TemporaryDirectory(prefix="simonides-debug-") as folder:
        try:
            outcome = run_inline(trial, Path(folder), cache=cache_folder(), watch=stop.watch)
        except asyncio.CancelledError:
            if stop.quit:
                return 0
            raise
    for error in outcome.errors:
        say(error)
    if not stop.stopped and not outcome.failed:
        longest = max((world.ticks for world in outcome.worlds), default=0)
        raise UserError(f"No world of trial {trial.id!r} reaches tick {at}; the longest lives {longest} ticks.")
    say(f"Trial {trial.id!r} ended: {', '.join(f'{w.name} {w.ticks} ticks' for w in outcome.worlds)}.")
    return 1 if outcome.failed else 0
