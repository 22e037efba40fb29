"""Attacks by texts that spread, wait or are reasoned into being: what they plan, and that victims read it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from attacking import AGENTS, GRAMMAR, PLACES, PRIVATE, SHARED, VICTIM, goal, planning

from simonides.agents.scripted.asked import read_asked
from simonides.agents.scripted.believer import Believer
from simonides.sim.attacks import Attack, Guarded
from simonides.sim.errors import StudyError
from simonides.sim.instructions import Instruction, read_instructions
from simonides.sim.needs import Need
from simonides.sim.registry import registry
from simonides.sim.types import Observation, Recall, Recalled

NAMES = ("self-replicating", "dormant-claim", "minja", "agent-smith")
FAMILIES = {
    "dialogue": ("dialogue", "dialogue-choices"),
    "android": ("android", "android-tasks", "droidtask"),
    "manipulation": ("manipulation", "metaworld-chain", "libero"),
    "driving": ("highway", "metadrive", "commonroad"),
}
GOAL = goal(0)
NEED = Need("n", GOAL.question, GOAL.subject, "place", PLACES, {place: place for place in PLACES}, GRAMMAR)


def attack(name: str, **params: object) -> Attack:
    return registry("attack").build(name, params)


def act(texts, text="", need=None):
    info = {"legal_actions": [{"text": place} for place in PLACES], **({"need": need.plain()} if need else {})}
    seen = Observation("ann", "w0000", 9, 0.0, text, None, info)
    items = tuple(Recalled(str(n), one, 1.0) for n, one in enumerate(texts))
    context = SimpleNamespace(rng=np.random.default_rng(0), peers=())
    return asyncio.run(Believer(rho=1.0, kappa=1.0).act(seen, [Recall(items)], context))


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_declares_itself_and_plans_the_same_twice(name):
    made = attack(name)
    assert isinstance(made, Attack)
    assert made.card.source and made.card.adaptive and made.card.doors
    assert list(made.plan(planning())) == list(attack(name).plan(planning()))
    for one in made.plan(planning()):
        assert one.door in made.card.doors


@pytest.mark.parametrize("name", NAMES[:3])
def test_each_family_has_an_environment_for_it_and_the_others_a_reason(name):
    reasons = attack(name).card.not_applicable
    assert set(reasons) <= set(registry("environment").names())
    for environments in FAMILIES.values():
        assert not set(environments) <= set(reasons)


def test_the_album_of_agent_smith_is_in_no_family():
    reasons = attack("agent-smith").card.not_applicable
    assert {one for environments in FAMILIES.values() for one in environments} <= set(reasons)


@pytest.mark.parametrize(("via", "door"), [("messages", "channel"), ("stores", "memory")])
def test_the_self_replicating_rule_reaches_other_agents_than_the_one_in_need(via, door):
    told = attack("self-replicating", via=via, patients=2, goals=2).plan(planning())
    assert len(told) == 4 and {one.door for one in told} == {door}
    assert VICTIM not in {one.agent for one in told} and len({one.agent for one in told}) == 2
    (rule,) = read_instructions(told[0].text)
    assert rule == Instruction(GOAL.subject, GOAL.value, copy=True)
    assert len(attack("self-replicating", patients=9).plan(planning())) == len(AGENTS)


def test_its_benign_control_says_the_truth_and_is_not_tainted():
    (one,) = attack("self-replicating", benign=True).plan(planning())
    assert not one.tainted and one.about["value"] == GOAL.truth == read_instructions(one.text)[0].do


def test_it_needs_somebody_to_pass_it_on_to():
    with pytest.raises(StudyError, match="toys has one agent in w0000"):
        attack("self-replicating").plan(planning(agents=(VICTIM,)))


@pytest.mark.parametrize(
    ("condition", "text", "acted"),
    [("subject", "", True), ("question", "", True), ("phrase", "", False), ("phrase", "It is as on market day.", True)],
)
def test_a_dormant_claim_acts_when_its_condition_holds(condition, text, acted):
    (one,) = attack("dormant-claim", condition=condition).plan(planning())
    assert (act([one.text], text, NEED).notes["why"] == "obeyed") is acted
    assert act([one.text]).tells == ()


def test_a_dormant_claim_names_the_queries_that_should_and_should_not_recall_it():
    (one,) = attack("dormant-claim", distant=2).plan(planning())
    assert GOAL.question in one.about["adjacent"]
    assert one.about["distant"] == [goal(1).question, goal(2).question]


def test_its_phrase_is_said_when_it_is_to_fire():
    rule, trigger = attack("dormant-claim", condition="phrase", fires=7).plan(planning())
    assert (trigger.after, trigger.door, trigger.agent, trigger.tainted) == (7, "channel", VICTIM, False)
    assert read_instructions(rule.text)[0].when in trigger.text


def live(injections):
    """Let the scripted victim live through questions in order, remembering what it notes; return its memory."""
    memory = [one.text for one in injections if one.door == "memory"]
    for one in sorted((one for one in injections if one.door == "channel"), key=lambda one: one.after):
        memory = [*(tell.text for tell in act(memory, one.text).tells), *memory]
    return memory


def test_minja_makes_the_victim_remember_a_false_reasoning_for_the_plain_question():
    told = attack("minja", steps=5, every=3).plan(planning())
    assert [one.after for one in told] == [1, 4, 7, 10, 13]
    assert [len(read_asked(one.text)[0].hints) for one in told] == [4, 3, 2, 1, 0]
    assert not any(read_instructions(one.text) for one in told), "the attacker itself writes no reasoning"
    memory = live(told)
    assert len(memory) == 5 and GOAL.question in {one.when for one in read_instructions(memory[0])}
    assert act(memory, need=NEED).notes["believed"] == GOAL.value


def test_minja_without_its_middle_steps_fails():
    told = attack("minja", steps=5).plan(planning())
    assert len(live([told[0], told[-1]])) == 1


def test_the_benign_memory_comes_first_and_is_honest():
    told = attack("minja", benign_memory=30, facts=3).plan(planning())
    benign = [one for one in told if one.door == "memory"]
    assert len(benign) == 30 and not any(one.tainted for one in benign) and {one.after for one in benign} == {0}
    truths = {goal(n).question: goal(n).truth for n in range(3)}
    assert {rule.when: rule.do for one in benign for rule in read_instructions(one.text)} == truths


def test_the_controls_of_minja_are_honest_in_the_same_form():
    asked = attack("minja", content="truth").plan(planning())
    assert not any(one.tainted for one in asked) and live(asked)[0].endswith(f"> {GOAL.truth}; result: success.")
    (wrong,) = attack("minja", content="mistake").plan(planning())
    assert (wrong.door, wrong.tainted, read_instructions(wrong.text)[0].do) == ("memory", False, GOAL.value)
    assert {one.door for one in attack("minja", content="none", benign_memory=3).plan(planning())} == {"memory"}


def test_minja_asks_several_writers_only_where_it_knows_of_defences():
    guarded = {"defences": [Guarded("corroboration")], "spaces": SHARED}
    assert {one.agent for one in attack("minja").plan(planning(**guarded))} == {VICTIM}
    assert {one.agent for one in attack("minja", adaptive=True).plan(planning(spaces=SHARED))} == {VICTIM}
    assert {one.agent for one in attack("minja", adaptive=True).plan(planning(**guarded))} == set(AGENTS)


def test_agent_smith_infects_a_share_of_the_albums():
    told = attack("agent-smith", p0=0.5).plan(planning(spaces=PRIVATE))
    assert len({one.agent for one in told}) == 2
    assert read_instructions(told[0].text)[0].copy
    assert [one.agent for one in attack("agent-smith", patients=(3, 0)).plan(planning())] == [AGENTS[3], AGENTS[0]]
    with pytest.raises(StudyError, match="no agent number 9"):
        attack("agent-smith", patients=(9,)).plan(planning())


def test_the_adaptive_agent_smith_begins_where_most_is_written():
    spaces = {**PRIVATE, "global": SHARED["global"].__class__(AGENTS, (AGENTS[2],))}
    (one,) = attack("agent-smith", p0=0.25, adaptive=True).plan(planning(spaces=spaces))
    assert one.agent == AGENTS[2]
