"""Remember a stream of observations scored by recency, importance and relevance, and reflect on it now and then."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field

from simonides.memory_actors.indexes.scoring import final_scores
from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.store import matching, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Effect, Experience, FloatArray, Plain, Prepared, Query, Recall, Record

HOUR, DAY = 3600.0, 86400.0
UNRATED = 4
"""The importance of what the model could not rate: a middling one, our own choice."""


class Importance(BaseModel):
    """The reply to `ga.importance`: from 1, mundane, to 10, poignant."""

    importance: int = Field(ge=1, le=10)


class Questions(BaseModel):
    """The reply to `ga.questions`: the salient questions that recent statements raise."""

    questions: list[str]


class Insight(BaseModel):
    """A sentence, and the positions (from 0) of the statements that it rests on."""

    text: str = Field(min_length=1)
    evidence: list[int]


class Insights(BaseModel):
    """The reply to `ga.insights`."""

    insights: list[Insight]


def minmax(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return values mapped to [0, 1]; 0.5 for each when they are all equal."""
    array = np.asarray(values, np.float64)
    low, high = array.min(), array.max()
    return np.full(len(array), 0.5) if high == low else (array - low) / (high - low)


class GenerativeAgents(KeptRecords):
    """The memory stream of Park et al., *Generative Agents* (UIST 2023, arXiv 2304.03442).

    A record's score for a query is the weighted sum of recency, importance and relevance, each mapped to [0, 1] over
    the stream. Recency is `decay` to the power of hours since last access; relevance is the cosine. The paper weighs
    all three alike. `compat="repo"` follows the public code instead: weights 0.5, 2 and 3, and decay 0.99 by *rank* of
    last access, where the record not accessed for longest has rank 1, so that recency is reversed.

    When the importance of what came in since the last reflection reaches `threshold`, the model asks three questions
    about the last `recent` records, and draws five insights from what each recalls. An insight descends from all
    statements that the model was shown, since any may have shaped it; those that it cites are `data["evidence"]`. One
    that cites none of them is dropped. Insights expire after `thought_days` (public code; None: never).

    Unusable replies: an unrated record counts 4; without questions this reflection is skipped; without insights that
    question is.
    """

    card: ClassVar[Card] = Card(
        "Generative Agents memory stream",
        "Park et al. 2023, arXiv 2304.03442; joonspk-research/generative_agents",
        frozenset({"dialogue", "reflection"}),
        read_mutates=True,
        needs_model=("ga.importance", "ga.questions", "ga.insights"),
        needs_embedder=True,
        channels=("observation", "thought"),
    )
    model_calls: ClassVar[dict[str, Sequence[int]]] = {"write": range(1, 21), "read": (0,), "manage": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.dialogue.generative_agents_checks:checks"

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] = 30,
        threshold: Annotated[int, Field(ge=1)] = 150,
        decay: Annotated[float, Field(gt=0.0, le=1.0)] = 0.995,
        recent: Annotated[int, Field(ge=1)] = 100,
        thought_days: Annotated[float | None, Field(gt=0.0)] = 30.0,
        compat: Literal["repo"] | None = None,
    ) -> None:
        self.k, self.threshold, self.recent = k, threshold, recent
        self.decay = 0.99 if compat == "repo" else decay
        self.weights = (0.5, 2.0, 3.0) if compat == "repo" else (1.0, 1.0, 1.0)
        self.thought_days = thought_days
        self.compat = compat
        super().__init__()
        self._importance = 0

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Embed and rate the observation."""
        vector = (await ctx.embed([experience.text]))[0]
        return Prepared(experience, vector, {"importance": await self._rate(experience.text, ctx)})

    async def _rate(self, text: str, ctx: MemoryContext) -> int:
        reply = await ctx.model("ga.importance", {"text": text}, Importance)
        return UNRATED if reply is None else reply.importance

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the observation; reflect when enough importance has come in."""
        data = {"importance": prepared.data["importance"], "accessed": prepared.experience.time}
        self._records.put(ctx.record(prepared.experience, vector=prepared.vector, data=data))
        self._importance += data["importance"]
        if self._importance >= self.threshold:
            self._importance = 0
            await self._reflect(ctx)

    async def _reflect(self, ctx: MemoryContext) -> None:
        stream = self._living(ctx.time)
        latest = sorted(stream, key=lambda record: record.data["accessed"])[-self.recent :]
        reply = await ctx.model("ga.questions", {"statements": [record.text for record in latest]}, Questions)
        questions = reply.questions[:3] if reply else []
        vectors = await ctx.embed(questions) if questions else ()
        thoughts: list[Record] = []
        for vector in vectors:  # all questions are asked of the stream as it was, without the new thoughts
            shown = [record for record, _ in self._ranked(self._living(ctx.time), vector, ctx.time)[: self.k]]
            for record in shown:
                self._records.note(record.id, accessed=max(ctx.time, record.data["accessed"]))
            thoughts += await self._insights(shown, ctx)
        for thought in thoughts:
            self._records.put(thought)

    async def _insights(self, shown: Sequence[Record], ctx: MemoryContext) -> list[Record]:
        reply = await ctx.model("ga.insights", {"statements": [record.text for record in shown]}, Insights)
        thoughts = []
        for insight in reply.insights[:5] if reply else []:
            cited = sorted({position for position in insight.evidence if 0 <= position < len(shown)})
            if not cited:
                continue
            vector = (await ctx.embed([insight.text]))[0]
            data: dict[str, Plain] = {"importance": await self._rate(insight.text, ctx), "accessed": ctx.time}
            data["evidence"] = [shown[position].id for position in cited]
            thoughts.append(ctx.derive(shown, insight.text, vector=vector, data=data, channel="thought"))
        return thoughts

    def _expired(self, record: Record, time: float) -> bool:
        if self.thought_days is None or record.channel != "thought":
            return False
        return time - record.time > self.thought_days * DAY

    def _living(self, time: float) -> list[Record]:
        return [record for record in self._records if not self._expired(record, time)]

    def _recency(self, stream: Sequence[Record], time: float) -> list[float]:
        accessed = [record.data["accessed"] for record in stream]
        if self.compat == "repo":
            order = sorted(range(len(stream)), key=lambda n: accessed[n])
            rank = {n: position for position, n in enumerate(order, start=1)}
            return [self.decay ** rank[n] for n in range(len(stream))]
        return [math.pow(self.decay, max(time - at, 0.0) / HOUR) for at in accessed]

    def _ranked(self, stream: Sequence[Record], vector: FloatArray, time: float) -> list[tuple[Record, float]]:
        """Return the records of the stream with their scores, best first, ties to the older."""
        if not stream:
            return []
        rows = np.stack([record.vector for record in stream if record.vector is not None])
        recency, importance, relevance = self.weights
        scores = (
            recency * minmax(self._recency(stream, time))
            + importance * minmax([record.data["importance"] for record in stream])
            + relevance * minmax(final_scores(rows, vector).tolist())
        )
        order = np.argsort(-scores, kind="stable").tolist()
        return [(stream[n], float(scores[n])) for n in order]

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the k best of the stream; being read is an access, told as effects."""
        k = max(self.k if query.k is None else query.k, 0)
        vector = (await ctx.embed([query.text]))[0]
        stream = matching(self._living(ctx.time), query.filter)
        best = self._ranked(stream, vector, ctx.time)[:k]
        effects = tuple(Effect("accessed", record.id) for record, _ in best)
        return Recall(tuple(recalled(record, score) for record, score in best), effects)

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Note when records were last accessed."""
        for effect in effects:
            if effect.record_id in self._records:
                accessed = self._records[effect.record_id].data["accessed"]
                self._records.note(effect.record_id, accessed=max(ctx.time, accessed))

    async def manage(self, ctx: MemoryContext) -> None:
        """Drop expired thoughts."""
        self._records.remove([r for r in self._records if self._expired(r, ctx.time)], ctx, "expired")

    def _state(self) -> dict[str, Plain]:
        return {"importance": self._importance}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._importance = state["importance"]
