"""BM25 and rank fusion: the published formula, changes in place, ties, and degenerate texts."""

import math
import random

import pytest

from simonides.memory_actors.indexes.bm25 import BM25Index, rrf

TEXTS = [
    "the red door is open",
    "the blue gate is shut and the key is lost",
    "red red red paint",
    "the key opens the door",
    "",
    "the the the the",
]


def okapi(corpus: list[list[str]], query: list[str], k1: float = 1.5, b: float = 0.75, epsilon: float = 0.25):
    """The formula written out with loops, as an oracle."""
    n, mean = len(corpus), sum(map(len, corpus)) / len(corpus)
    vocabulary = sorted({w for text in corpus for w in text})
    found = {w: sum(w in text for text in corpus) for w in vocabulary}
    raw = {w: math.log(n - found[w] + 0.5) - math.log(found[w] + 0.5) for w in vocabulary}
    floor = epsilon * sum(raw.values()) / len(raw)
    idf = {w: value if value >= 0 else floor for w, value in raw.items()}
    return [
        sum(
            idf.get(w, 0) * text.count(w) * (k1 + 1) / (text.count(w) + k1 * (1 - b + b * len(text) / mean))
            for w in query
        )
        for text in corpus
    ]


def filled(texts=TEXTS, **options) -> BM25Index:
    index = BM25Index(**options)
    index.add([f"id{n}" for n in range(len(texts))], texts)
    return index


@pytest.mark.parametrize("query", ["red door", "the key", "door door is", "the"])
def test_scores_follow_the_published_formula_with_its_floor_for_common_words(query):
    expected = okapi([text.split() for text in TEXTS], query.split())
    found = dict(filled().search(query, 10, matching=False))
    assert [found[f"id{n}"] for n in range(len(TEXTS))] == pytest.approx(expected, abs=1e-12)


def test_the_scores_are_those_of_rank_bm25():
    published = pytest.importorskip("rank_bm25").BM25Okapi([text.split(" ") for text in TEXTS])
    found = dict(filled(compat="split").search("the red key", 10, matching=False))
    assert [found[f"id{n}"] for n in range(len(TEXTS))] == pytest.approx(
        list(published.get_scores(["the", "red", "key"])), abs=1e-12
    )


def test_an_index_changed_many_times_equals_a_fresh_one_to_the_last_bit():
    rng, index, kept = random.Random(5), BM25Index(), {}
    for step in range(300):
        item = f"id{rng.randrange(40)}"
        if rng.random() < 0.3:
            index.remove([item])
            kept.pop(item, None)
        else:
            kept[item] = " ".join(rng.choices("abcdefgh", k=rng.randrange(9)))
            index.add([item], [kept[item]])
        if step % 50 == 49:
            fresh = BM25Index()
            fresh.add(sorted(kept), [kept[item] for item in sorted(kept)])
            assert len(index) == len(kept)
            assert index.search("a b b h", 50, matching=False) == fresh.search("a b b h", 50, matching=False)


def test_equal_texts_tie_by_id_and_k_cuts_after_the_tie_is_ordered():
    index = BM25Index()
    index.add(["c", "a", "b", "z"], ["red", "red", "red", "blue sky here"])
    assert [item for item, _ in index.search("red", 2)] == ["a", "b"]


def test_only_texts_that_share_a_word_are_found_unless_all_are_asked_for():
    assert [item for item, _ in filled().search("paint", 10)] == ["id2"]
    assert len(filled().search("paint", 10, matching=False)) == len(TEXTS)
    assert filled().search("unheard", 10) == []


def test_an_empty_index_and_k_of_zero_find_nothing():
    assert BM25Index().search("red", 3) == BM25Index().search("red", 3, matching=False) == []
    assert filled().search("red", 0) == []
    emptied = filled()
    emptied.remove([f"id{n}" for n in range(9)])
    assert len(emptied) == 0 and emptied.search("red", 3) == []


def test_the_words_tokeniser_ignores_case_and_punctuation_and_split_does_not():
    assert BM25Index()._tokens("The Door, red!") == ["the", "door", "red"]
    assert BM25Index(compat="split")._tokens("The  Door,") == ["The", "", "Door,"]
    with pytest.raises(ValueError, match="'words' or 'split'"):
        BM25Index(compat="stem")


def test_ids_without_texts_are_refused():
    with pytest.raises(ValueError, match="2 ids came with 1 texts"):
        BM25Index().add(["a", "b"], ["one"])


def test_fusion_adds_reciprocal_ranks_and_breaks_ties_by_id():
    assert rrf([["a", "b"], ["b", "c"]]) == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]
    assert [item for item, _ in rrf([["z"], ["m"], ["a"]])] == ["a", "m", "z"]
    assert rrf([]) == []
    assert rrf([["a"]], c=0) == [("a", 1.0)]
