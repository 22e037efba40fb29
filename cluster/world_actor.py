"""The Ray actor around worlds: one event loop, private spaces beside them, restarts from checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simonides.cluster.model_actor import RemoteModels
from simonides.sim.collector import spare_collector
from simonides.sim.config import Layout, Trial
from simonides.sim.exchange import Batch, Reply, pack_batch, unpack_reply
from simonides.sim.inline import TrialOutcome, live_all, outcome
from simonides.sim.line import Line
from simonides.sim.trial import assemble, open_worlds, services_of
from simonides.sim.world import Exchange, World


async def send(actor: Any, batch: Batch) -> Reply:
    """Send one batch to a memory actor; Ray sends it again to the actor's successor if the actor dies."""
    return unpack_reply(await actor.exchange.remote(pack_batch(batch)))


def line_to(actor: Any) -> Exchange:
    """Return a new line to a memory actor."""
    return Line(partial(send, actor)).exchange


class WorldActor:
    """Runs every world_actors-th world of a trial, from `index` on."""

    def __init__(
        self,
        trial: str,
        layout: str,
        index: int,
        folder: str,
        cache: str | None,
        gates: Mapping[str, Any],
        actors: Mapping[int, Any],
    ) -> None:
        parsed = Trial.model_validate_json(trial)
        services = services_of(parsed.study, Path(cache) if cache else None, RemoteModels(gates))
        assembly = assemble(parsed, services)
        exchanges: dict[int, Callable[[], Exchange]] = {i: partial(line_to, actor) for i, actor in actors.items()}
        self._limit = parsed.study.time_limit
        self._worlds: list[World] = open_worlds(
            assembly, Layout.model_validate_json(layout), index, Path(folder), services, exchanges
        )
        spare_collector()

    async def run(self) -> TrialOutcome:
        """Run the worlds to their ends; after a restart, on from their last checkpoints."""
        results = await live_all(self._worlds)
        texts = []
        for world in self._worlds:
            if world.local is not None:
                world.local.close()
                texts.extend(world.local.texts)
            world.trace.flush()
        return outcome(results, texts)

    async def ticks(self) -> dict[str, int]:
        """Return the tick of every world, after failing what hangs: also the sign that the event loop is alive."""
        for world in self._worlds:
            for part in (world, world.local):
                if part is not None:
                    part.progress.cancel_stalled(self._limit)
        return {world.name: world.tick for world in self._worlds}
