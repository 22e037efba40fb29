"""Find the nearest vectors exactly, in memory, with numpy: the default index and the oracle of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from simonides.memory_actors.indexes.postings import Posting
from simonides.memory_actors.indexes.rows import (
    Rows,
    checked_queries,
    checked_rows,
    field_key,
    field_keys,
    pack,
    unpack,
)
from simonides.memory_actors.indexes.scoring import MARGIN, Hit, final_scores, kth_floor, longest, ranked
from simonides.sim.types import FloatArray, Plain

_BLOCK = 1 << 22
"""Fast scores held at once, 16 MB: more queries are taken in turns, which changes no result."""

_GATHER = 3
"""Copying one row costs about as much as multiplying three (measured at 10,000 x 384, one thread)."""


class ArenaIndex:
    """Exact nearest vectors by dot product, in one float32 matrix.

    Rows are removed by moving the last one into the gap; each field value has a list of its rows, so that a filter
    costs no scan. Answers depend on the contents alone, not on the order of insertion, on rows that are gone or on
    the number of queries.

        index = ArenaIndex(2)
        index.add(["a", "b"], np.eye(2, dtype=np.float32), [{"owner": "ana"}, {"owner": "ben"}])
        index.search(np.ones((1, 2), np.float32), k=5, filter={"owner": "ben"})   # [[("b", 1.0)]]
    """

    reproducible = True

    def __init__(self, dimension: int) -> None:
        if dimension < 1:
            raise ValueError(f"An index needs a dimension of at least 1, found {dimension}.")
        self.dimension = dimension
        self._clear()

    def _clear(self) -> None:
        self._matrix: FloatArray = np.zeros((16, self.dimension), np.float32)
        self._ids: list[str] = []
        self._fields: list[dict[str, Plain]] = []
        self._row: dict[str, int] = {}
        self._postings: dict[str, Posting] = {}
        self._longest = 0.0

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Sequence[str], vectors: FloatArray, fields: Sequence[Mapping[str, Plain]] | None = None) -> None:
        """Add rows, or replace those whose id is present. Raises ContractBroken for wrong shapes or NaN."""
        self._add(checked_rows(ids, vectors, fields, self.dimension))

    def _add(self, rows: Rows) -> None:
        self._reserve(len(self) + len(rows.ids))
        places = [self._place(item, fields) for item, fields in zip(rows.ids, rows.fields, strict=True)]
        self._matrix[places] = rows.vectors
        if places:  # an upper bound is enough, so it never shrinks
            self._longest = max(self._longest, float(np.sqrt(np.einsum("ij,ij->i", rows.vectors, rows.vectors).max())))

    def _place(self, item: str, fields: dict[str, Plain]) -> int:
        """Return the row of an id, new or old, with its fields set."""
        row = self._row.get(item)
        if row is None:
            row = self._row[item] = len(self._ids)
            self._ids.append(item)
            self._fields.append(fields)
        else:
            self._unpost(row)
            self._fields[row] = fields
        self._post(row)
        return row

    def _reserve(self, rows: int) -> None:
        if rows > len(self._matrix):
            grown = np.zeros((max(rows, 2 * len(self._matrix)), self.dimension), np.float32)
            grown[: len(self)] = self._matrix[: len(self)]
            self._matrix = grown

    def _post(self, row: int) -> None:
        for key in field_keys(self._fields[row]):
            self._postings.setdefault(key, Posting()).add(row)

    def _unpost(self, row: int) -> None:
        for key in field_keys(self._fields[row]):
            self._postings[key].remove(row)
            if not self._postings[key]:
                del self._postings[key]

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""
        for item in ids:
            row = self._row.pop(item, None)
            if row is not None:
                self._remove(row)

    def _remove(self, row: int) -> None:
        last = len(self) - 1
        self._unpost(row)
        if row != last:
            self._unpost(last)
            self._matrix[row] = self._matrix[last]
            self._ids[row], self._fields[row] = self._ids[last], self._fields[last]
            self._row[self._ids[row]] = row
            self._post(row)
        self._ids.pop()
        self._fields.pop()

    def search(self, queries: FloatArray, k: int, filter: Mapping[str, Plain] | None = None) -> list[list[Hit]]:
        """Return, for each row of float32[m, dimension], at most k (id, score), sorted by (-score, id)."""
        wanted = checked_queries(queries, self.dimension)
        rows = self._matching(filter) if filter else None
        n = len(self) if rows is None else len(rows)
        if not n or k < 1:
            return [[] for _ in wanted]
        step = max(1, _BLOCK // len(self))
        return [
            hits for at in range(0, len(wanted), step) for hits in self._search(wanted[at : at + step], min(k, n), rows)
        ]

    def _matching(self, fields: Mapping[str, Plain]) -> npt.NDArray[np.int64]:
        """Return the rows that have all these field values."""
        postings = [self._postings.get(field_key(name, value)) for name, value in fields.items()]
        found = sorted((posting for posting in postings if posting), key=len)
        if len(found) < len(postings):
            return np.empty(0, np.int64)
        rows = found[0].rows
        for posting in found[1:]:
            rows = np.intersect1d(rows, posting.rows, assume_unique=True)
        return rows

    def _search(self, queries: FloatArray, k: int, rows: npt.NDArray[np.int64] | None) -> list[list[Hit]]:
        fast = self._fast_scores(queries, rows)
        floor = kth_floor(fast, k) - np.float32(MARGIN * max(1.0, self._longest * longest(queries)))
        if len(queries) == 1:  # the common case, without the bookkeeping of a batch
            place = (fast[0] >= floor[0]).nonzero()[0]
            return [self._ranked(place if rows is None else rows[place], queries[0], k)]
        owner, place = (fast >= floor[:, None]).nonzero()
        nominated = place if rows is None else rows[place]
        scores = final_scores(self._matrix.take(nominated, axis=0), queries.take(owner, axis=0))
        ids = [self._ids[row] for row in nominated.tolist()]
        bounds = owner.searchsorted(np.arange(len(queries) + 1)).tolist()
        return [ranked(ids[a:b], scores[a:b], k) for a, b in pairwise(bounds)]

    def _ranked(self, rows: npt.NDArray[np.int64], query: FloatArray, k: int) -> list[Hit]:
        scores = final_scores(self._matrix.take(rows, axis=0), query)
        return ranked([self._ids[row] for row in rows.tolist()], scores, k)

    def _fast_scores(self, queries: FloatArray, rows: npt.NDArray[np.int64] | None) -> FloatArray:
        """Return float32[m, n] by matrix product: good enough to nominate, not to answer."""
        everything = self._matrix[: len(self)]
        if rows is None:
            return queries @ everything.T
        if _GATHER * len(rows) < len(self) or len(rows) == 1:
            return queries @ everything.take(rows, axis=0).T
        return (queries @ everything.T)[:, rows]

    def snapshot(self) -> bytes:
        """Return all rows as canonical bytes, ordered by id: equal contents give equal bytes."""
        return pack(Rows(self._ids, self._matrix[: len(self)], self._fields), self.dimension)

    def restore(self, data: bytes) -> None:
        """Replace all rows by those of a snapshot. Raises CorruptFile or ContractBroken, and then changes nothing."""
        rows = unpack(data, self.dimension)
        self._clear()
        self._add(rows)
