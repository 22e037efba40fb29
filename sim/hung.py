"""What is in progress since when, so that asynchronous code that waits for ever can be cancelled, and told apart."""

from __future__ import annotations

import asyncio
from itertools import count
from time import monotonic
from typing import Any

Task = asyncio.Task[Any]


class InProgress:
    """The awaited work of one part. Wall time is used here and in `sim/trace.py`'s timings, nowhere else."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[float, Task]] = {}
        self._hung: set[int] = set()
        self._keys = count()

    def begin(self, task: Task | None = None) -> int:
        """Note that the current task starts to wait for a plug-in; return a key for `end` and `timed_out`."""
        running = task or asyncio.current_task()
        assert running is not None
        key = next(self._keys)
        self._running[key] = (monotonic(), running)
        return key

    def end(self, key: int) -> None:
        """Note that it is over."""
        self._running.pop(key, None)
        if self._hung:
            self._hung.discard(key)

    def cancel_stalled(self, limit: float) -> None:
        """Cancel what has been in progress for more than `limit` seconds."""
        now = monotonic()
        for key, (since, task) in list(self._running.items()):
            if now - since > limit and key not in self._hung:
                self._hung.add(key)
                task.cancel()

    def timed_out(self, key: int, error: BaseException) -> bool:
        """Return True if `error` is the cancellation made above, and let the task go on; other cancellations stand."""
        if key not in self._hung or not isinstance(error, asyncio.CancelledError):
            return False
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        return True


TIMEOUT = "it waited longer than the study's time limit"
