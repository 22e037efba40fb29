"""The true engine, on whatever this machine has: one model for all tests, and one engine where tests can share it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Sequence
from uuid import uuid4

import pytest
from engines import OURS, model_folder

from simonides.sim.registry import registry
from simonides.sim.types import Completion, Request

os.environ.setdefault(OURS, uuid4().hex)  # before Ray is started: its workers inherit it


@pytest.fixture(autouse=True)
def _freed():
    """Have an engine that failed to start freed here, where its complaints about it are ignored."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def folder() -> str:
    """The prepared folder of SmolLM2-135M-Instruct."""
    found = model_folder()
    if not found:
        pytest.skip("no model is prepared: simonides models prepare smollm2")
    return found


class Asked:
    """A model with an event loop to itself."""

    def __init__(self, **parameters):
        self.model = registry("model").build("vllm", parameters)
        self._runner = asyncio.Runner()

    def __call__(self, *requests: Request) -> Sequence[Completion]:
        return self._runner.run(self.model.complete(requests))

    def close(self) -> None:
        self._runner.run(self.model.close())
        self._runner.close()


@pytest.fixture(scope="session")
def exact(folder):
    """An engine in float32: what it replies depends on the request alone."""
    asked = Asked(model=folder, dtype="float32", max_model_len=512)
    yield asked
    asked.close()
