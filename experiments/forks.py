"""Fork a run: which fields of its study may change at a tick, and which trial each new one goes on from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simonides.experiments.runs import Run
from simonides.experiments.studyfile import override_study
from simonides.sim.config import Layout, Study, Trial
from simonides.sim.errors import StudyError, UserError
from simonides.sim.modelcalls import FILE as CALLS

FIXED = {
    "environment": "worlds have lived in it", "more_environments": "worlds have lived in it",
    "worlds": "worlds have lived", "joins": "worlds have joined", "ticks_per_round": "worlds have stepped by it",
    "embedder": "the vectors that memories hold are its", "data": "worlds have read it",
}  # fmt: skip
"""Fields of a study that a fork keeps, and why."""
NAMED = {"policy": "its state", "memory": "its state"}
"""Parts of which a fork may change the parameters but not the name."""


def forked_study(run: Run, overrides: Iterable[str], trial: str | None = None) -> Study:
    """Return the study of a fork: the run's, or that of one of its trials, with fields set. Raises StudyError."""
    if trial is None:
        return override_study(run.study, overrides)
    one = run.trial(trial)
    return override_study(one.study.model_copy(update={"seeds": (one.seed,)}), overrides)


def parents_of(run: Run, study: Study, at: int, trial: str | None = None) -> dict[str, str]:
    """Return, for each trial of a fork that begins by itself, the trial of the run that it goes on from.

    Raises StudyError for a field that may not change, or that the run varies.
    """
    known = [run.trial(trial)] if trial is not None else run.trials()
    names = set(known[0].cell) if trial is None else set()
    if lost := sorted(names - set(study.factors)):
        raise StudyError(f"factors.{lost[0]}: a fork varies all that its run varies; to fork one trial: --trial.")
    found = {}
    for new in study.trials():
        if new.forked is None:
            old = _same(known, new, names)
            _check(old, new, at)
            found[new.id] = old.id
    return found


def _same(known: Iterable[Trial], new: Trial, names: set[str]) -> Trial:
    cell = {name: value for name, value in new.cell.items() if name in names}
    for old in known:
        if old.seed == new.seed and (not names or old.cell == cell):
            return old
    raise StudyError(f"The run has no trial that {new.id!r} could go on from: a fork keeps seeds and levels.")


def _check(old: Trial, new: Trial, at: int) -> None:
    before, after = old.study.model_dump(mode="json"), new.study.model_dump(mode="json")
    for name, why in FIXED.items():
        if before[name] != after[name]:
            raise StudyError(f"{name}: a fork keeps it, since before tick {at} {why}.")
    for name, why in NAMED.items():
        if before[name]["name"] != after[name]["name"]:
            raise StudyError(
                f"{name}.name: a fork keeps {before[name]['name']!r}, since {why} goes on; its parameters may change."
            )


def create_fork(
    run: Run, folder: Path, at: int, overrides: Iterable[str], trial: str | None, layout: Mapping[str, Any]
) -> Run:
    """Make the folder of a fork. Raises UserError for what does not fit together."""
    if at < 0:
        raise UserError(f"--at {at}: a tick is 0 or more.")
    last = _last_tick(run, [run.trial(trial)] if trial is not None else run.trials())
    if last is not None and at >= last:
        raise UserError(f"--at {at}: {run.folder} has ended at tick {last}; fork at an earlier one.")
    study = forked_study(run, overrides, trial)
    parents = parents_of(run, study, at, trial)
    chosen = Layout.model_validate({**run.layout.model_dump(), **layout})
    calls = run.folder if (run.folder / CALLS).is_file() else None
    parent = {"run": str(run.folder.resolve()), "at": at, "trials": parents}
    return Run.create(folder, study, chosen, run.cache, calls, parent)


def _last_tick(run: Run, trials: Iterable[Trial]) -> int | None:
    """Return the tick at which the last world ended, or None where a trial has not ended."""
    last = 0
    for trial in trials:
        outcome = run.outcome(trial)
        if outcome is None or not outcome.settled:
            return None
        joins = max(trial.study.joins, default=0)
        last = max([last, *(joins + world.ticks for world in outcome.worlds.values())])
    return last
