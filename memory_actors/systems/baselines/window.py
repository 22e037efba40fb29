"""Remember the last turns only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.store import last, matching, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Prepared, Query, Recall, Record


class SlidingWindow(KeptRecords):
    """First in, first out: the last `turns` turns, and of these no more than `max_tokens` tokens.

    Only whole turns are kept: one that is larger than `max_tokens` leaves the window empty. 20 turns is our own
    choice; publications use anything from 5 to 50.
    """

    card: ClassVar[Card] = Card("Sliding window", "the usual baseline", frozenset({"baseline"}))
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0,), "read": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:window"

    def __init__(
        self, turns: Annotated[int, Field(ge=1)] = 20, max_tokens: Annotated[int | None, Field(ge=1)] = None
    ) -> None:
        self.turns = turns
        self.max_tokens = max_tokens
        super().__init__()

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn; evict the oldest until the window holds."""
        self._records.put(ctx.record(prepared.experience))
        self._records.remove(self._outside(ctx), ctx, "left the window")

    def _outside(self, ctx: MemoryContext) -> Sequence[Record]:
        first = max(len(self._records) - self.turns, 0)
        if self.max_tokens is not None:
            sizes = [ctx.tokens(turn.text) for turn in self._records]
            while sum(sizes[first:]) > self.max_tokens:
                first += 1
        return tuple(islice(self._records, first)) if first else ()

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the window (its last k turns), oldest first, whatever the query says."""
        turns = last(matching(self._records, query.filter), query.k)
        return Recall(tuple([recalled(turn, 1.0) for turn in turns]))
