"""LongMemEval's scores follow the authors' definitions, odd corners included."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simonides.experiments.metrics.longmemeval import (
    accuracy,
    collapsed_scores,
    corpus_of,
    dcg,
    is_scored,
    retrieval_scores,
)


def turn(role, content, has_answer=False):
    return {"role": role, "content": content, "has_answer": has_answer}


SESSIONS = [
    [turn("user", "hello"), turn("assistant", "hi"), turn("user", "my kite is red", True)],
    [turn("user", "what of drums"), turn("assistant", "loud", True)],
]
IDS = ["answer_k_1", "answer_k_2"]


def test_ranks_one_and_two_weigh_the_same_and_three_less():
    assert dcg([1]) == dcg([0, 1]) == 1.0
    assert dcg([0, 0, 1]) == pytest.approx(1 / math.log2(3))


def test_recall_any_wants_one_target_and_recall_all_every_target():
    corpus = ["a", "b", "c", "d"]
    scores = retrieval_scores(["c", "a", "b", "d"], {"a", "b"}, corpus, k=2)
    assert (scores.recall_any, scores.recall_all) == (1.0, 0.0)
    assert scores.ndcg_any == pytest.approx(1 / 2)
    assert retrieval_scores(["c", "a", "b", "d"], {"a", "b"}, corpus, k=3).recall_all == 1.0


def test_an_ideal_order_has_ndcg_one_and_a_useless_one_zero():
    assert retrieval_scores(["a", "b", "c"], {"a", "b"}, ["c", "b", "a"], k=10).ndcg_any == 1.0
    assert retrieval_scores(["c"], {"a"}, ["a", "c"], k=1) == retrieval_scores(["c", "a"], {"a"}, ["a", "c"], k=1)
    assert retrieval_scores(["c"], {"a"}, ["a", "c"], k=1).ndcg_any == 0.0


def test_without_targets_the_authors_corner_values_come_out():
    scores = retrieval_scores(["a"], set(), ["a"], k=1)
    assert (scores.recall_any, scores.recall_all, scores.ndcg_any) == (0.0, 1.0, 0.0)


def test_a_cut_off_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        retrieval_scores(["a"], {"a"}, ["a"], k=0)


def test_only_user_turns_with_an_answer_keep_answer_in_their_id():
    turns = corpus_of(IDS, SESSIONS, "turn")
    assert turns.ids == ("noans_k_1_1", "answer_k_1_3", "noans_k_2_1")
    assert turns.targets == {"answer_k_1_3"}
    sessions = corpus_of(IDS, SESSIONS, "session")
    assert sessions.ids == ("answer_k_1", "noans_k_2")
    assert sessions.texts[0] == "hello my kite is red"


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="'session' or 'turn'"):
        corpus_of(IDS, SESSIONS, "round")


def test_abstentions_and_questions_without_user_side_targets_are_left_out():
    assert is_scored("q1", {"answer_k_1"})
    assert not is_scored("q1_abs", {"answer_k_1"})
    assert not is_scored("q1", set())


def test_turns_collapse_to_sessions_by_looking_deeper():
    corpus = ["s_a_1", "s_a_2", "answer_b_1", "s_c_1"]
    ranked = ["s_a_1", "s_a_2", "answer_b_1", "s_c_1"]
    scores = collapsed_scores(ranked, {"answer_b_1"}, corpus, k=2)
    assert scores.k == 3
    assert scores.recall_all == 1.0
    assert collapsed_scores(ranked, {"answer_b_1"}, corpus, k=1).recall_any == 0.0


def test_a_perfect_session_list_may_stay_below_one_as_written_by_the_authors():
    corpus = ["answer_b_1", "answer_b_2", "s_a_1"]
    assert collapsed_scores(["answer_b_1", "s_a_1", "answer_b_2"], {"answer_b_1", "answer_b_2"}, corpus, 2).ndcg_any < 1


@given(st.permutations(["a", "b", "c", "d", "e"]), st.sets(st.sampled_from("abcde"), min_size=1), st.integers(1, 7))
def test_scores_stay_within_zero_and_one_and_all_implies_any(ranked, targets, k):
    scores = retrieval_scores(ranked, targets, "abcde", k)
    assert 0 <= scores.recall_all <= scores.recall_any <= 1
    assert 0 <= scores.ndcg_any <= 1 + 1e-12


def test_accuracy_averages_types_and_tells_abstention_apart():
    told = accuracy(
        [("q1", "multi-session", True), ("q2", "multi-session", False), ("q3_abs", "temporal-reasoning", True)]
    )
    assert told.overall == pytest.approx(2 / 3)
    assert told.task_averaged == 0.75
    assert told.abstention == 1.0
    assert math.isnan(accuracy([]).overall)


@pytest.mark.data
def test_official_instances_give_their_evidence_turns(data_folder):
    update, abstention = json.loads((data_folder / "longmemeval" / "oracle_sample_2.json").read_text())
    turns = corpus_of(update["haystack_session_ids"], update["haystack_sessions"], "turn")
    evident = [
        f"{name}_{n}"
        for name, session in zip(update["haystack_session_ids"], update["haystack_sessions"], strict=True)
        for n, turn in enumerate(session, start=1)
        if turn["has_answer"]
    ]
    assert len(evident) == 2
    assert turns.targets == set(evident)
    assert is_scored(update["question_id"], turns.targets)
    assert not is_scored(abstention["question_id"], ["any"])
