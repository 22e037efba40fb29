"""Remember every turn, and find those that share words with the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.retrieval import WordSearch
from simonides.memory_actors.systems.store import passing, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Plain, Prepared, Query, Recall, Record


class BM25Memory(KeptRecords):
    """Okapi BM25 over turns (Robertson et al., TREC-3, 1994). Ties go to the older turn.

    Turns that share no word with the query are not returned. `k` is how many a query gets by default.
    """

    card: ClassVar[Card] = Card("BM25", "Robertson et al., Okapi at TREC-3, 1994", frozenset({"baseline", "retrieval"}))
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0,), "read": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:bm25"

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] = 10,
        k1: Annotated[float, Field(ge=0.0)] = 1.5,
        b: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75,
    ) -> None:
        self.k = k
        self.k1, self.b = k1, b
        super().__init__()
        self._words: WordSearch | None = None

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn."""
        record = ctx.record(prepared.experience)
        self._records.put(record)
        if self._words:
            self._words.put([record.id], [record.text])

    def _search(self) -> WordSearch:
        if self._words is None:  # made by the first read, so that a memory which only writes pays nothing
            self._words = WordSearch(self.k1, self.b)
            self._words.put([r.id for r in self._records], [r.text for r in self._records])
        return self._words

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the k turns that score best."""
        k, wanted = self.k if query.k is None else query.k, passing(query.filter)
        hits = self._search().search(query.text, None if query.filter else max(k, 0))
        found = [(self._records[item], score) for item, score in hits if wanted(self._records[item])]
        return Recall(tuple(recalled(record, score) for record, score in found[: max(k, 0)]))

    def _dropped(self, records: Sequence[Record]) -> None:
        if self._words:
            self._words.remove([record.id for record in records])

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._words = None
