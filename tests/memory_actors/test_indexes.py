"""All vector indexes give the arena's answers, and the arena gives those of a plain loop."""

import numpy as np
import pytest

from simonides.memory_actors.indexes.arena import ArenaIndex
from simonides.memory_actors.indexes.qdrant_edge import QdrantEdgeIndex
from simonides.memory_actors.indexes.qdrant_server import QdrantIndex
from simonides.memory_actors.indexes.scoring import final_scores
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.protocols import VectorIndex

DIMENSION = 24


KINDS = {
    "arena": lambda path: ArenaIndex(DIMENSION),
    "qdrant-edge": lambda path: QdrantEdgeIndex(DIMENSION, path),
    "qdrant": lambda path: QdrantIndex(DIMENSION, ":memory:"),
}


@pytest.fixture(params=sorted(KINDS))
def make(request, tmp_path):
    """A function that makes an empty index of one kind; each call a new place on disk."""
    made = []

    def one() -> VectorIndex:
        made.append(KINDS[request.param](tmp_path / str(len(made))))
        return made[-1]

    yield one
    for index in made:
        if hasattr(index, "close"):
            index.close()


def unit(rng, n, dimension=DIMENSION):
    rows = rng.normal(size=(n, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ids(n, start=0):
    return [f"{number:032x}" for number in range(start, start + n)]


def owners(n):
    return [{"owner": f"agent{number % 5}", "tick": number % 3, "live": number % 2 == 0} for number in range(n)]


def by_hand(rows: dict, queries, k, wanted=None):
    """Every row scored alone, sorted by (-score, id)."""
    answers = []
    for query in queries:
        scored = [
            (-float(final_scores(vector[None], query)[0]), item)
            for item, (vector, fields) in rows.items()
            if all(name in fields and fields[name] == value for name, value in (wanted or {}).items())
        ]
        answers.append([(item, 0.0 - score) for score, item in sorted(scored)[:k]])
    return answers


def test_it_fits_the_protocol_and_says_that_it_is_reproducible(make):
    index = make()
    assert isinstance(index, VectorIndex) and index.reproducible is True and len(index) == 0


@pytest.mark.parametrize("wanted", [None, {"owner": "agent2"}, {"owner": "agent1", "live": True}, {"tick": 1}])
def test_answers_are_those_of_scoring_every_row_alone(make, wanted):
    rng, index = np.random.default_rng(1), make()
    vectors, fields = unit(rng, 300), owners(300)
    index.add(ids(300), vectors, fields)
    queries = unit(rng, 9)
    expected = by_hand(dict(zip(ids(300), zip(vectors, fields, strict=True), strict=True)), queries, 7, wanted)
    assert index.search(queries, 7, wanted) == expected


def test_the_batch_the_order_of_insertion_and_rows_that_are_gone_change_no_bit(make):
    rng = np.random.default_rng(2)
    vectors, fields, queries = unit(rng, 120), owners(120), unit(rng, 16)
    straight, twisted = make(), make()
    straight.add(ids(120), vectors, fields)
    twisted.add(ids(50, start=900), unit(rng, 50), owners(50))
    for row in rng.permutation(120).tolist():
        twisted.add([ids(120)[row]], unit(rng, 1), [{"owner": "someone else"}])
        twisted.add([ids(120)[row]], vectors[row : row + 1], [fields[row]])
    twisted.remove(ids(50, start=900))
    for wanted in (None, {"owner": "agent3"}):
        together = straight.search(queries, 11, wanted)
        assert together == twisted.search(queries, 11, wanted)
        assert together == [straight.search(query[None], 11, wanted)[0] for query in queries]


def test_a_replaced_row_is_found_by_its_new_vector_and_fields_only(make):
    index, axes = make(), np.eye(DIMENSION, dtype=np.float32)
    index.add(ids(1), axes[:1], [{"owner": "ana"}])
    index.add(ids(1), axes[1:2], [{"owner": "ben"}])
    assert len(index) == 1
    assert index.search(axes[1:2], 5) == [[(ids(1)[0], 1.0)]]
    assert index.search(axes[1:2], 5, {"owner": "ana"}) == [[]]
    assert index.search(axes[1:2], 5, {"owner": "ben"}) == [[(ids(1)[0], 1.0)]]


def test_the_last_of_one_id_given_twice_counts(make):
    index, axes = make(), np.eye(DIMENSION, dtype=np.float32)
    index.add([*ids(1), *ids(1)], axes[:2])
    assert len(index) == 1 and index.search(axes[:2], 1) == [[(ids(1)[0], 0.0)], [(ids(1)[0], 1.0)]]


def test_removed_rows_are_gone_and_unknown_ids_are_ignored(make):
    rng, index = np.random.default_rng(3), make()
    index.add(ids(20), unit(rng, 20), owners(20))
    index.remove([*ids(5), *ids(3), "f" * 32, "never seen"])
    assert len(index) == 15
    assert {item for item, _ in index.search(unit(rng, 1), 99)[0]} == set(ids(15, start=5))
    index.remove(ids(20))
    assert len(index) == 0 and index.search(unit(rng, 2), 3) == [[], []]


def test_equal_vectors_tie_by_id_however_many_lie_at_the_edge(make):
    rng, index = np.random.default_rng(4), make()
    same = np.repeat(unit(rng, 1), 40, axis=0)
    index.add(list(reversed(ids(40))), same)
    index.add(ids(30, start=500), unit(rng, 30))
    assert [item for item, _ in index.search(same[:1], 6)[0]] == ids(6)


def test_fewer_rows_than_k_are_all_returned_and_no_k_returns_none(make):
    rng, index = np.random.default_rng(5), make()
    queries = unit(rng, 3)
    assert index.search(queries, 4) == [[], [], []]
    index.add(ids(2), unit(rng, 2))
    assert [len(hits) for hits in index.search(queries, 50)] == [2, 2, 2]
    assert index.search(queries, 0) == [[], [], []]
    assert index.search(queries[:0], 4) == []


def test_a_zero_vector_is_kept_and_scores_zero(make):
    rng, index = np.random.default_rng(6), make()
    index.add(ids(3), np.concatenate([unit(rng, 2), np.zeros((1, DIMENSION), np.float32)]))
    assert dict(index.search(unit(rng, 1), 3)[0])[ids(3)[2]] == 0.0
    assert index.search(np.zeros((1, DIMENSION), np.float32), 3) == [[(item, 0.0) for item in ids(3)]]


def test_long_vectors_keep_their_length(make):
    rng, index = np.random.default_rng(7), make()
    vectors = unit(rng, 200) * 1000
    index.add(ids(200), vectors)
    rows = {item: (vector, {}) for item, vector in zip(ids(200), vectors, strict=True)}
    assert index.search(vectors[:4], 5) == by_hand(rows, vectors[:4], 5)


def test_ids_of_any_text_and_fields_of_any_plain_value_are_kept_apart(make):
    index, axes = make(), np.eye(DIMENSION, dtype=np.float32)
    fields = [{"v": 1}, {"v": True}, {"v": 1.0}, {"v": "1"}, {"v": None}, {"v": b"1"}, {"v": [1, "a"]}, {}]
    names = ["note 1", "note 2", "ü", "", "a" * 31, "A" * 32, "g" * 32, "x" * 200]
    index.add(names, axes[: len(fields)], fields)
    for name, field in zip(names[:-1], fields[:-1], strict=True):
        assert [item for item, _ in index.search(axes[:1], 9, field)[0]] == [name]
    assert index.search(axes[:1], 9, {"w": 1}) == [[]]
    assert len(index.search(axes[:1], 9, {})[0]) == len(names)


def test_a_snapshot_restores_everything_and_depends_on_the_contents_alone(make):
    rng, index, other = np.random.default_rng(8), make(), make()
    vectors, fields, queries = unit(rng, 60), owners(60), unit(rng, 4)
    index.add(ids(60), vectors, fields)
    other.add(ids(3, start=700), unit(rng, 3))
    other.restore(index.snapshot())
    assert len(other) == 60
    assert other.search(queries, 9, {"owner": "agent1"}) == index.search(queries, 9, {"owner": "agent1"})
    assert other.snapshot() == index.snapshot()
    oracle = ArenaIndex(DIMENSION)
    oracle.add(ids(60)[::-1], vectors[::-1], fields[::-1])
    assert oracle.snapshot() == index.snapshot()


def test_the_snapshot_of_an_empty_index_restores_an_empty_one(make):
    index, other = make(), make()
    other.add(ids(2), unit(np.random.default_rng(9), 2))
    other.restore(index.snapshot())
    assert len(other) == 0 and other.search(unit(np.random.default_rng(9), 1), 3) == [[]]


@pytest.mark.parametrize("damage", [b"", b"not msgpack \xff", b"\x80", b"\x93\x01\x02\x03"])
def test_a_snapshot_of_other_bytes_is_refused_and_changes_nothing(make, damage):
    index = make()
    index.add(ids(2), unit(np.random.default_rng(10), 2))
    with pytest.raises(CorruptFile):
        index.restore(damage)
    assert len(index) == 2


def test_a_cut_snapshot_is_refused(make):
    index = make()
    index.add(ids(8), unit(np.random.default_rng(11), 8), owners(8))
    data = index.snapshot()
    for cut in (1, len(data) // 2, len(data) - 1):
        with pytest.raises(CorruptFile):
            index.restore(data[:cut])


def test_another_dimension_is_refused_by_name(make):
    index, narrow = make(), np.ones((1, 3), np.float32)
    with pytest.raises(ContractBroken, match=r"dimension 24 .*\[1, 3\]"):
        index.add(ids(1), narrow)
    with pytest.raises(ContractBroken, match=r"dimension 24 .*\[1, 3\]"):
        index.search(narrow, 1)
    with pytest.raises(ContractBroken, match="dimension 3"):
        index.restore(ArenaIndex(3).snapshot())
    with pytest.raises(ValueError, match="at least 1"):
        ArenaIndex(0)


def test_uneven_columns_and_numbers_that_are_not_finite_are_refused(make):
    rng, index = np.random.default_rng(12), make()
    with pytest.raises(ContractBroken, match="2 ids came with 3 vectors"):
        index.add(ids(2), unit(rng, 3))
    with pytest.raises(ContractBroken, match="1 fields"):
        index.add(ids(2), unit(rng, 2), [{}])
    broken = unit(rng, 2)
    broken[1, 3] = np.nan
    with pytest.raises(ContractBroken, match="NaN"):
        index.add(ids(2), broken)
    with pytest.raises(ContractBroken, match="NaN"):
        index.search(broken, 1)
    assert len(index) == 0


def test_final_scores_do_not_depend_on_the_company():
    rng = np.random.default_rng(13)
    rows, query = unit(rng, 500, 384), unit(rng, 1, 384)[0]
    together = final_scores(rows, query)
    assert all(final_scores(rows[n : n + 1], query)[0] == together[n] for n in range(500))
    assert (final_scores(rows, np.repeat(query[None], 500, axis=0)) == together).all()


def test_the_arena_stays_exact_at_a_size_where_it_nominates_by_blocks():
    rng, index = np.random.default_rng(14), ArenaIndex(DIMENSION)
    vectors = unit(rng, 5000)
    vectors[1000:1100] = vectors[7]
    index.add(ids(5000), vectors, owners(5000))
    rows = {item: (vector, fields) for item, vector, fields in zip(ids(5000), vectors, owners(5000), strict=True)}
    queries = np.concatenate([unit(rng, 2), vectors[7:8]])
    for wanted in (None, {"owner": "agent2"}, {"live": True}):
        assert index.search(queries, 10, wanted) == by_hand(rows, queries, 10, wanted)
