"""Find records again by vector or by word, ties to the older one.

An index breaks ties by its own ids. Record ids say nothing about age, so rows get ids that count upwards instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simonides.memory_actors.indexes.bm25 import BM25Index
from simonides.sim.protocols import VectorIndex
from simonides.sim.registry import registry
from simonides.sim.types import FloatArray, Plain

Hit = tuple[str, float]


class _Rows:
    """Row ids of records, in the order of arrival."""

    def __init__(self) -> None:
        self._row: dict[str, str] = {}
        self._record: dict[str, str] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._row)

    def of(self, record_ids: Sequence[str]) -> list[str]:
        """Return the rows of records, making those that are new."""
        for record_id in record_ids:
            if record_id not in self._row:
                row = f"{self._next:032x}"  # the width of a record id, which every index accepts
                self._next += 1
                self._row[record_id], self._record[row] = row, record_id
        return [self._row[record_id] for record_id in record_ids]

    def drop(self, record_ids: Sequence[str]) -> list[str]:
        """Forget the rows of records; return those that there were."""
        rows = [self._row.pop(record_id) for record_id in record_ids if record_id in self._row]
        for row in rows:
            del self._record[row]
        return rows

    def hits(self, found: Sequence[Hit]) -> list[Hit]:
        """Return hits by record, leaving out rows that are not ours (an index on disk may hold older ones)."""
        return [(self._record[row], score) for row, score in found if row in self._record]


class VectorSearch:
    """Records by vector, in any index of the registry. The index is made when the first vector tells the dimension."""

    def __init__(self, index: str, params: Mapping[str, Plain]) -> None:
        self._name, self._params = index, params
        self._index: VectorIndex | None = None
        self._rows = _Rows()

    def put(
        self, record_ids: Sequence[str], vectors: Sequence[FloatArray], fields: Sequence[Mapping[str, Plain]]
    ) -> None:
        """Add records, or replace their vectors and fields."""
        if not record_ids:
            return
        if self._index is None:
            dimension = len(vectors[0])
            self._index = registry("index").build(self._name, self._params, path="index_params", dimension=dimension)
        self._index.add(self._rows.of(record_ids), np.stack(vectors), fields)

    def remove(self, record_ids: Sequence[str]) -> None:
        """Remove records; unknown ids are ignored."""
        rows = self._rows.drop(record_ids)
        if self._index is not None:
            self._index.remove(rows)

    def search(self, vector: FloatArray, k: int, filter: Mapping[str, Plain] | None = None) -> list[Hit]:
        """Return at most k (record id, dot product), best first, ties to the older record."""
        if self._index is None or k < 1:
            return []
        return self._rows.hits(self._index.search(vector[None, :], k, filter or None)[0])


class WordSearch:
    """Records by the words they share with a query."""

    def __init__(self, k1: float, b: float) -> None:
        self._index = BM25Index(k1=k1, b=b)
        self._rows = _Rows()

    def put(self, record_ids: Sequence[str], texts: Sequence[str]) -> None:
        """Add records, or replace their texts."""
        self._index.add(self._rows.of(record_ids), texts)

    def remove(self, record_ids: Sequence[str]) -> None:
        """Remove records; unknown ids are ignored."""
        self._index.remove(self._rows.drop(record_ids))

    def search(self, text: str, k: int | None = None) -> list[Hit]:
        """Return at most k (record id, BM25 score), all that share a word for None, ties to the older record."""
        return self._rows.hits(self._index.search(text, len(self._rows) if k is None else k))
