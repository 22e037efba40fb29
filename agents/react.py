"""Decide step by step, as ReAct does (Yao et al. 2023): a thought, then to recall more or to act, until it acts.

What its memory holds is its only source: what ReAct looks up with tools is here a further hop into the agent's spaces.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from simonides.agents.prompted import Fallback, PromptedPolicy
from simonides.agents.tasks import Recalling, Task
from simonides.agents.turn import Turn
from simonides.sim.errors import AccessRefused
from simonides.sim.types import Observation, Query


class ReActPolicy(PromptedPolicy):
    """A prompted policy that thinks before it acts, and may look for more memories first.

    Each step is one question, "reader.react" or "policy.react": the inputs of `PromptedPolicy`, the `steps` so far, and
    how many `recalls` are left. The reply is {"thought": ..., "do": ...}, where `do` is {"recall": query}, or the
    {"answer": ...} or {"action": ...} that ends the turn. After `recalls` further recalls (0: none) it must act.
    Records that a hop finds come out of the same `budget`, and those already shown are not shown again. The notes also
    say `thoughts` and `recalls`, the queries; what these found is in the trace as hops 1, 2, ...
    """

    purposes = ("reader.react", "policy.react")

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] | None = None,
        budget: Annotated[int, Field(ge=0)] = 2000,
        fallback: Fallback = "first-legal",
        persona: str = "",
        recalls: Annotated[int, Field(ge=0, le=16)] = 2,
    ) -> None:
        super().__init__(k, budget, fallback, persona)
        self.recalls = recalls

    async def _decide(self, task: Task, turn: Turn, observation: Observation) -> tuple[str, Any]:
        context = list(turn.shown.values())
        purpose = "reader.react" if task.field == "answer" else "policy.react"
        for left in range(self.recalls, -1, -1):
            told = task.told(context=context, steps=list(turn.steps), recalls=left)
            step = await turn.ask(purpose, told, task.step(left > 0))
            if step is None:
                return purpose, None
            turn.thoughts.append(step.thought)
            if not isinstance(step.do, Recalling):
                return purpose, step.do
            await self._recall(turn, step.thought, step.do.recall, bool(observation.info.get("probe")))
        raise AssertionError("the last step cannot recall")

    async def _recall(self, turn: Turn, thought: str, wanted: str, probe: bool) -> None:
        turn.recalls.append(wanted)
        try:
            found = turn.show([await turn.ctx.recall(Query(wanted, k=self.k, probe=probe))]) or ["(nothing new)"]
        except AccessRefused as error:
            found = [f"(refused: {error})"]
        turn.steps += [f"Thought: {thought}", f"Recall: {wanted}", *(f"Found: {line}" for line in found)]
