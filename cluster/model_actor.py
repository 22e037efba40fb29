"""The Ray actors around models: one for each replica of a served model, and the gate that every call goes through."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.exceptions import RayActorError

from simonides.cluster.health import Health
from simonides.sim.codec import decode, pack
from simonides.sim.config import Part
from simonides.sim.errors import ModelDied, ModelFailed, NotWritten
from simonides.sim.modelcalls import CallFile, Mode, Recorded, completion_columns, completion_of
from simonides.sim.modeltimings import ModelTimings
from simonides.sim.protocols import Model
from simonides.sim.seeds import seed_of
from simonides.sim.trial import Models
from simonides.sim.types import Completion, Message, ModelCard, Plain, Request

ATTEMPTS = 4
"""How often a request is tried before its call fails: a replica that dies takes all that it was answering along."""

PERIOD = 5.0
"""Seconds between two looks at the counters of engines."""

PATIENCE = 5.0
"""Seconds that a replica has to tell its counters."""


def pack_requests(requests: Sequence[Request]) -> bytes:
    """Return requests as bytes for the wire."""
    return pack([_columns(request) for request in requests])


def _columns(request: Request) -> list[Plain]:
    r = request
    return [
        r.purpose, r.inputs, r.schema, r.seed, r.max_tokens, r.temperature, r.top_p, list(r.stop), list(r.choices),
        r.regex, [(m.role, m.content) for m in r.messages], r.prompt, r.logprobs, r.prompt_logprobs, r.caller,
    ]  # fmt: skip


def unpack_requests(raw: bytes) -> list[Request]:
    """Return the requests behind `pack_requests`."""
    requests = []
    for columns in decode(raw):
        stop, choices = tuple(columns[7]), tuple(columns[8])
        chat = tuple(Message(*message) for message in columns[10])
        values: list[Plain] = [*columns[:7], stop, choices, columns[9], chat, *columns[11:]]
        requests.append(Request(*values))
    return requests


class ModelActor:
    """Hosts one replica of a served model."""

    def __init__(self, part: str) -> None:
        self._model = Models().build(Part.model_validate_json(part))

    async def complete(self, raw: bytes) -> bytes:
        """Answer packed requests; all that are here at once make the engine's batch.

        An engine that has died cannot be revived in its process: the process ends, and Ray starts another.
        """
        try:
            completions = await self._model.complete(unpack_requests(raw))
        except ModelDied:
            os._exit(1)
        return pack([completion_columns(completion) for completion in completions])

    async def measure(self) -> Mapping[str, float]:
        """Return the engine's counters by name (queue, tokens, cache hits), empty for a model that has none.

        Also the sign of life of a replica that was started again.
        """
        counters = getattr(self._model, "counters", None)
        return dict(counters()) if counters is not None else {}

    async def close(self) -> None:
        """End the engine."""
        await self._model.close()


class Replicas:
    """Several replicas as one model: the same caller is answered by the same replica while it is healthy.

    Prompts of one caller share their beginnings, which a replica keeps in its prefix cache.
    """

    def __init__(self, card: ModelCard, actors: Sequence[Any]) -> None:
        self.card = card
        self._actors = actors
        self.health = [Health() for _ in actors]
        self._reviving: set[asyncio.Task[None]] = set()

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order. Raises ModelFailed when replicas keep dying under a request."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(self._order(request.caller), []).append(i)
        found: list[Completion | None] = [None] * len(requests)
        answers = await asyncio.gather(
            *(self._group(order, [requests[i] for i in group]) for order, group in groups.items())
        )
        for group, answer in zip(groups.values(), answers, strict=True):
            for i, completion in zip(group, answer, strict=True):
                found[i] = completion
        return [completion for completion in found if completion is not None]

    async def measure(self) -> list[Mapping[str, float]]:
        """Return the counters of each replica, with its deaths; a replica that does not answer tells only these."""
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(self._measure(i)) for i in range(len(self._actors))]
        return [task.result() for task in asking]

    async def close(self) -> None:
        """End every engine; a replica that is gone has ended already."""
        for health in self.health:
            health.close()
        for task in self._reviving:
            task.cancel()
        await asyncio.gather(*(actor.close.remote() for actor in self._actors), return_exceptions=True)

    def _order(self, caller: str) -> tuple[int, ...]:
        """Return the replicas as a caller prefers them: by rendezvous hashing, so that few callers ever move."""
        return tuple(sorted(range(len(self._actors)), key=lambda i: seed_of("replica", i, caller)))

    async def _group(self, order: Sequence[int], requests: Sequence[Request]) -> list[Completion]:
        raw = pack_requests(requests)
        said = ""
        for _ in range(ATTEMPTS):
            home = await self._usable(order, requests[0], said)
            life = self.health[home].life
            try:
                answer = await self._actors[home].complete.remote(raw)
            except RayActorError as error:
                said = " ".join(str(error).split())[:200]
                self._failed(home, life)
                continue
            self.health[home].answered()
            return [completion_of(columns) for columns in decode(answer)]
        raise ModelFailed(
            f"{self.card.identity}: {ATTEMPTS} replicas in a row died while they answered {requests[0].purpose} "
            f"({said}). Look into the engine's log, then resume."
        )

    async def _usable(self, order: Sequence[int], request: Request, said: str) -> int:
        """Return the first usable replica, after waiting for one to come back where all have died."""
        while True:
            for i in order:
                if self.health[i].usable:
                    return i
            if not self._reviving:
                raise ModelFailed(
                    f"{self.card.identity}: no replica is left to answer {request.purpose}: each was started "
                    f"again as often as Ray does ({said}). Look into the engine's log, then resume."
                )
            await asyncio.wait(self._reviving, return_when=asyncio.FIRST_COMPLETED)

    def _failed(self, replica: int, life: int) -> None:
        if self.health[replica].failed(life):
            task = asyncio.ensure_future(self._revive(replica))
            self._reviving.add(task)
            task.add_done_callback(self._reviving.discard)

    async def _revive(self, replica: int) -> None:
        """Wait until Ray has started a replica again, or has given it up."""
        try:
            await self._actors[replica].measure.options(max_task_retries=-1).remote()
        except RayActorError:
            self.health[replica].close()
        else:
            self.health[replica].revived()

    async def _measure(self, replica: int) -> Mapping[str, float]:
        known = {"deaths": float(self.health[replica].life), f"state {self.health[replica].state}": 1.0}
        try:
            async with asyncio.timeout(PATIENCE):
                return {**await self._actors[replica].measure.remote(), **known}
        except (RayActorError, TimeoutError):
            return known


class ModelGate:
    """Every call of a run goes through here: recorded, asked once, routed. Restarted, it reads its record again."""

    def __init__(self, part: str, replicas: Sequence[Any], folder: str | None, mode: Mode) -> None:
        model: Model = Models().build(Part.model_validate_json(part))
        self._replicas = Replicas(model.card, replicas) if replicas else None
        behind: Model = self._replicas or model
        recorded = folder is not None and mode != "off"
        self._model = Recorded(behind, CallFile(Path(folder)), mode) if folder and recorded else behind
        self._timings = ModelTimings(Path(folder)) if folder else None
        self._looking: asyncio.Task[None] | None = None

    async def complete(self, raw: bytes) -> bytes:
        """Answer packed requests."""
        if self._looking is None and self._timings is not None:
            self._looking = asyncio.ensure_future(self._look_on())
        completions = await self._model.complete(unpack_requests(raw))
        return pack([completion_columns(completion) for completion in completions])

    async def close(self) -> None:
        """End the engines and the record."""
        if self._looking is not None and self._timings is not None:
            self._looking.cancel()
            await self._look(self._timings)
            self._timings.close()
        await self._model.close()

    async def _look_on(self) -> None:
        while self._timings is not None:
            await asyncio.sleep(PERIOD)
            await self._look(self._timings)

    async def _look(self, timings: ModelTimings) -> None:
        """Write the counters of the gate and the engines. A full disk must not end a run for their sake."""
        counters = getattr(self._model, "counters", None)
        with suppress(NotWritten):
            if counters is not None:
                timings.write(self._model.card.identity, "gate", counters())
            for i, values in enumerate(await self._replicas.measure() if self._replicas else []):
                timings.write(self._model.card.identity, f"replica {i}", values)


class RemoteModel:
    """The model as worlds and memories see it: packs requests and sends them to the gate."""

    def __init__(self, card: ModelCard, gate: Any) -> None:
        self.card = card
        self._gate = gate

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order. Raises what the gate raises."""
        answer = await self._gate.complete.remote(pack_requests(requests))
        return [completion_of(columns) for columns in decode(answer)]

    async def close(self) -> None:
        """The gate outlives those who ask it."""


class RemoteModels(Models):
    """The models of an actor's process: those that are no pure function are asked through their gates."""

    def __init__(self, gates: Mapping[str, Any]) -> None:
        super().__init__()
        self._gates = gates

    def build(self, part: Part) -> Model:
        """Return the way to a model, or the model itself where nothing is served."""
        model = super().build(part)
        gate = self._gates.get(part.model_dump_json())
        return model if gate is None else RemoteModel(model.card, gate)
