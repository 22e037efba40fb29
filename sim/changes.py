"""What interventions do to one space: who may reach it, what is late, and what is wiped or purged, in logical time.

A change of tick s is the first thing that the operations of s meet. A read at s sees the space as it stood before, its
access list included; so rights to read are those of the reader's step before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simonides.sim.context import Context
from simonides.sim.guarding import Defences
from simonides.sim.protocols import MemorySystem
from simonides.sim.types import EMPTY, Experience, Plain

Agent = tuple[str, str]
"""World and agent."""

FOREVER = 1 << 61


@dataclass(frozen=True, slots=True)
class Plant:
    """A false (or benign) experience put into a space at a tick by the study, not by any agent's life.

    It is written as if `agent` of `world` had lived it, so that nothing but the trace tells it from the others.
    `notes` (what it targets, what is true) and `tainted` go to the trace alone, never into the experience.
    """

    space: str
    text: str
    speaker: str = ""
    world: str = ""
    agent: str = ""
    tainted: bool = True
    notes: Mapping[str, Plain] | None = None
    fields: Mapping[str, Plain] = field(default_factory=dict)
    """Further fields of the experience, by name: action, outcome, reward, channel, metadata."""


@dataclass(frozen=True, slots=True)
class Purge:
    """Which experiences are forgotten: those that meet all that is not None; "planted" is all that were planted."""

    origins: str | frozenset[str] | None = None
    writer: Agent | None = None
    since: int = 0
    until: int = FOREVER

    def chooses(self, experience: str, lived: Lived) -> bool:
        """Return True for an experience that is to be forgotten."""
        return (
            (self.origins is None or (lived.planted if self.origins == "planted" else experience in self.origins))
            and (self.writer is None or self.writer == (lived.world, lived.agent))
            and self.since <= lived.tick <= self.until
        )


@dataclass(frozen=True, slots=True)
class Wipe:
    """The space is emptied."""


@dataclass(frozen=True, slots=True)
class Rewire:
    """Another access list; an empty one where the new wiring does not have the space."""

    readers: Collection[Agent]
    writers: Collection[Agent]


@dataclass(frozen=True, slots=True)
class Link:
    """The way from an agent to the space: lost for these rights, or `late` by so many ticks for writes."""

    agent: Agent
    rights: frozenset[str] = frozenset()
    late: int = 0
    ticks: int = FOREVER


@dataclass(frozen=True, slots=True)
class Halt:
    """An attack ends: those of these interventions' changes that have not begun never do."""

    causes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Defend:
    """Other defences."""

    defences: Defences


@dataclass(frozen=True, slots=True)
class Change:
    """One intervention, or one step of it, as a space meets it.

    `tick` is None for one whose beginning the worlds have to tell. A step begins `after` ticks from the beginning of
    its `cause`.
    """

    id: str
    kind: str
    tick: int | None
    what: Plant | Purge | Wipe | Rewire | Link | Halt | Defend
    cause: str = ""
    after: int = 0

    @property
    def intervention(self) -> str:
        """The id of the intervention that it is, or is a step of."""
        return self.cause or self.id


def halted(changes: Iterable[Any], begun: Collection[str]) -> frozenset[str]:
    """Return the ids of the interventions that were ended, of a space's or a world's changes."""
    return frozenset().union(*(c.what.causes for c in changes if isinstance(c.what, Halt) and c.id in begun))


@dataclass(frozen=True, slots=True)
class Lived:
    """Who lived an experience, and when; or that the study planted it."""

    world: str
    agent: str
    tick: int
    planted: bool = False

    def plain(self) -> tuple[Plain, ...]:
        """Return the fields in order, for a snapshot."""
        return (self.world, self.agent, self.tick, self.planted)


@dataclass(slots=True)
class Changes:
    """The changes of one space, which of them have begun, and the experiences that a purge may choose from."""

    all: tuple[Change, ...]
    starts: dict[str, int] = field(default_factory=dict)
    """Id -> first tick, of those whose tick is known by now."""
    begun: set[str] = field(default_factory=set)
    told: dict[str, int] = field(default_factory=dict)
    """Intervention -> the tick at which it begins, as worlds have told; of those whose steps follow later."""
    lived: dict[str, Lived] | None = None
    """Kept only where a change is a purge."""

    @classmethod
    def of(cls, changes: tuple[Change, ...]) -> Changes:
        """Return the state before anything has begun."""
        lived: dict[str, Lived] | None = {} if any(isinstance(one.what, Purge) for one in changes) else None
        return cls(changes, {one.id: one.tick for one in changes if one.tick is not None}, set(), {}, lived)

    def of_intervention(self, id: str) -> list[Change]:
        """Return the changes of an intervention: itself, or its steps; none where it does not concern this space."""
        return [one for one in self.all if one.intervention == id]

    def rights(self, tick: int) -> Rewire | None:
        """Return the access list in force at a tick, or None for the first one."""
        found: Rewire | None = None
        latest = -1
        for one in self.all:
            start = self.starts.get(one.id, FOREVER)
            if isinstance(one.what, Rewire) and latest <= start <= tick:
                found, latest = one.what, start
        return found

    def cut(self, who: Agent, right: str, tick: int) -> bool:
        """Return True when an agent's link is lost for this right at a tick."""
        return any(right in link.rights for link in self._links(who, tick))

    def late(self, who: Agent, tick: int) -> int:
        """Return by how many ticks what an agent writes at a tick arrives late: the most, of several delays."""
        return max((link.late for link in self._links(who, tick)), default=0)

    def _links(self, who: Agent, tick: int) -> list[Link]:
        return [
            one.what
            for one in self.all
            if isinstance(one.what, Link)
            and one.what.agent == who
            and (start := self.starts.get(one.id, FOREVER)) <= tick < start + one.what.ticks
        ]

    def note(self, experience: Experience, planted: bool = False) -> None:
        """Remember who lived an experience that is written here, where a purge may ask."""
        if self.lived is not None:
            e = experience
            self.lived[e.id] = Lived(e.world, e.agent, e.tick, planted)

    def plain(self, tick: int) -> Plain:
        """Return the state for a snapshot at a tick: only what has begun by then, since the rest is told again."""
        begun = {id: self.starts[id] for id in sorted(self.begun)}
        lived = {id: one.plain() for id, one in self.lived.items()} if self.lived is not None else None
        return (begun, lived, {id: start for id, start in sorted(self.told.items()) if start < tick})

    def restore(self, state: Plain) -> None:
        """Go on from a snapshot; what a fork has added or left out is neither missed nor kept."""
        begun, lived, self.told = state
        known = {one.id for one in self.all}
        self.begun = known & set(begun)
        self.starts = {one.id: one.tick for one in self.all if one.tick is not None}
        self.starts |= {one.id: self.told[one.cause] + one.after for one in self.all if one.cause in self.told}
        self.starts |= {id: tick for id, tick in begun.items() if id in known}
        if self.lived is not None:
            self.lived = {id: Lived(*one) for id, one in (lived or {}).items()}


def chosen_by(what: Purge, lived: Mapping[str, Lived], held: Mapping[str, Experience] = EMPTY) -> frozenset[str]:
    """Return the experiences that a purge chooses: of those that were written to a space, and that wait to be.

    Of what waits it is not kept whether the study planted it.
    """
    waiting = {id: Lived(one.world, one.agent, one.tick) for id, one in held.items()}
    return frozenset(id for id, one in {**waiting, **lived}.items() if what.chooses(id, one))


async def purge(system: MemorySystem, what: Purge, lived: Mapping[str, Lived], ctx: Context) -> dict[str, Plain]:
    """Have a memory system forget; return for the trace how many experiences were chosen, and which still show."""
    chosen = chosen_by(what, lived)
    told = await system.forget(chosen, ctx) if chosen else ()
    left = chosen.intersection(told).union(*(chosen.intersection(record.origins) for record in system.records()))
    return {"chosen": len(chosen), "incomplete": sorted(left)}


def wipe(system: MemorySystem, ctx: Context) -> Mapping[str, Plain]:
    """Note that every record is gone; the caller puts a new system in the place of this one."""
    for record in system.records():
        ctx.retire(record, "wiped")
    return EMPTY
