"""Run the trials of a run over worker processes, so that one that hangs or dies takes no other with it.

Workers are ended by their own handles. A worker that dies is replaced, and its trial goes on from its checkpoints.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import Any, Protocol

from simonides.experiments.purse import Purse
from simonides.experiments.runs import Outcome, Run, keep
from simonides.experiments.worker import BEAT, OUTPUT, plain_of, stopped, work
from simonides.sim.config import Trial
from simonides.sim.errors import CorruptFile, SimonidesError, UserError

START_LIMIT = 300.0
"""Seconds that a trial may take to build its parts (loading a model, reading data) before it counts as hung."""
ATTEMPTS = 2
"""How often a trial is begun when its worker dies under it: a second time in case somebody else killed it."""
FAREWELL = 20.0
"""Seconds that an idle worker has to end its models."""
GRACE = 2.0
"""Seconds beyond the time limit, in which asynchronous waiting is ended by its own timeout and not by a kill."""


class Progress(Protocol):
    """What is told while trials run."""

    def beat(self, trial: Trial, ticks: int) -> None:
        """A trial has lived this many ticks, over all its worlds."""

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """A trial has ended."""


@dataclass(slots=True)
class Worker:
    """One process and what is known of it."""

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    trial: Trial | None = None
    began: float = 0.0
    moved: float = 0.0
    """When the trial's worlds were last seen to live on."""
    ticks: int = 0
    started: bool = False

    def give(self, trial: Trial, run: Run, measure: bool) -> None:
        """Hand over a trial."""
        self.trial, self.ticks, self.started = trial, 0, False
        self.began = self.moved = monotonic()
        job = {
            "trial": trial.model_dump(mode="json"),
            "folder": str(run.folder_of(trial).resolve()),
            "layout": run.layout.model_dump(mode="json"),
            "cache": str(run.cache),
            "calls": str(run.folder.resolve()),
            "measure": measure,
            "origin": plain_of(run.origin(trial)),
        }
        with suppress(OSError):  # it died; its end of the connection tells
            self.connection.send_bytes(json.dumps(job).encode())

    def live(self, started: bool, ticks: int) -> None:
        """Note how far the trial's worlds are."""
        if (started, ticks) != (self.started, self.ticks):
            self.started, self.ticks, self.moved = started, ticks, monotonic()

    def silent_too_long(self) -> bool:
        """Return True when the trial has not moved for longer than its study allows for one tick."""
        if self.trial is None:
            return False
        limit = self.trial.study.time_limit
        allowed = 1.25 * limit + GRACE if self.started else max(START_LIMIT, limit)
        return monotonic() - self.moved > allowed

    def dismiss(self) -> None:
        """End the process when it is idle, so that it ends what its models have started; otherwise at once."""
        if self.trial is None and self.ready:
            with suppress(OSError):
                self.connection.send_bytes(b"null")
                self.process.join(FAREWELL)
        self.end()

    def end(self) -> None:
        """End the process, at any moment: what it wrote is whole."""
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass(slots=True)
class Scheduler:
    """Runs trials inline in `jobs` processes. Use `run_all`."""

    run: Run
    purse: Purse
    jobs: int
    progress: Progress
    measure: bool = True
    """Whether each worker keeps the tables and metrics of a trial that ended."""
    waiting: deque[Trial] = field(default_factory=deque)
    workers: list[Worker] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    stillborn: int = 0

    def run_all(self, trials: Iterable[Trial]) -> None:
        """Run trials to their outcomes. Raises UserError for the first user's mistake that a trial finds."""
        self.waiting.extend(trials)
        try:
            while self.waiting or any(worker.trial for worker in self.workers):
                self._staff()
                for ready in wait([worker.connection for worker in self.workers], timeout=BEAT):
                    self._hear(next(worker for worker in self.workers if worker.connection is ready))
                for worker in [worker for worker in self.workers if worker.silent_too_long()]:
                    self._hung(worker)
        finally:
            for worker in self.workers:
                worker.dismiss()
            self.workers.clear()

    def _staff(self) -> None:
        busy = sum(worker.trial is not None for worker in self.workers)
        while len(self.workers) < min(self.jobs, busy + len(self.waiting)):
            self.workers.append(_start())
        for worker in self.workers:
            if worker.ready and worker.trial is None and (trial := self._next()) is not None:
                allowed = self.purse.allow(trial)
                if isinstance(allowed, Outcome):
                    keep(self.run.folder_of(trial), allowed)
                    self.progress.ended(trial, allowed)
                else:
                    worker.give(allowed, self.run, self.measure)

    def _next(self) -> Trial | None:
        """Take the first trial that waits for none of this run: one that goes on from another begins after it."""
        open_ones = {trial.id for trial in self.waiting} | {w.trial.id for w in self.workers if w.trial is not None}
        for trial in self.waiting:
            if trial.forked is None or trial.forked.run is not None or trial.forked.trial not in open_ones:
                self.waiting.remove(trial)
                return trial
        return None

    def _hear(self, worker: Worker) -> None:
        try:
            message: dict[str, Any] = json.loads(worker.connection.recv_bytes())
        except (EOFError, OSError):
            self._died(worker)
            return
        trial, kind = worker.trial, message["kind"]
        if kind == "ready":
            worker.ready, self.stillborn = True, 0
        elif kind == "mistake":
            raise UserError(message["text"])
        elif trial is not None and kind == "beat" and message["trial"] == trial.id:
            worker.live(message["started"], message["ticks"])
            self.progress.beat(trial, worker.ticks)
        elif trial is not None and kind == "ended":
            worker.trial = None
            self.progress.ended(trial, Outcome.model_validate(message["outcome"]))

    def _died(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.end()
        trial, code = worker.trial, worker.process.exitcode
        how = f"signal {-code} ({_signal_name(-code)})" if code is not None and code < 0 else f"exit status {code}"
        if trial is None:
            self.stillborn += not worker.ready
            if self.stillborn > self.jobs:
                raise SimonidesError(f"Worker processes end before they begin, with {how}; they said why above.")
            return
        self.attempts[trial.id] = self.attempts.get(trial.id, 0) + 1
        if self.attempts[trial.id] < ATTEMPTS and self._kept(trial) is None:
            self.waiting.appendleft(trial)
        else:
            self._fail(worker, trial, f"its process ended by {how}, {ATTEMPTS} times")

    def _hung(self, worker: Worker) -> None:
        trial = worker.trial
        assert trial is not None
        self.workers.remove(worker)
        _ask_where(worker.process)
        worker.end()
        doing = f"no tick ended after tick {worker.ticks}" if worker.started else "it did not begin"
        where = self.run.folder_of(trial) / OUTPUT
        self._fail(
            worker, trial, f"hung: {doing} for {monotonic() - worker.moved:.0f} s "
            f"(time_limit {trial.study.time_limit:g} s); it was ended, and where it stood is in {where}"
        )  # fmt: skip

    def _kept(self, trial: Trial) -> Outcome | None:
        """Return the outcome that a worker kept before it died or hung over measuring the trial, if it did."""
        try:
            outcome = self.run.outcome(trial)
        except CorruptFile:
            return None
        return outcome if outcome is not None and outcome.settled else None

    def _fail(self, worker: Worker, trial: Trial, why: str) -> None:
        if (kept := self._kept(trial)) is not None:
            self.progress.ended(trial, kept)
            return
        outcome = stopped(trial, f"Trial {trial.id!r}: {why}.", monotonic() - worker.began, worker.ticks)
        with suppress(OSError):  # a full disk; the row is shown, and resuming tries the trial again
            keep(self.run.folder_of(trial), outcome)
        self.progress.ended(trial, outcome)


def _start() -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, list(sys.path)), name="simonides-worker")
    with _interrupts_later():
        process.start()
    theirs.close()
    return Worker(process, ours)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C back, here and in the child until it ignores it: no traceback from a half-made child."""
    resource_tracker.ensure_running()  # starting it would let interrupts through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ask_where(process: SpawnProcess) -> None:
    """Have a process write its stack to its output, even if it never comes back to its event loop."""
    with suppress(OSError):
        if process.pid is not None:
            os.kill(process.pid, signal.SIGUSR1)
    process.join(0.3)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
