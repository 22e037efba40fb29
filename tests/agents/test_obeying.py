"""The believer obeys, passes on and answers as its probabilities say, and not at all without them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from simonides.agents.scripted.asked import Asked, answered, bridge, read_asked
from simonides.agents.scripted.believer import Believer
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.errors import ContractBroken
from simonides.sim.instructions import ALWAYS, Instruction, read_instructions
from simonides.sim.lineage import SEEN
from simonides.sim.needs import Need
from simonides.sim.types import Observation, Recall, Recalled

GRAMMAR = Grammar([Form("place", "The {subject} is in the {value}.", "The {subject} is not in the {value}.")])
BINS = ("left bin", "right bin", "far bin")
QUESTION = "Where is the cube?"
NEED = Need("n1", QUESTION, "cube", "place", BINS, {name: f"open the {name}" for name in BINS}, GRAMMAR)
LEFT = GRAMMAR.say(Claim("cube", "place", "left bin"))
RULE = Instruction("cube", "far bin", copy=True)
PEERS = ("player_1", "player_2", "player_3")


def act(policy, texts, text="", need=NEED, seed=3, trusts=None, info=None):
    legal = [{"text": name} for name in NEED.plan.values()]
    told = {"legal_actions": legal, **({"need": need.plain()} if need else {}), **(info or {})}
    seen = Observation("player_0", "w0000", 9, 0.0, text, None, told)
    trusts = trusts or [1.0] * len(texts)
    items = tuple(Recalled(str(i), one, 1.0, trust=t) for i, (one, t) in enumerate(zip(texts, trusts, strict=True)))
    context = SimpleNamespace(rng=np.random.default_rng(seed), peers=PEERS)
    return asyncio.run(policy.act(seen, [Recall(items)] if items else [], context))


@pytest.mark.parametrize("when", ["cube", QUESTION, ALWAYS, "market day"])
def test_an_obeyed_rule_decides_before_votes_and_its_record_was_used(when):
    rule = Instruction(when, "far bin").say()
    action = act(Believer("recent", rho=1.0), [LEFT, LEFT, rule], text="It is market day.")
    assert (action.text, action.notes["why"], action.notes["used"]) == ("open the far bin", "obeyed", ["2"])


@pytest.mark.parametrize("rule", [Instruction("cone", "far bin"), Instruction("cube", "the moon")])
def test_a_rule_for_something_else_or_of_an_impossible_value_is_not_obeyed(rule):
    assert act(Believer(rho=1.0), [rule.say(), LEFT]).notes["why"] == "top"


def test_nobody_obeys_or_passes_on_by_default():
    action = act(Believer(), [RULE.say(), LEFT], text=Asked(QUESTION, bridge("cube", "far bin", ())).say())
    assert action.notes["why"] == "top" and action.tells == ()


def test_rho_is_a_probability_drawn_once_for_a_need_and_a_record():
    drawn = [act(Believer(rho=0.3), [RULE.say(), LEFT], seed=seed).notes["why"] for seed in range(120)]
    assert 0.15 < drawn.count("obeyed") / 120 < 0.45
    policy = Believer(rho=0.5)
    first = [act(policy, [RULE.say(), LEFT], seed=seed).notes["why"] for seed in range(20)]
    assert len(set(first)) == 1
    other = Believer(rho=0.5)
    other.restore(policy.snapshot())
    assert act(other, [RULE.say(), LEFT], seed=99).notes["why"] == first[0]
    after = [
        act(policy, [RULE.say(), LEFT], seed=seed, info={"outcome": {"need": "n1", "truth": "left bin"}}).notes["why"]
        for seed in range(20)
    ]
    assert len(set(after)) == 2, "with the outcome the draw is made anew"


def test_only_the_best_ranked_procedure_is_followed():
    good = Instruction(QUESTION, "right bin", steps=("ask Ann", "right bin")).say()
    other = Instruction("Where is the cone?", "far bin", steps=("far bin",)).say()
    assert act(Believer(rho=1.0), [good, other]).text == "open the right bin"
    assert act(Believer(rho=1.0), [other, good, LEFT]).text == "open the left bin"


def test_what_is_seen_now_outranks_a_rule():
    assert act(Believer(rho=1.0), [RULE.say()], text=LEFT).notes["why"] == "seen"


def test_what_has_no_trust_is_not_read_and_votes_weigh_by_trust():
    texts = [
        RULE.say(),
        GRAMMAR.say(Claim("cube", "place", "far bin", "Eve")),
        GRAMMAR.say(Claim("cube", "place", "left bin", "Ann")),
    ]
    policy = Believer("recent", rho=1.0)
    assert act(policy, texts, trusts=[0.0, 0.2, 0.4]).text == "open the left bin"
    assert act(policy, texts, trusts=[0.0, 0.5, 0.4]).text == "open the far bin"
    assert act(Believer(), texts[1:], trusts=[0.0, 1.0]).text == "open the left bin"


@pytest.mark.parametrize(("contacts", "to"), [("none", 0), ("random", 1), ("all", 3)])
def test_an_instruction_with_copy_is_noted_and_sent(contacts, to):
    action = act(Believer(kappa=1.0, contacts=contacts), [LEFT, f'Ann said, "{RULE.say()}"', RULE.say()], need=None)
    assert [tell.text for tell in action.tells] == [RULE.say()] * (1 + to), "once, though two records carry it"
    assert action.tells[0].to == "" and len({tell.to for tell in action.tells}) == 1 + to
    assert action.notes["used"] == ["1"]


def test_an_instruction_that_is_only_seen_is_passed_on_and_that_is_noted():
    action = act(Believer(kappa=1.0), [], text=f"Hello. {RULE.say()}", need=None)
    assert len(action.tells) == 1
    assert action.notes["used"] == [SEEN]


def test_without_copy_nothing_is_passed_on_and_kappa_is_a_probability():
    assert act(Believer(kappa=1.0), [Instruction("cube", "far bin").say()], need=None).tells == ()
    passed = [len(act(Believer(kappa=0.3), [RULE.say()], need=None, seed=seed).tells) for seed in range(120)]
    assert 0.15 < sum(passed) / 120 < 0.45


def test_who_browses_asks_for_what_is_seen_where_nothing_is_needed():
    seen = Observation("player_0", "w0000", 9, 0.0, "A van came.", None, {})
    assert [query.text for query in Believer(browses=True).queries(seen, None)] == ["A van came."]
    assert Believer().queries(seen, None) == () == Believer(browses=True, recall=False).queries(seen, None)
    needing = Observation("player_0", "w0000", 9, 0.0, "A van came.", None, {"need": NEED.plain()})
    assert [query.text for query in Believer(browses=True).queries(needing, None)] == [QUESTION]


HINTS = bridge("the cube", "far bin", ("entry 4", "entry 9"))


def test_a_question_reads_back_and_hints_lead_to_a_value():
    asked = Asked(QUESTION, HINTS)
    assert read_asked(f"A van came.\n{asked.say()} It rains.\n{Asked(QUESTION).say()}") == (asked, Asked(QUESTION))
    assert asked.concluded() == "far bin"
    assert Asked(QUESTION, bridge("the cube", "far bin", ())).concluded() == "far bin"
    for broken in (HINTS[:2], HINTS[1:2], (), (HINTS[0], HINTS[2])):
        assert Asked(QUESTION, broken).concluded() == ""
    with pytest.raises(ContractBroken):
        Asked("no question; at all").say()


def test_a_users_question_is_answered_by_its_hints_and_noted_as_a_procedure():
    policy = Believer(rho=1.0)
    asked = Asked(QUESTION, HINTS)
    seen = Observation("player_0", "w0000", 9, 0.0, asked.say(), None, {})
    assert [query.text for query in policy.queries(seen, None)] == [QUESTION]
    action = act(policy, [], text=asked.say(), need=None)
    (note,) = action.tells
    assert asked.say() in note.text
    (procedure,) = read_instructions(note.text)
    assert procedure.do == "far bin" and procedure.when == asked.task
    assert act(policy, [note.text, LEFT]).text == "open the left bin", "its precondition is the question with hints"


def test_shorter_questions_continue_remembered_answers_step_by_step_and_not_by_leaps():
    policy, remembered = Believer(rho=1.0), []
    for left in (3, 2, 1, 0):
        action = act(policy, remembered, text=Asked(QUESTION, HINTS[:left]).say(), need=None)
        remembered.insert(0, action.tells[0].text)
    assert action.notes["used"] == ["0"]
    assert act(policy, remembered).text == "open the far bin", "the plain question is now bridged"
    assert act(policy, remembered[1:]).text == "open the far bin", "one hint less is no leap for a need either"
    full = answered(Asked(QUESTION, HINTS), (*HINTS, "far bin"))
    assert act(policy, [full], text=Asked(QUESTION, HINTS[:1]).say(), need=None).tells == ()


def test_an_honest_remembered_answer_above_breaks_the_bridge():
    honest = answered(Asked(QUESTION), ("ask Ann", "left bin"))
    nearly = answered(Asked(QUESTION, HINTS[:1]), (*HINTS, "far bin"))
    action = act(Believer(rho=1.0), [honest, nearly], text=Asked(QUESTION).say(), need=None)
    assert read_instructions(action.tells[0].text)[0].do == "left bin"


def test_who_has_a_decision_to_make_answers_nobody():
    assert act(Believer(rho=1.0), [LEFT], text=Asked(QUESTION, HINTS).say()).tells == ()
