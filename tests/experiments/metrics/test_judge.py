"""Grades by a model: equal answers are one call, bad replies are asked again, and agreement is what its names say."""

from __future__ import annotations

import asyncio
import math

import polars as pl
import pytest
from worded import Clerk

from simonides.agents.models.scripted import ScriptedModel
from simonides.agents.prompts import Prompts
from simonides.experiments.metrics.judge import Case, agreement, cases_of, grade, grade_in, kappa, point_biserial
from simonides.sim.context import Services, Usage
from simonides.sim.errors import UserError

CASES = [Case("Where?", "in Porto", "In Porto!"), Case("Where?", "in Porto", "Porto"), Case("Where?", "in Porto", "")]


def graded(model, *cases):
    usage = Usage()
    return asyncio.run(grade(cases, Services(None, model, Prompts()), usage)), usage


def test_answers_are_graded_and_equal_ones_are_one_call():
    found, usage = graded(ScriptedModel(), *CASES, *CASES)
    assert [found[case] for case in CASES] == ["correct", "partly", "wrong"]
    assert usage.calls == 3


def test_a_judge_that_mends_its_reply_is_heard_and_one_that_does_not_gives_no_grade():
    mending = Clerk("mend")
    found, usage = graded(mending, *CASES)
    assert set(found.values()) == {"correct"} and (usage.calls, usage.malformed) == (6, 3)
    assert mending.asked[0].choices == ("correct", "partly", "wrong")
    assert "'nonsense', which is none of correct" in mending.asked[-1].messages[1].content
    assert set(graded(Clerk("junk"), *CASES)[0].values()) == {None}


def test_without_a_model_it_says_so():
    with pytest.raises(UserError, match=r"judge\.answer asks a model, but the study names none"):
        graded(None, *CASES)


@pytest.mark.parametrize("text, found", [("correct", "correct"), (' "Partly".\n', "partly"), ("not correct", None)])
def test_a_grade_is_one_word(text, found):
    assert grade_in(text) == found


def test_the_truth_of_an_open_question_ends_at_its_semicolon():
    rows = pl.DataFrame({"category": [3, 1], "text": ["q", "q"], "answer": ["Yes; since he", "a; b"], "response": "r"})
    assert [case.truth for case in cases_of(rows)] == ["Yes", "a; b"]


def test_agreement_is_told_over_all_and_by_kind():
    table = agreement(
        pl.DataFrame(
            {
                "kind": ["a", "a", "a", "b", "b"],
                "official_f1": [1.0, 0.5, 0.0, 0.0, 0.2],
                "grade": ["correct", "correct", "wrong", "partly", None],
            }
        )
    )
    everything = table.row(0, named=True)
    assert table["kind"].to_list() == ["", "a", "b"]
    assert (everything["n"], everything["ungraded"]) == (5, 1)
    assert [everything[name] for name in ("correct", "partly", "wrong")] == [2, 1, 1]
    assert (everything["f1_correct"], everything["f1_partly"], everything["kappa"]) == (0.75, 0.0, 1.0)
    assert table.row(2, named=True)["f1_correct"] is None and table.row(2, named=True)["r"] is None


def test_kappa_and_correlation_have_their_textbook_values():
    # Cohen's own form: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: po 0.7, pe 0.5.
    first = [True] * 25 + [False] * 25
    second = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert kappa(first, second) == pytest.approx(0.4)
    assert kappa([True, False], [False, True]) == pytest.approx(-1.0)
    assert math.isnan(kappa([], [])) and math.isnan(kappa([True], [True]))
    assert point_biserial([True, True, False, False], [1.0, 0.8, 0.2, 0.0]) == pytest.approx(0.9701, abs=1e-4)
    assert math.isnan(point_biserial([True, True], [0.0, 1.0]))
