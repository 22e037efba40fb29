"""Remember every turn with its vector, and find the nearest: plain retrieval-augmented generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.indexes.bm25 import rrf
from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.retrieval import Hit, VectorSearch, WordSearch
from simonides.memory_actors.systems.store import fields_of, passing, recalled
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Experience, Plain, Prepared, Query, Recall, Record


class VectorMemory(KeptRecords):
    """Dense top-k over chunks of turns; with `hybrid` fused with BM25 by reciprocal ranks (c = 60).

    `turns` is the number of turns a chunk holds: 1 for turns, 2 for rounds; a chunk never spans two sessions. `pool` is
    how many each ranking gives to the fusion, at least k. `index` names a part of the registry and `index_params` its
    parameters. Ties go to the older chunk, so of equal texts the first is returned first.
    """

    card: ClassVar[Card] = Card(
        "Vector retrieval",
        "plain RAG, as in LoCoMo, arXiv 2402.17753; RRF: Cormack et al., SIGIR 2009",
        frozenset({"baseline", "retrieval"}),
        needs_embedder=True,
    )
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0,), "read": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.baselines.checks:vector"

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] = 10,
        turns: Annotated[int, Field(ge=1)] = 1,
        hybrid: bool = False,
        pool: Annotated[int, Field(ge=1)] = 50,
        index: str = "arena",
        index_params: dict[str, Plain] | None = None,
    ) -> None:
        self.k, self.turns, self.hybrid, self.pool = k, turns, hybrid, pool
        self.index, self.index_params = index, index_params or {}
        super().__init__()
        self._vectors: VectorSearch | None = None
        self._words: WordSearch | None = None
        self._late: dict[str, Record] = {}
        """Records that the indexes do not have yet: the next read brings them in together, at a third of the cost."""

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Embed the turn."""
        return Prepared(experience, (await ctx.embed([experience.text]))[0])

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn to the open chunk of its session, or begin a chunk."""
        said, chunk = prepared.experience, self._open_chunk(prepared.experience)
        if chunk is None:
            record = ctx.record(said, vector=prepared.vector, data=self._filling(said, 1))
        else:
            text = f"{chunk.text}\n{said.text}"
            vector = (await ctx.embed([text]))[0]
            data = self._filling(said, chunk.data["turns"] + 1)
            record = ctx.revise(chunk, text=text, experiences=[said], vector=vector, data=data)
        self._records.put(record)
        self._late[record.id] = record

    def _filling(self, said: Experience, turns: int) -> Mapping[str, Plain]:
        return {"session": said.session, "turns": turns} if self.turns > 1 else {}

    def _open_chunk(self, said: Experience) -> Record | None:
        chunk = next(reversed(self._records), None) if self.turns > 1 else None
        if chunk is None:
            return None
        room = chunk.data["turns"] < self.turns and chunk.data["session"] == said.session
        return chunk if room and chunk.writer == said.agent else None

    def _searches(self) -> tuple[VectorSearch, WordSearch | None]:
        if self._vectors is None:
            self._vectors = VectorSearch(self.index, self.index_params)
            self._words = WordSearch(1.5, 0.75) if self.hybrid else None
        late, self._late = list(self._late.values()), {}
        if late:
            ids = [record.id for record in late]
            vectors = [record.vector for record in late if record.vector is not None]
            self._vectors.put(ids, vectors, [fields_of(record) for record in late])
            if self._words:
                self._words.put(ids, [record.text for record in late])
        return self._vectors, self._words

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the k nearest chunks; scores are cosines, or fused reciprocal ranks."""
        k = max(self.k if query.k is None else query.k, 0)
        vector = (await ctx.embed([query.text]))[0]
        vectors, words = self._searches()
        if words is None:
            hits = vectors.search(vector, k, query.filter)
        else:
            hits = self._fused(vectors.search(vector, max(k, self.pool), query.filter), words, query, k)
        return Recall(tuple(recalled(self._records[item], score) for item, score in hits[:k]))

    def _fused(self, dense: Sequence[Hit], words: WordSearch, query: Query, k: int) -> list[Hit]:
        wanted = passing(query.filter)
        shared = [item for item, _ in words.search(query.text) if wanted(self._records[item])]
        fused = rrf([[item for item, _ in dense], shared[: max(k, self.pool)]])
        age = {record.id: n for n, record in enumerate(self._records)}
        return sorted(fused, key=lambda hit: (-hit[1], age[hit[0]]))

    def _dropped(self, records: Sequence[Record]) -> None:
        gone = [record.id for record in records]
        for record_id in gone:
            self._late.pop(record_id, None)
        for search in (self._vectors, self._words):
            if search:
                search.remove(gone)

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._vectors = self._words = None
        self._late = {record.id: record for record in self._records}
