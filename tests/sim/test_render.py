"""Recalled records render as dated lines, whole, in order, within a budget."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simonides.sim.context import count_tokens
from simonides.sim.render import date_of, line_of, render, situation_of
from simonides.sim.types import Observation, Recalled

MAY = 1_683_554_160.0  # 8 May 2023, 13:56 UTC


def test_a_record_is_shown_with_its_date():
    assert line_of(Recalled("a", "Ana moved.", 1.0, time=MAY)) == "[2023-05-08] Ana moved."


def test_a_time_without_a_date_is_left_out():
    assert date_of(1e18) == "" == date_of(float("inf")) == date_of(float("nan"))
    assert line_of(Recalled("a", "Ana moved.", 1.0, time=1e18)) == "Ana moved."


def test_the_first_record_that_does_not_fit_ends_the_context():
    items = [Recalled("a", "short", 3.0, time=1e18), Recalled("b", "long " * 50, 2.0), Recalled("c", "tiny", 1.0)]
    assert render(items, 20, count_tokens) == "short"
    assert render(items, 0, count_tokens) == ""
    assert render(items, None, count_tokens).count("\n") == 2


@given(st.lists(st.text(max_size=40), max_size=12), st.integers(0, 80))
def test_a_context_never_exceeds_its_budget_and_holds_whole_records(words, budget):
    items = [Recalled(str(n), text, 0.0, time=MAY) for n, text in enumerate(words)]
    shown = render(items, budget, count_tokens)
    assert count_tokens(shown) <= budget
    lines = [line_of(item) for item in items]
    assert shown in ["\n".join(lines[:n]) for n in range(len(lines) + 1)]


def seen(text="", raw=None, **info):
    return Observation("ana", "w", 0, 0.0, text, raw, info)


def test_a_situation_is_the_text_or_else_the_raw_value_in_words():
    assert situation_of(seen("A door.", [1])) == "A door."
    assert situation_of(seen("", np.array([0.123456, 2.0], np.float32))) == "[0.1235, 2]"
    assert situation_of(seen("", {"at": (1, True), "name": "x"})) == "at: [1, True]; name: x"
    assert situation_of(seen("", np.zeros((64, 64, 3), np.uint8))) == "array of shape 64x64x3"
    assert situation_of(seen()) == ""


def test_a_question_beside_the_text_is_part_of_the_situation():
    assert situation_of(seen("A door.", question="Open it?")) == "A door.\nOpen it?"
    assert situation_of(seen("Open it?", question="Open it?")) == "Open it?"
    assert situation_of(seen("", [0, 3], question="Open it?")) == "Open it?"


def test_time_zero_is_no_date():
    assert line_of(Recalled("a", "Ana moved.", 1.0)) == "Ana moved."
