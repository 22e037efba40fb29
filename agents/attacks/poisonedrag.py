"""Texts that are found by one question and answer it falsely: the question itself, and a claim in other words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.agents.attacks.adaptive import HARDENED, hardened
from simonides.agents.attacks.placing import WITHOUT_FACTS, placed, question_of
from simonides.agents.attacks.plans import FRAMES, framed
from simonides.agents.attacks.released import read_released
from simonides.sim.attacks import AttackCard, AttackContext, Door, Goal, Injection


class PoisonedRAG:
    """The black-box form: text = S + I, where S is the target question and I words the false answer.

    For each of `count` goals `texts` records (5, as published) that differ in I: the environment's false sentence in
    frames of ours. With `released`, the path of a file of the published form, the targets and I come from there
    ("nq.json": id -> question, correct answer, incorrect answer, adv_texts), at the first agent of the trial.
    `prefix: false` leaves S out, which shows what S does for retrieval.
    """

    card: ClassVar[AttackCard] = AttackCard(
        title="PoisonedRAG (black-box)",
        source="Zou et al., USENIX Security 2025; arXiv 2402.07867",
        access="ingestion",
        knowledge="none",
        doors=("memory", "channel"),
        adaptive=HARDENED,
        not_applicable=WITHOUT_FACTS,
    )

    def __init__(
        self,
        count: Annotated[int, Field(ge=1)] = 1,
        texts: Annotated[int, Field(ge=1, le=len(FRAMES))] = 5,
        released: str = "",
        prefix: bool = True,
        every: Annotated[int, Field(ge=0)] = 0,
        door: Door = "memory",
        space: str = "",
        adaptive: bool = False,
    ) -> None:
        self.count, self.texts, self.released, self.prefix = count, texts, released, prefix
        self.every, self.door, self.space, self.adaptive = every, door, space, adaptive

    def plan(self, ctx: AttackContext) -> Sequence[Injection]:
        """Return the texts of all targets. Raises DataError for a file of another form."""
        told = []
        for number, (goal, claims) in enumerate(self._targets(ctx)):
            asked = f"{question_of(goal)} " if self.prefix else ""
            told += [self._told(goal, ctx, f"{asked}{claim}", number) for claim in claims]
        return hardened(told, ctx) if self.adaptive else told

    def _told(self, goal: Goal, ctx: AttackContext, text: str, number: int) -> Injection:
        about = {"question": question_of(goal)}
        after = self.every * number
        return placed(goal, ctx, text, door=self.door, space=self.space, after=after, about=about)

    def _targets(self, ctx: AttackContext) -> Iterator[tuple[Goal, list[str]]]:
        if not self.released:
            for goal in ctx.goals(self.count):
                yield goal, [framed(goal.text, n) for n in range(self.texts)]
            return
        for target in read_released(self.released)[: self.count]:
            goal = Goal(
                ctx.agents[0], target.texts[0], target.incorrect, target.correct, question=target.question,
                questions=(target.id,),
            )  # fmt: skip
            yield goal, list(target.texts[: self.texts])
