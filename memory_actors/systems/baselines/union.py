"""Remember every turn, and find the best by words together with the nearest by vector, without weighing them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.systems.baselines.vector import VectorMemory
from simonides.memory_actors.systems.store import passing, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Plain, Query, Recall


class UnionMemory(VectorMemory):
    """The `each` best turns by BM25, then those of the `each` nearest that are not among them: 3 + 3 as in MemoryGraft.

    Scores are 1 / rank in that list, as the two scales cannot be compared. A query gets at most 2 * `each`, or its k.
    """

    card: ClassVar[Card] = Card(
        "Union of BM25 and vectors",
        "the retrieval of arXiv 2512.16962",
        frozenset({"baseline", "retrieval"}),
        needs_embedder=True,
    )
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:union"

    def __init__(
        self,
        each: Annotated[int, Field(ge=1)] = 3,
        index: str = "arena",
        index_params: dict[str, Plain] | None = None,
    ) -> None:
        super().__init__(k=2 * each, hybrid=True, index=index, index_params=index_params)
        self.each = each

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the union of both rankings, each turn once."""
        k = max(self.k if query.k is None else query.k, 0)
        vector = (await ctx.embed([query.text]))[0]
        vectors, words = self._searches()
        wanted = passing(query.filter)
        shared = [item for item, _ in words.search(query.text) if wanted(self._records[item])] if words else []
        near = [item for item, _ in vectors.search(vector, self.each, query.filter)]
        found = list(dict.fromkeys([*shared[: self.each], *near]))[:k]
        return Recall(tuple(recalled(self._records[item], 1.0 / (n + 1)) for n, item in enumerate(found)))
