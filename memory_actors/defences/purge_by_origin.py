"""Take back what turned out false, or what a rule names, with all that descends from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.defences.sources import OBSERVED, class_of, writer_of
from simonides.memory_actors.defences.standing import Standing
from simonides.memory_actors.defences.statements import Forms, Statement, reader_of
from simonides.sim.defences import ADMIT, NOTHING, Admission, Audit, DefenceCard, DefenceContext
from simonides.sim.errors import StudyError
from simonides.sim.types import Experience, Plain


@dataclass(slots=True)
class Doubtful:
    """An experience that somebody else's observation may contradict, and who has done so."""

    stated: tuple[Statement, ...]
    tick: int
    against: set[str]


class PurgeByOrigin(Standing):
    """After each tick, purge the experiences that were contradicted, and at a tick those that a rule names.

    Contradicted is what an agent was told (whatever is no observation of its own) once `observers` agents have observed
    otherwise, later than it came. What they observed before does not count, since the world may have changed; what an
    agent observed itself is never purged for being out of date. `observers: 0` switches this off.

    The rule purges once, after tick `at`, and nothing that comes later: what was written by one of `writers`
    ("world/agent" or "agent"), through one of `channels`, from tick `since` to tick `until`; all that is given must
    hold. `since` alone is a rollback. The memory system's own `forget` does the work, so what it cannot forget remains;
    and what was merged from true and false goes with the false.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Purge and rollback by origin", "provenance-based repair; OWASP ASI06 asks for rollback", ("admit", "audit")
    )

    def __init__(
        self,
        observers: Annotated[int, Field(ge=0)] = 1,
        at: Annotated[int | None, Field(ge=0)] = None,
        writers: list[str] | None = None,
        channels: list[str] | None = None,
        since: Annotated[int | None, Field(ge=0)] = None,
        until: Annotated[int | None, Field(ge=0)] = None,
        grammar: Forms = "",
    ) -> None:
        """Raises StudyError for a rule without a tick, or a tick without a rule."""
        self.rule = any(one is not None for one in (writers, channels, since, until))
        if self.rule != (at is not None):
            raise StudyError("purge-by-origin: `at` goes with a rule (writers, channels, since, until); give both.")
        self.observers, self.at, self.writers, self.channels = observers, at, writers, channels
        self.since, self.until = since, until
        self.read = reader_of(grammar)
        self._doubtful: dict[str, Doubtful] = {}
        self._about: dict[str, list[str]] = {}
        """What doubtful experiences are about -> their ids."""
        self._named: list[str] = []
        """What the rule names, until it was purged."""
        self._due: list[str] = []

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Note what may have to be purged, and what an observation contradicts. Everything is admitted."""
        if self._ruled(experience) and (self.at is None or ctx.tick <= self.at):
            self._named.append(experience.id)
        stated = self.read(experience.text) if self.observers else ()
        if not stated:
            return ADMIT
        if class_of(experience) == OBSERVED:
            self._observed(stated, experience)
        else:
            self._doubtful[experience.id] = Doubtful(stated, experience.tick, set())
            for about in sorted({one.about for one in stated}):
                self._about.setdefault(about, []).append(experience.id)
        return ADMIT

    def _ruled(self, experience: Experience) -> bool:
        if not self.rule or experience.tick < (self.since or 0):
            return False
        wrote = self.writers is None or not {writer_of(experience), experience.agent}.isdisjoint(self.writers)
        came = self.channels is None or class_of(experience) in self.channels
        return wrote and came and (self.until is None or experience.tick <= self.until)

    def _observed(self, stated: tuple[Statement, ...], experience: Experience) -> None:
        ids = sorted({id for one in stated for id in self._about.get(one.about, ())})
        for id in ids:
            doubtful = self._doubtful[id]
            if doubtful.tick >= experience.tick or not _contradict(stated, doubtful.stated):
                continue
            doubtful.against.add(writer_of(experience))
            if len(doubtful.against) >= self.observers:
                self._due.append(id)
                self._forget(id)

    def _forget(self, id: str) -> None:
        for about in sorted({one.about for one in self._doubtful.pop(id).stated}):
            left = [one for one in self._about[about] if one != id]
            self._about[about] = left
            if not left:
                del self._about[about]

    async def forgot(self, experiences: frozenset[str], ctx: DefenceContext) -> None:
        """Purge nothing again that is gone."""
        for id in sorted(experiences & self._doubtful.keys()):
            self._forget(id)
        self._named = [id for id in self._named if id not in experiences]
        self._due = [id for id in self._due if id not in experiences]

    async def audit(self, ctx: DefenceContext) -> Audit:
        """Purge what is due, wherever it is: also from quarantine."""
        due, self._due = self._due, []
        if self.at is not None and ctx.tick >= self.at:
            due, self._named = [*due, *self._named], []
        if not due:
            return NOTHING
        held = {one.id for one in ctx.held}
        once = tuple(dict.fromkeys(due))
        return Audit(purge=once, drop=tuple(id for id in once if id in held), reason="contradicted, or named by a rule")

    def _state(self) -> dict[str, Plain]:
        doubtful = {
            id: [[list(one) for one in known.stated], known.tick, sorted(known.against)]
            for id, known in self._doubtful.items()
        }
        about = {about: sorted(ids) for about, ids in self._about.items()}
        return {"doubtful": doubtful, "about": about, "named": list(self._named), "due": list(self._due)}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._doubtful = {
            id: Doubtful(tuple(Statement(*one) for one in stated), tick, set(against))
            for id, (stated, tick, against) in state["doubtful"].items()
        }
        self._about = {about: list(ids) for about, ids in state["about"].items()}
        self._named, self._due = list(state["named"]), list(state["due"])


def _contradict(one: tuple[Statement, ...], other: tuple[Statement, ...]) -> bool:
    return any(a.contradicts(b) for a in one for b in other)
