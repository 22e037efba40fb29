"""End the processes of an engine when the process that started it is gone, however it ended; run as a small watchman.

vLLM's engine core is a process of its own that goes on when its owner is killed by a signal that nobody can catch. The
watchman is a child in a session of its own that reads from a pipe: the pipe ends when its owner does. It then kills
whatever still carries the owner's mark in its environment. It needs /proc (Linux); elsewhere nothing is watched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "SIMONIDES_ENGINE"
"""Environment variable that an engine's processes inherit."""


class Watchman:
    """Watches over the processes that are started inside `marking`."""

    def __init__(self, name: str) -> None:
        """`name` is one that no other engine of the machine has."""
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        if Path("/proc/self/environ").exists():
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    @contextmanager
    def marking(self) -> Iterator[None]:
        """Mark the processes that are started meanwhile."""
        os.environ[MARK] = self._name
        try:
            yield
        finally:
            os.environ.pop(MARK, None)

    def release(self) -> None:
        """Kill what is left of the engine, and end the watchman."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None


def marked(name: str) -> list[int]:
    """Return the processes that carry a mark, without the resource tracker, which is its owner's and ends by itself."""
    wanted = f"{MARK}={name}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and (
                b"resource_tracker" not in (folder / "cmdline").read_bytes()
            ):
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return sorted(set(found) - {os.getpid()})


def main(name: str) -> None:
    """Wait until the owner is gone, then kill what it left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    for process in marked(name):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main(sys.argv[1])
