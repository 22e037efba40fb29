"""Leave out of a recall what most of it contradicts, and remember what was left out: a scripted stand-in, no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.defences.standing import Standing
from simonides.memory_actors.defences.statements import Forms, Statement, reader_of
from simonides.sim.defences import DefenceCard, DefenceContext, Screening
from simonides.sim.types import Effect, Plain, Query, Recalled

LESSON = "lesson"


class ConsensusOverClaims(Standing):
    """Among the items of a recall, those whose statement is contradicted by more than `share` of them are left out.

    It takes `least` items to make a consensus. What was left out is kept as a lesson: later it is left out wherever
    there is no consensus, and a consensus for it makes it forgotten.

    This is a rule over claims that are read from texts. It stands for the shape of A-MemGuard (consistency among
    retrieved records, then lessons), and is not A-MemGuard, which has a model compare reasoning paths.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Consensus over claims (scripted stand-in)", "after the shape of A-MemGuard; the rule is ours", ("screen",)
    )

    def __init__(
        self,
        share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5,
        least: Annotated[int, Field(ge=2)] = 2,
        lessons: bool = True,
        grammar: Forms = "",
    ) -> None:
        """GUESS: a majority, of two at least."""
        self.share, self.least, self.lessons = share, least, lessons
        self.read = reader_of(grammar)
        self._lessons: set[tuple[str, str, bool]] = set()

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Leave out the outliers and what was one before; say so."""
        stated = [self.read(item.text) for item in items]
        about: dict[str, list[tuple[Statement, ...]]] = {}
        for one in stated:
            for key in sorted({statement.about for statement in one}):
                about.setdefault(key, []).append(one)
        passed, effects = [], []
        for item, mine in zip(items, stated, strict=True):
            out = [one for one in mine if self._outlier(one, about[one.about])]
            effects += [Effect(LESSON, item.record_id, {"claim": [*_key(one)], "out": True}) for one in out]
            agreed = [one for one in mine if _key(one) in self._lessons and self._agreed(one, about[one.about])]
            effects += [Effect(LESSON, item.record_id, {"claim": [*_key(one)], "out": False}) for one in agreed]
            if not out and not any(_key(one) in self._lessons and one not in agreed for one in mine):
                passed.append(item)
        return Screening(tuple(passed), tuple(effects) if self.lessons else ())

    def _outlier(self, statement: Statement, among: Sequence[tuple[Statement, ...]]) -> bool:
        against = sum(any(statement.contradicts(other) for other in one) for one in among)
        return against >= self.least and against / len(among) > self.share

    def _agreed(self, statement: Statement, among: Sequence[tuple[Statement, ...]]) -> bool:
        behind = sum(any(_key(other) == _key(statement) for other in one) for one in among)
        return behind >= self.least and behind / len(among) > self.share

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Learn and forget lessons."""
        for effect in effects:
            about, value, positive = effect.data["claim"]
            change = self._lessons.add if effect.data["out"] else self._lessons.discard
            change((about, value, positive))

    def _state(self) -> dict[str, Plain]:
        return {"lessons": sorted(list(one) for one in self._lessons)}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._lessons = {(about, value, positive) for about, value, positive in state["lessons"]}


def _key(statement: Statement) -> tuple[str, str, bool]:
    return statement.about, statement.value, statement.positive
