"""Remember everything, and show all of it that fits a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.store import last, matching, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Prepared, Query, Recall, Record


class FullContext(KeptRecords):
    """All turns in the order they came; when they exceed the window, whole turns are dropped from the front.

    The strong baseline of long-dialogue benchmarks (LoCoMo, LongMemEval). `max_tokens` is the window, None for no
    limit. What is outside the window stays stored, so a longer window on the same snapshot shows it again.
    """

    card: ClassVar[Card] = Card("Full context", "the usual baseline; LoCoMo, arXiv 2402.17753", frozenset({"baseline"}))
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0,), "read": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:full_context"

    def __init__(self, max_tokens: Annotated[int | None, Field(ge=1)] = None) -> None:
        self.max_tokens = max_tokens
        super().__init__()

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn."""
        self._records.put(ctx.record(prepared.experience))

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the latest turns that fit the window (and k), oldest first, whatever the query says."""
        turns = last(matching(self._records, query.filter), query.k)
        return Recall(tuple(recalled(turn, 1.0) for turn in self._fitting(turns, ctx)))

    def _fitting(self, turns: Sequence[Record], ctx: MemoryContext) -> Sequence[Record]:
        if self.max_tokens is None:
            return turns
        used, first = 0, len(turns)
        while first > 0 and (used := used + ctx.tokens(turns[first - 1].text)) <= self.max_tokens:
            first -= 1
        return turns[first:]
