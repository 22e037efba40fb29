"""BABILong's and RULER's answer rules."""

import pytest

from simonides.experiments.metrics.needles import RULER_NIAH, babilong_correct, needle_sentence, ruler_score

ROOMS = ["kitchen", "garden", "office"]


def test_the_target_must_be_the_only_label_named_in_the_first_sentence():
    question = "Where is Ida?"
    assert babilong_correct("Ida is in the Garden. Not the office.", "garden", question, ROOMS)
    assert not babilong_correct("The garden or the office.", "garden", question, ROOMS)
    assert not babilong_correct("I do not know", "garden", question, ROOMS)


def test_labels_of_the_question_are_ignored():
    question = "Where was the drum before the kitchen?"
    assert babilong_correct("Before the kitchen it was in the office", "office", question, ROOMS)


def test_a_list_answer_wants_all_its_parts_and_no_more():
    things = ["kite", "drum", "harp", "nothing"]
    assert babilong_correct("a drum and a kite", "kite,drum", "What does Ida carry?", things)
    assert not babilong_correct("a drum", "kite,drum", "What does Ida carry?", things)
    assert not babilong_correct("a drum, a kite, a harp", "kite,drum", "What does Ida carry?", things)


def test_a_path_that_is_itself_a_label_is_taken_whole():
    assert babilong_correct("s,e", "s,e", "How do you go?", ["s,e", "n,w"])


def test_needles_read_as_rulers():
    assert needle_sentence("numbers", "kite", "42") == "One of the special magic numbers for kite is: 42."
    assert len(RULER_NIAH) == 8


def test_a_needle_score_is_the_share_of_references_found():
    assert ruler_score("It is ABC-1 and 7", ["abc-1", "7", "8", "9"]) == 0.5
    assert ruler_score("perhaps Paris", ["Paris", "Lyon"], any_suffices=True) == 1.0
    with pytest.raises(ValueError, match="at least one"):
        ruler_score("x", [])
