"""What the Qdrant indexes keep on disk, what they say when they cannot, and how far their graph may be trusted."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from simonides.memory_actors.indexes.arena import ArenaIndex
from simonides.memory_actors.indexes.points import point_id
from simonides.memory_actors.indexes.qdrant_edge import QdrantEdgeIndex
from simonides.memory_actors.indexes.qdrant_server import QdrantIndex
from simonides.sim.errors import ContractBroken, CorruptFile, UserError

AXES = np.eye(8, dtype=np.float32)
IDS = [f"{number:032x}" for number in range(8)]

KILLED = """
import os, signal, sys
import numpy as np
from simonides.memory_actors.indexes.qdrant_edge import QdrantEdgeIndex
index = QdrantEdgeIndex(8, sys.argv[1])
for number in range(8):
    index.add([f"{number:032x}"], np.eye(8, dtype=np.float32)[number : number + 1], [{"owner": "ana"}])
index.remove([f"{7:032x}"])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", [QdrantEdgeIndex, QdrantIndex])
def test_an_index_on_disk_is_whole_after_it_is_opened_again(kind, tmp_path):
    first = kind(8, str(tmp_path / "store"))
    first.add(IDS, AXES, [{"owner": item} for item in IDS])
    first.remove(IDS[:2])
    data = first.snapshot()
    first.close()
    again = kind(8, str(tmp_path / "store"))
    assert again.snapshot() == data
    assert again.search(AXES[5:6], 3, {"owner": IDS[5]}) == [[(IDS[5], 1.0)]]
    again.close()


def test_what_was_written_survives_the_kill_of_the_process(tmp_path):
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, check=False, timeout=120)
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()
    index = QdrantEdgeIndex(8, tmp_path)
    expected = ArenaIndex(8)
    expected.add(IDS[:7], AXES[:7], [{"owner": "ana"}] * 7)
    assert index.snapshot() == expected.snapshot()
    assert len(index.search(AXES[:1], 9, {"owner": "ana"})[0]) == 7
    index.close()


def test_a_path_that_is_open_elsewhere_is_refused_and_free_again_after_closing(tmp_path):
    first = QdrantEdgeIndex(8, tmp_path)
    with pytest.raises(UserError, match="open in another process"):
        QdrantEdgeIndex(8, tmp_path)
    first.close()
    QdrantEdgeIndex(8, tmp_path).close()


@pytest.mark.parametrize("kind", [QdrantEdgeIndex, QdrantIndex])
def test_a_store_of_another_dimension_is_refused(kind, tmp_path):
    kind(8, str(tmp_path)).close()
    with pytest.raises(ContractBroken, match="does not hold vectors of dimension 9"):
        kind(9, str(tmp_path))


def test_a_damaged_shard_is_told_as_such(tmp_path):
    index = QdrantEdgeIndex(8, tmp_path)
    index.add(IDS, AXES)
    index.close()
    (tmp_path / "edge_config.json").write_text("{")
    with pytest.raises(CorruptFile, match="cannot be opened"):
        QdrantEdgeIndex(8, tmp_path)


def test_a_shard_without_a_path_leaves_nothing_behind():
    index = QdrantEdgeIndex(8)
    path = index.path
    index.add(IDS, AXES)
    assert path.exists()
    index.close()
    del index
    assert not path.exists()


def test_exact_search_stays_exact_after_segments_are_merged(tmp_path):
    rng, arena, index = np.random.default_rng(0), ArenaIndex(8), QdrantEdgeIndex(8, tmp_path)
    vectors = rng.normal(size=(1500, 8)).astype(np.float32)
    ids = [f"{number:032x}" for number in range(1500)]
    for store in (arena, index):
        store.add(ids, vectors)
        store.remove(ids[:600])
    index.optimize()
    assert index.search(vectors[:5], 10) == arena.search(vectors[:5], 10)
    index.close()


def test_the_graph_says_that_it_is_not_reproducible_and_still_finds_most(tmp_path):
    rng, arena, index = np.random.default_rng(1), ArenaIndex(16), QdrantEdgeIndex(16, tmp_path, hnsw=True)
    assert index.reproducible is False
    vectors = rng.normal(size=(10_000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"{number:032x}" for number in range(10_000)]
    arena.add(ids, vectors)
    index.add(ids, vectors)
    assert index._shard.info().indexed_vectors_count > 0
    pairs = zip(arena.search(vectors[:20], 10), index.search(vectors[:20], 10), strict=True)
    assert sum(len(set(exact) & set(found)) for exact, found in pairs) >= 180
    index.close()


def test_a_server_that_does_not_answer_is_named_with_what_to_do():
    with pytest.raises(UserError, match=r"No Qdrant server answers at http://127.0.0.1:9 .*qdrant-edge"):
        QdrantIndex(8, "http://127.0.0.1:9", timeout=2)


def test_points_of_somebody_else_are_not_taken_for_rows():
    from qdrant_client import models

    index = QdrantIndex(8, ":memory:")
    index._client.upsert("simonides", points=[models.PointStruct(id=1, vector=[1.0] * 8, payload={"title": "x"})])
    with pytest.raises(CorruptFile, match="somebody else"):
        index.snapshot()
    index.close()


def test_record_ids_are_kept_as_uuids_and_other_ids_are_hashed():
    assert point_id("0123456789abcdef0123456789abcdef") == "01234567-89ab-cdef-0123-456789abcdef"
    assert point_id("note 1") == point_id("note 1") != point_id("note 2")


def test_a_search_that_outgrows_a_page_still_returns_every_tie(tmp_path):
    index, same = QdrantEdgeIndex(8, tmp_path), np.repeat(AXES[:1], 1400, axis=0)
    ids = [f"{number:032x}" for number in range(1400)]
    index.add(ids[::-1], same)
    assert [item for item, _ in index.search(AXES[:1], 5)[0]] == ids[:5]
    index.close()
