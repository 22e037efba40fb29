"""The Ray actors around models: one for each replica of a served model, and the gate that every call goes through."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray.exceptions import ActorUnavailableError, RayActorError

from simonides.cluster.health import Health
from simonides.sim.codec import decode, pack
from simonides.sim.config import Part
from simonides.sim.errors import ModelDied, ModelFailed
from simonides.sim.modelcalls import CallFile, Mode, Recorded, completion_columns, completion_of
from simonides.sim.protocols import Model
from simonides.sim.seeds import seed_of
from simonides.sim.trial import Models
from simonides.sim.types import Completion, Message, ModelCard, Plain, Request

ATTEMPTS = 4
"""How often a request is tried before its call fails: a replica that dies takes all that it was answering along."""


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
        """Return the engine's counters by name (queue, tokens, cache hits), empty for a model that has none."""
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
        groups: dict[int, list[int]] = {}
        for i, request in enumerate(requests):
            groups.setdefault(self._home(request.caller), []).append(i)
        found: list[Completion | None] = [None] * len(requests)
        answers = await asyncio.gather(
            *(self._group(home, [requests[i] for i in group]) for home, group in groups.items())
        )
        for group, answer in zip(groups.values(), answers, strict=True):
            for i, completion in zip(group, answer, strict=True):
                found[i] = completion
        return [completion for completion in found if completion is not None]

    async def close(self) -> None:
        """End every engine; a replica that is gone has ended already."""
        await asyncio.gather(*(actor.close.remote() for actor in self._actors), return_exceptions=True)

    def _home(self, caller: str) -> int:
        order = sorted(range(len(self._actors)), key=lambda i: seed_of("replica", i, caller))
        return next((i for i in order if self.health[i].usable), order[0])

    async def _group(self, home: int, requests: Sequence[Request]) -> list[Completion]:
        raw = pack_requests(requests)
        for attempt in range(ATTEMPTS):
            try:
                answer = await self._actors[home].complete.remote(raw)
            except (RayActorError, ActorUnavailableError) as error:
                last = error
                self._failed(home)
                await asyncio.sleep(2.0**attempt / 2)
                home = self._home(requests[0].caller)
                continue
            self.health[home].answered()
            return [completion_of(columns) for columns in decode(answer)]
        raise ModelFailed(
            f"{self.card.identity}: {ATTEMPTS} replicas in a row died while they answered {requests[0].purpose} "
            f"({' '.join(str(last).split())[:200]}). Look into the engine's log, then resume."
        )

    def _failed(self, replica: int) -> None:
        self.health[replica].failed()
        if not self.health[replica].usable:
            task = asyncio.ensure_future(self._revive(replica))
            self._reviving.add(task)
            task.add_done_callback(self._reviving.discard)

    async def _revive(self, replica: int) -> None:
        """Ask a replica for a sign of life until it gives one, or Ray has given it up."""
        pause = 1.0
        while not self.health[replica].usable:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 30.0)
            try:
                await self._actors[replica].measure.remote()
            except ActorUnavailableError:
                continue
            except RayActorError:
                return
            self.health[replica].answered()


class ModelGate:
    """Every call of a run goes through here: recorded, asked once, routed. Restarted, it reads its record again."""

    def __init__(self, part: str, replicas: Sequence[Any], folder: str | None, mode: Mode) -> None:
        model: Model = Models().build(Part.model_validate_json(part))
        self._replicas = Replicas(model.card, replicas) if replicas else None
        behind: Model = self._replicas or model
        self._model = Recorded(behind, CallFile(Path(folder)), mode) if folder and mode != "off" else behind

    async def complete(self, raw: bytes) -> bytes:
        """Answer packed requests."""
        completions = await self._model.complete(unpack_requests(raw))
        return pack([completion_columns(completion) for completion in completions])

    async def states(self) -> list[str]:
        """Return the state of each replica."""
        return [health.state for health in self._replicas.health] if self._replicas else []

    async def close(self) -> None:
        """End the engines and the record."""
        await self._model.close()


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
