"""Append-only files of frames: length, crc32, type tag, payload. A torn tail is cut, a flipped bit is found."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from simonides.sim.errors import CorruptFile, NotWritten

HEAD = struct.Struct("<IIB")
LIMIT = 1 << 31


@dataclass(frozen=True, slots=True)
class Frame:
    """One payload with its one-byte type tag and the offset at which it starts in the file."""

    tag: int
    payload: bytes
    offset: int


class FrameWriter:
    """Appends frames to one file. Buffered until `flush`; `append_now` is one write call, so that frames never mix."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._buffer: list[bytes] = []
        self._size = 0

    def append(self, tag: int, payload: bytes) -> None:
        """Queue a frame; written when 256 kB have gathered or at `flush`."""
        self._buffer.append(HEAD.pack(len(payload), zlib.crc32(payload), tag) + payload)
        self._size += HEAD.size + len(payload)
        if self._size > 1 << 18:
            self.flush()

    def append_now(self, tag: int, payload: bytes, sync: bool = False) -> None:
        """Append a frame and hand it to the operating system before returning; to the disk with `sync`."""
        self.append(tag, payload)
        self.flush()
        if sync:
            try:
                os.fsync(self._fd)
            except OSError as error:
                raise not_written(self.path, error) from error

    def flush(self) -> None:
        """Hand everything to the operating system: it survives the death of this process.

        Raises NotWritten; the file then ends as it did before, and the frames are kept for the next flush.
        """
        if not self._buffer:
            return
        whole = b"".join(self._buffer)
        data, end = memoryview(whole), os.fstat(self._fd).st_size
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            os.ftruncate(self._fd, end)  # a torn frame followed by whole ones could not be read
            self._buffer = [whole]
            raise not_written(self.path, error) from error
        self._buffer, self._size = [], 0

    def discard(self) -> None:
        """Forget what is queued."""
        self._buffer, self._size = [], 0

    def sync(self) -> None:
        """Flush, and see to it that everything is on the disk: it survives the death of the machine."""
        self.flush()
        os.fsync(self._fd)

    def close(self) -> None:
        """Flush and close. Raises NotWritten, with the file closed."""
        if self._fd >= 0:
            try:
                self.flush()
            finally:
                os.close(self._fd)
                self._fd = -1


def not_written(path: Path, error: OSError) -> NotWritten:
    """Return what to raise when a file of ours cannot be written."""
    return NotWritten(f"{path} cannot be written: {error.strerror or error}. Make room or give access, then resume.")


def read_frames(path: Path, start: int = 0) -> Iterator[Frame]:
    """Yield the frames of a file from the one that begins at byte `start`.

    A torn last frame ends it quietly, damage before the end raises CorruptFile.
    """
    with open(path, "rb") as file:
        file.seek(start)
        data = file.read()
    offset = 0
    while offset < len(data):
        if offset + HEAD.size > len(data):
            return
        length, crc, tag = HEAD.unpack_from(data, offset)
        end = offset + HEAD.size + length
        if length > LIMIT or end > len(data):
            if length > LIMIT:
                raise CorruptFile(
                    f"{path}: the frame at byte {start + offset} claims {length} bytes; the file is damaged there."
                )
            return
        payload = data[offset + HEAD.size : end]
        if zlib.crc32(payload) != crc:
            if end == len(data):
                return
            raise CorruptFile(
                f"{path}: the frame at byte {start + offset} fails its checksum; restore it from a copy, or run the "
                "trial again after removing its folder."
            )
        yield Frame(tag, payload, start + offset)
        offset = end


def cut_torn_tail(path: Path) -> None:
    """Truncate a file after its last whole frame, so that appends after a crash stay readable."""
    end = 0
    for frame in read_frames(path):
        end = frame.offset + HEAD.size + len(frame.payload)
    if end < path.stat().st_size:
        os.truncate(path, end)


def replace_file(path: Path, data: bytes, sync: bool = True) -> None:
    """Write a whole file by a temporary one and `os.replace`: readers see the old content or the new one.

    `sync` False leaves it to the operating system when the bytes reach the disk. Raises NotWritten.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(HEAD.pack(len(data), zlib.crc32(data), 0) + data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise not_written(path, error) from error
        raise


def read_file(path: Path) -> bytes:
    """Return the content written by `replace_file`. Raises CorruptFile when length or checksum are wrong."""
    data = path.read_bytes()
    if len(data) < HEAD.size:
        raise CorruptFile(f"{path}: {len(data)} bytes are too few for a checkpoint; it was not written whole.")
    length, crc, _ = HEAD.unpack_from(data)
    payload = data[HEAD.size :]
    if len(payload) != length or zlib.crc32(payload) != crc:
        raise CorruptFile(f"{path}: {len(payload)} of {length} bytes, or a wrong checksum; the file is damaged.")
    return payload
