"""Find the nearest vectors in a Qdrant shard on this machine's disk, inside this process, without a server."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import qdrant_edge as qdrant

from simonides.memory_actors.indexes.points import FOUND, KEYS, PAGE, payloads, point_id, rows_of, search
from simonides.memory_actors.indexes.rows import Rows, checked_queries, checked_rows, field_key, pack, unpack
from simonides.memory_actors.indexes.scoring import Hit
from simonides.sim.errors import ContractBroken, CorruptFile, UserError
from simonides.sim.types import FloatArray, Plain

_TIDY_AFTER = 10_000
"""Rows added or removed between two merges of segments, which also drop what is gone and build the graph.

Below about 20,000 rows an exact search is as fast as the graph.
"""


class QdrantEdgeIndex:
    """Nearest vectors by dot product in one qdrant-edge shard: persistent, filtered through a payload index.

    Every change goes to a write-ahead log before `add` or `remove` returns, so that it survives the death of this
    process. Without a `path` the shard lives in a temporary folder until the index is closed or collected. Exact by
    default; `hnsw` searches a graph instead (m = 16, ef_construct = 128), which is faster past about 20,000 rows and
    not reproducible. One process at a time may hold a path open.
    """

    def __init__(self, dimension: int, path: str | Path | None = None, hnsw: bool = False) -> None:
        """Open or make a shard.

        Raises ContractBroken when `path` holds another dimension, UserError when another process has it open, and
        CorruptFile when it cannot be read.
        """
        if dimension < 1:
            raise ValueError(f"An index needs a dimension of at least 1, found {dimension}.")
        self.dimension = dimension
        self.reproducible = not hnsw
        self.path = Path(tempfile.mkdtemp(prefix="simonides-index-") if path is None else path)
        if path is None:
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        self._changed = 0
        self._shard = self._open()
        if KEYS not in self._shard.info().payload_schema:
            self._shard.update(qdrant.UpdateOperation.create_field_index(KEYS, qdrant.KeywordIndexParams()))

    def _open(self) -> qdrant.EdgeShard:
        place = str(self.path)
        try:
            if (self.path / "edge_config.json").exists():
                return qdrant.EdgeShard.load(place, self._config())
            self.path.mkdir(parents=True, exist_ok=True)
            return qdrant.EdgeShard.create(place, self._config())
        except Exception as error:  # the library raises plain Exception for everything
            raise self._explained(str(error)) from None

    def _config(self) -> qdrant.EdgeConfig:
        kilobytes = max(1, _TIDY_AFTER * self.dimension * 4 // 1024 - 1)  # the unit of both thresholds
        degree = 0 if self.reproducible else 16
        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(size=self.dimension, distance=qdrant.Distance.Dot),
            hnsw_config=qdrant.HnswIndexConfig(m=degree, ef_construct=128, full_scan_threshold=kilobytes),
            optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=kilobytes, default_segment_number=1),
            max_search_threads=1,  # one memory actor, one core
            wal_enabled=True,
        )

    def _explained(self, text: str) -> Exception:
        if "WouldBlock" in text:
            return UserError(
                f"The index at {self.path} is open in another process or object. Close that one, or give this one "
                "another path."
            )
        if "ncompatible config" in text:
            return ContractBroken(
                f"The index at {self.path} does not hold vectors of dimension {self.dimension} ({text}). "
                "Use the embedder that it was made with, or another path."
            )
        return CorruptFile(f"The index at {self.path} cannot be opened ({text}). Restore it from a snapshot.")

    def close(self) -> None:
        """Write everything to disk and release the path. A closed index cannot be used."""
        self._shard.flush()
        self._shard.close()

    def __len__(self) -> int:
        return self._shard.count(qdrant.CountRequest(exact=True))

    def add(self, ids: Sequence[str], vectors: FloatArray, fields: Sequence[Mapping[str, Plain]] | None = None) -> None:
        """Add rows, or replace those whose id is present. Raises ContractBroken for wrong shapes or NaN."""
        self._add(checked_rows(ids, vectors, fields, self.dimension))

    def _add(self, rows: Rows) -> None:
        notes, vectors = payloads(rows), rows.vectors.tolist()
        points = [qdrant.Point(point_id(item), *rest) for item, *rest in zip(rows.ids, vectors, notes, strict=True)]
        for at in range(0, len(points), PAGE):
            self._shard.update(qdrant.UpdateOperation.upsert_points(points[at : at + PAGE]))
        self._tidy(len(rows.ids))

    def _tidy(self, changed: int) -> None:
        self._changed += changed
        if self._changed >= _TIDY_AFTER:
            self.optimize()

    def optimize(self) -> None:
        """Merge segments, drop what was removed and, with `hnsw`, build the graph. Blocks until done."""
        self._shard.optimize()
        self._shard.flush()
        self._changed = 0

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""
        for at in range(0, len(ids), PAGE):
            gone: list[qdrant.PointId] = [point_id(item) for item in ids[at : at + PAGE]]
            self._shard.update(qdrant.UpdateOperation.delete_points(gone))
        self._tidy(len(ids))

    def search(self, queries: FloatArray, k: int, filter: Mapping[str, Plain] | None = None) -> list[list[Hit]]:
        """Return, for each row of float32[m, dimension], at most k (id, score), sorted by (-score, id)."""
        wanted = checked_queries(queries, self.dimension)
        return search(_Filtered(self._shard, filter or {}, self.reproducible), wanted, k)

    def _rows(self) -> Rows:
        points: list[qdrant.Record] = []
        offset: qdrant.PointId | None = None
        while True:
            request = qdrant.ScrollRequest(offset=offset, limit=PAGE, with_payload=True, with_vector=True)
            page, offset = self._shard.scroll(request)
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
    """The rows of a shard that match a filter, as `points.search` asks for them."""

    def __init__(self, shard: qdrant.EdgeShard, fields: Mapping[str, Plain], exact: bool) -> None:
        self._shard = shard
        self._params = qdrant.SearchParams(exact=exact)
        keys = [field_key(name, value) for name, value in sorted(fields.items())]
        must: list[qdrant.ConditionType] = [
            qdrant.FieldCondition(key=KEYS, match=qdrant.MatchValue(key)) for key in keys
        ]
        self._filter = qdrant.Filter(must=must) if must else None

    def count(self) -> int:
        return self._shard.count(qdrant.CountRequest(exact=True))

    def nominate(self, queries: FloatArray, limit: int) -> list[list[qdrant.ScoredPoint]]:
        requests = [
            qdrant.QueryRequest(
                limit=limit,
                query=qdrant.Query.Nearest(query),
                filter=self._filter,
                with_vector=False,
                with_payload=FOUND,
                params=self._params,
            )
            for query in queries.tolist()
        ]
        return self._shard.query_batch(qdrant.QueryBatchRequest(requests))

    def fetch(self, points: Sequence[str]) -> list[qdrant.Record]:
        return self._shard.retrieve(list(points), with_payload=False, with_vector=True)
