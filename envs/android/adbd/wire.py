"""The messages of the adb transport: 24 bytes of header, little endian, and a payload.

After AOSP's `packages/modules/adb/protocol.txt`: command, two arguments, length, checksum, command ^ 0xffffffff.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

HEADER = struct.Struct("<4s5I")
VERSION_CHECKED = 0x01000000
"""The version whose payloads carry a checksum."""
VERSION = 0x01000001
"""The version from which checksums are left out: both sides must say it."""
MOST = 1024 * 1024
"""Largest payload in bytes that this side accepts (MAX_PAYLOAD of adb since Android 9)."""


class WireError(Exception):
    """What came is no adb message; the connection is of no further use."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `command` is CNXN, OPEN, OKAY, WRTE, CLSE, AUTH, STLS or SYNC."""

    command: bytes
    first: int
    second: int
    data: bytes = b""

    def packed(self, checked: bool) -> bytes:
        """Return header and payload, with the sum of the payload's bytes if `checked`."""
        total = sum(self.data) & 0xFFFFFFFF if checked else 0
        magic = int.from_bytes(self.command, "little") ^ 0xFFFFFFFF
        return HEADER.pack(self.command, self.first, self.second, len(self.data), total, magic) + self.data


async def receive(reader: asyncio.StreamReader, checked: bool) -> Message:
    """Return the next message.

    Raises WireError for what is none, asyncio.IncompleteReadError at the end of the connection.
    """
    command, first, second, length, total, magic = HEADER.unpack(await reader.readexactly(HEADER.size))
    if magic != int.from_bytes(command, "little") ^ 0xFFFFFFFF:
        raise WireError(f"The header's last word does not fit its command {command!r}: this is no adb connection.")
    if length > MOST:
        raise WireError(f"A payload of {length} bytes came; at most {MOST} were offered.")
    data = await reader.readexactly(length)
    if checked and sum(data) & 0xFFFFFFFF != total:
        raise WireError(f"The checksum of a {command!r} of {length} bytes is wrong.")
    return Message(command, first, second, data)
