"""Remember one summary that a model rewrites every few turns, and the turns since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.store import Records, last, matching, pack_state, passing, recalled, unpack_state
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Prepared, Query, Recall, Record


class Summary(BaseModel):
    """The reply to `sum.update`: the new summary."""

    text: str = Field(min_length=1)


class RunningSummary(KeptRecords):
    """After every `every` turns the model folds them into the summary (`sum.update`), and the turns are dropped.

    Nothing is derived anew from its sources, so an early falsehood stays. When the reply is unusable the turns are
    kept, and go into the summary after `every` more. 10 turns is our own choice.
    """

    card: ClassVar[Card] = Card(
        "Running summary",
        "the usual baseline",
        frozenset({"baseline"}),
        needs_model=("sum.update",),
        channels=("observation", "summary"),
    )
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0, 1), "read": (0,), "manage": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:running_summary"

    def __init__(self, every: Annotated[int, Field(ge=1)] = 10) -> None:
        self.every = every
        self._summary: Record | None = None
        super().__init__()

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn; fold the tail when its length is a multiple of `every`."""
        self._records.put(ctx.record(prepared.experience))
        if len(self._records) % self.every == 0:
            await self._fold(ctx)

    async def _fold(self, ctx: MemoryContext) -> None:
        tail = list(self._records)
        before = self._summary.text if self._summary else ""
        inputs = {"summary": before, "turns": [turn.text for turn in tail]}
        reply = await ctx.model("sum.update", inputs, Summary)
        if reply is None:
            return
        if self._summary is None:
            self._summary = ctx.derive(tail, reply.text, channel="summary")
        else:
            self._summary = ctx.revise(self._summary, text=reply.text, parents=tail)
        self._records.remove(tail, ctx, "folded into the summary")

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the summary and the turns since, oldest first; k counts the summary first, then the latest turns."""
        head = [self._summary] if self._summary and passing(query.filter)(self._summary) else []
        turns = matching(self._records, query.filter)
        shown = [*last(head, query.k), *last(turns, None if query.k is None else query.k - len(head))]
        return Recall(tuple(recalled(record, 1.0) for record in shown))

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """Remove the turns, and the whole summary if it descends from one: it cannot be taken apart again."""
        self._records.forget(experience_ids, ctx)
        if self._summary and not experience_ids.isdisjoint(self._summary.origins):
            ctx.retire(self._summary, "forgotten on request")
            self._summary = None
        return ()

    def records(self) -> Sequence[Record]:
        """Return the summary, then the tail, oldest first."""
        return (*([self._summary] if self._summary else []), *self._records)

    def snapshot(self) -> bytes:
        """Return the summary and the tail as columns."""
        return pack_state(self.records(), summarised=self._summary is not None)

    def restore(self, data: bytes) -> None:
        """Replace the summary and the tail. Raises CorruptFile."""
        records, state = unpack_state(data, "summarised")
        kept = list(records)
        self._summary = kept.pop(0) if state["summarised"] else None
        self._records = Records(kept)
