"""The trace: what happened, in logical time, as append-only segments; its reader; and its digest.

A row is (kind, name, tick, payload); a frame holds all that were written between two flushes. A part that starts or
restarts opens a segment of its own with a higher epoch and marks, a name, the tick from which its rows replace those of
earlier epochs. Rows hold nothing of where the trial ran; wall times are in `timings-*.msgpack` beside them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simonides.sim.codec import decode, pack
from simonides.sim.errors import CorruptFile
from simonides.sim.framing import FrameWriter, read_frames
from simonides.sim.types import Plain

FROM, WORLD, SPACE, WORLD_FAILED, SPACE_FAILED, WORLD_CUT, PROBE = range(7)
KINDS = ("from", "world", "space", "world_failed", "space_failed", "world_cut", "probe")
BUNDLE = 0
"""Tag of the frames of a segment: a list of rows, or of wall times."""

LIMIT = 1 << 18
"""Bytes of rows that are gathered before they are handed on without a flush being asked for."""

ORDER = {WORLD: 0, WORLD_FAILED: 0, WORLD_CUT: 0, PROBE: 0, SPACE: 1, SPACE_FAILED: 1}
"""Worlds come before spaces in the digest; a failure, or a budget that cut it, is its part's last row."""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One trace row; sorts as the digest reads it: worlds by name, then spaces by name, each by tick."""

    group: int
    name: str
    tick: int
    kind: int
    payload: bytes

    def plain(self) -> Plain:
        """Return the decoded payload."""
        return decode(self.payload)


def next_epoch(folder: Path, part: str) -> int:
    """Claim and return the next epoch of a part: the first number for which no segment exists yet."""
    folder.mkdir(parents=True, exist_ok=True)
    epoch = 1 + max((_epoch(path) for path in folder.glob(f"trace-{part}-*.msgpack")), default=0)
    while True:
        try:
            os.close(os.open(folder / f"trace-{part}-{epoch:04d}.msgpack", os.O_CREAT | os.O_EXCL))
            return epoch
        except FileExistsError:
            epoch += 1


def _epoch(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


class TraceWriter:
    """Appends one part's rows to its segment, and its wall times beside it."""

    def __init__(self, folder: Path, part: str, epoch: int) -> None:
        self.epoch = epoch
        self._rows = FrameWriter(folder / f"trace-{part}-{epoch:04d}.msgpack")
        self._timings = FrameWriter(folder / f"timings-{part}-{epoch:04d}.msgpack")
        self._gathered: list[tuple[int, str, int, Plain]] = []
        self._times: list[tuple[str, int, tuple[float, ...]]] = []
        self._size = 0

    def start(self, kind: int, name: str, tick: int) -> None:
        """Mark that rows of `name` from `tick` on, of earlier epochs, are replaced by what follows."""
        self._gathered.append((FROM, name, tick, kind))

    def row(self, kind: int, name: str, tick: int, payload: bytes) -> None:
        """Append one row."""
        self._gathered.append((kind, name, tick, payload))
        self._size += len(payload)
        if self._size > LIMIT:
            self.flush()

    def timing(self, name: str, tick: int, seconds: tuple[float, ...]) -> None:
        """Append the wall times of one tick: not part of the trace, nor of its digest."""
        self._times.append((name, tick, seconds))

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._bundle()
        self._rows.flush()
        self._timings.flush()

    def _bundle(self) -> None:
        """Frame what has gathered: one packing for many rows costs a tenth of one for each."""
        gathered, self._gathered, self._size = self._gathered, [], 0
        times, self._times = self._times, []
        if gathered:
            self._rows.append(BUNDLE, pack(gathered))
        if times:
            self._timings.append(BUNDLE, pack(times))

    def close(self) -> None:
        """Flush and close."""
        self._bundle()
        self._rows.close()
        self._timings.close()


class Trace:
    """All rows of one trial, read from its folder; later epochs have replaced what they restarted from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        segments = sorted(folder.glob("trace-*-*.msgpack"), key=lambda path: (_epoch(path), path.name))
        names: dict[tuple[int, str], dict[tuple[int, int], Row]] = {}
        for segment in segments:
            for frame in read_frames(segment):
                try:
                    for row in decode(frame.payload):
                        self._take(names, *row)
                except (TypeError, ValueError, IndexError) as error:
                    raise CorruptFile(f"{segment}: the row at byte {frame.offset} cannot be read: {error}.") from None
        self.rows: list[Row] = sorted(row for rows in names.values() for row in rows.values())

    @staticmethod
    def _take(
        names: dict[tuple[int, str], dict[tuple[int, int], Row]], kind: int, name: str, tick: int, payload: Plain
    ) -> None:
        if kind == FROM:
            rows = names.setdefault((ORDER[payload], name), {})
            for key in [key for key in rows if key[0] >= tick]:
                del rows[key]
            return
        group = ORDER[kind]
        names.setdefault((group, name), {})[tick, kind] = Row(group, name, tick, kind, payload)

    def of(self, kind: int, name: str | None = None) -> Iterator[Row]:
        """Yield the rows of one kind, of one name if given, by (name, tick)."""
        return (row for row in self.rows if row.kind == kind and (name is None or row.name == name))

    def digest(self) -> str:
        """Return the sha256 over all rows but those of probes, in order, as hex: equal wherever the trial ran.

        A trial with probes and the same without have one digest; what the probes found has its own.
        """
        return self._digest(row for row in self.rows if row.kind != PROBE)

    def probes_digest(self) -> str:
        """Return the sha256 over the rows of probes in order, as hex: equal wherever the trial ran."""
        return self._digest(self.of(PROBE))

    @staticmethod
    def _digest(rows: Iterable[Row]) -> str:
        digest = hashlib.sha256()
        for row in rows:
            digest.update(pack((KINDS[row.kind], row.name, row.tick, row.payload)))
        return digest.hexdigest()

    def timings(self) -> Iterator[tuple[str, int, list[float]]]:
        """Yield (world, tick, [seconds in all, recalling, acting, stepping]) as measured, restarts included."""
        for segment in sorted(self.folder.glob("timings-*-*.msgpack"), key=lambda path: (_epoch(path), path.name)):
            for frame in read_frames(segment):
                yield from decode(frame.payload)


def run_digest(digests: dict[str, str]) -> str:
    """Return the digest of a whole run: sha256 over (trial id, digest) sorted by id."""
    return hashlib.sha256(pack(sorted(digests.items()))).hexdigest()
