"""Find the nearest vectors in a collection of a Qdrant server, or of the client's own in-process stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from simonides.memory_actors.indexes.points import FOUND, KEYS, PAGE, payloads, point_id, rows_of, search
from simonides.memory_actors.indexes.rows import Rows, checked_queries, checked_rows, field_key, pack, unpack
from simonides.memory_actors.indexes.scoring import Hit
from simonides.sim.errors import ContractBroken, UserError
from simonides.sim.types import FloatArray, Plain


class QdrantIndex:
    """Nearest vectors by dot product in one collection of a Qdrant server, searched exactly.

    `url` is http(s)://host:port of a server, or ":memory:" or a folder for the client's local mode (fine up to a few
    thousand rows). The collection is made when it is missing and kept when the index is closed. A key is read from
    the environment variable that `api_key_env` names.
    """

    reproducible = True

    def __init__(
        self,
        dimension: int,
        url: str = "http://localhost:6333",
        collection: str = "simonides",
        timeout: int = 60,
        api_key_env: str = "QDRANT_API_KEY",
    ) -> None:
        """Connect, and make the collection if it is missing; `timeout` is in seconds, a request.

        Raises UserError when the server cannot be reached, and ContractBroken when the collection holds vectors of
        another dimension or another distance.
        """
        if dimension < 1:
            raise ValueError(f"An index needs a dimension of at least 1, found {dimension}.")
        self.dimension, self.url, self.collection = dimension, url, collection
        self._remote = url.startswith(("http://", "https://"))
        self._client = self._connected(timeout, os.environ.get(api_key_env))
        with self._talking():
            if not self._client.collection_exists(collection):
                self._make()
            self._check()

    def _connected(self, timeout: int, key: str | None) -> QdrantClient:
        if self._remote:
            return QdrantClient(url=self.url, timeout=timeout, api_key=key, check_compatibility=False)
        return QdrantClient(":memory:") if self.url == ":memory:" else QdrantClient(path=self.url)

    def _make(self) -> None:
        vectors = models.VectorParams(size=self.dimension, distance=models.Distance.DOT)
        self._client.create_collection(self.collection, vectors_config=vectors)
        if self._remote:  # the local mode scans, and warns about an index that it does not use
            self._client.create_payload_index(self.collection, KEYS, field_schema=models.PayloadSchemaType.KEYWORD)

    def _check(self) -> None:
        found = self._client.get_collection(self.collection).config.params.vectors
        wanted = models.VectorParams(size=self.dimension, distance=models.Distance.DOT)
        if not isinstance(found, models.VectorParams) or (found.size, found.distance) != (wanted.size, wanted.distance):
            raise ContractBroken(
                f"The collection {self.collection!r} at {self.url} does not hold vectors of dimension "
                f"{self.dimension} by dot product; found {found}. Use another collection, or the "
                "embedder it was made with."
            )

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Turn the client's errors into one line with the address and what to do."""
        try:
            yield
        except ResponseHandlingException as error:
            raise UserError(
                f"No Qdrant server answers at {self.url} ({error}). Start one (docker run -p 6333:6333 "
                "qdrant/qdrant), correct `url`, or use the index 'qdrant-edge', which needs no server."
            ) from None
        except UnexpectedResponse as error:
            raise UserError(
                f"The Qdrant server at {self.url} refused a request on the collection {self.collection!r}: "
                f"{error.status_code} {error.reason_phrase}. Check its key and its version."
            ) from None
        except ApiException as error:
            raise UserError(f"The Qdrant server at {self.url} failed ({type(error).__name__}: {error}).") from None

    def close(self) -> None:
        """Close the connection; the collection stays."""
        self._client.close()

    def __len__(self) -> int:
        with self._talking():
            return self._client.count(self.collection, exact=True).count

    def add(self, ids: Sequence[str], vectors: FloatArray, fields: Sequence[Mapping[str, Plain]] | None = None) -> None:
        """Add rows, or replace those whose id is present. Raises ContractBroken for wrong shapes or NaN."""
        self._add(checked_rows(ids, vectors, fields, self.dimension))

    def _add(self, rows: Rows) -> None:
        points: list[models.ExtendedPointId] = [point_id(item) for item in rows.ids]
        vectors, notes = rows.vectors.tolist(), payloads(rows)
        for at in range(0, len(points), PAGE):
            page = slice(at, at + PAGE)
            batch = models.Batch(ids=points[page], vectors=vectors[page], payloads=notes[page])
            with self._talking():
                self._client.upsert(self.collection, points=batch, wait=True)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""
        for at in range(0, len(ids), PAGE):
            gone = models.PointIdsList(points=[point_id(item) for item in ids[at : at + PAGE]])
            with self._talking():
                self._client.delete(self.collection, points_selector=gone, wait=True)

    def search(self, queries: FloatArray, k: int, filter: Mapping[str, Plain] | None = None) -> list[list[Hit]]:
        """Return, for each row of float32[m, dimension], at most k (id, score), sorted by (-score, id)."""
        wanted = checked_queries(queries, self.dimension)
        with self._talking():
            return search(_Filtered(self._client, self.collection, filter or {}, self._remote), wanted, k)

    def _rows(self) -> Rows:
        points: list[models.Record] = []
        offset: models.ExtendedPointId | None = None
        while True:
            with self._talking():
                page, offset = self._client.scroll(
                    self.collection, offset=offset, limit=PAGE, with_payload=True, with_vectors=True
                )
            points.extend(page)
            if offset is None:
                return rows_of(points, self.dimension)

    def snapshot(self) -> bytes:
        """Return all rows as canonical bytes, ordered by id: equal contents give equal bytes in all indexes."""
        return pack(self._rows(), self.dimension)

    def restore(self, data: bytes) -> None:
        """Replace all rows by those of a snapshot. Raises CorruptFile or ContractBroken, and then changes nothing."""
        rows = unpack(data, self.dimension)
        self.remove(self._rows().ids)
        self._add(rows)


class _Filtered:
    """The rows of a collection that match a filter, as `points.search` asks for them."""

    def __init__(self, client: QdrantClient, collection: str, fields: Mapping[str, Plain], remote: bool) -> None:
        self._client, self._collection = client, collection
        self._params = models.SearchParams(exact=True) if remote else None  # the local mode is always exact
        keys = [field_key(name, value) for name, value in sorted(fields.items())]
        must: list[models.Condition] = [
            models.FieldCondition(key=KEYS, match=models.MatchValue(value=key)) for key in keys
        ]
        self._filter = models.Filter(must=must) if must else None

    def count(self) -> int:
        return self._client.count(self._collection, exact=True).count

    def nominate(self, queries: FloatArray, limit: int) -> list[list[models.ScoredPoint]]:
        requests = [
            models.QueryRequest(query=query, limit=limit, filter=self._filter, params=self._params, with_payload=FOUND)
            for query in queries.tolist()
        ]
        answers = self._client.query_batch_points(self._collection, requests=requests)
        return [answer.points for answer in answers]

    def fetch(self, points: Sequence[str]) -> list[models.Record]:
        return self._client.retrieve(self._collection, list(points), with_payload=False, with_vectors=True)
