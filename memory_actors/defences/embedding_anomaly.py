"""Tell poison by its geometry: results that resemble each other too much, records that resemble questions too much."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from simonides.memory_actors.defences.standing import Standing
from simonides.sim.defences import Admission, DefenceCard, DefenceContext, Screening
from simonides.sim.types import Effect, Experience, FloatArray, Plain, Query, Recalled

ASKED = "asked"
ROUNDING = 1e-6


class EmbeddingAnomaly(Standing):
    """Two detectors that look at vectors and words alone, and neither at sources nor at meaning.

    At a read: the best `top` items (5) are flagged when their mean pairwise cosine is above `cosine` (0.8) or their
    mean pairwise Jaccard similarity of words above `jaccard` (0.6), as in UCSD's reproduction of AgentPoison.
    `flagged: drop` leaves them out, `label` shows them with trust 0. Fewer than two items are never flagged.

    At a write (MemSAD): the greatest cosine of an experience to the last `history` questions of the space is flagged
    when it is above mean + `kappa` standard deviations of those of the last `history` experiences that were not. A
    flagged experience is refused, held, or admitted with trust 0 (`verdict`). Nothing is flagged before `warmup`
    experiences; what is written meanwhile is the norm, poison included. `kappa`, `history` and `warmup` are GUESSES.
    `reads` and `writes` say which of the two stand.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Embedding geometry and anomaly",
        "the detector of UCSD's AgentPoison reproduction; MemSAD's rule of mean and deviation",
        ("admit", "screen"),
        needs_embedder=True,
    )

    def __init__(
        self,
        top: Annotated[int, Field(ge=2)] = 5,
        cosine: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.8,
        jaccard: Annotated[float, Field(ge=0.0, le=1.0)] = 0.6,
        flagged: Literal["drop", "label"] = "drop",
        kappa: Annotated[float, Field(ge=0.0)] = 3.0,
        history: Annotated[int, Field(ge=2)] = 64,
        warmup: Annotated[int, Field(ge=2)] = 20,
        verdict: Literal["refuse", "hold", "admit"] = "refuse",
        reads: bool = True,
        writes: bool = True,
    ) -> None:
        self.top, self.cosine, self.jaccard, self.flagged = top, cosine, jaccard, flagged
        self.kappa, self.history, self.warmup, self.verdict = kappa, history, warmup, verdict
        self.reads, self.writes = reads, writes
        self._asked: list[FloatArray] = []
        self._nearness: dict[str, float] = {}
        """The last experiences that were not flagged -> the greatest cosine to a question."""

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Flag what is nearer to what is asked than writings are."""
        if not self.writes or not self._asked:
            return Admission()
        vector = (await ctx.embed([experience.text]))[0]
        nearest = float(max(np.stack(self._asked) @ vector))
        if len(self._nearness) >= self.warmup and nearest > self._bound() + ROUNDING:
            return Admission(self.verdict, f"cosine {nearest:.2f} to a question, {self._bound():.2f} is usual", 0.0)
        last = [*self._nearness.items(), (experience.id, nearest)][-self.history :]
        self._nearness = dict(last)
        return Admission()

    def _bound(self) -> float:
        known = self._nearness.values()
        mean = math.fsum(known) / len(known)
        variance = math.fsum((one - mean) ** 2 for one in known) / len(known)
        return mean + self.kappa * math.sqrt(variance)

    async def forgot(self, experiences: frozenset[str], ctx: DefenceContext) -> None:
        """Let what was purged be no part of what is usual."""
        self._nearness = {id: near for id, near in self._nearness.items() if id not in experiences}

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Flag the best items when they are too much alike; tell what was asked."""
        told = (Effect(ASKED, "", {"text": query.text}),) if self.writes and query.text else ()
        if not self.reads or len(items) < 2:
            return Screening(tuple(items), told)
        best, rest = tuple(items[: self.top]), tuple(items[self.top :])
        cosine, jaccard = await self._alike(best, ctx)
        if cosine <= self.cosine + ROUNDING and jaccard <= self.jaccard + ROUNDING:
            return Screening((*best, *rest), told)
        flags = [Effect("alike", item.record_id, {"cosine": cosine, "jaccard": jaccard}) for item in best]
        shown = tuple(item._replace(trust=0.0) for item in best) if self.flagged == "label" else ()
        return Screening((*shown, *rest), (*told, *flags))

    async def _alike(self, items: Sequence[Recalled], ctx: DefenceContext) -> tuple[float, float]:
        """Return the mean pairwise cosine and Jaccard similarity."""
        vectors = await ctx.embed([item.text for item in items])
        words = [frozenset(item.text.lower().split()) for item in items]
        pairs = list(combinations(range(len(items)), 2))
        cosines = [float(vectors[a] @ vectors[b]) for a, b in pairs]
        shared = [len(words[a] & words[b]) / len(words[a] | words[b]) if words[a] | words[b] else 0.0 for a, b in pairs]
        return math.fsum(cosines) / len(pairs), math.fsum(shared) / len(pairs)

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Keep the vectors of what was asked."""
        texts = [effect.data["text"] for effect in effects if effect.kind == ASKED]
        if texts:
            self._asked = [*self._asked, *(await ctx.embed(texts))][-self.history :]

    def _state(self) -> dict[str, Plain]:
        return {"asked": list(self._asked), "nearness": [list(pair) for pair in self._nearness.items()]}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._asked, self._nearness = list(state["asked"]), dict(state["nearness"])
