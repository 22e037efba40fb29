"""Run the command line in a process of its own, as a user does; `start` pays for the imports as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml
from forked import Forked
from toys import toy_study

SUPPORT = Path(__file__).parent
COMMAND = [sys.executable, "-m", "simonides.experiments"]
FORKED = Forked()


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the toys can be imported, and nothing of the user's is touched."""
    return {**os.environ, "PYTHONPATH": str(SUPPORT), "COLUMNS": "200", **more}


def simonides(
    *words: object,
    cwd: Path,
    report: bool = False,
    env: dict[str, str] | None = None,
    timeout: float = 120,
    input: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return its status and output; a run writes its report only when told to."""
    if words[0] in ("run", "resume") and not report:
        words = (*words, "--no-report")
    env = env or environment(XDG_CACHE_HOME=str(cwd / "cache"))
    return FORKED.run(list(map(str, words)), cwd, env, timeout, input)


def start(*words: object, cwd: Path) -> subprocess.Popen[str]:
    """Start a command in a process group of its own; the caller ends it."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], cwd=cwd, env=environment(XDG_CACHE_HOME=str(cwd / "cache")), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def write_study(folder: Path, **fields: object) -> Path:
    """Write a small study over the toys and return its file."""
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(toy_study(**fields)))
    return path
