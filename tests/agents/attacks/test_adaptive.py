"""Whoever knows the defence plans otherwise, with no more records than before."""

from __future__ import annotations

import pytest
from attacking import AGENTS, GRAMMAR, PRIVATE, VICTIM, goal, planning

from simonides.agents.attacks.adaptive import QUERIES, STRATEGIES, hardened, reworded
from simonides.agents.attacks.plans import FRAMES, framed, said_by
from simonides.sim.attacks import Guarded
from simonides.sim.errors import StudyError
from simonides.sim.registry import registry

NAMES = ("planted-record", "memorygraft", "poisonedrag", "agentpoison")


def planned(name: str, defences: tuple[Guarded, ...], adaptive: bool = True, **changes: object):
    params = {"count": 4, "adaptive": adaptive} | ({"trigger": "amber lantern"} if name == "agentpoison" else {})
    return list(registry("attack").build(name, params).plan(planning(defences=defences, **changes)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("defence", sorted(set(STRATEGIES) - {"access-tiers"}))
def test_every_attack_answers_every_defence_with_no_more_records(name, defence):
    plain, hard = planned(name, (Guarded(defence),), adaptive=False), planned(name, (Guarded(defence),))
    assert 0 < len(hard) <= len(plain)
    apart = name == "planted-record" and defence in ("embedding-anomaly", "perplexity")  # plain, and unlike, as it is
    assert (hard == plain) == apart
    assert any(one.tainted for one in hard)


def test_without_a_defence_that_it_knows_the_plan_stays():
    plain = planned("planted-record", (), adaptive=False)
    assert planned("planted-record", ()) == plain
    assert planned("planted-record", (Guarded("something-new"),)) == plain


def test_corroboration_meets_as_many_identities_as_it_asks_for():
    hard = planned("planted-record", (Guarded("corroboration", {"identities": 2}),))
    by_fact: dict[str, list[str]] = {}
    for one in hard:
        (claim,) = GRAMMAR.read(one.text)
        assert claim.said_by == one.speaker
        by_fact.setdefault(claim.subject, []).append(one.agent)
    assert len(by_fact) == 2 and all(len(set(agents)) == 2 for agents in by_fact.values())


def test_sybils_of_a_private_space_differ_in_name_alone():
    hard = planned("planted-record", (Guarded("corroboration", {"identities": 3}),), spaces=PRIVATE)
    assert {one.agent for one in hard} == {VICTIM}
    assert len({one.speaker for one in hard}) == len(hard) == 3


def test_trust_that_decays_gets_true_claims_first_from_the_same_identity():
    hard = planned("planted-record", (Guarded("trust-decay"),), spaces=PRIVATE)
    true, false = [one for one in hard if not one.tainted], [one for one in hard if one.tainted]
    assert len(true) == len(false) == 2
    assert max(one.after for one in true) < min(one.after for one in false)
    assert {one.agent for one in true} == {one.agent for one in false}
    for one in true:
        (claim,) = GRAMMAR.read(one.text)
        assert claim.value == one.about["truth"] and claim.subject not in {f.about["subject"] for f in false}


def test_a_single_record_cannot_be_preceded_by_a_true_one():
    params = {"count": 1, "adaptive": True}
    (one,) = registry("attack").build("planted-record", params).plan(planning(defences=(Guarded("trust-decay"),)))
    assert one.tainted


def test_trust_that_decays_meets_other_agents_where_there_are_any():
    hard = planned("planted-record", (Guarded("trust-decay"),))
    assert {one.agent for one in hard} == set(AGENTS) - {VICTIM} and all(one.tainted for one in hard)


def test_tiers_are_met_by_whoever_may_write_and_is_read():
    params = {"tiers": {"ben": 2, "cat": 1}, "write": 1}
    for rule, agent in (("integrity", "w0000/ben"), ("confidential", "w0000/cat")):
        hard = planned("planted-record", (Guarded("access-tiers", {**params, "rule": rule}),))
        assert {one.agent for one in hard} == {agent}


def test_lineage_is_met_by_other_agents_of_the_space():
    hard = planned("planted-record", (Guarded("lineage-trust"),))
    assert {one.agent for one in hard} == set(AGENTS) - {VICTIM}


def test_other_wordings_stay_below_the_threshold_and_are_still_read():
    context = planning()
    plan = planned("planted-record", (), adaptive=False)
    same = [plan[0]] * 3
    hard = reworded(same, context, 0.85)
    likeness = context.embed([one.text for one in hard])
    assert len({one.text for one in hard}) == 3
    assert (likeness @ likeness.T)[0, 1:].max() < 0.999
    for one in hard:
        assert [claim.value for claim in GRAMMAR.read(one.text)] == [goal(0).value]


def test_the_search_for_wordings_keeps_its_budget_and_needs_an_embedder():
    context = planning()
    plan = planned("planted-record", (), adaptive=False)
    reworded(plan * 30, context, 0.8)
    assert context.asked <= QUERIES
    assert reworded(plan * 200, context, 0.8) == plan * 200

    def none(texts):
        raise StudyError("no embedder")

    context.embed = none
    assert reworded(plan, context, 0.8) == plan


def test_purges_lose_true_content_with_the_poison():
    for one in planned("planted-record", (Guarded("purge-by-origin"),)):
        true, false = GRAMMAR.read(one.text)
        assert true.value != one.about["value"] == false.value
        assert one.tainted


def test_defences_are_met_one_after_the_other():
    hard = planned("planted-record", (Guarded("lineage-trust"), Guarded("purge-by-origin")))
    assert VICTIM not in {one.agent for one in hard} and all(len(GRAMMAR.read(one.text)) == 2 for one in hard)
    assert hardened([], planning(defences=(Guarded("corroboration"),))) == []


@pytest.mark.parametrize("number", range(len(FRAMES)))
def test_a_frame_leaves_the_claim_readable(number):
    (claim,) = GRAMMAR.read(framed(goal(1).text, number))
    assert (claim.value, claim.said_by) == (goal(1).value, "Ben")


def test_what_quotes_within_is_not_quoted_again():
    assert said_by("plain words", "Alma") == 'Alma said, "plain words"'
    assert said_by('Ben said, "plain words"', "Alma") == 'Alma said, "plain words"'
    assert said_by('First. Ben said, "words" again.', "Alma") == 'First. Ben said, "words" again.'
