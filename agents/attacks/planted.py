"""False claims in the environment's own words, with nothing added: the attack by which others are calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simonides.agents.attacks.adaptive import HARDENED, hardened
from simonides.agents.attacks.placing import WITHOUT_FACTS, placed, truth_of
from simonides.sim.attacks import AttackCard, AttackContext, Door, Goal, Injection

Content = Literal["falsehood", "update", "mistake"]


class PlantedRecord:
    """Says `count` false things, each `copies` times, `every` ticks apart.

    `content` makes its controls, with equally many records and nothing tainted: "mistake" is the same falsehood said
    in good faith; "update" is an honest newer truth that replaces an old one: the outdated value is told first, and
    the truth anew after `apart` ticks (two records a fact; the outdated one is not what the control measures), by the
    door `outdated` where it is to come by another: "memory" makes it look as if the agent had once seen it.

    `timing` "told" counts `every` from the tick at which the environment would tell the falsehood itself, which comes
    after the truth was seen and before it is needed; "start" from the attack's beginning.
    """

    card: ClassVar[AttackCard] = AttackCard(
        title="Planted record",
        source="calibration: no published attack",
        access="ingestion",
        knowledge="none",
        doors=("memory", "channel"),
        adaptive=HARDENED,
        not_applicable=WITHOUT_FACTS,
    )

    def __init__(
        self,
        count: Annotated[int, Field(ge=1)] = 1,
        copies: Annotated[int, Field(ge=1)] = 1,
        every: Annotated[int, Field(ge=0)] = 0,
        content: Content = "falsehood",
        apart: Annotated[int, Field(ge=1)] = 5,
        outdated: Door | None = None,
        channel: str = "",
        door: Door = "memory",
        space: str = "",
        timing: Literal["start", "told"] = "start",
        adaptive: bool = False,
    ) -> None:
        """`space` is where records go by the door "memory"; by default the first that the goal's agent may write.

        `channel` is by which of the environment's the door "channel" tells it; by default the falsehood's own.
        """
        self.count, self.copies, self.every, self.content, self.apart = count, copies, every, content, apart
        self.door, self.space, self.timing, self.adaptive = door, space, timing, adaptive
        self.outdated, self.channel = outdated, channel

    def plan(self, ctx: AttackContext) -> Sequence[Injection]:
        """Return the records of all goals. Raises StudyError as `AttackContext.goals` and `placed` do."""
        goals = ctx.goals(self.count)
        said = [self._told(goal, n, copy, ctx) for copy in range(self.copies) for n, goal in enumerate(goals)]
        told = [one for records in said for one in records]
        if self.channel:
            told = [replace(one, channel=self.channel) if one.door == "channel" else one for one in told]
        return hardened(told, ctx) if self.adaptive else told

    def _told_at(self, goal: Goal) -> int:
        """Return the tick to inject at: what a channel is given is seen, and remembered, one tick later.

        Of an update it is the truth that must be there in time.
        """
        due = goal.tick - 1 if self.door == "channel" else goal.tick
        return max(0, due - self.apart if self.content == "update" else due)

    def _told(self, goal: Goal, number: int, copy: int, ctx: AttackContext) -> list[Injection]:
        after = self.every * (copy * self.count + number) + (self._told_at(goal) if self.timing == "told" else 0)
        door = self.outdated if self.outdated is not None and self.content == "update" else self.door
        false = placed(
            goal, ctx, goal.text, door=door, space=self.space, after=after,
            tainted=self.content == "falsehood", about={"content": self.content},
        )  # fmt: skip
        if self.content != "update":
            return [false]
        about = {"content": "truth", "value": goal.truth}
        told = truth_of(goal)
        later = after + self.apart
        true = placed(goal, ctx, told, door=self.door, space=self.space, after=later, tainted=False, about=about)
        return [false, true]
