"""Order by first-token log-probabilities: the likelier label, no answer without one, a clear line without scores."""

from __future__ import annotations

import pytest
from asking import FOUND, QUESTION, Asking, act, seen

from simonides.agents.ordering import OrderReader
from simonides.sim.errors import ModelFailed
from simonides.sim.labels import likeliest
from simonides.sim.types import Completion, TokenScore

ASKED = seen("A: x. B: y. Which came first?", labels=["A", "B"], phase="question")


class Scoring:
    """A model that gives the same log-probabilities to each first token."""

    def __init__(self, token, logprob, **top):
        self.score = TokenScore(token, logprob, {token: logprob, **top})

    async def complete(self, requests):
        return [Completion(self.score.token, 9, 1, "length", scores=(self.score,)) for _ in requests]


def test_the_likelier_label_is_the_answer():
    ctx = Asking(model=Scoring("The", -0.1, A=-2.0, **{" B": -1.5}))
    action = act(OrderReader(logprobs=7), ASKED, FOUND, ctx=ctx)
    assert action.value == action.text == "B"
    assert action.notes["log_probabilities"] == {" B": -1.5, "A": -2.0}
    (request,) = ctx.requests
    assert (request.max_tokens, request.logprobs, request.inputs["labels"]) == (1, 7, ["A", "B"])
    assert "bakery" in request.inputs["context"][0]


def test_neither_label_is_no_answer():
    assert act(OrderReader(), ASKED, ctx=Asking(model=Scoring("The", -0.1))).value == "X"


def test_a_model_without_log_probabilities_is_told_in_one_line():
    with pytest.raises(
        ModelFailed, match=r"asks for the log-probabilities of a token, and the model gave none"
    ) as told:
        act(OrderReader(), ASKED, FOUND)
    assert "\n" not in str(told.value)


def test_other_questions_are_answered_as_the_prompted_policy_does():
    assert act(OrderReader(), QUESTION, FOUND).notes["purpose"] == "reader.answer"
    assert [query.text for query in OrderReader().queries(ASKED, Asking())] == [ASKED.text]


def test_a_tie_goes_to_the_first_label_and_spaces_do_not_count():
    assert likeliest({"B": -1.0, "\u2581A": -1.0}, ["A", "B"]) == "A"
    assert likeliest({"\u0120B": -1.0, "A": -2.0}, ["A", "B"]) == "B"
    assert likeliest({"C": -1.0}, ["A", "B"]) is None
