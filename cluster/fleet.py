"""The Ray actors of one trial: started, watched over, ended by handle."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from simonides.cluster.memory_actor import MemoryActor
from simonides.cluster.model_actor import ModelActor, ModelGate
from simonides.cluster.world_actor import WorldActor
from simonides.sim.config import Layout, Part
from simonides.sim.errors import UserError
from simonides.sim.inline import TrialOutcome
from simonides.sim.registry import registry
from simonides.sim.trial import Assembly, Models, hosted

RESTARTS = 5
"""How often an actor is restarted before its trial fails: a lost node costs one, a part that kills its host all."""

START_LIMIT = 120.0
"""Seconds that an actor may take before its first sign of life: on a busy machine, importing alone takes many."""

Progress = Callable[[Mapping[str, int]], None]


def connect(address: str | None) -> None:
    """Connect to Ray, once a process: to a cluster by address, or to a Ray of our own on this machine.

    Raises UserError when it does not answer.
    """
    if ray.is_initialized():
        return
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if address is None:
        options |= {"include_dashboard": False, "object_store_memory": 200 << 20}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"Ray at {address or 'this machine'} could not be reached: {' '.join(str(error).split())[:200]} "
            "Check the address and that RAY_AUTH_TOKEN_PATH holds the cluster's token."
        ) from None


class Serving:
    """The models of a run on Ray: a gate for each, and replicas for those that are served by actors of ours."""

    def __init__(self, layout: Layout, calls: Path | None) -> None:
        self._layout = layout
        self._calls = calls
        self._gates: dict[str, Any] = {}
        self._replicas: list[Any] = []
        self._lock = threading.Lock()

    def gates(self, part: Part | None) -> dict[str, Any]:
        """Return the gate of a model by its part, and start what is not there yet; none for a pure function."""
        if part is None or Models().build(part).card.pure:
            return {}
        key = part.model_dump_json()
        with self._lock:
            if key not in self._gates:
                self._gates[key] = self._gate(part, key)
        return {key: self._gates[key]}

    def _gate(self, part: Part, key: str) -> Any:
        replicas: list[Any] = []
        if getattr(registry("model").load(part.name), "served", False) and self._layout.calls != "replay":
            replicas = [self._replica(key) for _ in range(self._layout.model_replicas)]
            self._replicas.extend(replicas)
        folder = str(self._calls.resolve()) if self._calls is not None else None
        return _actor(ModelGate, 4096).remote(key, replicas, folder, self._layout.calls)

    def _replica(self, part: str) -> Any:
        options = {
            "num_cpus": self._layout.model_cpus,
            "num_gpus": self._layout.model_gpus,
            "max_concurrency": 1024,
            "max_restarts": RESTARTS,
            "scheduling_strategy": "SPREAD",
        }
        return ray.remote(**options)(ModelActor).remote(part)  # type: ignore[call-overload]

    def close(self) -> None:
        """End engines, records and their actors, by handle."""
        closing = [gate.close.remote() for gate in self._gates.values()]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=30)
        for actor in (*self._gates.values(), *self._replicas):
            ray.kill(actor, no_restart=True)
        self._gates.clear()
        self._replicas.clear()


class Fleet:
    """The actors of one trial."""

    def __init__(
        self, assembly: Assembly, layout: Layout, folder: Path, cache: Path | None, gates: Mapping[str, Any]
    ) -> None:
        self.limit = assembly.trial.study.time_limit
        common = (assembly.trial.model_dump_json(), layout.model_dump_json())
        place = (str(folder), str(cache) if cache else None, gates)
        table = hosted(assembly, layout)
        self.memory = {
            index: _actor(MemoryActor, 2 * len({w for s in spaces for w in s.members}) + 64).remote(
                *common, index, *place
            )
            for index, spaces in table.items()
        }
        used = range(min(layout.world_actors, len(assembly.worlds)))
        self.worlds = {i: _actor(WorldActor, 64).remote(*common, i, *place, self.memory) for i in used}
        self._heard: dict[str, float] = {}

    def run(self, progress: Progress | None, stopping: threading.Event) -> TrialOutcome:
        """Run all worlds; an actor that stays silent beyond the time limit is killed, and the trial fails.

        Raises KeyboardInterrupt when it is to stop.
        """
        if late := self._started():
            return TrialOutcome((), (late,), reproducible=False)
        waiting = {actor.run.remote(): index for index, actor in self.worlds.items()}
        ended: list[TrialOutcome] = []
        errors: list[str] = []
        while waiting:
            done, _ = ray.wait(list(waiting), timeout=0.5)
            if stopping.is_set():
                raise KeyboardInterrupt
            for ref in done:
                index = waiting.pop(ref)
                try:
                    ended.append(ray.get(ref))
                except (RayActorError, RayTaskError) as error:
                    errors.append(f"World actor {index} ended: {_reason(error)}")
            if waiting and (hung := self._silent(progress)):
                errors.append(hung)
                break
            if errors:
                break
        if not errors:
            errors.extend(self._close())
        worlds = tuple(sorted((w for o in ended for w in o.worlds), key=lambda w: w.name))
        texts = [text for o in ended for text in o.errors] + errors
        return TrialOutcome(worlds, tuple(texts), all(o.reproducible for o in ended) and not errors)

    def _signs(self) -> dict[str, Any]:
        """Ask every actor for a sign of life."""
        signs = {f"world actor {i}": a.ticks.remote() for i, a in self.worlds.items()}
        return signs | {f"memory actor {i}": a.epoch.remote() for i, a in self.memory.items()}

    def _started(self) -> str | None:
        """Wait until every actor is there, before any world lives; return a line when one is not.

        An actor that failed while it started counts as there: running it tells why.
        """
        signs = self._signs()
        ready, _ = ray.wait(list(signs.values()), num_returns=len(signs), timeout=START_LIMIT)
        late = [name for name, ref in signs.items() if ref not in ready]
        if late:
            return f"The {late[0]} did not start within {START_LIMIT:g} s: has the cluster room for it? Then resume."
        return None

    def _silent(self, progress: Progress | None) -> str | None:
        """Ask every actor for a sign of life; return a line when one has been silent beyond the limit."""
        now = monotonic()
        signs = self._signs()
        ready, _ = ray.wait(list(signs.values()), num_returns=len(signs), timeout=min(1.0, self.limit / 4))
        for name, ref in signs.items():
            if ref not in ready:
                if now - self._heard.setdefault(name, now) > self.limit:
                    return f"The {name} did not answer for {self.limit:g} s: its code hangs; its host was killed."
                continue
            self._heard[name] = now
            try:
                value = ray.get(ref, timeout=5)
            except (RayActorError, RayTaskError, GetTimeoutError):
                continue  # it is restarting: `run` tells when it is gone for good
            if progress is not None and isinstance(value, dict):
                progress(value)
        return None

    def _close(self) -> list[str]:
        errors: list[str] = []
        for index, actor in self.memory.items():
            try:
                errors.extend(json.loads(ray.get(actor.close.remote(), timeout=60)))
            except (RayActorError, RayTaskError, GetTimeoutError) as error:
                errors.append(f"Memory actor {index} ended: {_reason(error)}")
        return errors

    def stop(self) -> None:
        """End the actors, by handle."""
        for actor in (*self.worlds.values(), *self.memory.values()):
            ray.kill(actor, no_restart=True)


def _actor(kind: type, concurrency: int) -> Any:
    options = {
        "num_cpus": 0,
        "max_concurrency": concurrency,
        "max_restarts": RESTARTS,
        "max_task_retries": -1,
        "scheduling_strategy": "SPREAD",
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}},
    }
    return ray.remote(**options)(kind)  # type: ignore[call-overload]


def _reason(error: Exception) -> str:
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}"
