"""Have a model compare the reasoning that recalled records lead to, and learn from what did not fit: A-MemGuard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, create_model

from simonides.memory_actors.defences.standing import Standing
from simonides.sim.defences import DefenceCard, DefenceContext, Screening
from simonides.sim.types import Effect, Plain, Query, Recalled

PATH, CONSENSUS, PLAN, CHECK = "amg.path", "amg.consensus", "amg.plan", "amg.check"
LESSON = "lesson"


class Path(BaseModel):
    """The reply to `amg.path`: entities joined by relations, up to an answer or action."""

    path: str = Field(min_length=1)


class Outliers(BaseModel):
    """The reply to `amg.consensus`: numbers of chains, from 1 on."""

    outliers: list[int] = Field(default_factory=list)


@cache
def outliers_of(chains: int) -> type[Outliers]:
    """Return the form of a reply about so many chains, in which a model cannot count on for ever."""
    number = Annotated[int, Field(ge=1, le=chains)]
    return create_model("Outliers", __base__=Outliers, outliers=(list[number], Field(max_length=chains)))


class Plan(BaseModel):
    """The reply to `amg.plan`: what would be done, as a chain, and the numbers of the chains behind it, from 1."""

    plan: str = Field(min_length=1)
    rests_on: list[int] = Field(default_factory=list)


class Verdict(BaseModel):
    """The reply to `amg.check`: whether a plan repeats a lesson."""

    repeats: bool = False


class AMemGuard(Standing):
    """A-MemGuard's two halves: consensus among reasoning paths, and a memory of lessons.

    At a read, each of the best `most` records becomes a chain of entities and relations (`amg.path`), and the chains
    are compared, beside the lessons (`amg.consensus`); outliers are left out, and their chains kept as lessons, the
    last `lessons` of them. That is one question a record and one more, at every read of at least two records, or of
    one once there is a lesson. A path that is unusable is the record's own text; without a usable verdict all pass,
    and where all of several are named there is no consensus to fall out of, and all pass too.

    Once there are lessons, the plan that the remaining chains lead to (`amg.plan`) is checked against them
    (`amg.check`), and one that repeats a lesson loses the records that it rests on. That is two questions more a read,
    and the defence's own plan: it stands at the memory's door, and never sees what the agent will do. `plans: false`
    leaves it out. The prompts are ours; `most` and `lessons` are GUESSES. It needs a model that judges: the scripted
    one has no rule for it, and `consensus-over-claims` is what stands in for it there.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "A-MemGuard",
        "A-MemGuard, ICML 2026, in outline; prompts are ours",
        ("screen",),
        needs_model=(PATH, CONSENSUS, PLAN, CHECK),
    )

    def __init__(
        self, most: Annotated[int, Field(ge=2)] = 8, lessons: Annotated[int, Field(ge=0)] = 20, plans: bool = True
    ) -> None:
        self.most, self.kept, self.plans = most, lessons, plans
        self._lessons: list[str] = []

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Leave out what does not fit; its chain comes back as a lesson."""
        best = items[: self.most]
        if len(best) < 2 and not (best and self._lessons):
            return Screening(tuple(items))
        paths = await asyncio.gather(*(self._path(query, item, ctx) for item in best))
        asked = {"question": query.text, "paths": list(paths), "lessons": list(self._lessons)}
        verdict = await ctx.model(CONSENSUS, asked, outliers_of(len(best)))
        out = {number - 1 for number in verdict.outliers} if verdict is not None else set()
        if len(out) == len(best) > 1:
            out = set()
        out |= await self._repeating(query, {n: path for n, path in enumerate(paths) if n not in out}, ctx)
        lessons = [
            Effect(LESSON, item.record_id, {"path": path})
            for n, (item, path) in enumerate(zip(best, paths, strict=True))
            if n in out
        ]
        return Screening(tuple(item for n, item in enumerate(items) if n not in out), tuple(lessons))

    async def _repeating(self, query: Query, left: Mapping[int, str], ctx: DefenceContext) -> set[int]:
        """Return which of the chains that are left a plan rests on that repeats a lesson; none without lessons."""
        if not self.plans or not self._lessons or not left:
            return set()
        numbers = list(left)
        plan = await ctx.model(PLAN, {"question": query.text, "paths": list(left.values())}, Plan)
        if plan is None:
            return set()
        verdict = await ctx.model(CHECK, {"plan": plan.plan, "lessons": list(self._lessons)}, Verdict)
        if verdict is None or not verdict.repeats:
            return set()
        return {numbers[number - 1] for number in plan.rests_on if 0 < number <= len(numbers)}

    async def _path(self, query: Query, item: Recalled, ctx: DefenceContext) -> str:
        reply = await ctx.model(PATH, {"question": query.text, "record": item.text}, Path)
        return reply.path if reply is not None else item.text

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Keep the latest lessons, each once."""
        known = dict.fromkeys([*self._lessons, *(effect.data["path"] for effect in effects)])
        self._lessons = list(known)[max(0, len(known) - self.kept) :]

    def _state(self) -> dict[str, Plain]:
        return {"lessons": list(self._lessons)}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._lessons = list(state["lessons"])
