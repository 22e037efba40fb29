"""Compare adds and searches filtered by owner through a memory actor with Mem0 over local Qdrant, at equal size."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import IO

from simonides.experiments.benchmarks.actors import Send, actors
from simonides.experiments.benchmarks.measure import Figure, Load, Result, Scale, Timing, clocked, in_turns
from simonides.experiments.benchmarks.trials import PARTS, trial_of
from simonides.sim.config import Trial
from simonides.sim.exchange import Batch, Read, Write, pack_batch, unpack_reply
from simonides.sim.trial import Models, assemble, services_of, world_name
from simonides.sim.types import Experience, Query

OWNERS = 20
WORLD = world_name(0)
Call = tuple[str, str, str]
"""(add or search, owner, text)."""


def mem0(scale: Scale, python: str | None = None) -> Result:
    """Return adds and searches a second on both sides. `python` has mem0ai; without it an environment is made.

    Our side is the whole path of a memory actor: log, lineage, trace, index. One call to it carries a batch.
    """
    size, count = scale.of(2000), scale.of(200, OWNERS)
    trial = trial_of(
        environment={"name": f"{PARTS}Ring", "n": OWNERS},
        policy={"name": f"{PARTS}Alternating"},
        memory={"name": "vector", "k": 10},
        embedder={"name": f"{PARTS}FakeEmbedder"},
        wiring="global",
    )
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as text, actors() as ray:
        folder = Path(text)
        theirs = Theirs(python or _environment(folder / "venv"), folder / "mem0")
        ours = Ours(ray.memory(trial, folder / "ours"), trial)
        durable = Ours(ray.memory(trial, folder / "durable", sync=True), trial)
        sides: dict[str, Theirs | Ours] = {"theirs": theirs, "ours": ours, "durable": durable}
        for side in sides.values():
            side.calls(_calls("add", size, "first"))
        loads: dict[str, Load] = {}
        for kind in ("add", "search"):
            loads |= {f"{name} {kind}": _load(side, kind, count) for name, side in sides.items()}
        found = {name: 1 / timing.wall for name, timing in in_turns(loads, scale.repeats).items()}
        theirs.close()
    return Result("mem0", tuple(_figures(found, size)))


def _figures(found: dict[str, float], size: int) -> list[Figure]:
    adds, durable = found["ours add"] / found["theirs add"], found["durable add"] / found["theirs add"]
    searches = found["ours search"] / found["theirs search"]
    return [
        Figure("records at the start, of 20 owners", size, ""),
        Figure("Mem0, adds", found["theirs add"], "op/s"),
        Figure("a memory actor, adds in batches, logged (to the operating system)", found["ours add"], "op/s"),
        Figure.at_least("adds against Mem0", adds, 50),
        Figure("a memory actor, adds in batches, logged durably (an fsync a batch)", found["durable add"], "op/s"),
        Figure("durable adds against Mem0", durable, "x"),
        Figure("Mem0, searches filtered by owner", found["theirs search"], "op/s"),
        Figure("a memory actor, searches filtered by owner, in batches", found["ours search"], "op/s"),
        Figure.at_least("searches against Mem0", searches, 20),
    ]


def _environment(folder: Path) -> str:
    """Make an environment with mem0ai, and return its Python. Raises CalledProcessError when it cannot be installed."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "mem0ai"], check=True, stdout=sys.stderr)
    return python


def _calls(kind: str, count: int, salt: str) -> list[Call]:
    return [
        (kind, f"agent_{i % OWNERS}", f"{salt} {i}: a walk along the river, and tea at {i % 24}") for i in range(count)
    ]


def _load(side: Theirs | Ours, kind: str, count: int) -> Load:
    turns = iter(range(1 << 30))
    return lambda: side.calls(_calls(kind, count, f"{kind} {next(turns)}")).each(count)


class Theirs:
    """Mem0 in a process of its own."""

    def __init__(self, python: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        script = resources.files("simonides.experiments.benchmarks").joinpath("mem0_side.py").read_text()
        command = [python, "-c", script, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[str] = self._process.stdin
        self._out: IO[str] = self._process.stdout
        json.loads(self._out.readline())

    def calls(self, calls: Sequence[Call]) -> Timing:
        """Make calls one after another, as Mem0's interface has it; return how long they took there."""
        self._in.write(json.dumps(calls) + "\n")
        self._in.flush()
        wall, cpu, found = json.loads(self._out.readline())
        if calls[0][0] == "search" and not found:
            raise RuntimeError("Mem0 found nothing: the comparison would be void.")
        return Timing(wall, cpu)

    def close(self) -> None:
        """End the process."""
        self._in.close()
        self._process.wait(timeout=60)


class Ours:
    """A memory actor, driven as a world drives it."""

    def __init__(self, send: Send, trial: Trial) -> None:
        (space,) = assemble(trial, services_of(trial.study, None, Models())).spaces
        self._send, self._space, self._tick = send, space.name, 0
        self._exchange((), ())

    def calls(self, calls: Sequence[Call]) -> Timing:
        """Make calls in one batch, and wait until the last has been applied or answered."""
        kind = calls[0][0]
        if kind == "add":
            writes = tuple(self._write(owner, text, n) for n, (_, owner, text) in enumerate(calls))
            return clocked(lambda: self._exchange(writes, ()))
        reads = tuple(self._read(owner, text, n) for n, (_, owner, text) in enumerate(calls))
        return clocked(lambda: self._exchange((), reads))

    def _write(self, owner: str, text: str, n: int) -> Write:
        lived = f"{self._tick:016x}{n:016x}"
        return Write(self._space, Experience(lived, WORLD, owner, self._tick - 1, float(self._tick), text), n)

    def _read(self, owner: str, text: str, n: int) -> Read:
        return Read(self._space, owner, n, Query(text, k=10, filter={"writer": owner}))

    def _exchange(self, writes: tuple[Write, ...], reads: tuple[Read, ...]) -> None:
        tick, self._tick = self._tick, self._tick + 1
        reply = unpack_reply(
            self._send(pack_batch(Batch(WORLD, tick, 0, "", float(tick), writes, reads, durable=tick)))
        )
        if reply.failure or any(len(recall.items) < 10 for recall in reply.recalls):
            raise RuntimeError(f"The memory actor did not answer in full: {reply.failure}")
