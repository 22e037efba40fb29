"""The folder of a run: its study, its manifest, and a folder for every trial with how it ended.

A run is made whole or not at all, one process at a time works in it, and what has ended is never lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from simonides.experiments.manifest import manifest_of
from simonides.sim.checkpoint import slug
from simonides.sim.config import Forked, Layout, Study, Trial, parse_study
from simonides.sim.errors import CorruptFile, StudyError, UserError, near
from simonides.sim.fork import Origin
from simonides.sim.modelcalls import FILE as CALLS
from simonides.sim.registry import one_line, registry
from simonides.sim.usercache import user_cache

STUDY, MANIFEST, OUTCOME, REPORT = "study.yaml", "manifest.json", "outcome.json", "report.html"


class WorldEnd(BaseModel):
    """How one world of a trial ended: the ticks it lived, and one line when it failed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ticks: int
    failure: str = ""


class Outcome(BaseModel):
    """How a trial ended, as `outcome.json` keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    trial: str
    status: Literal["done", "failed"]
    settled: bool = True
    """False when something outside the trial stopped it (killed, hung, disk full): resuming the run tries it again."""
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What happened and did no harm, such as a damaged checkpoint that was passed over."""
    worlds: dict[str, WorldEnd] = {}
    ticks: int = 0
    digest: str = ""
    """sha256 of the trial's trace; empty when it was stopped from outside."""
    reproducible: bool = True
    cut: str = ""
    """Which budget ended it, and how much of it was used."""
    spent: tuple[int, int, int] = (0, 0, 0)
    """Model calls, prompt tokens and completion tokens, by its trace."""
    seconds: float = 0.0
    """Wall time of the process that ended it; without that of earlier ones."""


def cache_folder(chosen: Path | None = None) -> Path:
    """Return the folder of the embedding cache: the chosen one, or the user's, which all runs share.

    The user's is in `SIMONIDES_CACHE`, or else in `simonides` in the user's cache folder (`XDG_CACHE_HOME`).
    """
    if chosen is not None:
        return chosen.expanduser().resolve()
    return user_cache() / "embeddings"


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that readers see the old content or the new one. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class Run:
    """One execution of a study: a folder on disk."""

    def __init__(self, folder: Path) -> None:
        """Open a run's folder. Raises UserError when there is none, CorruptFile when its files cannot be read."""
        self.folder = folder
        if not (folder / MANIFEST).is_file() or not (folder / STUDY).is_file():
            raise UserError(f"{folder} is not the folder of a run: it has no {MANIFEST} and {STUDY}.")
        self.manifest = _json(folder / MANIFEST)
        try:
            self.layout = Layout.model_validate(self.manifest.get("layout"))
        except ValidationError as error:
            raise CorruptFile(f"{folder / MANIFEST}: {one_line(error, 'layout')}") from None

    @classmethod
    def create(
        cls,
        folder: Path,
        study: Study,
        layout: Layout,
        cache: Path,
        calls_from: Path | None = None,
        parent: Mapping[str, Any] | None = None,
    ) -> Run:
        """Make the folder of a new run, whole or not at all; `calls_from` is a run whose model calls it begins with.

        `parent` says which run a fork goes on from: `run` its folder, `at` the tick, `trials` each trial's own.

        Raises UserError when something is there already, or when that run has no recorded calls.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            hint = f" Go on with it: simonides resume {folder}" if (folder / MANIFEST).exists() else ""
            raise UserError(f"{folder} exists already; choose another --out.{hint}")
        _distinct(study)
        if calls_from is not None and not (calls_from / CALLS).is_file():
            raise UserError(f"--calls-from {calls_from}: there is no {CALLS} in it; name the folder of a run with one.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = folder.with_name(f".{folder.name}.{os.getpid()}")
        making.mkdir()
        try:
            text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
            write_whole(making / STUDY, text)
            manifest = manifest_of(study, sha256_of(text), layout, cache, parent)
            write_whole(making / MANIFEST, json.dumps(manifest, indent=1) + "\n")
            (making / "trials").mkdir()
            if calls_from is not None:
                shutil.copyfile(calls_from / CALLS, making / CALLS)
            os.rename(making, folder)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        return cls(folder)

    @cached_property
    def study(self) -> Study:
        """The study as it was resolved when the run began. Raises CorruptFile when its file was changed since."""
        path = self.folder / STUDY
        try:
            text = path.read_text(encoding="utf-8")
            fields = yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CorruptFile(f"{path}: not YAML any more: {' '.join(str(error).split())}.") from None
        if not isinstance(fields, dict):
            raise CorruptFile(f"{path}: found no map of fields; restore the file from a copy.")
        if sha256_of(text) != self.manifest.get("study_sha256"):
            raise CorruptFile(f"{path} is not the study that this run began with; start a new run for another study.")
        return parse_study(fields)

    @cached_property
    def serves(self) -> bool:
        """True when a trial's model runs on this run's machines: one engine then fills them."""
        parts = {trial.study.model.name for trial in self.trials() if trial.study.model is not None}
        return any(getattr(registry("model").load(name), "served", False) for name in sorted(parts))

    @property
    def cache(self) -> Path:
        """Folder of the embedding cache that this run began with."""
        return Path(self.manifest.get("cache") or cache_folder())

    def trials(self) -> list[Trial]:
        """Return all trials of the study, in order."""
        parent = self.manifest.get("parent")
        if parent is None:
            return list(self.study.trials())
        known = {id: Forked(trial=of, tick=parent["at"], run=parent["run"]) for id, of in parent["trials"].items()}
        return [
            trial if trial.forked is not None else trial.model_copy(update={"forked": known[trial.id]})
            for trial in self.study.trials()
        ]

    def origin(self, trial: Trial) -> Origin | None:
        """Return the trial that a trial goes on from, with its folder; None for one that begins by itself."""
        if trial.forked is None:
            return None
        run = self if trial.forked.run is None else Run(Path(trial.forked.run))
        return Origin(found := run.trial(trial.forked.trial), run.folder_of(found).resolve(), run.layout)

    def trial(self, wanted: str) -> Trial:
        """Return a trial by its id, its number from 0 on, or its folder's name. Raises UserError."""
        return find_trial(self.trials(), wanted)

    def folder_of(self, trial: Trial | str) -> Path:
        """Return the folder of a trial: always inside the run's, whatever the trial's id is made of."""
        return self.folder / "trials" / slug(trial if isinstance(trial, str) else trial.id)

    def outcome(self, trial: Trial | str) -> Outcome | None:
        """Return how a trial ended, or None when it has not. Raises CorruptFile."""
        path = self.folder_of(trial) / OUTCOME
        if not path.exists():
            return None
        try:
            return Outcome.model_validate(_json(path))
        except ValidationError as error:
            raise CorruptFile(f"{path}: {one_line(error, '')}") from None

    def outcomes(self) -> Iterator[tuple[Trial, Outcome | None]]:
        """Yield every trial with how it ended. Raises CorruptFile."""
        return ((trial, self.outcome(trial)) for trial in self.trials())

    def discard_unless_begun(self) -> None:
        """Remove the folder of a run that a user's mistake stopped before any trial had ended."""
        if not list(self.folder.glob(f"trials/*/{OUTCOME}")):
            shutil.rmtree(self.folder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process. Raises UserError when another one works in it."""
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(f"Another process is working in {self.folder}; wait for it, or stop it.") from None
        try:
            yield
        finally:
            lock.release()


def keep(folder: Path, outcome: Outcome) -> None:
    """Write how a trial ended into its folder, whole. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / OUTCOME, json.dumps(outcome.model_dump(mode="json"), indent=1) + "\n")


def sha256_of(text: str) -> str:
    """Return the sha256 of a text, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_trial(trials: list[Trial], wanted: str) -> Trial:
    """Return a trial by its id, its number from 0 on, or its folder's name. Raises UserError."""
    by_name = {trial.id: trial for trial in trials}
    for trial in trials:
        by_name.setdefault(slug(trial.id), trial)
    if wanted in by_name:
        return by_name[wanted]
    if wanted.isdecimal() and int(wanted) < len(trials):
        return trials[int(wanted)]
    raise UserError(
        f"No trial is called {wanted!r}.{near(wanted, [t.id for t in trials])} There are {len(trials)}: "
        f"give a number from 0 to {len(trials) - 1}, or an id such as {trials[0].id!r}."
    )


def _distinct(study: Study) -> None:
    seen: set[str] = set()
    for trial in study.trials():
        if trial.id in seen:
            raise StudyError(f"factors: two trials are both called {trial.id!r}; make a factor's values distinct.")
        seen.add(trial.id)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CorruptFile(f"{path}: not JSON any more: {error}.") from None
    if not isinstance(value, dict):
        raise CorruptFile(f"{path}: expected a map, found a {type(value).__name__}.")
    return value
