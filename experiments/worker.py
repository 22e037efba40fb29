"""Run one trial to its outcome, and the process that does so for one trial after another, telling how they go."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from filelock import FileLock

from simonides.experiments.runs import Outcome, WorldEnd, keep
from simonides.sim.collector import spare_collector
from simonides.sim.config import Layout, Trial
from simonides.sim.errors import CorruptFile, UserError
from simonides.sim.fork import Origin, fork
from simonides.sim.inline import Inline, TrialOutcome, Watch
from simonides.sim.rows import spent_in
from simonides.sim.trace import Trace
from simonides.sim.trial import count_worlds
from simonides.sim.world import World

BEAT = 0.2
"""Seconds between two messages about how far a trial is."""
OUTPUT = "output.log"
"""What the parts of a trial printed, and where its process stood when it was ended for being hung."""

Runner = Callable[[Trial, Path], TrialOutcome]


def _nothing() -> tuple[str, ...]:
    return ()


def settle(trial: Trial, folder: Path, runner: Runner, notes: Callable[[], tuple[str, ...]] = _nothing) -> Outcome:
    """Run a trial, and keep in its folder how it ended. Whatever fails in it is a row; only a UserError is raised.

    `notes` is asked afterwards for what happened and did no harm.
    """
    began = perf_counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):  # a killed run's worker may live for a moment longer than the run
            ended = runner(trial, folder)
            outcome = _outcome(trial, ended, Trace(folder), notes(), perf_counter() - began)
    except UserError:
        raise
    except CorruptFile as error:
        advice = f"To start the trial again, remove {folder}, then resume the run."
        outcome = stopped(trial, f"{told(error)} {advice}", perf_counter() - began)
    except Exception as error:
        outcome = stopped(trial, told(error), perf_counter() - began)
    try:
        keep(folder, outcome)
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror}. Make room or give access, then resume."
        return stopped(trial, text, perf_counter() - began)
    return outcome


def begin(
    trial: Trial, folder: Path, layout: Layout, origin: Origin | None, inline: Inline, watch: Watch | None
) -> Trial:
    """Return the trial to be run in a folder, which for a fork is filled with what it goes on from."""
    if origin is None:
        return trial
    return fork(trial, folder, layout, origin, partial(inline.run, watch=watch), inline.cache)


def measure_if_whole(trial: Trial, folder: Path) -> None:
    """Keep a trial's tables and metrics beside its trace; the report measures what is missing, and says why."""
    from simonides.experiments.metrics.tables import measure  # seconds of imports, which a killed worker may not need

    with suppress(Exception):
        measure(folder, trial.study.metrics)


def stopped(trial: Trial, error: str, seconds: float, ticks: int = 0) -> Outcome:
    """Return the outcome of a trial that something outside it ended; resuming the run tries it again."""
    row = Outcome(trial=trial.id, status="failed", settled=False, errors=(error,), reproducible=False)
    return row.model_copy(update={"ticks": ticks, "seconds": seconds})


def told(error: BaseException) -> str:
    """Return an exception as one line; ours already say what to do."""
    text = " ".join(str(error).split())
    return text if type(error).__module__.startswith("simonides.") else f"{type(error).__name__}: {text}"


def _outcome(trial: Trial, ended: TrialOutcome, trace: Trace, notes: tuple[str, ...], seconds: float) -> Outcome:
    return Outcome(
        trial=trial.id,
        status="failed" if ended.failed else "done",
        settled=len(ended.worlds) == count_worlds(trial.study),
        errors=tuple(" ".join(text.split()) for text in ended.errors),
        notes=notes,
        worlds={w.name: WorldEnd(ticks=w.ticks, failure=" ".join(w.text.split())) for w in ended.worlds},
        ticks=sum(world.ticks for world in ended.worlds),
        digest=trace.digest(),
        reproducible=ended.reproducible,
        cut=ended.cut,
        spent=spent_in(trace) if trial.study.model is not None else (0, 0, 0),
        seconds=seconds,
    )


# --- the process ------------------------------------------------------------------------------------------------------


class Pulse:
    """Tells the scheduler every BEAT seconds how many ticks the worlds have lived; ends this process without it.

    A thread, because a part that never awaits would keep a coroutine from being heard.
    """

    def __init__(self, connection: Connection) -> None:
        self.doing: tuple[str, Sequence[World]] = ("", ())
        """The trial that runs and its worlds, once they are there."""
        self._connection = connection
        self._lock = threading.Lock()

    def tell(self, kind: str, **values: Any) -> None:
        """Send one message; ends the process when nobody is there to read it."""
        try:
            with self._lock:
                self._connection.send_bytes(json.dumps({"kind": kind, **values}).encode())
        except OSError:
            os._exit(1)

    def beat(self) -> None:
        """Tell for ever how far the worlds are."""
        pause = threading.Event()
        while not pause.wait(BEAT):
            trial, worlds = self.doing
            lived = sum(world.tick - world.setup.join for world in worlds)
            self.tell("beat", trial=trial, started=bool(worlds), ticks=lived)

    def notes(self) -> tuple[str, ...]:
        """Return a line for each damaged checkpoint that was passed over for an earlier one."""
        damaged = {line for world in self.doing[1] if world.store is not None for line in world.store.damaged}
        return tuple(f"{line} An earlier checkpoint was used." for line in sorted(damaged))

    async def watch(self, worlds: Sequence[World]) -> None:
        """Take the worlds of the trial that begins; the runtime cancels this when it ends."""
        self.doing = (self.doing[0], worlds)
        await asyncio.Event().wait()


def work(connection: Connection, path: Sequence[str]) -> None:
    """Run the trials that come through `connection` until it closes: the target of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the scheduler ends its workers
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    sys.path[:] = path
    pulse = Pulse(connection)
    threading.Thread(target=pulse.beat, name="pulse", daemon=True).start()
    spare_collector()
    pulse.tell("ready")
    inline: Inline | None = None
    while True:
        try:
            job = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            break
        if job is None:
            break
        output = Path(job["folder"]) / OUTPUT
        try:
            _divert_output(output)
            layout = Layout.model_validate(job["layout"])
            inline = inline or Inline(Path(job["cache"]), Path(job["calls"]), layout.calls)
            outcome = _do(job, layout, inline, pulse)
        except UserError as error:
            pulse.tell("mistake", text=str(error))
        else:
            _drop_if_empty(output)
            pulse.tell("ended", outcome=outcome.model_dump(mode="json"))
    if inline is not None:
        inline.close()


def _do(job: dict[str, Any], layout: Layout, inline: Inline, pulse: Pulse) -> Outcome:
    trial, folder = Trial.model_validate(job["trial"]), Path(job["folder"])
    pulse.doing = (trial.id, ())
    origin = origin_of(job["origin"])

    def run(trial: Trial, folder: Path) -> TrialOutcome:
        return inline.run(begin(trial, folder, layout, origin, inline, pulse.watch), folder, layout, pulse.watch)

    outcome = settle(trial, folder, run, pulse.notes)
    pulse.doing = (trial.id, ())  # no tick is to come, so that none can be late
    if job["measure"]:
        measure_if_whole(trial, folder)
    return outcome


def plain_of(origin: Origin | None) -> dict[str, Any] | None:
    """Return what a job says of the trial that another one goes on from."""
    if origin is None:
        return None
    trial, layout = origin.trial.model_dump(mode="json"), origin.layout.model_dump(mode="json")
    return {"trial": trial, "folder": str(origin.folder), "layout": layout}


def origin_of(plain: dict[str, Any] | None) -> Origin | None:
    """Return the origin behind `plain_of`."""
    if plain is None:
        return None
    trial, layout = Trial.model_validate(plain["trial"]), Layout.model_validate(plain["layout"])
    return Origin(trial, Path(plain["folder"]), layout)


def _divert_output(path: Path) -> None:
    """Send what this process prints from now on to a file of the trial, so that it does not mix with the progress."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=False)


def _drop_if_empty(path: Path) -> None:
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        if path.stat().st_size == 0:
            path.unlink()
