"""Drive one defence operation by operation, as a space does, with a memory that keeps everything it gets.

Holds what the defence returns against its contract.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from simonides.sim.checks.desk import START, called, calling
from simonides.sim.checks.report import demand
from simonides.sim.checks.stand_ins import HashedWords, SchemaReplies
from simonides.sim.context import Context, Services
from simonides.sim.defences import Admission, Audit, Defence, Screening, Stage, Stamp
from simonides.sim.guarding import Office
from simonides.sim.protocols import Embedder, Model
from simonides.sim.seeds import identity
from simonides.sim.types import (
    Effect,
    Experience,
    Place,
    Plain,
    Query,
    Recalled,
    Record,
)

Reply = TypeVar("Reply", bound=BaseModel)
WORLD = "check"
MINUTE = 60.0
VERDICTS = ("admit", "refuse", "hold")


def lived(
    n: int, text: str, agent: str = "ana", *, minutes: float | None = None, channel: str = "observation",
    speaker: str = "", heard: tuple[Plain, ...] = (),
) -> Experience:  # fmt: skip
    """Return what an agent lived at tick n, a minute a tick where `minutes` since the script's start says nothing."""
    place = Place(n, WORLD, agent, 0, len(text) % 97)
    time = START + MINUTE * (n if minutes is None else minutes)
    made = identity(0, "experience", WORLD, place, len(text))
    return Experience(made, WORLD, agent, n, time, text, speaker, 0, channel, heard=heard)


@dataclass(slots=True)
class Post:
    """One defence at the doors of one space, whose memory keeps every experience as it is and recalls by shared words.

    Every method raises Unmet when the defence raises or returns what its contract does not allow. A door that its card
    does not name is open, and nobody is asked.
    """

    defence: Defence
    space: str = "check"
    model: Model = field(default_factory=SchemaReplies)
    embedder: Embedder = field(default_factory=HashedWords)
    seed: int = 7
    tick: int = 0
    time: float = START
    kept: dict[str, Record] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    held: dict[str, Experience] = field(default_factory=dict)
    waiting: list[Effect] = field(default_factory=list)
    seats: list[Context] = field(default_factory=list)
    """One for each operation, with what it cost."""

    def _context(self, cause: str, agent: str = "") -> Context:
        services = Services(self.embedder, self.model)
        return Context(self.space, Place(self.tick, WORLD, agent), self.time, cause, self.seed, services)

    def seat(self, cause: str, reader: str = "") -> Office:
        """Return what the defence is given for the next operation."""
        self.seats.append(self._context(cause, reader))
        return Office(self, lambda: self, self.seats[-1])

    def records(self) -> Sequence[Record]:
        """Return what is kept now."""
        return tuple(self.kept.values())

    def stands(self, door: Stage) -> bool:
        """Return whether the card names a door."""
        return door in self.defence.card.doors

    async def write(self, said: Experience) -> Admission:
        """Knock at the door with one experience, at its tick and time or later."""
        self.tick, self.time = max(self.tick, said.tick), max(self.time, said.time)
        writer = f"{said.world}/{said.agent}"
        self.stamps[said.id] = Stamp(writer, said.speaker, said.channel, said.tick, said.time)
        verdict = Admission()
        if self.stands("admit"):
            verdict = _admission(await calling("admit", self.defence.admit(said, self.seat("admit"))), said)
        if verdict.trust is not None:
            self.stamps[said.id] = replace(self.stamps[said.id], trust=verdict.trust)
        passed = verdict.experience or said
        if verdict.verdict == "admit":
            self._keep(passed)
        elif verdict.verdict == "hold":
            self.held[said.id] = passed
        return verdict

    def _keep(self, said: Experience) -> None:
        record = self._context("write", said.agent).record(said)
        record = replace(record, id=identity(self.seed, "record", self.space, Place(0, said.id, ""), 0))
        self.kept[record.id] = record

    def derive(self, parents: Sequence[Record], text: str, replacing: bool = False) -> Record:
        """Keep a record that was made from others, in their place or beside them, as a memory that sums up does."""
        made = self._context(f"derive {len(self.kept)}").derive(parents, text)
        for parent in parents if replacing else ():
            del self.kept[parent.id]
        self.kept[made.id] = made
        return made

    def recall(self, text: str, k: int = 5) -> tuple[Recalled, ...]:
        """Return what the memory recalls: by shared words, then the latest first."""
        words = set(text.lower().split())
        scored = [(len(words & set(one.text.lower().split())), n, one) for n, one in enumerate(self.kept.values())]
        best = sorted((one for one in scored if one[0]), key=lambda one: (-one[0], -one[1]))[:k]
        return tuple(Recalled(one.id, one.text, float(score), one.channel, one.time) for score, _, one in best)

    async def read(self, text: str, k: int = 5, reader: str = "ana", probe: bool = False) -> Screening:
        """Recall and screen; the effects wait for `apply`, those of a probe are discarded."""
        items = self.recall(text, k)
        found = await self.screen(Query(text, k, probe=probe), items, reader)
        if not probe:
            self.waiting += found.effects
        return found

    async def screen(self, query: Query, items: Sequence[Recalled], reader: str = "ana") -> Screening:
        """Have items screened, and check what comes back."""
        if not self.stands("screen"):
            return Screening(tuple(items))
        answer = await calling("screen", self.defence.screen(query, tuple(items), self.seat("read", reader)))
        return _screening(answer, items)

    async def apply(self, tick: int | None = None) -> Audit:
        """End a tick: give effects back, and do what the audit asks for."""
        effects, self.waiting = self.waiting, []
        if effects:
            await calling("absorb", self.defence.absorb(effects, self.seat("effects")))
        if tick is not None:
            self.time += MINUTE * max(0, tick - self.tick)
            self.tick = max(tick, self.tick)
        found = Audit()
        if self.stands("audit"):
            found = _audit(await calling("audit", self.defence.audit(self.seat("audit"))), self)
        for one in (self.held.pop(id) for id in found.release):
            self._keep(one)
        for id in found.drop:
            self.held.pop(id, None)
        await self.purge(found.purge)
        self.tick += 1
        return found

    async def purge(self, experiences: Iterable[str]) -> None:
        """Drop what descends from these experiences, and tell the defence, if it wants to know."""
        gone = frozenset(experiences)
        self.forget(gone)
        for id in gone:
            self.stamps.pop(id, None)
            self.held.pop(id, None)
        tell = getattr(self.defence, "forgot", None)
        if gone and tell is not None:
            await calling("forgot", tell(gone, self.seat("audit")))

    def forget(self, experiences: Iterable[str]) -> None:
        """Drop every record that descends from one of these experiences."""
        gone = frozenset(experiences)
        self.kept = {id: record for id, record in self.kept.items() if gone.isdisjoint(record.origins)}

    def snapshot(self) -> bytes:
        """Return the defence's snapshot."""
        data = called("snapshot", self.defence.snapshot)
        advice = "encode the state with simonides.sim.codec.encode"
        demand(isinstance(data, bytes), "snapshot() returns bytes", type(data).__name__, advice)
        return data  # type: ignore[no-any-return]


def _share(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value) and 0.0 <= value <= 1.0


def _admission(found: Any, said: Experience) -> Admission:
    advice = "return Admission(verdict, reason, trust, experience), from simonides.sim.defences"
    demand(type(found) is Admission, "admit() returns an Admission", type(found).__name__, advice)
    demand(found.verdict in VERDICTS, f"a verdict among {', '.join(VERDICTS)}", found.verdict, advice)
    demand(isinstance(found.reason, str), "a reason in words", type(found.reason).__name__, advice)
    demand(found.trust is None or _share(found.trust), "a trust from 0 to 1, or None", found.trust, advice)
    same = found.experience is None or found.experience.id == said.id
    demand(same, "what is put in an experience's place has its id", "another id", "use dataclasses.replace")
    return found  # type: ignore[no-any-return]


def _screening(found: Any, items: Sequence[Recalled]) -> Screening:
    advice = "return Screening(tuple of the items that pass, tuple of Effect), from simonides.sim.defences"
    demand(type(found) is Screening, "screen() returns a Screening", type(found).__name__, advice)
    strange = sorted({type(one).__name__ for one in found.effects if type(one) is not Effect})
    demand(not strange, "effects are Effect values", strange, advice)
    left = {item.record_id: (n, item) for n, item in enumerate(items)}
    order = [left.get(item.record_id, (-1, item))[0] for item in found.items]
    advice = "leave items out, or use item._replace(score=..., trust=...)"
    demand(-1 not in order, "screen() adds no item", "one that was not recalled", advice)
    demand(len(set(order)) == len(order), "screen() shows an item once", "one twice", advice)
    for item in found.items:
        before = left[item.record_id][1]
        changed = item._replace(score=before.score, trust=before.trust) != before
        demand(not changed, "screen() changes an item's score and trust alone", f"{item.text!r:.80}", advice)
        demand(math.isfinite(item.score), "every score is a finite number", item.score, advice)
        demand(_share(item.trust), "every trust is from 0 to 1", item.trust, advice)
    return found  # type: ignore[no-any-return]


def _audit(found: Any, post: Post) -> Audit:
    advice = "return Audit(purge, release, drop, reason), tuples of ids of experiences"
    demand(type(found) is Audit, "audit() returns an Audit", type(found).__name__, advice)
    for name in ("release", "drop"):
        strange = [id for id in getattr(found, name) if id not in post.held]
        demand(not strange, f"audit() names for {name} what is held", f"{len(strange)} that are not", "see ctx.held")
    both = set(found.release) & set(found.drop)
    demand(not both, "nothing is released and dropped at once", f"{len(both)} are", "choose one")
    unknown = [id for id in found.purge if id not in post.stamps]
    advice = "purge ids of experiences (record.origins), not of records"
    demand(not unknown, "audit() purges experiences that were written here", f"{len(unknown)} were not", advice)
    return found  # type: ignore[no-any-return]


DOORS: tuple[str, ...] = get_args(Stage)
