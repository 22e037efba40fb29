"""Reach the Ray side of the benchmarks by name, because Ray is imported in `cluster` alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

from simonides.sim.config import Layout, Part, Trial
from simonides.sim.protocols import Model

Send = Callable[[bytes], bytes]


class Served(Protocol):
    """What `simonides.cluster.benchmarks:Served` offers: three ways to one engine."""

    actor: Model
    gate: Model
    recorded: Model

    def close(self) -> None:
        """End the engine and the actors."""


class Actors(Protocol):
    """What `simonides.cluster.benchmarks:Actors` offers."""

    def raw(self) -> Callable[[list[bool], list[str], list[str]], list[str]]:
        """Start a bare actor; return the way to call it with columns: is it a read, whose, which text."""

    def messages(self) -> Send:
        """Start an actor that speaks our messages and has no spaces."""

    def memory(self, trial: Trial, folder: Path, sync: bool = False) -> Send:
        """Start the memory actor of a trial, which hosts all its spaces; with `sync` every batch goes to the disk."""

    def served(self, part: Part, folder: Path) -> Served:
        """Start one replica of a served model, and gates before it with and without a record in `folder`."""

    def live(self, trial: Trial, folder: Path, layout: Layout, served: Served | None = None) -> float:
        """Run a trial in actors, its model asked through a gate that records; return the seconds of all its ticks."""


def actors() -> AbstractContextManager[Actors]:
    """Return a Ray of this machine with its actors, to be used in a `with`."""
    importlib.import_module("simonides.cluster.runtime").require_token(None)  # before Ray is imported
    kind = importlib.import_module("simonides.cluster.benchmarks").Actors
    return cast("AbstractContextManager[Actors]", kind())
