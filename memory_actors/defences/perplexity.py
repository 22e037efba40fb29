"""Refuse texts that a language model finds unlikely, as those made by an optimiser are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simonides.memory_actors.defences.standing import Standing
from simonides.sim.defences import ADMIT, Admission, DefenceCard, DefenceContext
from simonides.sim.types import Experience, Request

PURPOSE = "defence.perplexity"


class Perplexity(Standing):
    """At a write, the model scores the text's tokens; above `limit` it is refused, held, or admitted with trust 0.

    Perplexity is exp of the mean negative natural log-probability of the tokens from the second on; with `window`, the
    largest over all runs of so many tokens (Jain et al. 2023, arXiv 2309.00614), so that a few unlikely words do not
    hide in a long text. It costs one call
    of the model an experience, of which one token is generated and thrown away. A model that gives no scores of a
    prompt fails as it always does; where the budget is used up the text passes, unmeasured. A text of fewer than
    `shortest` tokens says too little and passes. `limit` is a GUESS and hangs on the model: tune it on clean seeds.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Perplexity filter",
        "Alon and Kamfonas 2023, arXiv 2308.14132; a baseline of ASB",
        ("admit",),
        needs_model=(PURPOSE,),
    )

    def __init__(
        self,
        limit: Annotated[float, Field(gt=1.0)] = 500.0,
        shortest: Annotated[int, Field(ge=1)] = 4,
        window: Annotated[int | None, Field(ge=1)] = None,
        verdict: Literal["refuse", "hold", "admit"] = "refuse",
    ) -> None:
        self.limit, self.shortest, self.window, self.verdict = limit, shortest, window, verdict

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Score one text."""
        if not experience.text.strip():
            return ADMIT
        text = experience.text
        request = Request(PURPOSE, {"text": text}, prompt=text, max_tokens=1, prompt_logprobs=True)
        (completion,) = await ctx.complete([request])
        scores = completion.prompt_scores
        if len(scores) + 1 < self.shortest:
            return ADMIT
        perplexity = self._perplexity([one.logprob for one in scores])
        if perplexity <= self.limit:
            return ADMIT
        return Admission(self.verdict, f"perplexity {perplexity:.0f}, at most {self.limit:g}", 0.0)

    def _perplexity(self, scores: Sequence[float]) -> float:
        width = min(self.window or len(scores), len(scores))
        means = (math.fsum(scores[n : n + width]) / width for n in range(len(scores) - width + 1))
        return math.exp(min(-min(means), 700.0))
