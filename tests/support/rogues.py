"""Parts that misbehave, for tests of what a run does about them. Each leaves a mark where it stood, once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from toys import ToyMemory, ToyWorld


class Slow(ToyWorld):
    """Takes its time for every tick, so that a test can stop a run in the middle."""

    def __init__(self, seed: int, world: int = 0, n: int = 2, length: int = 12, pause: float = 0.01) -> None:
        super().__init__(seed, world, n, length)
        self.pause = pause

    def step(self, actions):
        time.sleep(self.pause)
        return super().step(actions)


class Named(ToyWorld):
    """Has a parameter that is text."""

    def __init__(self, seed: int, label: str, world: int = 0) -> None:
        super().__init__(seed, world)


class Spins(ToyMemory):
    """Never returns from its third write, and never lets the event loop go on."""

    def __init__(self, spins: bool = True) -> None:
        super().__init__()
        self.spins = spins

    async def write(self, prepared, ctx):
        while self.spins and ctx.tick == 2:
            pass
        await super().write(prepared, ctx)


class Waits(ToyMemory):
    """Waits for ever in its third tick, but lets the event loop go on."""

    async def write(self, prepared, ctx):
        if ctx.tick == 2:
            await asyncio.Event().wait()
        await super().write(prepared, ctx)


class Raises(ToyMemory):
    """Raises in its third tick, or is well."""

    def __init__(self, raises: bool = True) -> None:
        super().__init__()
        self.raises = raises

    async def write(self, prepared, ctx):
        if self.raises and ctx.tick == 2:
            raise ZeroDivisionError("the toy memory breaks here")
        await super().write(prepared, ctx)


class Dies(ToyMemory):
    """Kills its process in its third tick: always, or only while the file `once` does not exist."""

    def __init__(self, once: str | None = None) -> None:
        super().__init__()
        self.once = once

    async def write(self, prepared, ctx):
        if ctx.tick == 7 and (self.once is None or not Path(self.once).exists()):
            if self.once is not None:
                Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        await super().write(prepared, ctx)


class Prints(ToyMemory):
    """Talks on standard output."""

    async def write(self, prepared, ctx):
        print("the toy memory talks")
        await super().write(prepared, ctx)


def broken_constructor(capacity: int = 6):
    raise AttributeError("the toy memory cannot be built")


def needs_data(seed: int, data: str, world: int = 0) -> ToyWorld:
    """Make a world that is given the path of its data."""
    assert Path(data).exists()
    return ToyWorld(seed, world)


def broken_metric(tables):
    raise ArithmeticError("the toy metric breaks here")


class Stubborn(ToyMemory):
    """Forgets nothing that it is asked to forget, and says so of nothing."""

    async def forget(self, experience_ids, ctx):
        return ()


class Picky(ToyMemory):
    """Writes down nothing that names white."""

    async def write(self, prepared, ctx):
        if "white" not in prepared.experience.text:
            await super().write(prepared, ctx)
