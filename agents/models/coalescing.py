"""Join the calls that are under way at the same time into batches for an engine that blocks, run in a thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from simonides.sim.types import Completion, Request

Answer = Completion | Exception
Waiting = tuple[Request, "asyncio.Future[Completion]"]


class Batches:
    """Batches of at most `size` requests, in the order in which they came; one batch runs at a time.

    `answer` gives a completion or an error for each request of a batch, so that one request does not fail the others.
    """

    def __init__(self, answer: Callable[[Sequence[Request]], Sequence[Answer]], size: int) -> None:
        self._answer = answer
        self._size = size
        self._waiting: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order. Raises the first error, when all are answered."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in requests]
        self._waiting.extend(zip(requests, futures, strict=True))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._drain())
        found: list[Completion] = []
        for answer in await asyncio.gather(*futures, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            found.append(answer)
        return found

    async def idle(self) -> None:
        """Return when nothing runs any more."""
        if self._task is not None and self._task.get_loop() is asyncio.get_running_loop():
            await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self) -> None:
        await asyncio.sleep(0)  # those who ask in this turn of the event loop come along
        while batch := self._next():
            try:
                answers = await asyncio.to_thread(self._answer, [request for request, _ in batch])
            except BaseException as error:
                self._settle([*batch, *self._taken()], error)
                if isinstance(error, Exception):
                    return  # those who asked have it
                raise
            for asked, answer in zip(batch, answers, strict=True):
                self._settle([asked], answer)

    def _next(self) -> list[Waiting]:
        """Take the next batch out of the queue, without those who no longer wait."""
        batch: list[Waiting] = []
        while self._waiting and len(batch) < self._size:
            request, future = self._waiting.popleft()
            if not future.done():
                batch.append((request, future))
        return batch

    def _taken(self) -> list[Waiting]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    @staticmethod
    def _settle(waiting: Sequence[Waiting], answer: Completion | BaseException) -> None:
        for _, future in waiting:
            if future.done():
                continue
            if isinstance(answer, asyncio.CancelledError):
                future.cancel()
            elif isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
