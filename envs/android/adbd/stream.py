"""One stream of an adb connection: bytes in both directions, each message sent only when the last was taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from simonides.envs.android.adbd.wire import Message

Send = Callable[[Message], Awaitable[None]]


class Stream:
    """What a service reads from and writes to; `own` and `other` are the two sides' numbers of it."""

    def __init__(self, send: Send, own: int, other: int, most: int) -> None:
        self.own, self.other, self.most = own, other, most
        self.reader = asyncio.StreamReader(limit=1 << 30)
        self.open = True
        self._send = send
        self._taken = asyncio.Event()

    async def came(self, data: bytes) -> None:
        """Take what the other side wrote, and say so."""
        if self.open:
            self.reader.feed_data(data)
            await self._send(Message(b"OKAY", self.own, self.other))

    def taken(self) -> None:
        """Note that the other side took the last message."""
        self._taken.set()

    async def write(self, data: bytes) -> None:
        """Send bytes, in messages of at most what the other side accepts. Raises ConnectionError once it is closed."""
        for start in range(0, len(data), self.most):
            if not self.open:
                raise ConnectionResetError("the other side closed this stream")
            self._taken.clear()
            await self._send(Message(b"WRTE", self.own, self.other, data[start : start + self.most]))
            await self._taken.wait()

    def ended(self) -> None:
        """Note that the other side closed the stream, or that the connection is gone."""
        self.open = False
        self._taken.set()
        self.reader.feed_eof()

    async def close(self) -> None:
        """Close the stream, unless the other side did."""
        if self.open:
            self.ended()
            await self._send(Message(b"CLSE", self.own, self.other))
