"""The true engine, on whatever this machine has: one model for all tests, and one engine where tests can share it."""

from __future__ import annotations

import gc
import os
from uuid import uuid4

import pytest
from engines import OURS, Asked, model_folder

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


@pytest.fixture(scope="session")
def exact(folder):
    """An engine in float32: what it replies depends on the request alone."""
    asked = Asked(model=folder, dtype="float32", max_model_len=512)
    yield asked
    asked.close()
