"""The Ray side of the benchmarks: bare actors to compare with, and our own actors driven call by call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

import ray

from simonides.cluster.fleet import connect
from simonides.cluster.memory_actor import MemoryActor
from simonides.cluster.model_actor import ModelActor, ModelGate, RemoteModel
from simonides.cluster.world_actor import WorldActor
from simonides.sim.collector import spare_collector
from simonides.sim.config import Layout, Part, Trial
from simonides.sim.exchange import Reply, pack_reply, unpack_batch
from simonides.sim.trial import Models, assemble, hosted, services_of
from simonides.sim.types import Recall, Recalled

WINDOW = 16
"""Texts that a bare memory keeps, as in the measurements of many logical memories in few actors."""

Send = Callable[[bytes], bytes]


class RawActor:
    """The ceiling: texts in deques, columns in and out as Ray sends them, nothing else."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[str]] = {}
        spare_collector()  # as our actors do

    def apply(self, reads: list[bool], agents: list[str], texts: list[str]) -> list[str]:
        """Append the texts of writes; return the newest text for each read."""
        kept, found = self._kept, []
        for read, agent, text in zip(reads, agents, texts, strict=True):
            memory = kept.get(agent)
            if memory is None:
                memory = kept[agent] = deque(maxlen=WINDOW)
            if read:
                found.append(memory[-1] if memory else "")
            else:
                memory.append(text)
        return found


class MessageActor:
    """Our messages without our spaces: batches unpacked, applied to deques, answered as recalls."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[str, str]]] = {}
        spare_collector()

    async def exchange(self, raw: bytes) -> bytes:
        """Answer one packed batch with the newest text for each read."""
        batch = unpack_batch(raw)
        for write in batch.writes:
            memory = self._kept.get(write.space)
            if memory is None:
                memory = self._kept[write.space] = deque(maxlen=WINDOW)
            memory.append((write.experience.id, write.experience.text))
        return pack_reply(Reply(tuple(self._newest(read.space) for read in batch.reads)))

    def _newest(self, space: str) -> Recall:
        memory = self._kept.get(space)
        return Recall((Recalled(*memory[-1], 1.0),)) if memory else Recall()


class Actors:
    """Starts actors on a Ray of this machine, and ends them all: a context manager."""

    def __enter__(self) -> Actors:
        self._begun = not ray.is_initialized()
        self._actors: list[Any] = []
        connect(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(self._actors)
        if self._begun:
            ray.shutdown()

    @staticmethod
    def _end(actors: list[Any]) -> None:
        for actor in actors:
            ray.kill(actor)

    def _start(self, kind: type, *arguments: Any) -> Any:
        options: dict[str, Any] = {"num_cpus": 0, "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}}}
        return ray.remote(**options)(kind).remote(*arguments)

    def _kept(self, kind: type, *arguments: Any) -> Any:
        self._actors.append(self._start(kind, *arguments))
        return self._actors[-1]

    def raw(self) -> Callable[[list[bool], list[str], list[str]], list[str]]:
        """Start a bare actor; return the way to call it."""
        actor = self._kept(RawActor)
        return lambda *columns: ray.get(actor.apply.remote(*columns), timeout=120)

    def messages(self) -> Send:
        """Start an actor that speaks our messages and has no spaces; return the way to call it."""
        return _way(self._kept(MessageActor))

    def memory(self, trial: Trial, folder: Path, sync: bool = False) -> Send:
        """Start the memory actor of a trial, which hosts all its spaces; return the way to call it.

        With `sync` its log is on the disk before it answers.
        """
        layout = Layout(runtime="ray", private="actors")
        common = (trial.model_dump_json(), layout.model_dump_json())
        return _way(self._kept(MemoryActor, *common, 0, str(folder), None, {}, sync))

    def served(self, part: Part, folder: Path) -> Served:
        """Start one replica of a served model, and gates before it with and without a record in `folder`."""
        return Served(part, folder)

    def live(self, trial: Trial, folder: Path, layout: Layout, served: Served | None = None) -> float:
        """Run a trial's worlds in world actors, and its shared spaces in memory actors; return the seconds it took.

        Its model is asked through the recording gate of `served`. The actors are started before, and ended after the
        time is taken. Raises RuntimeError when a world fails.
        """
        gates = served.gates if served is not None else {}
        common = (trial.model_dump_json(), layout.model_dump_json())
        table = hosted(assemble(trial, services_of(trial.study, None, Models())), layout)
        memory = {index: self._start(MemoryActor, *common, index, str(folder), None, gates) for index in table}
        worlds = [
            self._start(WorldActor, *common, index, str(folder), None, gates, memory)
            for index in range(layout.world_actors)
        ]
        try:
            ray.get([a.epoch.remote() for a in memory.values()] + [a.ticks.remote() for a in worlds], timeout=120)
            began = perf_counter()
            outcomes = ray.get([actor.run.remote() for actor in worlds], timeout=1800)
            seconds = perf_counter() - began
        finally:
            self._end([*worlds, *memory.values()])
        errors = [text for outcome in outcomes for text in outcome.errors]
        if errors:
            raise RuntimeError(errors[0])
        return seconds


class Served:
    """One engine in a replica, and three ways to it: straight, through a gate, through a gate that records."""

    def __init__(self, part: Part, folder: Path) -> None:
        text = part.model_dump_json()
        options: dict[str, Any] = {"num_cpus": 1, "max_concurrency": 1024}
        self._replica: Any = ray.remote(**options)(ModelActor).remote(text)
        gate: Any = ray.remote(**{**options, "num_cpus": 0})(ModelGate)
        self._gate = gate.remote(text, [self._replica], str(folder), "off")
        self._recording = gate.remote(text, [self._replica], str(folder), "record")
        card = Models().build(part).card
        self.actor = RemoteModel(card, self._replica)
        self.gate = RemoteModel(card, self._gate)
        self.recorded = RemoteModel(card, self._recording)
        self.gates = {text: self._recording}
        """The way in which a trial with this model asks it."""

    def close(self) -> None:
        """End the engine and the actors."""
        ray.get(self._recording.close.remote(), timeout=60)
        for actor in (self._recording, self._gate, self._replica):
            ray.kill(actor)


def _way(actor: Any) -> Send:
    return lambda raw: ray.get(actor.exchange.remote(raw), timeout=120)
