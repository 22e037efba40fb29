"""Toy parts that break, hang, lie or trespass, each in one way."""

import asyncio

from toys import ToyMemory, ToyPolicy

from simonides.sim.types import Action, Query


class Raises(ToyMemory):
    """Raises when it is asked to write at tick 4, in the spaces of player_0."""

    async def write(self, prepared, ctx):
        if ctx.tick == 4 and "player_0" in ctx.space + prepared.experience.agent:
            raise ZeroDivisionError("the toy memory breaks here")
        await super().write(prepared, ctx)


class Nonsense(ToyMemory):
    """Answers reads at tick 4 with something that is no recall."""

    async def read(self, query, ctx):
        return ["nonsense"] if ctx.tick == 4 else await super().read(query, ctx)


class Waits(ToyMemory):
    """Waits for ever on writing at tick 4."""

    async def write(self, prepared, ctx):
        if ctx.tick == 4:
            await asyncio.Event().wait()
        await super().write(prepared, ctx)


class Trespasser(ToyPolicy):
    """Asks for and writes to a space that is not its own; notes what it was told."""

    async def act(self, observation, recalls, ctx):
        other = "w0000/player_1" if observation.agent == "player_0" else "w0001/player_0"
        try:
            await ctx.recall(Query("x", space=other))
            told = "answered"
        except Exception as error:
            told = type(error).__name__
        return Action(1, "", {"told": told, "refused": list(ctx.refused)}, (other,))

    def queries(self, observation, ctx):
        return [Query("x", space="nowhere")]


class Spins(ToyMemory):
    """Computes for ever on writing at tick 4, without giving anybody else a turn."""

    async def write(self, prepared, ctx):
        while ctx.tick == 4:
            pass
        await super().write(prepared, ctx)


class WaitsOnRead(ToyMemory):
    """Waits for ever on being read at tick 4."""

    async def read(self, query, ctx):
        if ctx.tick == 4:
            await asyncio.Event().wait()
        return await super().read(query, ctx)


class WaitingPolicy(ToyPolicy):
    """Waits for ever on deciding at tick 4, in world w0001 only."""

    async def act(self, observation, recalls, ctx):
        if observation.tick == 4 and observation.world == "w0001":
            await asyncio.Event().wait()
        return await super().act(observation, recalls, ctx)
