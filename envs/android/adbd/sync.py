"""The sync service: status, listing, fetching and sending of files, as AOSP's `adb/SYNC.TXT` describes it."""

from __future__ import annotations

import asyncio
import posixpath
import stat
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from simonides.envs.android.adbd.files import reason
from simonides.envs.android.adbd.shell import Target
from simonides.envs.android.adbd.stream import Stream
from simonides.envs.android.device import FileEntry

CHUNK = 64 * 1024
"""Most bytes of a file in one DATA packet (SYNC_DATA_MAX)."""
LONGEST_PATH = 1024
NO_ENTRY, IS_FOLDER = 2, 21

T = TypeVar("T")


class Act(Protocol):
    """What runs something in a thread that holds the device."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return what `work` returns."""


class Refused(Exception):
    """A request that cannot be met; the client is told why."""


class Sync:
    """One client's sync session."""

    def __init__(self, target: Target, stream: Stream, act: Act) -> None:
        self._target, self._stream, self._act = target, stream, act

    async def serve(self) -> None:
        """Answer requests until QUIT or the end."""
        doing = {
            b"STAT": self._stat, b"STA2": self._stat2, b"LST2": self._stat2, b"LIST": self._list,
            b"RECV": self._fetch, b"SEND": self._take,
        }  # fmt: skip
        while True:
            kind, length = struct.unpack("<4sI", await self._stream.reader.readexactly(8))
            if kind == b"QUIT":
                return
            if kind not in doing or length > LONGEST_PATH:
                await self._fail(f"unknown request {kind!r} of {length} bytes")
                return
            path = (await self._stream.reader.readexactly(length)).decode(errors="replace")
            try:
                await doing[kind](kind, path)
            except (Refused, OSError) as wrong:
                if isinstance(wrong, ConnectionError):
                    raise
                await self._fail(f"{path}: {reason(wrong)}")

    async def _fail(self, why: str) -> None:
        await self._stream.write(struct.pack("<4sI", b"FAIL", len(why.encode())) + why.encode())

    async def _entry(self, path: str) -> FileEntry | None:
        def look() -> FileEntry | None:
            files = self._target.files
            path_ = files.absolute(path)
            return files.stat(path_) if files.exists(path_) else None

        return await self._act(look)

    async def _stat(self, kind: bytes, path: str) -> None:
        entry = await self._entry(path)
        mode, size, time = (entry.mode, entry.size, entry.time) if entry else (0, 0, 0)
        await self._stream.write(struct.pack("<4s3I", b"STAT", mode, size & 0xFFFFFFFF, time))

    async def _stat2(self, kind: bytes, path: str) -> None:
        entry = await self._entry(path)
        values = (0, entry.mode, entry.size, entry.time) if entry else (NO_ENTRY, 0, 0, 0)
        error, mode, size, time = values
        await self._stream.write(struct.pack("<4sIQQ4IQ3q", kind, error, 1, 1, mode, 1, 0, 0, size, time, time, time))

    async def _list(self, kind: bytes, path: str) -> None:
        def look() -> list[FileEntry]:
            files = self._target.files
            return files.entries(files.absolute(path)) if files.is_folder(files.absolute(path)) else []

        packed = bytearray()
        for entry in await self._act(look):
            name = entry.name.encode()
            packed += struct.pack("<4s4I", b"DENT", entry.mode, entry.size & 0xFFFFFFFF, entry.time, len(name)) + name
        await self._stream.write(bytes(packed) + struct.pack("<4s4I", b"DONE", 0, 0, 0, 0))

    async def _fetch(self, kind: bytes, path: str) -> None:
        files = self._target.files
        data = await self._act(lambda: files.read(files.absolute(path)))
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK]
            await self._stream.write(struct.pack("<4sI", b"DATA", len(piece)) + piece)
        await self._stream.write(struct.pack("<4sI", b"DONE", 0))

    async def _take(self, kind: bytes, path: str) -> None:
        name, _, mode = path.rpartition(",")
        data = await self._pieces()
        if not name or not mode.isdecimal():
            raise Refused("expected PATH,MODE")
        if stat.S_ISLNK(int(mode)):
            raise Refused("this device's file system has no links")
        await self._act(lambda: self._write(name, data, int(mode)))
        await self._stream.write(struct.pack("<4sI", b"OKAY", 0))

    async def _pieces(self) -> bytes:
        data = bytearray()
        while True:
            kind, length = struct.unpack("<4sI", await self._stream.reader.readexactly(8))
            if kind == b"DONE":  # its length is the file's time; the device's own clock counts here
                return bytes(data)
            if kind != b"DATA" or length > CHUNK:
                raise asyncio.IncompleteReadError(b"", None)
            data += await self._stream.reader.readexactly(length)

    def _write(self, name: str, data: bytes, mode: int) -> None:
        files = self._target.files
        path = files.absolute(name)
        if not files.exists(posixpath.dirname(path)):
            files.make(posixpath.dirname(path))
        files.write(path, data, mode=stat.S_IFREG | stat.S_IMODE(mode))
