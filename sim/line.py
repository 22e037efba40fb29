"""A client's line to one memory actor: sends batches, and sends them again when a restarted actor has lost some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from simonides.sim.exchange import Batch, Reply

Send = Callable[[Batch], Awaitable[Reply]]


class Line:
    """Keeps what was sent since the last durable checkpoint.

    A host that died may have acknowledged a batch that its successor's log does not hold (an orphan answered it); the
    successor then says from which tick it needs the batches again.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent: list[Batch] = []
        self._heard = 0

    async def exchange(self, batch: Batch) -> Reply:
        """Return the reply to one batch, after repeating what the host has lost."""
        batch = replace(batch, heard=self._heard)
        reply = await self._send(batch)
        while reply.resend_from >= 0:
            lost = [old for old in self._sent if old.tick >= reply.resend_from]
            self._heard = reply.epoch
            *_, reply = await asyncio.gather(*(self._send(replace(b, heard=self._heard)) for b in [*lost, batch]))
        self._heard = reply.epoch
        self._sent = [old for old in self._sent if old.tick >= batch.durable]
        self._sent.append(batch)
        return reply
