"""One tick of one space, in this order: interventions, effects of reads, writes past defences, upkeep, audits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from simonides.sim.changes import Change, Defend, Halt, Plant, Purge, Wipe, chosen_by, halted, purge, wipe
from simonides.sim.context import Context, Usage
from simonides.sim.guarding import Guard
from simonides.sim.protocols import MemorySystem
from simonides.sim.seeds import identity
from simonides.sim.spacecosts import AFTER_AGENTS
from simonides.sim.spacerow import SpaceTick
from simonides.sim.spacesetup import Due, Operation
from simonides.sim.types import EMPTY, Experience, Place, Plain

if TYPE_CHECKING:
    from simonides.sim.space import Space

NONE_DUE = Due()
"""What a tick has to do at which only the defences look at the space."""

RELEASED = 1 << 20
"""Ordinals of what comes out of quarantine begin here, so that its place is nobody else's."""


class Applying:
    """The application of one tick to a space; what it did is noted in `done`, which becomes the trace row."""

    __slots__ = ("done", "muted", "space", "tick")

    def __init__(self, space: Space, muted: bool) -> None:
        """`muted`: what nobody's write causes is done without a model."""
        self.space, self.tick, self.muted = space, space.tick, muted
        self.done = SpaceTick()

    async def run(self, due: Due, managed: bool) -> bytes | None:
        """Do all that the tick asks for; return its trace row, or None when nothing happened."""
        space, done = self.space, self.done
        plants = await self._change(due.changes) if due.changes else []
        await self._absorb(due)
        queue = [self._planted(plant, n) for n, plant in enumerate(plants)]
        queue.extend(sorted(due.operations, key=_place) if len(due.operations) > 1 else due.operations)
        if space.guard is not None:
            queue = await self._admitted(space.guard, queue)
        await self._write(queue)
        if managed:
            await self._manage()
        if space.guard is not None:
            await self._audit(space.guard)
        idle = due is NONE_DUE and not managed and done.empty
        return None if idle else done.pack(space.time, due.refused)

    def _context(self, place: Place, cause: str) -> Context:
        return self.space.context(place, cause, Usage(), muted=self.muted)

    async def _absorb(self, due: Due) -> None:
        """Have the memory system take up the effects of the reads of this tick."""
        space = self.space
        for place, asked in sorted(due.effects, key=_first) if due.effects else ():
            ctx = space.context(place, "effects", self.done.usage)
            mine = asked
            if space.guard is not None:
                mine = tuple(await space.guard.absorb(asked, space.held, ctx))
            if mine:
                await space.system.absorb(mine, ctx)
            self.done.absorb(place, asked)
            self.done.note("effects", place, None, ctx)

    async def _write(self, queue: Sequence[Operation]) -> None:
        """Have the memory system do a queue of operations, in order."""
        space, done, system = self.space, self.done, self.space.system
        contexts = [
            space.context(op.place, op.kind, Usage() if space.asks else done.usage, muted=op.muted or self.muted)
            for op in queue
        ]
        together = await _prepare(system, queue, contexts) if space.gathers and len(queue) > 1 else None
        for n, (operation, ctx) in enumerate(zip(queue, contexts, strict=True)):
            experience = operation.experience
            if experience is None:
                await system.manage(ctx)
            else:
                done.texts[experience.id] = experience.text
                if space.changes is not None:
                    space.changes.note(experience, operation.kind == "plant")
                ready = together[n] if together is not None else await system.prepare(experience, ctx)
                await system.write(ready, ctx)
            if space.asks:
                space.charge(operation.place, ctx, done.usage)
            done.note(operation.kind, operation.place, experience, ctx)

    async def _manage(self) -> None:
        place = Place(self.tick, AFTER_AGENTS, "")
        ctx = self._context(place, "tick")
        await self.space.system.manage(ctx)
        self.space.charge(place, ctx, self.done.usage)
        self.done.note("manage", place, None, ctx)

    async def _admitted(self, guard: Guard, queue: Sequence[Operation]) -> list[Operation]:
        """Return what the defences let through, in order: each is asked before any of the tick is written."""
        passed = []
        for operation in queue:
            if operation.experience is not None:
                ctx = self.space.context(operation.place, "admit", Usage(), muted=operation.muted or self.muted)
                made = await guard.admit(operation.experience, self.space.held, ctx)
                self.space.charge(operation.place, ctx, self.done.usage)
                if made is None:
                    continue
                operation = replace(operation, experience=made)
            passed.append(operation)
        return passed

    async def _audit(self, guard: Guard) -> None:
        """Let the defences look at the space after a tick, and do what they ask for."""
        space, done = self.space, self.done
        place = Place(self.tick, AFTER_AGENTS, AFTER_AGENTS)
        ctx = self._context(place, "audit")
        asked = await guard.audit(space.held, ctx)
        space.charge(place, ctx, done.usage)
        released = [
            Operation("release", Place(self.tick, one.world, one.agent, 0, RELEASED + n), one)
            for n, one in enumerate(guard.leave_quarantine(asked))
        ]
        await self._write(released)
        if asked.purge:
            ctx = self._context(place, "forget")
            await space.system.forget(frozenset(asked.purge), ctx)
            await guard.forgot(asked.purge, space.held, ctx)
            space.charge(place, ctx, done.usage)
            done.note("purge", place, None, ctx)
        done.ruled(guard.told())

    async def _change(self, changes: Sequence[Change]) -> list[Plant]:
        """Begin the changes of the tick, in the study's order and each once; return what is planted."""
        space = self.space
        assert space.changes is not None
        new = {change.id for change in changes} - space.changes.begun
        ends = [c for c in space.spec.changes if isinstance(c.what, Halt) and c.id in new]
        over = halted(space.spec.changes, space.changes.begun | {change.id for change in ends})
        begun = []
        for n, change in enumerate(space.spec.changes):
            if change.id in new and change.intervention not in over:
                space.changes.begun.add(change.id)
                await self._begin(change, Place(self.tick, "", "", 0, n))
                begun.append(change)
        return [change.what for change in begun if isinstance(change.what, Plant)]

    async def _begin(self, change: Change, place: Place) -> None:
        """Begin one change: install defences, wipe or purge; what is planted comes with the tick's writes."""
        guard = self.space.guard
        ctx = self._context(place, "forget" if isinstance(change.what, Purge) else change.kind)
        details: Mapping[str, Plain] = EMPTY
        if isinstance(change.what, Defend):
            assert guard is not None
            guard.install(change.what.defences, change.id)
        elif isinstance(change.what, Wipe):
            details = wipe(self.space.system, ctx)
            self.space.renew()
            if guard is not None:
                await guard.forgot(sorted(guard.stamps.keys() - guard.held.keys()), self.space.held, ctx)
        elif isinstance(change.what, Purge):
            details = await self._purge(change.what, ctx)
            self.space.charge(place, ctx, self.done.usage)
        self.done.change(change, details)
        if ctx.changes.retired or ctx.changes.made or ctx.changes.revised:
            self.done.note(change.kind, place, None, ctx)

    async def _purge(self, what: Purge, ctx: Context) -> Mapping[str, Plain]:
        space = self.space
        assert space.changes is not None
        lived = space.changes.lived or {}
        details = await purge(space.system, what, lived, ctx)
        if space.guard is not None:
            await space.guard.forgot(chosen_by(what, lived, space.guard.held), space.held, ctx)
        return details

    def _planted(self, plant: Plant, n: int) -> Operation:
        place = Place(self.tick, "", plant.agent, 0, n)
        made = Experience(
            id=identity(self.space.seed, "plant", self.space.name, place, 0),
            world=plant.world,
            agent=plant.agent,
            tick=self.tick,
            time=self.space.time,
            text=plant.text,
            speaker=plant.speaker,
            **plant.fields,
        )
        self.done.plant(plant, made)
        return Operation("plant", place, made)


async def _prepare(system: MemorySystem, queue: Sequence[Operation], contexts: Sequence[Context]) -> Sequence[Any]:
    """Return what each operation's experience gives by itself, with the model or embedder asked once for all."""
    jobs = [
        system.prepare(op.experience, ctx) if op.experience is not None else _nothing()
        for op, ctx in zip(queue, contexts, strict=True)
    ]
    return await asyncio.gather(*jobs)


async def _nothing() -> None:
    return None


_place = attrgetter("place")
_first = itemgetter(0)
