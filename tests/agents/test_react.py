"""ReAct: thinks, recalls more within its bound, acts; what it thought and looked for is in the notes."""

from __future__ import annotations

import pytest
from asking import FOUND, QUESTION, Asking, act, seen

from simonides.agents.prompted import NO_ANSWER
from simonides.agents.react import ReActPolicy
from simonides.sim.errors import StudyError
from simonides.sim.registry import registry
from simonides.sim.types import Query, Recall, Recalled

MORE = Recall((FOUND.items[0], Recalled("3", "Rui: The bakery is in Porto.", 0.8)))


def recalling(words="more"):
    return {"thought": "I need more.", "do": {"recall": words}}


def answering(text="Porto"):
    return {"thought": "Now I know.", "do": {"answer": text}}


def scripted(*replies):
    """Return rules that reply in turn, the last for ever."""
    return {"reader.react": lambda request: replies[min(request.seed, len(replies) - 1)]}


def test_it_recalls_until_it_knows_and_then_answers():
    ctx = Asking(scripted(recalling("bakery place"), answering()), [MORE])
    action = act(ReActPolicy(k=4), QUESTION, FOUND, ctx=ctx)
    assert action.value == action.text == "Porto"
    assert ctx.queries == [Query("bakery place", k=4)]
    assert action.notes["thoughts"] == ["I need more.", "Now I know."]
    assert action.notes["recalls"] == ["bakery place"]
    assert (action.notes["purpose"], action.notes["shown"], action.notes["calls"]) == ("reader.react", 3, 2)


def test_steps_are_appended_so_that_what_came_before_stays_the_same():
    ctx = Asking(scripted(recalling("a"), recalling("b"), answering()), [MORE, Recall()])
    act(ReActPolicy(), QUESTION, FOUND, ctx=ctx)
    first, second, third = (request.inputs for request in ctx.requests)
    assert first["context"] == second["context"] == third["context"]
    assert third["steps"][: len(second["steps"])] == second["steps"]
    assert second["steps"] == ["Thought: I need more.", "Recall: a", "Found: Rui: The bakery is in Porto."]
    assert third["steps"][-1] == "Found: (nothing new)"
    assert [r["recalls"] for r in (first, second, third)] == [2, 1, 0]


def test_after_its_last_recall_it_must_act():
    ctx = Asking(scripted(recalling()), [MORE] * 9)
    action = act(ReActPolicy(recalls=2), QUESTION, FOUND, ctx=ctx)
    assert len(ctx.queries) == 2
    assert (action.value, action.notes["fallback"], action.notes["retries"]) == (NO_ANSWER, "refuse", 1)
    assert "Recalling" not in str(ctx.requests[-1].schema)


def test_a_bound_of_none_acts_at_once():
    action = act(ReActPolicy(recalls=0), QUESTION, FOUND, ctx=Asking(scripted(answering())))
    assert (action.value, action.notes["recalls"]) == ("Porto", [])


def test_what_hops_find_comes_out_of_the_same_budget():
    ctx = Asking(scripted(recalling(), answering()), [MORE])
    notes = act(ReActPolicy(budget=18), QUESTION, FOUND, ctx=ctx).notes
    assert (notes["shown"], notes["context_tokens"]) == (2, 16)
    assert ctx.requests[1].inputs["steps"][-1] == "Found: (nothing new)"


def test_a_space_that_may_not_be_read_is_told_and_the_turn_goes_on():
    ctx = Asking(scripted(recalling(), answering()), [None])
    assert act(ReActPolicy(), QUESTION, ctx=ctx).value == "Porto"
    assert ctx.requests[1].inputs["steps"][-1] == "Found: (refused: ana may not read team)"


@pytest.mark.parametrize(
    "bad",
    [
        "", "thinking...", "[]", {"thought": "t"}, {"thought": "t", "do": {}}, {"do": {"answer": "x"}},
        {"thought": "t", "do": {"recall": ""}}, {"thought": "t", "do": {"answer": "a", "recall": "b"}},
        {"thought": "t", "do": {"action": "open"}}, {"thought": 3, "do": {"answer": "a"}},
        {**answering(), "and": "rm -rf"}, answering() | {"do": "Porto"},
    ],
)  # fmt: skip
def test_an_unusable_step_is_asked_again_and_then_given_up(bad):
    ctx = Asking(scripted(bad))
    action = act(ReActPolicy(), QUESTION, FOUND, ctx=ctx)
    assert (action.value, action.notes["fallback"], len(action.notes["malformed"])) == (NO_ANSWER, "refuse", 2)
    assert ctx.requests[1].inputs["mistake"]
    mended = act(ReActPolicy(), QUESTION, FOUND, ctx=Asking(scripted(bad, answering())))
    assert (mended.value, mended.notes["retries"]) == ("Porto", 1)


def test_it_acts_among_legal_actions():
    doors = seen("A red door.", legal_actions=[{"text": "open red", "value": 5}, {"text": "wait", "value": 0}])
    action = act(ReActPolicy(), doors, ctx=Asking(hops=[Recall()]))
    assert (action.value, action.text, action.notes["purpose"]) == (5, "open red", "policy.react")
    step = {"thought": "t", "do": {"action": "fly"}}
    ctx = Asking({"policy.react": lambda request: step})
    assert act(ReActPolicy(), doors, ctx=ctx).notes["fallback"] == "first-legal"
    assert "open red" in ctx.requests[1].inputs["mistake"]


def test_a_measuring_tick_hops_without_effects():
    ctx = Asking(scripted(recalling(), answering()), [MORE])
    act(ReActPolicy(), seen("Where?", phase="question", probe=True), ctx=ctx)
    assert ctx.queries[0].probe


def test_its_bound_is_checked():
    assert registry("policy").build("react", {"recalls": 0}).recalls == 0
    with pytest.raises(StudyError, match=r"policy\.recalls"):
        registry("policy").build("react", {"recalls": -1})
