"""The prompted policy: what it asks, what it shows, and what it does with unusable replies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from asking import FOUND, QUESTION, Asking, act, seen

from simonides.agents.ordering import OrderReader
from simonides.agents.prompted import NO_ANSWER, PromptedPolicy
from simonides.agents.react import ReActPolicy
from simonides.sim.errors import ContractBroken, CorruptFile, StudyError
from simonides.sim.registry import registry
from simonides.sim.types import Completion, Query


def test_it_recalls_only_when_something_is_asked():
    policy = PromptedPolicy(k=4)
    assert policy.queries(QUESTION, Asking()) == (Query("Where does Rui work?", k=4),)
    assert policy.queries(seen("A door.", legal_actions=["open"]), Asking()) == (Query("A door.", k=4),)
    assert policy.queries(seen("Ana: hello?", phase="telling"), Asking()) == ()
    assert policy.queries(seen("", phase="question"), Asking()) == ()
    assert act(PromptedPolicy(), seen("Ana: hello?", phase="telling")).value == ""


def test_it_answers_from_what_was_recalled_with_dates():
    ctx = Asking()
    action = act(PromptedPolicy(), QUESTION, FOUND, ctx=ctx)
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
    notes = act(PromptedPolicy(budget=budget), QUESTION, FOUND).notes
    assert (notes["shown"], notes["context_tokens"]) == (shown, tokens)


def test_a_record_recalled_twice_is_shown_once():
    assert act(PromptedPolicy(), QUESTION, FOUND, FOUND).notes["shown"] == 2


def test_it_chooses_a_legal_action_and_gives_the_environment_its_own_value():
    action = act(PromptedPolicy(), seen("The red door is open.", legal_actions=["wait", "red door", 7]))
    assert (action.value, action.text, action.notes["purpose"]) == ("red door", "red door", "policy.action")
    numbers = act(PromptedPolicy(), seen("Take 7.", legal_actions=[3, 7]))
    assert (numbers.value, numbers.text) == (7, "7")


@pytest.mark.parametrize(
    "bad", ["", "not json", "{}", '{"answer": 3}', '{"answer": ""}', '{"answer": "a", "why": "b"}']
)
def test_a_malformed_answer_is_drawn_once_more_and_then_replaced(bad):
    ctx = Asking({"reader.answer": lambda request: bad})
    action = act(PromptedPolicy(), QUESTION, FOUND, ctx=ctx)
    assert action.value == NO_ANSWER
    assert (action.notes["retries"], action.notes["fallback"]) == (1, "refuse")
    assert [request.seed for request in ctx.requests] == [0, 1]


def test_a_second_draw_that_fits_is_used():
    ctx = Asking({"reader.answer": lambda request: {"answer": "bakery"} if request.seed else "?"})
    action = act(PromptedPolicy(), QUESTION, FOUND, ctx=ctx)
    assert (action.value, action.notes["retries"], action.notes["fallback"]) == ("bakery", 1, "")


def test_an_illegal_action_falls_back_to_the_first_legal_one():
    ctx = Asking({"policy.action": lambda request: {"action": "fly"}})
    action = act(PromptedPolicy(), seen("A door.", legal_actions=["wait", "open"]), ctx=ctx)
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


# --- what went wrong, and what is done instead ------------------------------------------------------------------------


def test_the_second_question_says_what_was_wrong_and_the_notes_keep_the_bad_replies():
    ctx = Asking({"policy.action": lambda request: {"action": "fly"} if request.seed == 0 else "?"})
    notes = act(PromptedPolicy(), seen("A door.", legal_actions=["wait", "open"]), ctx=ctx).notes
    first, second = (request.inputs for request in ctx.requests)
    assert "mistake" not in first
    assert second["mistake"].startswith("action: Input should be 'wait' or 'open'")
    assert notes["malformed"] == ['{"action": "fly"}', "?"]
    assert (notes["calls"], notes["retries"]) == (2, 1)


DOOR = {"legal_actions": ["open", "wait"]}


@pytest.mark.parametrize(
    "fallback, info, value, taken",
    [
        ("first-legal", DOOR, "open", "first-legal"),
        ("first-legal", {"action_schema": {"type": "string"}, "noop": "stay"}, "stay", "noop"),
        ("noop", {**DOOR, "noop": "wait"}, "wait", "noop"),
        ("noop", {"legal_actions": [1, {"text": "noop", "value": 4}]}, 4, "noop"),
        ("noop", {"phase": "question"}, "", "noop"),
        ("refuse", {"phase": "question"}, NO_ANSWER, "refuse"),
    ],
)
def test_the_declared_fallback_is_taken(fallback, info, value, taken):
    ctx = Asking(dict.fromkeys(("policy.action", "reader.answer"), lambda request: "junk"))
    action = act(PromptedPolicy(fallback=fallback), seen("A door.", **info), ctx=ctx)
    assert (action.value, action.notes["fallback"]) == (value, taken)


@pytest.mark.parametrize("fallback, info", [("refuse", {**DOOR, "noop": "wait"}), ("noop", DOOR)])
def test_a_policy_that_may_not_fall_back_fails_with_what_was_wrong(fallback, info):
    ctx = Asking({"policy.action": lambda request: "junk"})
    with pytest.raises(ContractBroken, match=r"no usable action twice \(Invalid JSON"):
        act(PromptedPolicy(fallback=fallback), seen("A door.", **info), ctx=ctx)


# --- actions of every form --------------------------------------------------------------------------------------------


def test_actions_may_have_a_text_of_their_own():
    told = {"legal_actions": [{"text": "go north", "value": 3}, {"text": "take lamp"}, 9]}
    action = act(PromptedPolicy(), seen("A lamp to take.", **told))
    assert (action.value, action.text) == ("take lamp", "take lamp")
    assert act(PromptedPolicy(), seen("North.", **told)).value == 3


def test_two_actions_of_one_name_are_refused():
    with pytest.raises(ContractBroken, match="two actions are called '7'"):
        act(PromptedPolicy(), seen("x", legal_actions=["7", 7]))


TAP = {
    "anyOf": [
        {"$ref": "#/$defs/Tap"},
        {"type": "object", "properties": {"kind": {"const": "back"}}, "required": ["kind"]},
    ],
    "$defs": {
        "Tap": {
            "type": "object",
            "properties": {"kind": {"const": "tap"}, "x": {"type": "integer", "minimum": 0, "maximum": 99}},
            "required": ["kind", "x"],
            "additionalProperties": False,
        }
    },
}


def test_an_action_may_be_anything_that_fits_the_environments_schema():
    ctx = Asking({"policy.action": lambda request: {"action": {"kind": "tap", "x": 7}}})
    action = act(PromptedPolicy(), seen("A button.", action_schema=TAP), ctx=ctx)
    assert action.value == {"kind": "tap", "x": 7}
    assert json.loads(action.text) == action.value
    assert "$ref" not in json.dumps(ctx.requests[0].schema)
    assert "actions" not in ctx.requests[0].inputs


@pytest.mark.parametrize("bad", [{"kind": "tap", "x": 100}, {"kind": "tap"}, "tap", None, {"kind": "fly"}])
def test_an_action_that_does_not_fit_the_schema_is_asked_again(bad):
    good = {"kind": "back"}
    ctx = Asking({"policy.action": lambda request: {"action": good if request.seed else bad}})
    action = act(PromptedPolicy(), seen("A button.", action_schema=TAP), ctx=ctx)
    assert (action.value, action.notes["retries"]) == (good, 1)
    assert "action" in ctx.requests[1].inputs["mistake"]


@pytest.mark.parametrize(
    "schema, told",
    [
        ({"type": "strange"}, "is no JSON schema"),
        ({"$ref": "#/$defs/T", "$defs": {"T": {"$ref": "#/$defs/T"}}}, "refers to itself"),
        ({"$ref": "#/$defs/T"}, r"which is not in its \$defs"),
    ],
)
def test_a_schema_that_cannot_be_used_says_so(schema, told):
    with pytest.raises(ContractBroken, match=told):
        act(PromptedPolicy(), seen("x", action_schema=schema))


def test_an_observation_without_text_is_told_in_words():
    ctx = Asking()
    act(PromptedPolicy(), seen("", np.array([0.123456, -2.0]), legal_actions=["a"]), ctx=ctx)
    assert ctx.requests[0].inputs["situation"] == "[0.1235, -2]"


def test_who_is_not_to_move_is_asked_nothing():
    assert act(PromptedPolicy(), seen("x", to_move=False, **DOOR)).value == ""
    assert PromptedPolicy().queries(seen("x", to_move=False, **DOOR), Asking()) == ()


def test_a_persona_comes_from_the_environment_or_the_study():
    for observation, told in ((seen("x", **DOOR), "Ana."), (seen("x", persona="Rui.", **DOOR), "Rui.")):
        ctx = Asking()
        act(PromptedPolicy(persona="Ana."), observation, ctx=ctx)
        assert ctx.requests[0].inputs["persona"] == told


def test_a_measuring_tick_recalls_without_effects():
    assert PromptedPolicy().queries(seen("x", probe=True, **DOOR), Asking())[0].probe


class Spent:
    """What stands behind a context whose budget is used up."""

    async def complete(self, requests):
        return [Completion("", finish="budget") for _ in requests]


def test_without_a_budget_the_fallback_is_taken_and_nothing_is_asked_again():
    for policy in (PromptedPolicy(), ReActPolicy()):
        ctx = Asking(model=Spent())
        notes = act(policy, QUESTION, FOUND, ctx=ctx).notes
        assert len(ctx.requests) == 1
        assert (notes["calls"], notes["retries"], notes["malformed"], notes["fallback"]) == (0, 0, [], "refuse")
    ordered = act(OrderReader(), seen("Which?", labels=["A", "B"]), ctx=Asking(model=Spent()))
    assert (ordered.value, ordered.notes["fallback"]) == ("X", "refuse")
