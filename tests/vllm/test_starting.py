"""Engines that cannot start say why in one line, which is no longer than one reads."""

from __future__ import annotations

import asyncio

import pytest
from engines import MARKS

from simonides.sim.errors import ModelFailed
from simonides.sim.registry import registry
from simonides.sim.types import Request

pytestmark = MARKS


def model(**parameters):
    return registry("model").build("vllm", parameters)


def failure(made) -> str:
    with pytest.raises(ModelFailed) as raised:
        asyncio.run(made.complete([Request("test", prompt="Hello")]))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_that_is_missing_or_holds_no_model_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert f"No model's folder is at {tmp_path}/none" in failure(model(model=f"{tmp_path}/none"))
    assert "it has no config.json" in failure(model(model=str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_what_vllm_says_of_a_broken_model_is_kept_short(tmp_path, folder):
    (tmp_path / "config.json").write_text("{}")
    assert len(failure(model(model=str(tmp_path)))) < 600
    assert "max_model_len" in failure(model(model=folder, max_model_len=10**6))
    assert "no_such_argument" in failure(model(model=folder, engine={"no_such_argument": 1}))


def test_more_memory_than_there_is_is_told_with_what_there_is_and_what_to_do(folder, monkeypatch):
    if pytest.importorskip("torch").accelerator.is_available():
        pytest.skip("the memory that it asks for is that of processors")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    line = failure(model(model=folder, dtype="float32", max_model_len=512))
    assert "did not start: Available memory on node" in line
    assert "requested memory for kv (100000.0 GiB)" in line
    assert "Make it fit: a smaller max_model_len" in line


def test_the_engines_own_reason_is_found_when_its_process_fails(folder):
    """A cache of one block cannot hold one request."""
    line = failure(model(model=folder, dtype="float32", max_model_len=2048, engine={"num_gpu_blocks_override": 1}))
    assert "KV cache" in line or "memory" in line
    assert "engine.log" in line
