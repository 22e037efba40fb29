"""The prompted policy: what it asks, what it shows, and what it does with unusable replies."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from pydantic import ValidationError

from simonides.agents.models.scripted import ScriptedModel
from simonides.agents.prompted import NO_ANSWER, PromptedPolicy
from simonides.sim.context import mistake_of
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.registry import registry
from simonides.sim.types import Asked, Observation, Place, Query, Recall, Recalled, Request


class Asking:
    """A true small context: it asks a model with a seed that counts the calls, and parses as the kernel does."""

    place = Place(3, "w", "ana")
    rng = np.random.Generator(np.random.PCG64(0))

    def __init__(self, rules=None):
        self.model_ = ScriptedModel(rules)
        self.requests: list[Request] = []

    async def recall(self, query):
        raise AssertionError("one query is asked before acting, and no further hop")

    async def ask(self, purpose, inputs, schema):
        self.requests.append(Request(purpose, inputs, schema.model_json_schema(), seed=len(self.requests)))
        (completion,) = await self.model_.complete(self.requests[-1:])
        try:
            return Asked(schema.model_validate_json(completion.text), "", completion, "f" * 64)
        except ValidationError as error:
            return Asked(None, mistake_of(error), completion, "f" * 64)

    def tokens(self, text):
        return math.ceil(len(text) / 4)


def seen(text: str, **info) -> Observation:
    return Observation("ana", "w", 3, 0.0, text, info=info)


QUESTION = seen("Where does Rui work?", phase="question", answer_key={"answer": "secret"})
FOUND = Recall(
    (
        Recalled("1", "Rui: I work at the bakery now.", 0.9, time=1_620_000_000.0),
        Recalled("2", "Ana: Lovely weather.", 0.2),
    )
)


def act(observation, *recalls, policy=None, ctx=None):
    return asyncio.run((policy or PromptedPolicy()).act(observation, recalls, ctx or Asking()))


def test_it_recalls_only_when_something_is_asked():
    policy = PromptedPolicy(k=4)
    assert policy.queries(QUESTION, Asking()) == (Query("Where does Rui work?", k=4),)
    assert policy.queries(seen("A door.", legal_actions=["open"]), Asking()) == (Query("A door.", k=4),)
    assert policy.queries(seen("Ana: hello?", phase="telling"), Asking()) == ()
    assert policy.queries(seen("", phase="question"), Asking()) == ()
    assert act(seen("Ana: hello?", phase="telling")).value == ""


def test_it_answers_from_what_was_recalled_with_dates():
    ctx = Asking()
    action = act(QUESTION, FOUND, ctx=ctx)
    assert ctx.requests[0].inputs == {
        "question": "Where does Rui work?",
        "context": ["[2021-05-03] Rui: I work at the bakery now.", "Ana: Lovely weather."],
    }
    assert "bakery" in action.value
    assert action.value == action.text
    assert action.notes == {
        "purpose": "reader.answer",
        "shown": 2,
        "context_tokens": 16,
        "calls": 1,
        "retries": 0,
        "malformed": [],
        "fallback": "",
        "prompt": "f" * 16,
        "prompt_tokens": 15,
        "completion_tokens": 9,
    }


@pytest.mark.parametrize("budget, shown, tokens", [(0, 0, 0), (10, 0, 0), (11, 1, 11), (15, 1, 11), (16, 2, 16)])
def test_the_context_is_cut_at_record_boundaries_and_never_over_budget(budget, shown, tokens):
    notes = act(QUESTION, FOUND, policy=PromptedPolicy(budget=budget)).notes
    assert (notes["shown"], notes["context_tokens"]) == (shown, tokens)


def test_a_record_recalled_twice_is_shown_once():
    assert act(QUESTION, FOUND, FOUND).notes["shown"] == 2


def test_it_chooses_a_legal_action_and_gives_the_environment_its_own_value():
    action = act(seen("The red door is open.", legal_actions=["wait", "red door", 7]))
    assert (action.value, action.text, action.notes["purpose"]) == ("red door", "red door", "policy.action")
    numbers = act(seen("Take 7.", legal_actions=[3, 7]))
    assert (numbers.value, numbers.text) == (7, "7")


@pytest.mark.parametrize(
    "bad", ["", "not json", "{}", '{"answer": 3}', '{"answer": ""}', '{"answer": "a", "why": "b"}']
)
def test_a_malformed_answer_is_drawn_once_more_and_then_replaced(bad):
    ctx = Asking({"reader.answer": lambda request: bad})
    action = act(QUESTION, FOUND, ctx=ctx)
    assert action.value == NO_ANSWER
    assert (action.notes["retries"], action.notes["fallback"]) == (1, "refuse")
    assert [request.seed for request in ctx.requests] == [0, 1]


def test_a_second_draw_that_fits_is_used():
    ctx = Asking({"reader.answer": lambda request: {"answer": "bakery"} if request.seed else "?"})
    action = act(QUESTION, FOUND, ctx=ctx)
    assert (action.value, action.notes["retries"], action.notes["fallback"]) == ("bakery", 1, "")


def test_an_illegal_action_falls_back_to_the_first_legal_one():
    ctx = Asking({"policy.action": lambda request: {"action": "fly"}})
    action = act(seen("A door.", legal_actions=["wait", "open"]), ctx=ctx)
    assert (action.value, action.notes["fallback"]) == ("wait", "first-legal")


def test_it_has_no_state():
    policy = PromptedPolicy()
    assert policy.snapshot() == b""
    policy.restore(b"")
    with pytest.raises(CorruptFile, match="3 bytes"):
        policy.restore(b"abc")


def test_its_parameters_are_checked_by_name_and_range():
    assert registry("policy").build("prompted", {"k": 3}).k == 3
    with pytest.raises(StudyError, match=r"policy\.k"):
        registry("policy").build("prompted", {"k": 0})
    with pytest.raises(StudyError, match=r"policy\.budget"):
        registry("policy").build("prompted", {"budget": -1})
