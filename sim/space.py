"""One memory with an owner, readers and writers: applies a tick's operations in logical order, and answers reads.

It knows no transport: a `SpaceHost` tells it what arrived, and asks it to apply a tick when every member has left it.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

from simonides.sim.budget import Spent
from simonides.sim.codec import canonical, decode, pack
from simonides.sim.context import Context, Services, Usage
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.protocols import MemorySystem
from simonides.sim.seeds import identity
from simonides.sim.types import EMPTY, Effect, Experience, Place, Plain, Query, Recall, Recalled, Record

AFTER_AGENTS = "\U0010ffff"
"""Stands for the world itself in an operation's place: sorts after every agent, so that a session's end comes last."""

NEVER = -math.inf
"""The simulated time of a space that nobody has entered yet."""

LEVEL = 1
"""How hard zlib tries on packed systems: 1 is five times as quick as 6, and texts come out a tenth longer."""

GONE = 1 << 62
"""The frontier of a member that has left."""

Agent = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plant:
    """A false (or benign) experience put into a space at a tick by the study, not by any agent's life.

    It is written as if `agent` of `world` had lived it, so that nothing but the trace tells it from the others.
    `notes` (what it targets, what is true) and `tainted` go to the trace alone, never into the experience.
    """

    space: str
    tick: int
    text: str
    speaker: str = ""
    world: str = ""
    agent: str = ""
    tainted: bool = True
    notes: Mapping[str, Plain] | None = None


@dataclass(frozen=True, slots=True)
class SpaceSetup:
    """A space before it runs: who may read and write it, which worlds are members from which tick, what it holds.

    `members` maps a world to the tick at which it joins, `strides` to the ticks from one of its steps to the next where
    that is not 1 (`ticks_per_round`). `make` builds a fresh memory system of its kind.
    """

    name: str
    readers: Collection[Agent]
    writers: Collection[Agent]
    members: Mapping[str, int]
    make: Callable[[], MemorySystem]
    plants: tuple[Plant, ...] = ()
    manage_every: int = 0
    strides: Mapping[str, int] = field(default_factory=dict)

    def stride(self, member: str) -> int:
        """Return the ticks from one step of a member to its next."""
        return self.strides.get(member, 1)

    def step_at(self, member: str, tick: int) -> int:
        """Return the tick of a member's first step not before `tick`."""
        join, stride = self.members[member], self.stride(member)
        return join + max(0, -(-(tick - join) // stride)) * stride


@dataclass(slots=True)
class Operation:
    """One ordered change: a write, or the end of a world's session."""

    kind: str
    place: Place
    experience: Experience | None
    muted: bool = False


@dataclass(slots=True)
class Due:
    """What a space has to apply at one tick, in order of arrival."""

    plants: list[Plant] = field(default_factory=list)
    effects: list[tuple[Place, tuple[Effect, ...]]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    refused: list[tuple[Place, str]] = field(default_factory=list)


def vector_hash(record: Record) -> bytes:
    """Return 8 bytes that stand for a record's vector in the trace, or b"" without one."""
    if record.vector is None:
        return b""
    return hashlib.blake2b((record.vector + 0.0).tobytes(), digest_size=8).digest()


def _record_row(record: Record, texts: Mapping[str, str]) -> tuple[Plain, ...]:
    # Texts once: a record that repeats its experience's text says None, and a reader looks the experience up.
    text = None if len(record.origins) == 1 and texts.get(record.origins[0]) == record.text else record.text
    return (
        record.id,
        record.writer,
        record.time + 0.0,
        text,
        record.origins,
        record.parents,
        record.channel,
        record.status,
        record.version,
        vector_hash(record),
        canonical(record.data) if record.data else {},
    )


class Space:
    """A memory system with its members, frontiers, pending operations and effects.

    A process may hold 100,000 of them, nearly all idle: slots, and no collection before there is something in it.
    """

    __slots__ = (
        "_behind", "_due", "_muted_from", "_packed", "_present", "_spent", "_system", "_times", "_waiters", "applying",
        "asks", "failure", "frontier", "gathers", "last", "left", "name", "reads", "seed", "services", "spec", "tick",
        "time",
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
        self._spent: dict[Agent, Spent] | None = None
        """What operations have cost, by the world and agent that caused them; made when a model is first asked."""
        self._muted_from = GONE
        """The tick from which what nobody's write causes is done without a model."""
        self._packed: bytes | None = None
        self._due: dict[int, Due] = {}
        self._times: dict[int, float] = {}
        self._waiters: dict[int, asyncio.Future[None]] | None = None
        for plant in spec.plants:
            self._at(plant.tick).plants.append(plant)
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
        return tick not in self._due and not (every > 0 and (tick + 1) % every == 0)

    @property
    def idle(self) -> bool:
        """True between ticks, with nobody reading: when the system may be packed."""
        return not self.applying and self.reads == 0

    def _at(self, tick: int) -> Due:
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = Due()
        return due

    def write(self, place: Place, experience: Experience, muted: bool = False) -> None:
        """Queue a write for its tick. Raises nothing: rights were checked. Ticks already applied are not repeated.

        One that is `muted` is done without a model: its agent's budget is used up.
        """
        if place.tick >= self.tick:
            self._at(place.tick).operations.append(Operation("write", place, experience, muted))

    def end_session(self, world: str, tick: int, muted: bool = False) -> None:
        """Queue the end of a world's session, after its agents' writes of that tick."""
        if tick >= self.tick:
            place = Place(tick, world, AFTER_AGENTS)
            self._at(tick).operations.append(Operation("session_end", place, None, muted))

    def mute(self, tick: int) -> None:
        """Note that the trial's budget is used up from a tick on."""
        self._muted_from = min(self._muted_from, tick)

    def spent_by(self, world: str) -> list[tuple[str, int, int, int]]:
        """Return (agent, calls, prompt tokens, completion tokens) that a world's operations have cost so far."""
        accounts = self._spent or {}
        mine = [(agent, accounts[name, agent]) for name, agent in sorted(accounts) if name == world]
        return [(agent, one.calls, one.prompt_tokens, one.completion_tokens) for agent, one in mine]

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

    def _context(
        self, place: Place, cause: str, usage: Usage, time: float | None = None, muted: bool = False
    ) -> Context:
        services = self.services.without_model if muted else self.services
        return Context(self.name, place, self.time if time is None else time, cause, self.seed, services, usage)

    def _charge(self, place: Place, ctx: Context, total: Usage) -> None:
        """Add what an operation cost to the tick's total, and to the account of the agent that caused it.

        What no agent causes is charged to the first world, by name, that lived the tick.
        """
        total.merge(ctx.usage)
        if ctx.usage.calls:
            world, agent = place.world, place.agent if place.agent != AFTER_AGENTS else ""
            if world not in self.spec.members:
                there = (m for m in sorted(self.spec.members) if self.left.get(m, GONE) >= place.tick)
                world, agent = next((m for m in there if self.spec.members[m] <= place.tick), ""), ""
            usage = ctx.usage
            self._spent = self._spent or {}
            spent = self._spent.setdefault((world, agent), Spent())
            spent.add(usage.calls, usage.prompt_tokens, usage.completion_tokens)

    async def apply(self) -> bytes | None:
        """Apply the operations of `self.tick` and move on; return the trace row, or None when nothing happened."""
        tick = self.tick
        time = self._times.pop(tick, NEVER)
        if time > self.time:
            self.time = time
        due = self._due.pop(tick, None)
        every = self.spec.manage_every
        managed = every > 0 and (tick + 1) % every == 0
        row = await self._apply(tick, due or Due(), managed) if due is not None or managed else None
        self.tick = tick + 1
        self._recount() if len(self.frontier) > 1 else self._recount_one()
        return row

    def _recount_one(self) -> None:
        (frontier,) = self.frontier.values()
        self._behind = int(frontier <= self.tick)

    async def _apply(self, tick: int, due: Due, managed: bool) -> bytes:
        system, usage = self.system, Usage()
        if self.time == NEVER:
            self.time = 0.0
        ops: list[Plain] = []
        records: list[Plain] = []
        absorbed: list[Plain] = []
        texts: dict[str, str] = {}
        for place, asked in sorted(due.effects, key=_first) if due.effects else ():
            ctx = self._context(place, "effects", usage)
            await system.absorb(asked, ctx)
            absorbed.append((*place[1:], [(e.kind, e.record_id, canonical(e.data)) for e in asked]))
            self._note("effects", place, None, ctx, ops, records, texts)
        planted = [self._planted(plant, n) for n, plant in enumerate(due.plants)] if due.plants else []
        queue = [Operation("plant", place, lived) for place, lived in planted] if planted else []
        queue.extend(sorted(due.operations, key=_place) if len(due.operations) > 1 else due.operations)
        contexts = [
            self._context(
                op.place, op.kind, Usage() if self.asks else usage, None, op.muted or tick >= self._muted_from
            )
            for op in queue
        ]
        prepared = await self._prepare(system, queue, contexts)
        for operation, ctx, ready in zip(queue, contexts, prepared, strict=True):
            experience = operation.experience
            if experience is None:
                await system.manage(ctx)
            else:
                texts[experience.id] = experience.text
                await system.write(ready, ctx)
            if self.asks:
                self._charge(operation.place, ctx, usage)
            self._note(operation.kind, operation.place, experience, ctx, ops, records, texts)
        if managed:
            place = Place(tick, AFTER_AGENTS, "")
            ctx = self._context(place, "tick", Usage(), None, tick >= self._muted_from)
            await system.manage(ctx)
            self._charge(place, ctx, usage)
            self._note("manage", place, None, ctx, ops, records, texts)
        denied = sorted((*place[1:], right) for place, right in due.refused) if due.refused else []
        told = [
            (e.id, e.text, e.speaker, plant.tainted, canonical(plant.notes or {}))
            for (_, e), plant in zip(planted, due.plants, strict=True)
        ]
        return pack((self.time + 0.0, told, absorbed, ops, records, denied, usage.plain()))

    def _planted(self, plant: Plant, n: int) -> tuple[Place, Experience]:
        place = Place(plant.tick, "", plant.agent, 0, n)
        made = Experience(
            id=identity(self.seed, "plant", self.name, place, 0),
            world=plant.world,
            agent=plant.agent,
            tick=plant.tick,
            time=self.time,
            text=plant.text,
            speaker=plant.speaker,
        )
        return place, made

    async def _prepare(
        self, system: MemorySystem, queue: Sequence[Operation], contexts: Sequence[Context]
    ) -> Sequence[Plain]:
        if len(queue) > 1 and self.gathers:  # a model or an embedder gets those of the tick as one batch
            jobs = [
                system.prepare(op.experience, ctx) if op.experience is not None else _nothing()
                for op, ctx in zip(queue, contexts, strict=True)
            ]
            return await asyncio.gather(*jobs)
        return [
            await system.prepare(op.experience, ctx) if op.experience is not None else None
            for op, ctx in zip(queue, contexts, strict=True)
        ]

    def _note(
        self,
        kind: str,
        place: Place,
        experience: Experience | None,
        ctx: Context,
        ops: list[Plain],
        records: list[Plain],
        texts: Mapping[str, str],
    ) -> None:
        changes = ctx.changes
        if kind == "effects" and not (changes.made or changes.revised or changes.retired):
            return
        for record in changes.made:
            records.append(_record_row(record, texts))
        for record in changes.revised:
            records.append(_record_row(record, texts))
        ops.append(
            (
                kind,
                *place[1:],
                experience.id if experience else "",
                [r.id for r in changes.made],
                [r.id for r in changes.revised],
                changes.retired,
            )
        )

    async def read(self, place: Place, query: Query, time: float, usage: Usage, muted: bool = False) -> Recall:
        """Answer one query at `place`, purely; its effects are kept for the tick's application unless it is a probe.

        `time` is the reader's simulated time at that tick; what it costs is added to `usage`. Raises ContractBroken for
        an answer that is no recall.
        """
        now = max(self.time, time)
        ctx = self._context(place, "read", usage, now if now > NEVER else 0.0, muted)
        self.reads += 1
        try:
            recall = await self.system.read(query, ctx)
        finally:
            self.reads -= 1
        _check_recall(self.name, recall)
        if recall.effects and not query.probe:
            self._at(place.tick).effects.append((place, recall.effects))
        return recall

    # --- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return the state after all ticks before `self.tick`, and nothing of later ones."""
        system = zlib.decompress(self._packed) if self._packed is not None else self.system.snapshot()
        left = {member: last for member, last in sorted(self.left.items()) if last < self.tick}
        spent = [(*who, *one.plain()) for who, one in sorted(self._spent.items())] if self._spent else []
        return pack((self.tick, self.time, left, system, spent, self._muted_from))

    def restore(self, data: bytes) -> None:
        """Start again from a snapshot: members that had left stay gone, the others stand at its tick."""
        try:
            tick, time, left, system, spent, muted_from = decode(data)
        except ValueError as error:
            raise CorruptFile(
                f"The snapshot of space {self.name!r} is not one that was written here: {error}."
            ) from None
        self._system, self._packed = None, zlib.compress(system, LEVEL)
        self._spent = {(world, agent): Spent(*counts) for world, agent, *counts in spent} or None
        self._muted_from = muted_from
        self.tick, self.time, self.left = tick, time, left
        self.frontier = {
            member: GONE if member in left else self.spec.step_at(member, tick) for member in self.spec.members
        }
        self.last = max([tick - 1, *left.values()])
        self._due = {t: due for t, due in self._due.items() if t >= tick}
        self._recount()


async def _nothing() -> None:
    return None


_place = attrgetter("place")
_first = itemgetter(0)


def _check_recall(space: str, recall: Plain) -> None:
    if type(recall) is not Recall:
        raise ContractBroken(f"{space}: read() returned {type(recall).__name__}, not a Recall.")
    for item in recall.items:
        if type(item) is not Recalled or not math.isfinite(item.score):
            raise ContractBroken(
                f"{space}: read() returned an item that is no Recalled with a finite score: {item!r:.80}"
            )
