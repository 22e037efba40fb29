"""Share one call of an embedder among all that ask in the same turn of the event loop.

Several spaces of a host and several experiences of a tick ask at once; a device or a server answers them together in
the time of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from simonides.sim.protocols import Embedder
from simonides.sim.types import FloatArray

Asked = tuple[Sequence[str], "asyncio.Future[FloatArray]"]


class Gathering:
    """The way to an embedder, as all contexts of a process share it.

    What the embedder declares decides (see `Embedder`): one that `waits` is called in a thread, one whose `batches` are
    cheaper than single texts gets those of a turn together, any other is called at once, as is one that holds all
    vectors already.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._waits: bool = getattr(embedder, "waits", False)
        self.gathers: bool = self._waits or getattr(embedder, "batches", False)
        """True when it pays to ask concurrently."""
        self._held = getattr(embedder, "held", None)
        self._asked: list[Asked] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors. Raises what the embedder raises."""
        if not self.gathers:
            return self._embedder.embed(texts)
        found: FloatArray | None = self._held(texts) if self._held is not None else None
        return found if found is not None else await self._join(texts)

    async def _join(self, texts: Sequence[str]) -> FloatArray:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._asked = loop, []  # an earlier loop has ended, and who asked in it
        if not self._asked:
            loop.call_soon(self._answer)  # after all that are ready in this turn
        future: asyncio.Future[FloatArray] = loop.create_future()
        self._asked.append((texts, future))
        return await future

    def _answer(self) -> None:
        asked, self._asked = [one for one in self._asked if not one[1].done()], []
        places = {text: i for i, text in enumerate(dict.fromkeys(text for texts, _ in asked for text in texts))}
        if self._waits:
            task = asyncio.ensure_future(self._elsewhere(places, asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        try:
            _deal(self._embedder.embed(list(places)), places, asked)
        except Exception as error:
            _fail(asked, error)

    async def _elsewhere(self, places: dict[str, int], asked: Sequence[Asked]) -> None:
        try:
            _deal(await asyncio.to_thread(self._embedder.embed, list(places)), places, asked)
        except Exception as error:
            _fail(asked, error)
        except asyncio.CancelledError:
            for _, future in asked:
                future.cancel()
            raise


def _deal(vectors: FloatArray, places: dict[str, int], asked: Sequence[Asked]) -> None:
    for texts, future in asked:
        if not future.done():
            rows = np.array([places[text] for text in texts], np.intp)
            future.set_result(vectors[rows])


def _fail(asked: Sequence[Asked], error: Exception) -> None:
    for _, future in asked:
        if not future.done():
            future.set_exception(error)
