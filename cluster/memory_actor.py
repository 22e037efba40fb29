"""The Ray actor around a `SpaceHost`: bytes in, bytes out. It restarts itself from its log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simonides.cluster.model_actor import RemoteModels
from simonides.sim.collector import spare_collector
from simonides.sim.config import Layout, Trial
from simonides.sim.exchange import pack_reply, unpack_batch
from simonides.sim.trial import assemble, open_host, services_of


class MemoryActor:
    """Hosts the spaces that the assembler's table gives to memory actor `index` of a trial."""

    def __init__(
        self,
        trial: str,
        layout: str,
        index: int,
        folder: str,
        cache: str | None,
        gates: Mapping[str, Any],
        sync: bool = False,
    ) -> None:
        parsed = Trial.model_validate_json(trial)
        services = services_of(parsed.study, Path(cache) if cache else None, RemoteModels(gates))
        assembly = assemble(parsed, services)
        self._host = open_host(assembly, Layout.model_validate_json(layout), index, Path(folder), services, sync)
        self._limit = parsed.study.time_limit
        self._started = False
        spare_collector()

    def _start(self) -> None:
        # Replaying the log makes asyncio tasks, so it has to happen inside the event loop, before the first batch.
        if not self._started:
            self._started = True
            self._host.start()

    async def exchange(self, raw: bytes) -> bytes:
        """Answer one packed batch."""
        self._start()
        return pack_reply(await self._host.exchange(unpack_batch(raw), raw))

    async def epoch(self) -> int:
        """Start if need be, fail what hangs, and return the epoch: also the sign that the event loop is alive."""
        self._start()
        self._host.progress.cancel_stalled(self._limit)
        return self._host.epoch

    async def close(self) -> str:
        """Flush everything; return one line for each failure, as JSON."""
        self._start()
        self._host.close()
        return json.dumps(self._host.texts)
