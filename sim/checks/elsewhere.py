"""Run a universal script in another process, where texts hash differently, and tell the state by its digest.

As a program: `python -m simonides.sim.checks.elsewhere KIND TARGET PARAMS`, with the parameters as JSON, prints the
digest.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from typing import Any

from simonides.sim.checks.desk import Desk, script
from simonides.sim.checks.knocking import Visit, knocks
from simonides.sim.checks.post import Post
from simonides.sim.checks.report import Subject, demand
from simonides.sim.codec import encode
from simonides.sim.registry import registry

LIMIT = 120.0
"""Seconds for the other process, for systems that never end."""


async def digest(kind: str, part: Any) -> str:
    """Return the sha256 of what the script of a kind of part gave, and of the snapshot it ends in."""
    if kind == "memory":
        desk = Desk(part)
        return _sha256([await desk.play(script()), desk.snapshot()])
    visit = Visit(Post(part))
    return _sha256([await visit.play(knocks()), visit.post.snapshot()])


def _sha256(found: Any) -> str:
    return hashlib.sha256(encode(found)).hexdigest()


async def same_elsewhere(subject: Subject) -> None:
    """The script of memories gives the same recalls and snapshot in a process with another PYTHONHASHSEED."""
    await _same("memory", subject)


async def ruled_elsewhere(subject: Subject) -> None:
    """The script of defences gives the same verdicts and snapshot in a process with another PYTHONHASHSEED."""
    await _same("defence", subject)


async def _same(kind: str, subject: Subject) -> None:
    """Compare with another process.

    Only a part that can be imported by name can be built there; a class from a notebook passes unseen.
    """
    if not subject.target:
        return
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "simonides.sim.checks.elsewhere", kind, subject.target, json.dumps(subject.params)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    tail = done.stderr.strip().splitlines()[-1:]
    demand(
        done.returncode == 0, "it can be built and run in another process", tail, "import what it needs in its module"
    )
    same = done.stdout.strip() == await digest(kind, subject.make())
    advice = "sort sets before iterating over them, and use hashlib where you use hash()"
    demand(same, "another process ends in the same state", "another digest", advice)


if __name__ == "__main__":
    made = registry(sys.argv[1]).build(sys.argv[2], json.loads(sys.argv[3]))
    sys.stdout.write(asyncio.run(digest(sys.argv[1], made)) + "\n")
