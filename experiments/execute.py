"""Run what is left of a run's trials, inline over processes or on Ray; and tell how the whole ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.table import Table

from simonides.experiments.elsewhere import attribute
from simonides.experiments.progress import progress
from simonides.experiments.purse import Purse
from simonides.experiments.runs import OUTCOME, Outcome, Run, keep
from simonides.experiments.scheduler import Progress, Scheduler
from simonides.experiments.worker import Runner, begin, measure_if_whole, settle, told
from simonides.sim.config import Trial
from simonides.sim.errors import CorruptFile, UserError
from simonides.sim.inline import Inline, TrialOutcome
from simonides.sim.trace import run_digest

RAY = "simonides.cluster.runtime:OnRay"
"""Runs trials on Ray; reached by name, because a study does not know where it runs."""


def execute(run: Run, jobs: int | None, console: Console, report: bool = True) -> int:
    """Run every trial that has not ended, print a summary, and return 0, or 1 when a trial failed.

    `jobs` trials run at the same time; by default as many as there are processors, and one after another where each
    process would start a model of its own.

    Raises UserError for a user's mistake that a trial finds, KeyboardInterrupt when it is stopped; the run can then be
    resumed.
    """
    with run.lock():
        trials = run.trials()
        kept = {trial.id: _known(run, trial, console) for trial in trials}
        left = [trial for trial in trials if not _settled(kept[trial.id])]
        inline = run.layout.runtime == "inline"
        purse = Purse(run)
        at_once = 1 if purse.limited else jobs or (1 if inline and run.serves else _processors())
        with progress(console, len(trials), len(trials) - len(left)) as shown:
            if inline:
                Scheduler(run, purse, at_once, shown, report).run_all(left)
            else:
                _run_on_ray(run, purse, left, at_once, shown, report)
    return conclude(run, console) if report else summary(run, console)


def conclude(run: Run, console: Console, again: bool = False) -> int:
    """Print what a run found by condition, write its report, and return its exit status.

    `again` measures every trial anew from its trace. A report that cannot be made is one line, and status 1.
    """
    last, status = _report(run, console, again)
    status = max(status, summary(run, console, with_trials=False))
    console.print(last, markup=False, highlight=False, soft_wrap=True)
    return status


def _report(run: Run, console: Console, again: bool) -> tuple[str, int]:
    from simonides.experiments.results import (  # plotly and polars: not for every command
        print_gap,
        print_pairs,
        print_poisoning,
        print_results,
        write_report,
    )

    try:
        tables, report = write_report(run, again)
        print_results(tables, console)
        print_gap(tables, console)
        print_poisoning(tables, console)
        print_pairs(tables, console)
    except UserError:
        raise
    except Exception as error:  # a metric is a plug-in, and may raise anything
        again_with = f"simonides report {run.folder}"
        return f"The report could not be made: {told(error)} The trials are kept; to try again: {again_with}", 1
    return f"Report: {report}", 0


def _run_on_ray(run: Run, purse: Purse, trials: list[Trial], jobs: int, shown: Progress, measure: bool) -> None:
    """Run trials on Ray, `jobs` at the same time: each waits in a thread of its own for its actors."""
    telling = Lock()
    with attribute(RAY)(run.layout, run.cache, run.folder) as ray:

        def one(trial: Trial) -> None:
            def tell(ticks: Mapping[str, int]) -> None:
                with telling:
                    shown.beat(trial, sum(ticks.values()))

            folder = run.folder_of(trial).resolve()
            outcome = purse.allow(trial)
            if isinstance(outcome, Outcome):
                keep(folder, outcome)
            else:
                outcome = settle(outcome, folder, partial(_begun_on_ray, run, partial(ray.run, progress=tell)))
                if measure:
                    measure_if_whole(trial, folder)
            with telling:
                shown.ended(trial, outcome)

        pool = ThreadPoolExecutor(jobs)
        try:
            for wave in _waves(trials):
                for ended in as_completed([pool.submit(one, trial) for trial in wave]):
                    ended.result()
        finally:
            ray.stop()
            pool.shutdown(cancel_futures=True)


def _waves(trials: list[Trial]) -> list[list[Trial]]:
    """Return the trials in two lots: those that go on from others of this run come second."""
    later = [trial for trial in trials if trial.forked is not None and trial.forked.run is None]
    return [[trial for trial in trials if trial not in later], later]


def _begun_on_ray(run: Run, on_ray: Runner, trial: Trial, folder: Path) -> TrialOutcome:
    """Run a trial on Ray; what a fork goes on from is made ready here, inline."""
    origin = run.origin(trial)
    if origin is not None:
        with Inline(run.cache, run.folder.resolve(), run.layout.calls) as inline:
            trial = begin(trial, folder, run.layout, origin, inline, None)
    return on_ray(trial, folder)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _known(run: Run, trial: Trial, console: Console) -> Outcome | None:
    try:
        return run.outcome(trial)
    except CorruptFile as error:
        text = f"{error} The trial is finished again from its checkpoints."
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        (run.folder_of(trial) / OUTCOME).unlink()
        return None


def _settled(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.settled


def summary(run: Run, console: Console, with_trials: bool = True) -> int:
    """Print a row for each trial, errors, and the run's digest; return 0, or 1 when a trial failed or has not ended."""
    outcomes = list(run.outcomes())
    if with_trials:
        console.print(_table(run, outcomes))
    for trial, outcome in outcomes:
        for error in outcome.errors if outcome else ():
            console.print(f"{trial.id}: {error}", markup=False, highlight=False, soft_wrap=True)
        if outcome and outcome.cut and outcome.status == "done" and not with_trials:
            console.print(f"{trial.id}: ended by {outcome.cut}", markup=False, highlight=False, soft_wrap=True)
    digests = {trial.id: outcome.digest for trial, outcome in outcomes if outcome and outcome.digest}
    if len(digests) == len(outcomes):
        console.print(f"Digest of the run: {run_digest(digests)}", highlight=False, soft_wrap=True)
    console.print(f"Run folder: {run.folder}", markup=False, highlight=False, soft_wrap=True)
    return 0 if all(outcome and outcome.status == "done" for _, outcome in outcomes) else 1


def _status(outcome: Outcome) -> str:
    if outcome.status == "failed":
        return "failed"
    return ", ".join(
        ["done", *(["not reproducible"] if not outcome.reproducible else []), *([outcome.cut] if outcome.cut else [])]
    )


def _table(run: Run, outcomes: list[tuple[Trial, Outcome | None]]) -> Table:
    table = Table(title=f"Study {run.study.name}: {len(outcomes)} trials", title_justify="left")
    for name in ("trial", "status", "ticks", "seconds", "digest"):
        table.add_column(name, justify="right" if name in ("ticks", "seconds") else "left", overflow="fold")
    for trial, outcome in outcomes:
        if outcome is None:
            table.add_row(trial.id, "not ended", "", "", "")
        else:
            table.add_row(trial.id, _status(outcome), str(outcome.ticks), f"{outcome.seconds:.1f}", outcome.digest[:12])
    return table
