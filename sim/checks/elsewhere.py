"""Run the universal script in another process, where texts hash differently, and tell the state by its digest.

As a program: `python -m simonides.sim.checks.elsewhere TARGET PARAMS`, with the parameters as JSON, prints the digest.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys

from simonides.sim.checks.desk import Desk, script
from simonides.sim.checks.report import Subject, demand
from simonides.sim.codec import encode
from simonides.sim.protocols import MemorySystem
from simonides.sim.registry import registry

LIMIT = 120.0
"""Seconds for the other process, for systems that never end."""


async def digest(system: MemorySystem) -> str:
    """Return the sha256 of what the universal script recalls and of the snapshot it ends in."""
    desk = Desk(system)
    recalls = await desk.play(script())
    return hashlib.sha256(encode([recalls, desk.snapshot()])).hexdigest()


async def same_elsewhere(subject: Subject) -> None:
    """The script gives the same recalls and snapshot in a process with another PYTHONHASHSEED.

    Only a system that can be imported by name can be built there; a class from a notebook passes unseen.
    """
    if not subject.target:
        return
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "simonides.sim.checks.elsewhere", subject.target, json.dumps(subject.params)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    tail = done.stderr.strip().splitlines()[-1:]
    demand(
        done.returncode == 0, "it can be built and run in another process", tail, "import what it needs in its module"
    )
    same = done.stdout.strip() == await digest(subject.make())
    advice = "sort sets before iterating over them, and use hashlib where you use hash()"
    demand(same, "another process ends in the same state", "another digest", advice)


if __name__ == "__main__":
    made = registry("memory").build(sys.argv[1], json.loads(sys.argv[2]))
    sys.stdout.write(asyncio.run(digest(made)) + "\n")
