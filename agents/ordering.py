"""Say which of several passages came first, by the log-probabilities of the reply's first token: the SORT task.

Source: Sequence Order Recall Task (Pink et al. 2024): the answer is the label whose first token is likelier, so that no
reply is ever unusable for its form; a model that gives neither label among its likeliest tokens has not answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from simonides.agents.prompted import Fallback, PromptedPolicy
from simonides.agents.turn import BUDGET, Turn
from simonides.sim.errors import ModelFailed
from simonides.sim.labels import first_token, likeliest
from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, Observation, Plain, Query, Recall, Request

UNANSWERED = "X"
PURPOSE = "reader.order"


class OrderReader(PromptedPolicy):
    """A prompted policy that answers questions of order by first-token log-probabilities.

    Such a question lists `info["labels"]` (["A", "B"]) and names them in its text; the purpose is "reader.order",
    inputs `context`, `question`, `labels`. The answer is a label, or "X" when none is among the `logprobs` likeliest
    tokens. All else is done as `PromptedPolicy` does. The notes also say `log_probabilities`, of the labels found.
    """

    purposes = (*PromptedPolicy.purposes, PURPOSE)

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] | None = None,
        budget: Annotated[int, Field(ge=0)] = 2000,
        fallback: Fallback = "first-legal",
        persona: str = "",
        logprobs: Annotated[int, Field(ge=2, le=20)] = 20,
    ) -> None:
        super().__init__(k, budget, fallback, persona)
        self.logprobs = logprobs

    def queries(self, observation: Observation, ctx: PolicyContext) -> tuple[Query, ...]:
        """Return one query, the question, when something is due."""
        if not observation.info.get("labels"):
            return super().queries(observation, ctx)
        return (Query(observation.text, k=self.k, probe=bool(observation.info.get("probe"))),)

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the likelier label. Raises ModelFailed when the model gives no log-probabilities."""
        labels = [str(label) for label in observation.info.get("labels", ())]
        if not labels:
            return await super().act(observation, recalls, ctx)
        turn = Turn(ctx, self.budget)
        turn.show(recalls)
        inputs: dict[str, Plain] = {"context": list(turn.shown.values()), "question": observation.text}
        request = Request(PURPOSE, {**inputs, "labels": labels}, max_tokens=1, logprobs=self.logprobs)
        (completion,) = await ctx.complete([request])
        found = first_token(completion)
        if not found and completion.finish != BUDGET:
            raise ModelFailed(
                f"{PURPOSE} asks for the log-probabilities of a token, and the model gave none: use one whose card has "
                "logprobs, or the policy 'prompted', which reads the reply's words."
            )
        said = likeliest(found, labels) or UNANSWERED
        taken = "refuse" if completion.finish == BUDGET else ""
        turn.count(completion)
        known = {label: found[label] for label in sorted(found) if likeliest({label: 0.0}, labels)}
        return Action(said, said, {"purpose": PURPOSE, **turn.notes(), "log_probabilities": known, "fallback": taken})
