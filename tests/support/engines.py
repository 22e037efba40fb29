"""Studies of agents who are prompted with the true engine, and the engine's processes on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import time
from collections.abc import Sequence, Set
from pathlib import Path

import pytest

from simonides.agents.models.prepared import folder_of
from simonides.sim.config import Trial, parse_study
from simonides.sim.errors import UserError
from simonides.sim.registry import registry
from simonides.sim.types import Completion, Request


def dialogue(model: dict, **fields) -> Trial:
    """Return a trial of 16 agents in four worlds who remember in one space, and ask a model for their answers."""
    environment = {"name": "dialogue", "speakers": 4, "teams": 1, "turns_per_session": 6, "sessions": 3, "questions": 6}
    (trial,) = parse_study(fields_of(model, environment=environment, worlds=4, **fields)).trials()
    return trial


def fields_of(model: dict, **fields) -> dict:
    """Return the fields of a study in which agents are prompted."""
    common = {
        "name": "served", "memory": {"name": "window", "turns": 4}, "policy": {"name": "prompted", "budget": 120},
        "wiring": "global", "model": {"name": "vllm", **model}, "sampling": {"max_tokens": 16, "temperature": 0.7},
        "seeds": 1, "metrics": [], "time_limit": 1200.0,
    }  # fmt: skip
    return common | fields


MARKS = [
    pytest.mark.vllm,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vllm is not installed: make test-vllm"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""Of tests that start an engine; the warnings are those of vLLM and of the libraries that it imports."""


def model_folder() -> str:
    """Return the folder of SmolLM2-135M-Instruct that `simonides models prepare smollm2` made, or ""."""
    try:
        return str(folder_of("smollm2"))
    except UserError:
        return ""


class Asked:
    """The model `vllm` with an event loop to itself."""

    def __init__(self, **parameters):
        self.model = registry("model").build("vllm", parameters)
        self._runner = asyncio.Runner()

    def __call__(self, *requests: Request) -> Sequence[Completion]:
        return self._runner.run(self.model.complete(requests))

    def close(self) -> None:
        self._runner.run(self.model.close())
        self._runner.close()


OURS = "SIMONIDES_TEST_ENGINES"
"""Environment variable that tells the engines of one test session from everybody else's on the machine."""


def processes(kind: str = "VLLM::") -> frozenset[int]:
    """Return the processes of this session's engines, by the beginning of their titles."""
    mark = f"{OURS}={os.environ[OURS]}".encode()
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            titled = (folder / "cmdline").read_bytes().startswith(kind.encode())
            if titled and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
        except OSError:  # it ended meanwhile
            continue
    return frozenset(found)


def ended(these: Set[int], patience: float = 60.0) -> bool:
    """Wait until processes have ended; return whether they did."""
    ends = time.monotonic() + patience
    while processes() & these and time.monotonic() < ends:
        time.sleep(0.1)
    return not processes() & these
