"""One memory with an owner, readers and writers: applies a tick's operations in logical order, and answers reads.

It knows no transport: a `SpaceHost` tells it what arrived, and asks it to apply a tick when every member has left it.
"""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Mapping
from operator import attrgetter

from simonides.sim.applying import NONE_DUE, Applying
from simonides.sim.changes import Agent, Changes, Defend
from simonides.sim.codec import decode, pack
from simonides.sim.context import Context, Services, Usage
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.guarding import Defences, Guard
from simonides.sim.protocols import MemorySystem
from simonides.sim.spacecosts import AFTER_AGENTS, SpaceCosts
from simonides.sim.spacesetup import Due, Operation, SpaceSetup
from simonides.sim.types import EMPTY, Experience, Place, Plain, Query, Recall, Recalled

NEVER = -math.inf
"""The simulated time of a space that nobody has entered yet."""

LEVEL = 1
"""How hard zlib tries on packed systems: 1 is five times as quick as 6, and texts come out a tenth longer."""

GONE = 1 << 62
"""The frontier of a member that has left."""


class Space:
    """A memory system with its members, frontiers, pending operations and effects.

    A process may hold 100,000 of them, nearly all idle: slots, and no collection before there is something in it.
    """

    __slots__ = (
        "_behind", "_due", "_muted_from", "_packed", "_present", "_spent", "_system", "_times", "_waiters", "applying",
        "asks", "changes", "failure", "frontier", "gathers", "guard", "last", "left", "name", "reads", "seed",
        "services", "spec", "tick", "time",
    )  # fmt: skip

    def __init__(self, spec: SpaceSetup, seed: int, services: Services) -> None:
        self.spec = spec
        self.name = spec.name
        self.seed = seed
        self.services = services
        self.frontier: dict[str, int] = dict(spec.members)
        self.tick = min(spec.members.values(), default=0)
        self.left: Mapping[str, int] = EMPTY
        """Members that have left -> their last tick."""
        self.last = self.tick - 1
        """The latest tick that a member has lived; when all have left, the space stops after it."""
        self.time = NEVER
        self.applying = False
        self.failure: tuple[str, str, str] | None = None
        self.reads = 0
        """Reads in progress, so that an idle space can be told from a busy one."""
        self._system: MemorySystem | None = spec.make()
        card, gathering = self._system.card, services.gathering
        self.asks = bool(card.needs_model)
        """True when the system asks a model."""
        self.gathers = self.asks or (card.needs_embedder and gathering is not None and gathering.gathers)
        """True when it asks a model, or an embedder whom many texts together cost less, so that its work on a tick is
        worth doing concurrently."""
        self._spent: SpaceCosts | None = None
        self._muted_from = GONE
        """The tick from which what nobody's write causes is done without a model."""
        self._packed: bytes | None = None
        self._due: dict[int, Due] = {}
        self._times: dict[int, float] = {}
        self._waiters: dict[int, asyncio.Future[None]] | None = None
        self.changes = Changes.of(spec.changes) if spec.changes else None
        self.guard = Guard(spec.defences) if spec.guarded else None
        """Only where there is a defence at any time of the trial."""
        self._expect()
        self._recount()

    # --- members and frontiers -------------------------------------------------------------------------------------

    def _recount(self) -> None:
        tick = self.tick
        self._behind = sum(1 for frontier in self.frontier.values() if frontier <= tick)
        self._present = sum(1 for frontier in self.frontier.values() if frontier < GONE)

    def enter(self, member: str, tick: int, time: float) -> None:
        """Move a member's frontier to `tick`, with its simulated time there. Never backwards."""
        before = self.frontier[member]
        if tick >= self.tick and time > self._times.get(tick, NEVER):
            self._times[tick] = time
        if tick > before:
            self.last = max(self.last, tick - self.spec.stride(member))
            self._move(member, before, tick)

    def leave(self, member: str, last: int) -> None:
        """Note that a member has lived its last tick."""
        self.last = max(self.last, last)
        before = self.frontier[member]
        if before < GONE:
            self.left = {**self.left, member: last}
            self._present -= 1
            self._move(member, before, GONE)

    def _move(self, member: str, before: int, after: int) -> None:
        self.frontier[member] = after
        if before <= self.tick < after:
            self._behind -= 1

    @property
    def ready(self) -> bool:
        """True when the next tick can be applied: every member's frontier is above it, and somebody lived it."""
        if self._behind or self.failure:
            return False
        return self._present > 0 or self.tick <= self.last

    @property
    def quiet(self) -> bool:
        """True when the next tick asks nothing of the memory system, so that a packed one may stay packed."""
        tick, every = self.tick, self.spec.manage_every
        audited = self.guard is not None and self.guard.audits
        return not audited and tick not in self._due and not (every > 0 and (tick + 1) % every == 0)

    @property
    def idle(self) -> bool:
        """True between ticks, with nobody reading: when the system may be packed."""
        return not self.applying and self.reads == 0

    def _at(self, tick: int) -> Due:
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = Due()
        return due

    def _expect(self) -> None:
        """Queue the changes whose ticks are to come."""
        for change in self.spec.changes:
            tick = self.changes.starts.get(change.id, -1) if self.changes is not None else -1
            if tick >= self.tick:
                self._at(tick).changes.append(change)

    def begin(self, id: str, start: int, tick: int) -> None:
        """Take from a world that a change begins at `start`; the world learned it at `tick`, of which this is part."""
        if self.changes is None or tick < self.tick:
            return
        for change in self.changes.of_intervention(id):
            if change.id in self.changes.begun:
                continue
            first = min(start + change.after, self.changes.starts.get(change.id, start + change.after))
            self.changes.starts[change.id] = first
            if change.cause:
                self.changes.told[id] = min(start, self.changes.told.get(id, start))
            self._at(max(first, tick)).changes.append(change)

    def refusal(self, who: Agent, right: str, tick: int) -> str:
        """Return why an agent may not read, or write, at a tick; "" when it may.

        A reader sees the access list that stood at its world's step before `tick`, as it sees the rest of the space.
        """
        spec, changes = self.spec, self.changes
        if changes is None:
            return "" if who in (spec.readers if right == "read" else spec.writers) else right
        at = tick - spec.stride(who[0]) if right == "read" else tick
        rights = changes.rights(at) or spec
        if who not in (rights.readers if right == "read" else rights.writers):
            return right
        return f"cut {right}" if changes.cut(who, right, at) else ""

    def _reached_by(self, world: str | None, tick: int) -> bool:
        """Return True when an agent of a world (None: of any) may read or write at a tick.

        A space that only an earlier or a later wiring has lies still: it is as if it were not there.
        """
        if self.changes is None:
            return True
        rights = self.changes.rights(tick)
        who = (rights or self.spec).readers, (rights or self.spec).writers
        return any(world in (None, name) for agents in who for name, _ in agents)

    def write(self, place: Place, experience: Experience, muted: bool = False) -> None:
        """Queue a write for its tick. Raises nothing: rights were checked. Ticks already applied are not repeated.

        One that is `muted` is done without a model: its agent's budget is used up. One that a delayed link holds back
        is an operation of the tick at which it arrives; the ticks that it is late stand in its place as the hop.
        """
        if place.tick >= self.tick:
            late = self.changes.late((place.world, place.agent), place.tick) if self.changes is not None else 0
            if late:
                place = place._replace(tick=place.tick + late, hop=late)
                self.last = max(self.last, place.tick)
            self._at(place.tick).operations.append(Operation("write", place, experience, muted))

    def end_session(self, world: str, tick: int, muted: bool = False) -> None:
        """Queue the end of a world's session, after its agents' writes of that tick; if they reach the space then."""
        if tick >= self.tick and self._reached_by(world, tick):
            place = Place(tick, world, AFTER_AGENTS)
            self._at(tick).operations.append(Operation("session_end", place, None, muted))

    def mute(self, tick: int) -> None:
        """Note that the trial's budget is used up from a tick on."""
        self._muted_from = min(self._muted_from, tick)

    def spent_by(self, world: str) -> list[tuple[str, int, int, int]]:
        """Return (agent, calls, prompt tokens, completion tokens) that a world's operations have cost so far."""
        return self._spent.by(world) if self._spent is not None else []

    def refuse(self, place: Place, right: str) -> None:
        """Note a refused access for the trace."""
        if place.tick >= self.tick:
            self._at(place.tick).refused.append((place, right))

    # --- waiting ---------------------------------------------------------------------------------------------------

    async def reached(self, tick: int) -> None:
        """Wait until all ticks before `tick` are applied, or the space has failed."""
        while self.tick < tick and not self.failure:
            if self._waiters is None:
                self._waiters = {}
            waiter = self._waiters.get(tick)
            if waiter is None:
                waiter = self._waiters[tick] = asyncio.get_running_loop().create_future()
            await asyncio.shield(waiter)

    def wake(self) -> None:
        """Let those go on who waited for the tick that is now reached; all of them if the space has failed."""
        if not self._waiters:
            return
        for tick in [tick for tick in self._waiters if tick <= self.tick or self.failure]:
            waiter = self._waiters.pop(tick)
            if not waiter.done():
                waiter.set_result(None)

    # --- the memory system -----------------------------------------------------------------------------------------

    @property
    def system(self) -> MemorySystem:
        """The memory system, unpacked if it was packed."""
        if self._system is None:
            assert self._packed is not None
            system = self.spec.make()
            system.restore(zlib.decompress(self._packed))
            self._system, self._packed = system, None
        return self._system

    @property
    def packed(self) -> bool:
        """True while the system is held as bytes."""
        return self._system is None

    def pack(self) -> bytes:
        """Pack the idle system to compressed bytes and let it go; `unpack` or the next use brings it back."""
        if self._system is not None:
            self._packed = zlib.compress(self._system.snapshot(), LEVEL)
            self._system = None
            if not self._due:
                self._due = {}  # a dict that was ever used keeps 200 bytes
        assert self._packed is not None
        return self._packed

    def unpack(self, data: bytes) -> None:
        """Give back the bytes of a packed system that were kept elsewhere."""
        self._packed = data

    def spilled(self) -> None:
        """Note that the bytes are kept elsewhere: `unpack` must come before the next use."""
        self._packed = None

    def context(
        self, place: Place, cause: str, usage: Usage, time: float | None = None, muted: bool = False
    ) -> Context:
        """Return what an operation at a place is given; `time` is by default that of the space."""
        services = self.services.without_model if muted else self.services
        return Context(self.name, place, self.time if time is None else time, cause, self.seed, services, usage)

    def charge(self, place: Place, ctx: Context, total: Usage) -> None:
        """Add what an operation cost to the tick's total, and to the account of who caused it."""
        total.merge(ctx.usage)
        if ctx.usage.calls:
            self._spent = self._spent or SpaceCosts()
            self._spent.charge(place, ctx.usage, self.spec.members, self.left)

    def rest(self) -> None:
        """Move on from a tick that is quiet."""
        self._arrive()
        self._move_on()

    def _arrive(self) -> None:
        time = self._times.pop(self.tick, NEVER)
        if time > self.time:
            self.time = time

    def _move_on(self) -> None:
        self.tick += 1
        if len(self.frontier) > 1:
            self._recount()
        else:
            (frontier,) = self.frontier.values()
            self._behind = int(frontier <= self.tick)

    async def apply(self) -> bytes | None:
        """Apply the operations of `self.tick` and move on; return the trace row, or None when nothing happened."""
        tick = self.tick
        self._arrive()
        due = self._due.pop(tick, None)
        every = self.spec.manage_every
        managed = every > 0 and (tick + 1) % every == 0 and self._reached_by(None, tick)
        audited = self.guard is not None and self.guard.audits
        row = None
        if due is not None or managed or audited:
            self.time = 0.0 if self.time == NEVER else self.time
            row = await Applying(self, tick >= self._muted_from).run(due or NONE_DUE, managed)
        self._move_on()
        return row

    def held(self) -> MemorySystem:
        """Return the memory system: for defences, who ask for it only where they need it."""
        return self.system

    def renew(self) -> None:
        """Put an empty memory system in the place of the one that there was."""
        self._system = self.spec.make()

    def _defences(self, change: str) -> Defences | None:
        """Return the defences that an intervention puts at the doors, or None for one that this space does not have."""
        return next((c.what.defences for c in self.spec.changes if c.id == change and isinstance(c.what, Defend)), None)

    async def read(self, place: Place, query: Query, time: float, usage: Usage, muted: bool = False) -> Recall:
        """Answer one query at `place`, purely; its effects are kept for the tick's application unless it is a probe.

        `time` is the reader's simulated time at that tick; what it costs is added to `usage`. Raises ContractBroken for
        an answer that is no recall.
        """
        now = max(self.time, time)
        ctx = self.context(place, "read", usage, now if now > NEVER else 0.0, muted)
        self.reads += 1
        try:
            recall = await self.system.read(query, ctx)
        finally:
            self.reads -= 1
        _check_recall(self.name, recall)
        if self.guard is not None:
            recall = await self.guard.screen(query, recall, self.held, ctx)
        if recall.effects and not query.probe:
            self._at(place.tick).effects.append((place, recall.effects))
        return recall

    def shown(self, query: Query) -> Recall:
        """Return one item if the space shows what an intervention's condition asks for, else none; purely."""
        records = self.system.records()
        many, text = query.filter.get("records"), query.filter.get("contains")
        holds = (many is None or len(records) >= many) and (text is None or any(text in r.text for r in records))
        return Recall((Recalled("", "", 1.0),) if holds else ())

    # --- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return the state after all ticks before `self.tick`, and nothing of later ones."""
        system = zlib.decompress(self._packed) if self._packed is not None else self.system.snapshot()
        left = {member: last for member, last in sorted(self.left.items()) if last < self.tick}
        spent = self._spent.plain() if self._spent is not None else []
        changes = self.changes.plain(self.tick) if self.changes is not None else None
        guard = self.guard.plain() if self.guard is not None else None
        return pack((self.tick, self.time, left, system, spent, self._muted_from, changes, self._held_back(), guard))

    def _held_back(self) -> list[Plain]:
        """Return the writes of earlier ticks that are still on their way, for a snapshot."""
        if self.changes is None:
            return []
        on_the_way = [
            op
            for tick in sorted(self._due)
            for op in self._due[tick].operations
            if op.place.hop and tick >= self.tick > tick - op.place.hop
        ]
        return [(op.place, op.experience, op.muted) for op in sorted(on_the_way, key=_place)]

    def restore(self, data: bytes) -> None:
        """Start again from a snapshot: members that had left stay gone, the others stand at its tick."""
        try:
            tick, time, left, system, spent, muted_from, changes, held_back, guard = decode(data)
        except ValueError as error:
            raise CorruptFile(
                f"The snapshot of space {self.name!r} is not one that was written here: {error}."
            ) from None
        self._system, self._packed = None, zlib.compress(system, LEVEL)
        self._spent = SpaceCosts(spent) if spent else None
        self._muted_from = muted_from
        self.tick, self.time = tick, time
        self.left = {member: last for member, last in left.items() if member in self.spec.members}
        self.frontier = {
            member: GONE if member in self.left else self.spec.step_at(member, tick) for member in self.spec.members
        }
        self.last = max([tick - 1, *self.left.values()])
        self._due = {}
        if self.guard is not None and guard is not None:
            self.guard.restore(guard, self._defences)
        if self.changes is not None:
            self.changes.restore(changes if changes is not None else ({}, None, {}))
            self._expect()
            for place, experience, muted in held_back:
                at = Place(*place)
                self._at(at.tick).operations.append(Operation("write", at, Experience(*experience), muted))
                self.last = max(self.last, at.tick)
        self._recount()


_place = attrgetter("place")


def _check_recall(space: str, recall: Plain) -> None:
    if type(recall) is not Recall:
        raise ContractBroken(f"{space}: read() returned {type(recall).__name__}, not a Recall.")
    for item in recall.items:
        if type(item) is not Recalled or not math.isfinite(item.score):
            raise ContractBroken(
                f"{space}: read() returned an item that is no Recalled with a finite score: {item!r:.80}"
            )
