"""Say how a row is kept as a Qdrant point, and rank Qdrant's answers by our own rule.

Qdrant nominates; the scores that leave are recomputed from the stored vectors (see `scoring`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from simonides.memory_actors.indexes.rows import Rows, field_keys
from simonides.memory_actors.indexes.scoring import MARGIN, Hit, final_scores, longest, ranked
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.types import FloatArray, Plain

KEYS = "keys"
"""The payload field that lists a row's field values as text: one keyword index serves every filter."""

PAGE = 1000
"""Points written or read in one call."""

_RECORD_ID = re.compile(r"[0-9a-f]{32}")


class Point(Protocol):
    """What is used of a stored point."""

    @property
    def vector(self) -> Any: ...  # noqa: D102
    @property
    def payload(self) -> Any: ...  # noqa: D102


class ScoredPoint(Point, Protocol):
    """What is used of a found point."""

    @property
    def score(self) -> float: ...  # noqa: D102


def point_id(item: str) -> str:
    """Return the UUID of a row: a record id (32 hexadecimal digits) as it is, any other text by blake2b-128."""
    known = _RECORD_ID.fullmatch(item)
    return str(UUID(item if known else hashlib.blake2b(item.encode(), digest_size=16).hexdigest()))


def payload(item: str, fields: Mapping[str, Plain]) -> dict[str, Any]:
    """Return the payload of a row: its id, the keys that filters match, and the fields as base64 of msgpack."""
    return {"id": item, KEYS: field_keys(fields), "fields": base64.b64encode(encode(dict(fields))).decode()}


def rows_of(points: Sequence[Point], dimension: int) -> Rows:
    """Return the rows behind stored points. Raises CorruptFile when a point was not written here."""
    try:
        ids = [str(point.payload["id"]) for point in points]
        fields = [decode(base64.b64decode(point.payload["fields"])) for point in points]
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFile(f"The collection holds points of somebody else ({type(error).__name__}: {error}).") from None
    vectors = np.array([point.vector for point in points], np.float32).reshape(len(points), dimension)
    return Rows(ids, vectors, fields)


def search(
    ask: Callable[[FloatArray, int], Sequence[Sequence[ScoredPoint]]], queries: FloatArray, k: int, held: int
) -> list[list[Hit]]:
    """Return, a query, at most k (id, score), from `ask(queries, limit)`, which returns points by falling score.

    Asks for more until the last answer lies beyond the margin below the k-th, so that no tie is cut. The margin
    grows with the longest vector seen in the answer.
    """
    hits: list[list[Hit]] = [[] for _ in queries]
    pending, limit = (list(range(len(queries))) if held and k > 0 else []), 2 * k + 8
    while pending:
        limit = min(limit, held)
        answers = ask(queries[pending], limit)
        for place, found in zip(list(pending), answers, strict=True):
            rows = np.array([point.vector for point in found], np.float32).reshape(len(found), queries.shape[1])
            if len(found) < limit or limit == held or _settled(found, rows, queries[place], k):
                ids = [str(point.payload["id"]) for point in found]
                hits[place] = ranked(ids, final_scores(rows, queries[place]), k)
                pending.remove(place)
        limit *= 4
    return hits


def _settled(found: Sequence[ScoredPoint], rows: FloatArray, query: FloatArray, k: int) -> bool:
    length = float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max())) * longest(query)
    return found[-1].score < found[k - 1].score - MARGIN * max(1.0, length)
