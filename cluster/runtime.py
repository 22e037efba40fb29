"""Run a trial on Ray: start its memory actors and world actors, watch over them, gather how its worlds ended.

Nothing here has an effect on the trace: the actors are thin hosts around the classes that the inline runtime uses.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from simonides.sim.config import Layout, Part, Trial
from simonides.sim.errors import UserError
from simonides.sim.inline import TrialOutcome
from simonides.sim.trial import Models, assemble, services_of


class OnRay:
    """Runs trials on Ray, several at once from threads; gates and replicas of models live as long as it does."""

    def __init__(self, layout: Layout, cache: Path | None = None, calls: Path | None = None) -> None:
        """Connect to Ray. `cache` is the folder of the embedding cache, `calls` that of the recorded model calls.

        Raises UserError when Ray cannot be reached, or only without a token.
        """
        require_token(layout.address)
        from simonides.cluster.fleet import Serving, connect  # Ray reads its settings when it is imported

        connect(layout.address)
        self._layout = layout
        self._cache = cache
        self._serving = Serving(layout, calls)
        self._stopping = threading.Event()

    def run(
        self, trial: Trial, folder: Path, progress: Callable[[Mapping[str, int]], None] | None = None
    ) -> TrialOutcome:
        """Run one trial to its end, or on from its log and checkpoints; return how its worlds ended.

        `folder` must be seen by every node. Raises UserError when it is not, KeyboardInterrupt after `stop`.
        """
        from simonides.cluster.fleet import Fleet

        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        gates = self._serving.gates(trial.study.model)
        assembly = assemble(trial, services_of(trial.study, None, Models()))
        fleet = Fleet(assembly, self._layout, folder, self._cache, gates)
        try:
            found = fleet.run(progress, self._stopping)
        finally:
            fleet.stop()
        if not found.failed and not list(folder.glob("trace-worlds-*")):
            raise UserError(
                f"{folder}: no actor's trace is here: give --out a folder that all nodes of the cluster share."
            )
        return found

    def models(self, part: Part) -> Models:
        """Return the way to a model for who asks it outside of any trial, through the same gates and records."""
        from simonides.cluster.model_actor import RemoteModels

        return RemoteModels(self._serving.gates(part))

    def stop(self) -> None:
        """Have every `run` that has not ended give up within a second or two."""
        self._stopping.set()

    def close(self) -> None:
        """End the models; Ray itself stays."""
        self._serving.close()

    def __enter__(self) -> OnRay:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def run_ray(
    trial: Trial,
    folder: Path,
    layout: Layout,
    cache: Path | None = None,
    progress: Callable[[Mapping[str, int]], None] | None = None,
    calls: Path | None = None,
) -> TrialOutcome:
    """Run one trial on Ray, with models of its own; see `OnRay.run`."""
    with OnRay(layout, cache, calls) as ray:
        return ray.run(trial, folder, progress)


def require_token(address: str | None) -> None:
    """See to it that Ray is used with a token only, since it executes what it is sent (CVE-2023-48022).

    A Ray of our own gets a new token. A mode that is set in the environment stands. Raises UserError for a cluster
    without a token, or when Ray was imported before its mode could be set.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if "RAY_AUTH_MODE" in os.environ:
        return
    if address is not None:
        raise UserError(
            f"Ray at {address} was asked for without a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH "
            "to the cluster's token file (mode 600)."
        )
    if "ray" in sys.modules:
        raise UserError("Ray was imported before a token was set: set RAY_AUTH_MODE=token before importing ray.")
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(_new_token())


def _new_token() -> Path:
    path = Path(tempfile.mkdtemp(prefix="simonides-")) / "token"
    path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    path.write_text(secrets.token_hex(32))
    return path
