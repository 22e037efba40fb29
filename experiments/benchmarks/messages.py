"""Compare memory messages through an actor: many in a batch, one a call, bare, and with everything a space does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from simonides.experiments.benchmarks.actors import Send, actors
from simonides.experiments.benchmarks.measure import Figure, Load, Result, Scale, Timing, clocked, in_turns, total
from simonides.experiments.benchmarks.trials import PARTS, ring, trial_of
from simonides.sim.exchange import Batch, Read, Write, pack_batch, unpack_reply
from simonides.sim.trial import world_name
from simonides.sim.types import Experience, Query

AGENTS = 1000
"""Agents, each with a memory of its own; a batch has one operation of each."""

WORLD = world_name(0)


def messages(scale: Scale) -> Result:
    """Return operations a second, half of them writes and half reads, and their ratios."""
    batches, calls = scale.of(20, 4), scale.of(1000, 50)
    vector = trial_of(
        environment={"name": f"{PARTS}Ring", "n": AGENTS},
        policy={"name": f"{PARTS}Alternating"},
        memory={"name": "vector", "k": 1},
        embedder={"name": f"{PARTS}FakeEmbedder"},
    )
    with actors() as ray, tempfile.TemporaryDirectory(prefix="simonides-bench-") as text:
        folder = Path(text)
        loads: dict[str, Load] = {
            "raw": _raw(ray.raw(), batches),
            "columns": Messages(ray.messages(), AGENTS, batches),
            "single": Messages(ray.messages(), 1, calls),
            "full": Messages(ray.memory(ring(AGENTS, 1), folder / "full"), AGENTS, batches),
            "full single": Messages(ray.memory(ring(1, 1), folder / "single"), 1, calls),
            "index": Messages(ray.memory(vector, folder / "index"), AGENTS, batches),
        }
        found = {name: 1 / timing.wall for name, timing in in_turns(loads, scale.repeats).items()}
    return Result("messages", tuple(_figures(found)))


def _figures(found: dict[str, float]) -> Iterator[Figure]:
    yield Figure("bare actor, batches of 1,000 in columns", found["raw"], "op/s")
    yield Figure("our messages, batches of 1,000", found["columns"], "op/s")
    yield Figure("our messages, one a call", found["single"], "op/s")
    yield Figure.at_most("bare batches against our batches", found["raw"] / found["columns"], 4, "x")
    yield Figure("our batches against one a call", found["columns"] / found["single"], "x")
    yield Figure("full path (log, lineage, trace, window), batches of 1,000", found["full"], "op/s")
    yield Figure("full path, one a call", found["full single"], "op/s")
    yield Figure("full path, batches against one a call", found["full"] / found["full single"], "x")
    yield Figure("full path with an index (vector memory, arena), batches of 1,000", found["index"], "op/s")
    yield Figure("bare batches against the full path", found["raw"] / found["full"], "x")


def _raw(apply: Callable[[list[bool], list[str], list[str]], list[str]], batches: int) -> Load:
    def one(_: int) -> Timing:
        agents = [f"{WORLD}/agent_{i}" for i in range(AGENTS)]
        texts = [f"agent {i} went on and saw that nothing had changed" for i in range(AGENTS)]
        reads = [i % 2 == 1 for i in range(AGENTS)]
        return clocked(lambda: apply(reads, agents, texts))

    def load() -> Timing:
        return total(map(one, range(batches))).each(batches * AGENTS)

    load()
    return load


class Messages:
    """A load: exchanges of `agents` operations each; agents write at even places and read at odd ones, in turns."""

    def __init__(self, send: Send, agents: int, count: int) -> None:
        self._send, self._agents, self._count, self._tick = send, agents, count, 0
        self._queries = [Query(f"what happened to agent {i}?", k=1) for i in range(agents)]
        self._exchange()  # the actor is up when it has answered

    def _batch(self) -> Batch:
        tick, writes, reads = self._tick, [], []
        self._tick += 1
        for i in range(self._agents):
            agent = f"agent_{i}"
            space = f"{WORLD}/{agent}"
            if (i + tick) % 2:
                reads.append(Read(space, agent, 0, self._queries[i]))
            elif tick:
                lived = f"{i:016x}{tick:016x}"
                text = f"agent {i} went on and saw that nothing had changed"
                writes.append(Write(space, Experience(lived, WORLD, agent, tick - 1, float(tick), text), 0))
        return Batch(WORLD, tick, 0, "", float(tick), tuple(writes), tuple(reads), durable=tick)

    def _exchange(self) -> Timing:
        batch = self._batch()
        return clocked(lambda: unpack_reply(self._send(pack_batch(batch))))

    def __call__(self) -> Timing:
        """Exchange `count` batches, each made just before, as a world makes it; packing and unpacking count."""
        return total(self._exchange() for _ in range(self._count)).each(self._count * self._agents)
