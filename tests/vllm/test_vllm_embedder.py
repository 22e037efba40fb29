"""vLLM's pooling engine in this process, with a small true model as an embedder.

Needs vllm and the prepared folder of SmolLM2-135M-Instruct.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from engines import model_folder

from simonides.memory_actors.embedders.vllm import VLLMEmbedder
from simonides.sim.errors import ModelFailed

FOLDER = model_folder()

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vllm is not installed"),
    pytest.mark.skipif(not Path(FOLDER, "config.json").is_file(), reason="simonides models prepare smollm2"),
    pytest.mark.filterwarnings("ignore"),  # of the engine and what it imports
]


def test_texts_become_unit_vectors_and_long_ones_are_cut(monkeypatch):
    for name, value in {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    embedder = VLLMEmbedder(FOLDER, max_tokens=32, engine={"max_model_len": 64, "max_num_seqs": 8})
    assert embedder.waits and embedder.dimension == 576
    texts = ["A red door.", "", "Bread from the bakery.", "word " * 200]
    vectors = embedder.embed(texts)
    assert vectors.shape == (4, 576) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 0.0, 1.0, 1.0], abs=1e-5)
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert vectors == pytest.approx(alone, abs=1e-4)
    wrong = VLLMEmbedder(FOLDER, dimension=7, max_tokens=32)
    wrong._engine = embedder._engine
    with pytest.raises(ModelFailed, match=r"shape \[1, 576\].*expected 7 numbers each"):
        wrong.embed(["red"])
