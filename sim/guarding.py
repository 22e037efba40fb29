"""The doors of one space: asks its defences in order, keeps stamps and quarantine, and says what they ruled.

A defence that raises is a ruling, too: `closed` refuses what it was asked about, `open` lets it pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel

from simonides.sim.context import Context
from simonides.sim.defences import NOTHING, Admission, Audit, Defence, Ruling, Screening, Stamp
from simonides.sim.errors import ContractBroken, Interrupted, UserError
from simonides.sim.protocols import MemorySystem
from simonides.sim.types import Completion, Effect, Experience, FloatArray, Plain, Query, Recall, Record, Request

Parsed = TypeVar("Parsed", bound=BaseModel)
T = TypeVar("T")
Errors = Literal["open", "closed"]
OWN = "defence"
"""Effects of defences have a kind that begins so: `defence:<number>:<kind of its own>`."""


@dataclass(frozen=True, slots=True)
class Defences:
    """The defences of a space before it runs: each by name with its maker, and what one that raises means."""

    made: tuple[tuple[str, Callable[[], Defence]], ...] = ()
    errors: Errors = "closed"


UNGUARDED = Defences()


class Known(Protocol):
    """What is known at the doors of a space: stamps of experiences, and what waits in quarantine."""

    stamps: dict[str, Stamp]
    held: dict[str, Experience]


class Holding(Protocol):
    """What holds records: a memory system, as far as defences see it."""

    def records(self) -> Sequence[Record]:
        """Return all records that are held now."""


class Office:
    """What a defence is given for one operation; implements `DefenceContext`."""

    __slots__ = ("_by_id", "_ctx", "_known", "_system")

    def __init__(self, known: Known, system: Callable[[], Holding], ctx: Context) -> None:
        self._known, self._system, self._ctx = known, system, ctx
        self._by_id: dict[str, Record] | None = None

    @property
    def space(self) -> str:
        """Name of the space."""
        return self._ctx.space

    @property
    def tick(self) -> int:
        """The tick that is being applied or read."""
        return self._ctx.tick

    @property
    def time(self) -> float:
        """Simulated time of the space."""
        return self._ctx.time

    @property
    def reader(self) -> str:
        """Who reads, as "world/agent"; "" at the other doors, and for a read by nobody."""
        place = self._ctx.place
        return f"{place.world}/{place.agent}" if self._ctx.cause == "read" and place.agent else ""

    @property
    def rng(self) -> np.random.Generator:
        """A generator for this operation alone."""
        return self._ctx.rng

    @property
    def held(self) -> Sequence[Experience]:
        """What waits in quarantine, oldest first."""
        return tuple(self._known.held.values())

    def records(self) -> Sequence[Record]:
        """Return what the space holds now."""
        return self._system().records()

    def record(self, id: str) -> Record | None:
        """Return one record that the space holds, or None."""
        if self._by_id is None:
            self._by_id = {record.id: record for record in self.records()}
        return self._by_id.get(id)

    def stamp(self, experience: str) -> Stamp | None:
        """Return what is known of an experience that was written here."""
        return self._known.stamps.get(experience)

    def trust(self, record: Record) -> float:
        """Return the least trust among a record's origins."""
        stamps = (self._known.stamps.get(origin) for origin in record.origins)
        return min((stamp.trust for stamp in stamps if stamp is not None), default=1.0)

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors."""
        return await self._ctx.embed(texts)

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Parsed]) -> Parsed | None:
        """Return the model's parsed reply, or None when it is unusable."""
        return await self._ctx.model(purpose, inputs, schema)

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Return one completion a request, in order."""
        return await self._ctx.complete(requests)

    def tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return self._ctx.tokens(text)


@dataclass(slots=True)
class Guard:
    """The defences of one space, with what they know of it."""

    standing: Defences = UNGUARDED
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """Experience -> what is known of it; of all that were written here or knocked."""
    held: dict[str, Experience] = field(default_factory=dict)
    """Quarantine."""
    since: str = ""
    """The change by which these defences came; "" for the study's first."""
    rulings: list[Ruling] = field(default_factory=list)
    """Of the tick that is being applied."""
    _made: list[tuple[str, Defence]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.install(self.standing, self.since)

    def install(self, defences: Defences, since: str) -> None:
        """Put other defences at the doors."""
        self.standing, self.since = defences, since
        self._made = [(name, make()) for name, make in defences.made]

    @property
    def audits(self) -> bool:
        """True while a defence looks at the space after every tick, whether anything happens there or not."""
        return bool(self._at("audit"))

    def _at(self, door: str) -> list[tuple[int, str, Defence]]:
        return [(i, name, one) for i, (name, one) in enumerate(self._made) if door in one.card.doors]

    async def _asked(self, asking: Awaitable[T], name: str, door: Literal["admit", "screen", "audit"]) -> T | Ruling:
        """Return a defence's answer, or the ruling that it raised. Raises what is a mistake of the study or an end."""
        try:
            return await asking
        except (Interrupted, UserError):
            raise
        except Exception as error:
            return Ruling(name, door, "error", "", type(error).__name__, {"errors": self.standing.errors})

    # --- the doors -------------------------------------------------------------------------------------------------

    async def admit(
        self, experience: Experience, system: Callable[[], MemorySystem], ctx: Context
    ) -> Experience | None:
        """Return what the memory system gets instead of an experience, or None for nothing; and stamp it."""
        e = experience
        self.stamps[e.id] = Stamp(f"{e.world}/{e.agent}", e.speaker, e.channel, e.tick, e.time)
        office = Office(self, system, ctx)
        for _, name, defence in self._at("admit"):
            found = await self._asked(defence.admit(experience, office), name, "admit")
            if isinstance(found, Ruling):
                self.rulings.append(replace(found, experience=e.id))
                if self.standing.errors == "closed":
                    return None
                continue
            if found.trust is not None:
                self._trust(e.id, found.trust)
            if found.verdict != "admit":
                self.rulings.append(Ruling(name, "admit", found.verdict, e.id, found.reason))
                if found.verdict == "hold":
                    self.held[e.id] = found.experience or experience
                return None
            experience = self._instead(experience, found, name)
        return experience

    def _trust(self, id: str, trust: float) -> None:
        if not 0.0 <= trust <= 1.0:
            raise ContractBroken(f"A defence set the trust of an experience to {trust}; it goes from 0 to 1.")
        known = self.stamps[id]
        self.stamps[id] = replace(known, trust=min(known.trust, trust))

    def _instead(self, experience: Experience, found: Admission, name: str) -> Experience:
        if found.experience is None or found.experience == experience:
            return experience
        if found.experience.id != experience.id:
            raise ContractBroken(f"The defence {name!r} put another experience in the place of {experience.id}.")
        self.rulings.append(Ruling(name, "admit", "redact", experience.id, found.reason))
        return found.experience

    async def screen(self, query: Query, recall: Recall, system: Callable[[], MemorySystem], ctx: Context) -> Recall:
        """Return what the reader gets. Pure: what defences want to remember, and what they left out, are effects."""
        items, effects = tuple(recall.items), list(recall.effects)
        office = Office(self, system, ctx)
        for i, name, defence in self._at("screen"):
            found = await self._asked(defence.screen(query, items, office), name, "screen")
            if isinstance(found, Ruling):
                effects.append(Effect(f"{OWN}::error", "", {"defence": name, "error": found.reason}))
                passed = items if self.standing.errors == "open" else ()
                found = Screening(passed)
            known = {item.record_id: item for item in items}
            if any(item.record_id not in known for item in found.items):
                raise ContractBroken(f"The defence {name!r} added a record to what was recalled.")
            passing = {item.record_id for item in found.items}
            out = [item.record_id for item in items if item.record_id not in passing]
            effects += [Effect(f"{OWN}::screened", id, {"defence": name}) for id in out]
            effects += [Effect(f"{OWN}:{i}:{one.kind}", one.record_id, one.data) for one in found.effects]
            items = found.items
        return Recall(items, tuple(effects), recall.refused)

    async def absorb(self, effects: Sequence[Effect], system: Callable[[], MemorySystem], ctx: Context) -> list[Effect]:
        """Hand defences their own effects of one read; return those of the memory system."""
        own: dict[int, list[Effect]] = {}
        others = []
        for effect in effects:
            if not effect.kind.startswith(f"{OWN}:"):
                others.append(effect)
                continue
            _, number, kind = effect.kind.split(":", 2)
            if number:
                own.setdefault(int(number), []).append(Effect(kind, effect.record_id, effect.data))
        for i in sorted(own):
            if i < len(self._made):
                await self._made[i][1].absorb(own[i], Office(self, system, ctx))
        return others

    async def audit(self, system: Callable[[], MemorySystem], ctx: Context) -> Audit:
        """Return what is to be done after a tick: what all defences ask for, together, each experience once."""
        found: list[Audit] = []
        for _, name, defence in self._at("audit"):
            asked = await self._asked(defence.audit(Office(self, system, ctx)), name, "audit")
            if isinstance(asked, Ruling):
                self.rulings.append(asked)
                continue
            for verdict in ("purge", "release", "drop"):
                for id in getattr(asked, verdict):
                    self.rulings.append(Ruling(name, "audit", verdict, id, asked.reason))
            found.append(asked)
        if not found:
            return NOTHING
        return Audit(
            _once(id for one in found for id in one.purge),
            _once(id for one in found for id in one.release),
            _once(id for one in found for id in one.drop),
        )

    def leave_quarantine(self, audit: Audit) -> list[Experience]:
        """Return the experiences that are released, and forget those that are dropped."""
        released = [self.held.pop(id) for id in audit.release if id in self.held]
        for id in audit.drop:
            self.held.pop(id, None)
        return released

    async def forgot(self, purged: Iterable[str], system: Callable[[], MemorySystem], ctx: Context) -> None:
        """Forget what is known of experiences that were purged, and tell the defences that have `forgot`.

        What the memory system could not forget stays known, so that it does not pass for having no source at all.
        """
        left = {origin for record in system().records() for origin in record.origins}
        gone = frozenset(id for id in purged if id in self.stamps and id not in left)
        if not gone:
            return
        for id in sorted(gone):
            del self.stamps[id]
            if self.held.pop(id, None) is not None:
                self.rulings.append(Ruling("purge", "audit", "drop", id, "it was purged while it waited"))
        for name, defence in self._made:
            tell = getattr(defence, "forgot", None)
            if tell is not None:
                told = await self._asked(tell(gone, Office(self, system, ctx)), name, "audit")
                if isinstance(told, Ruling):
                    self.rulings.append(told)

    # --- state -----------------------------------------------------------------------------------------------------

    def told(self) -> list[Plain]:
        """Return this tick's rulings for the trace, and begin anew."""
        rows = [(r.defence, r.door, r.verdict, r.experience, r.reason, dict(r.details)) for r in self.rulings]
        self.rulings = []
        return rows

    def plain(self) -> Plain:
        """Return the state for a snapshot."""
        stamps = {id: (s.writer, s.speaker, s.channel, s.tick, s.time, s.trust) for id, s in self.stamps.items()}
        return (self.since, stamps, list(self.held.values()), [(name, one.snapshot()) for name, one in self._made])

    def restore(self, state: Plain, standing: Callable[[str], Defences | None]) -> None:
        """Go on from a snapshot; `standing` tells the defences that came by a change, by its id.

        What a defence had learned goes to the one of the same name in the same place; another begins anew.
        """
        since, stamps, held, learned = state
        defences = standing(since) if since else None
        if defences is not None:
            self.install(defences, since)
        self.stamps = {id: Stamp(*one) for id, one in stamps.items()}
        self.held = {one[0]: Experience(*one) for one in held}
        for (name, defence), (before, data) in zip(self._made, learned, strict=False):
            if name == before:
                defence.restore(data)


def _once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
