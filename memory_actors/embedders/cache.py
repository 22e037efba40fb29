"""Keep vectors on disk under a hash of the embedder and the text, for any number of processes at once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import numpy as np

from simonides.sim.errors import CorruptFile
from simonides.sim.protocols import Embedder
from simonides.sim.types import FloatArray

FILE = "embeddings.sqlite"
_SCHEMA = "CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID"
_WAIT = 60.0
"""Seconds to wait for another process's write; each takes milliseconds."""
_PAGE = 500
"""Keys in one query: below SQLite's oldest limit of 999 variables."""


class CachedEmbedder:
    """An embedder whose vectors are computed once for a text, by whichever process asks first.

    The store is one SQLite file in write-ahead mode in `folder`, on a local disk (not a network one): readers never
    wait, writers take turns. The first stored vector stays and is what everybody gets, so that processes agree even
    where two processors round differently. The last `keep` vectors that were read or computed are also held in memory.

        embedder = CachedEmbedder(MiniLMInt8(), "runs/embeddings")
        embedder.embed(["the red door"])   # computed; from now on looked up, here and in other processes
    """

    def __init__(self, embedder: Embedder, folder: str | Path, keep: int = 50_000) -> None:
        """Open or make the store. Raises CorruptFile when the file is not one of ours or is damaged."""
        self._embedder = embedder
        self.path = Path(folder) / FILE
        self.computed = 0
        """How many texts this process sent to the embedder."""
        self._front = _Front(keep, embedder.dimension)
        self._lock = threading.Lock()  # of the file and the front
        self._turn: AbstractContextManager[object] = nullcontext() if self.waits else threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._owner = 0
        if not self.path.exists():
            _create(self.path)
        try:
            self._ask("SELECT key, vector, crc FROM vectors LIMIT 1", ())
        except CorruptFile:
            self.close()
            raise

    @property
    def dimension(self) -> int:
        """Number of columns of the embedder."""
        return self._embedder.dimension

    @property
    def identity(self) -> str:
        """Name and version of the embedder's vectors."""
        return self._embedder.identity

    @property
    def waits(self) -> bool:
        """Whether the embedder waits for a network or a device."""
        return getattr(self._embedder, "waits", False)

    @property
    def batches(self) -> bool:
        """Whether many texts in one call cost the embedder less than one by one."""
        return getattr(self._embedder, "batches", False)

    def held(self, texts: Sequence[str]) -> FloatArray | None:
        """Return float32[n, dimension] at once when all vectors are in memory and nobody else is reading, else None."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            vectors = np.empty((len(texts), self.dimension), np.float32)
            return None if self._front.fill(texts, vectors) else vectors
        finally:
            self._lock.release()

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], the stored vectors of these texts; computes those that nobody stored yet.

        Raises CorruptFile when the store cannot be read.
        """
        with self._turn:
            with self._lock:
                vectors = np.empty((len(texts), self.dimension), np.float32)
                places: dict[str, list[int]] = {}
                for place in self._front.fill(texts, vectors):
                    places.setdefault(texts[place], []).append(place)
                keys = {text: self._key(text) for text in places}
                found = self._look_up(list(keys.values())) if keys else {}
            missing = [text for text, key in keys.items() if key not in found]
            computed = self._embedder.embed(missing) if missing else None
            with self._lock:
                if computed is not None:
                    self._store([keys[text] for text in missing], computed)
                    self.computed += len(missing)
                    found |= self._look_up([keys[text] for text in missing])  # another process may have been first
                for text, rows in places.items():
                    vectors[rows] = found[keys[text]]
                    self._front.put(text, vectors[rows[0]])
            return vectors

    def close(self) -> None:
        """Close the file. It is opened again when it is needed."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.identity}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _look_up(self, keys: list[bytes]) -> dict[bytes, FloatArray]:
        found: dict[bytes, FloatArray] = {}
        for at in range(0, len(keys), _PAGE):
            page = keys[at : at + _PAGE]
            marks = ",".join("?" * len(page))
            for key, blob, crc in self._ask(f"SELECT key, vector, crc FROM vectors WHERE key IN ({marks})", page):
                found[key] = self._vector(blob, crc)
        return found

    def _vector(self, blob: bytes, crc: int) -> FloatArray:
        if len(blob) != 4 * self.dimension or zlib.crc32(blob) != crc:
            raise self._corrupt("a stored vector fails its checksum")
        return np.frombuffer(blob, "<f4")

    def _store(self, keys: list[bytes], vectors: FloatArray) -> None:
        blobs = [row.tobytes() for row in np.ascontiguousarray(vectors, "<f4")]
        rows = [(key, blob, zlib.crc32(blob)) for key, blob in zip(keys, blobs, strict=True)]
        try:
            with self._connection() as database:  # one transaction
                database.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
        except sqlite3.DatabaseError as error:
            raise self._corrupt(str(error)) from None

    def _ask(self, query: str, values: Sequence[bytes]) -> list[tuple[bytes, bytes, int]]:
        try:
            return self._connection().execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._corrupt(str(error)) from None

    def _connection(self) -> sqlite3.Connection:
        """Return this process's connection: one made before a fork must not be used after it."""
        if self._database is None or self._owner != os.getpid():
            self._database, self._owner = sqlite3.connect(self.path, _WAIT, check_same_thread=False), os.getpid()
            self._database.execute("PRAGMA synchronous = NORMAL")
        return self._database

    def _corrupt(self, why: str) -> CorruptFile:
        return CorruptFile(
            f"The embedding cache {self.path} cannot be used ({why}). Unless its disk is full or another process holds "
            "it, delete its folder: it holds only what can be computed again."
        )


class _Front:
    """The last vectors, in one matrix that is filled in a circle."""

    def __init__(self, keep: int, dimension: int) -> None:
        self._keep = keep
        self._matrix: FloatArray = np.empty((0, dimension), np.float32)
        self._row: dict[str, int] = {}
        self._texts: list[str] = []
        self._next = 0

    def fill(self, texts: Sequence[str], vectors: FloatArray) -> list[int]:
        """Write the vectors that are held into their rows; return the places of the others."""
        rows = [self._row.get(text, -1) for text in texts]
        if -1 not in rows:
            self._matrix.take(rows, axis=0, out=vectors)
            return []
        held = [place for place, row in enumerate(rows) if row >= 0]
        vectors[held] = self._matrix[[rows[place] for place in held]]
        return [place for place, row in enumerate(rows) if row < 0]

    def put(self, text: str, vector: FloatArray) -> None:
        """Hold a vector, in place of the oldest one when there is no room."""
        if self._keep < 1:
            return
        if len(self._texts) < self._keep:
            self._texts.append(text)
            self._reserve(len(self._texts))
        else:
            del self._row[self._texts[self._next]]
            self._texts[self._next] = text
        self._row[text] = self._next
        self._matrix[self._next] = vector
        self._next = (self._next + 1) % self._keep

    def _reserve(self, rows: int) -> None:
        if rows > len(self._matrix):
            grown = np.empty((min(self._keep, max(256, 2 * rows)), self._matrix.shape[1]), np.float32)
            grown[: len(self._matrix)] = self._matrix
            self._matrix = grown


def _create(path: Path) -> None:
    """Make an empty store beside its place and link it there, so that no process sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        new = Path(folder) / FILE
        with closing(sqlite3.connect(new)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(_SCHEMA)
            database.commit()
        try:
            os.link(new, path)
        except FileExistsError:
            return  # another process was first, and its store is as good
