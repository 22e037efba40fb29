"""The built-in indexes and embedders are what their names in the registry say."""

import sys

import pytest

from simonides.sim.errors import MissingExtra
from simonides.sim.protocols import Embedder, VectorIndex
from simonides.sim.registry import registry


@pytest.mark.parametrize(
    ("name", "params"), [("arena", {}), ("qdrant-edge", {"hnsw": False}), ("qdrant", {"url": ":memory:"})]
)
def test_an_index_is_built_by_name_with_the_dimension_given(name, params):
    index = registry("index").build(name, params, dimension=4)
    assert isinstance(index, VectorIndex) and index.dimension == 4


@pytest.mark.parametrize(("name", "params"), [("hashing", {"dimension": 12}), ("minilm-int8", {"batch_size": 8})])
def test_an_embedder_is_built_by_name(name, params):
    assert isinstance(registry("embedder").build(name, params), Embedder)


def test_an_embedder_whose_library_is_missing_says_which_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra, match="sentence-transformers"):
        registry("embedder").build("sentence-transformers")
