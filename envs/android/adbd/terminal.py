"""The shell services: one command or an interactive shell, with the shell protocol (v2) or plain bytes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

from simonides.envs.android.adbd import dumpsys, screen, system, toolbox  # noqa: F401  (they bring their commands)
from simonides.envs.android.adbd.shell import Shell, Target
from simonides.envs.android.adbd.stream import Stream

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
PROMPT = "simulated:{folder} $ "
ERASE, END_OF_INPUT, INTERRUPT = "\x7f", "\x04", "\x03"

Run = Callable[[Callable[[], tuple[int, bytes, bytes]]], Awaitable[tuple[int, bytes, bytes]]]
"""Run something in a thread."""


class Terminal:
    """One client's shell. `packed` says that bytes travel in the packets of the shell protocol."""

    def __init__(self, target: Target, stream: Stream, packed: bool, typed: bool, run: Run) -> None:
        """`typed`: a terminal is at the other end, so that what is typed is shown."""
        self._stream, self._packed, self._typed, self._run = stream, packed, typed, run
        self._loop = asyncio.get_running_loop()
        self.shell = Shell(target, self._wait_for_input)

    async def command(self, line: str) -> None:
        """Run one line, then close."""
        status, out, error = await self._run(lambda: self.shell.run(line, not self._packed))
        await self._say(out, error)
        await self._end(status)

    async def interactive(self) -> None:
        """Run lines as they come."""
        line, status = "", 0
        await self._prompt()
        while not self.shell.ended and (data := await self._input()):
            for letter in data.decode(errors="replace").replace("\r\n", "\n"):
                if letter not in "\r\n" + END_OF_INPUT + INTERRUPT:
                    line = await self._letter(letter, line)
                    continue
                if letter == END_OF_INPUT:
                    return await self._end(status)
                await self._echo(b"\r\n" if letter != INTERRUPT else b"^C\r\n")
                asked, line = line if letter != INTERRUPT else "", ""
                status, out, error = await self._run(lambda asked=asked: self.shell.run(asked, not self._packed))  # type: ignore[misc]
                await self._say(out, error)
                if self.shell.ended:
                    break
                await self._prompt()
        if line:
            status, out, error = await self._run(lambda: self.shell.run(line, not self._packed))
            await self._say(out, error)
        await self._end(status)

    async def _letter(self, letter: str, line: str) -> str:
        if letter == ERASE:
            await self._echo(b"\b \b" if line else b"")
            return line[:-1]
        await self._echo(letter.encode())
        return line + letter

    async def _prompt(self) -> None:
        await self._echo(PROMPT.format(folder=self.shell.folder).encode())

    async def _echo(self, data: bytes) -> None:
        if self._typed and data:
            await self._send(STDOUT, data)

    async def _say(self, out: bytes, error: bytes) -> None:
        for kind, data in ((STDOUT, out), (STDERR, error)):
            await self._send(kind, data.replace(b"\n", b"\r\n") if self._typed else data)

    async def _send(self, kind: int, data: bytes) -> None:
        if not self._packed:
            await self._stream.write(data)
            return
        most = self._stream.most - 5
        for start in range(0, len(data), most):
            piece = data[start : start + most]
            await self._stream.write(struct.pack("<BI", kind, len(piece)) + piece)

    async def _end(self, status: int) -> None:
        if self._packed:
            await self._send(EXIT, bytes([status & 0xFF]))

    async def _input(self) -> bytes:
        """Return what was typed next, b"" at the end."""
        if not self._packed:
            return await self._stream.reader.read(4096)
        while True:
            try:
                kind, length = struct.unpack("<BI", await self._stream.reader.readexactly(5))
                data = await self._stream.reader.readexactly(length)
            except asyncio.IncompleteReadError:
                return b""
            if kind == STDIN and data:
                return data
            if kind == CLOSE_STDIN:
                return b""

    async def _all_input(self) -> bytes:
        gathered = bytearray()
        while data := await self._input():
            gathered += data
        return bytes(gathered)

    def _wait_for_input(self) -> bytes:
        """Return all of the input, from the thread of a command that reads it."""
        return asyncio.run_coroutine_threadsafe(self._all_input(), self._loop).result()
