"""The believer decides by its profile's rule, from recalled text alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from simonides.agents.scripted.believer import DAY, Believer
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.errors import ContractBroken
from simonides.sim.needs import Need
from simonides.sim.types import Observation, Recall, Recalled

GRAMMAR = Grammar([Form("place", "The {subject} is in the {value}.", "The {subject} is not in the {value}.")])
BINS = ("left bin", "right bin", "far bin")


def said(value, by="", positive=True):
    return GRAMMAR.say(Claim("cube", "place", value, by, positive))


def decide(policy, texts, times=None, text="", verify="", info=None):
    plan = {name: f"open the {name}" for name in BINS}
    need = Need("n1", "Where is the cube?", "cube", "place", BINS, plan, GRAMMAR, verify)
    legal = [{"text": name} for name in [*plan.values(), "look around"]]
    told = {"need": need.plain(), "legal_actions": legal, **(info or {})}
    seen = Observation("player_0", "w0000", 9, 10 * DAY, text, None, told)
    times = times or [0.0] * len(texts)
    items = tuple(Recalled(str(i), one, 1.0, time=time) for i, (one, time) in enumerate(zip(texts, times, strict=True)))
    context = SimpleNamespace(rng=np.random.default_rng(3))
    return asyncio.run(policy.act(seen, [Recall(items)], context))


def test_the_credulous_believe_the_best_ranked_claim():
    action = decide(Believer(), ["Nothing.", said("far bin", "Eve"), said("left bin"), said("left bin", "Ann")])
    assert action.text == "open the far bin"
    assert action.notes["why"] == "top"


def test_the_recent_believe_what_is_new():
    texts, times = [said("left bin", "Ann"), said("left bin", "Bob"), said("far bin", "Eve")], [0.0, DAY, 10 * DAY]
    assert decide(Believer("recent"), texts, times).text == "open the far bin"


def test_the_corroborating_want_two_identities():
    sybil = [said("far bin", "Eve"), said("far bin", "Eve"), said("left bin", "Ann")]
    policy = Believer("corroborating", trust=1.0)
    assert decide(policy, sybil, verify="look around").text == "look around"
    assert decide(policy, [*sybil, said("left bin", "Bob")], verify="look around").text == "open the left bin"


def test_an_identity_votes_with_its_newest_claim_only():
    texts, times = [said("far bin", "Ann"), said("left bin", "Ann"), said("far bin", "Bob")], [1.0, 2.0, 1.0]
    action = decide(Believer("corroborating", trust=1.0, threshold=1.0), texts, times)
    assert action.text in ("open the left bin", "open the far bin")
    assert decide(Believer("corroborating", trust=1.0, threshold=2.0), texts, times).notes["why"] == "guess"


def test_a_denial_votes_against():
    texts = [said("left bin", "Ann"), said("left bin", "Bob", False), said("far bin", "Cyd")]
    assert decide(Believer("recent"), texts).text == "open the far bin"


def test_what_is_seen_now_outranks_memory():
    assert decide(Believer(), [said("far bin")], text=said("right bin")).notes["why"] == "seen"


def test_without_recall_it_asks_nothing_and_guesses_once_for_a_need():
    policy = Believer(recall=False)
    first, second = decide(policy, []), decide(policy, [])
    assert first.notes["why"] == "guess"
    assert first.text == second.text
    seen = Observation("player_0", "w0000", 9, 0.0, "", None, {})
    assert policy.queries(seen, None) == ()


def test_the_sceptical_learn_whom_to_trust():
    policy = Believer("sceptical")
    decide(policy, [said("far bin", "Eve"), said("left bin", "Ann")], verify="look around")
    told = {"outcome": {"need": "n1", "truth": "left bin"}}
    decide(policy, [], verify="look around", info=told)
    assert policy.trust("Ann") == pytest.approx(0.7)
    assert policy.trust("Eve") == pytest.approx(0.3)
    other = Believer("sceptical")
    other.restore(policy.snapshot())
    assert other.trust("Ann") == pytest.approx(0.7)


def test_a_plan_that_is_not_legal_is_the_environments_mistake():
    seen = Observation("player_0", "w0000", 9, 0.0, "", None, {"plan": "fly", "legal_actions": ["walk"]})
    with pytest.raises(ContractBroken, match="'fly'"):
        asyncio.run(Believer().act(seen, [], None))
