"""Say how a row is kept as a Qdrant point, and rank Qdrant's answers by our own rule.

Qdrant nominates; the scores that leave are recomputed from the stored vectors (see `scoring`).
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from simonides.memory_actors.indexes.rows import Rows, field_keys
from simonides.memory_actors.indexes.scoring import MARGIN, Hit, final_scores, longest, ranked
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.types import FloatArray

KEYS = "keys"
"""The payload field that lists a row's field values as text: one keyword index serves every filter."""

FOUND = ["id", "length"]
"""The payload fields that a search reads."""

PAGE = 1000
"""Points written or read in one call."""

_RECORD_ID = re.compile(r"[0-9a-f]{32}")


class Point(Protocol):
    """What is used of a stored point."""

    @property
    def id(self) -> Any: ...  # noqa: D102
    @property
    def vector(self) -> Any: ...  # noqa: D102
    @property
    def payload(self) -> Any: ...  # noqa: D102


class ScoredPoint(Point, Protocol):
    """What is used of a found point."""

    @property
    def score(self) -> float: ...  # noqa: D102


class Store(Protocol):
    """The questions that a ranked answer takes."""

    def count(self) -> int:
        """Return the number of points, whether they match or not."""

    def nominate(self, queries: FloatArray, limit: int) -> Sequence[Sequence[ScoredPoint]]:
        """Return, a query, at most `limit` points by falling score, with `FOUND` of their payload."""

    def fetch(self, points: Sequence[str]) -> Sequence[Point]:
        """Return these points with their vectors, in any order."""


def point_id(item: str) -> str:
    """Return the UUID of a row: a record id (32 hexadecimal digits) as it is, any other text by blake2b-128."""
    known = _RECORD_ID.fullmatch(item)
    return str(UUID(item if known else hashlib.blake2b(item.encode(), digest_size=16).hexdigest()))


def payloads(rows: Rows) -> list[dict[str, Any]]:
    """Return the payload of each row: id, length, the keys that filters match, and the fields as base64 of msgpack."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows.vectors, rows.vectors)).tolist()
    return [
        {
            "id": item,
            "length": length,
            KEYS: field_keys(fields),
            "fields": base64.b64encode(encode(fields)).decode(),
        }
        for item, length, fields in zip(rows.ids, lengths, rows.fields, strict=True)
    ]


def rows_of(points: Sequence[Point], dimension: int) -> Rows:
    """Return the rows behind stored points. Raises CorruptFile when a point was not written here."""
    try:
        ids = [str(point.payload["id"]) for point in points]
        fields = [decode(base64.b64decode(point.payload["fields"])) for point in points]
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFile(f"The collection holds points of somebody else ({type(error).__name__}: {error}).") from None
    vectors = np.array([point.vector for point in points], np.float32).reshape(len(points), dimension)
    return Rows(ids, vectors, fields)


def search(store: Store, queries: FloatArray, k: int) -> list[list[Hit]]:
    """Return, a query, at most k (id, score), sorted by (-score, id).

    Asks for more until the last answer lies beyond the margin below the k-th, so that no tie is cut; only then are
    the vectors of the nominated points fetched, each once. The margin grows with the longest vector among the found.
    """
    nominated: list[list[ScoredPoint]] = [[] for _ in queries]
    pending, limit = list(range(len(queries))) if k > 0 else [], k + 6
    while pending:
        limit = limit if limit <= PAGE else min(limit, store.count() + 1)
        for place, found in zip(list(pending), store.nominate(queries[pending], limit), strict=True):
            floor = _floor(found, queries[place], k)
            if len(found) < limit or found[-1].score < floor:
                nominated[place] = [point for point in found if point.score >= floor]
                pending.remove(place)
        limit *= 4
    return _rescored(store, nominated, queries, k)


def _floor(found: Sequence[ScoredPoint], query: FloatArray, k: int) -> float:
    if len(found) <= k:
        return -math.inf
    length: float = max(point.payload["length"] for point in found) * longest(query)
    return float(found[k - 1].score - MARGIN * max(1.0, length))


def _rescored(store: Store, nominated: Sequence[Sequence[ScoredPoint]], queries: FloatArray, k: int) -> list[list[Hit]]:
    wanted = sorted({str(point.id) for points in nominated for point in points})
    if not wanted:
        return [[] for _ in queries]
    fetched = store.fetch(wanted)
    row = {str(point.id): n for n, point in enumerate(fetched)}
    vectors = np.array([point.vector for point in fetched], np.float32)
    hits = []
    for query, points in zip(queries, nominated, strict=True):
        scores = final_scores(vectors[[row[str(point.id)] for point in points]], query)
        hits.append(ranked([str(point.payload["id"]) for point in points], scores, k))
    return hits
