"""Prompted policies play environments in words through the kernel, with memory, and every run of it repeats."""

from __future__ import annotations

import pytest

from simonides.agents.prompts import Prompts
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.modelcalls import read_calls
from simonides.sim.rows import world_row
from simonides.sim.trace import WORLD, Trace


def trial_of(**fields):
    base = {
        "name": "words",
        "environment": "worded:cartpole",
        "memory": {"name": "window", "turns": 4},
        "policy": "prompted",
        "model": "scripted",
        "ticks": 8,
    }
    (trial,) = parse_study({**base, "seeds": 1, **fields}).trials()
    return trial


def rows_of(folder):
    return [world_row(row) for row in Trace(folder).of(WORLD)]


def run(trial, folder, layout=None, **options):
    outcome = run_inline(trial, folder, layout, **options)
    assert outcome.errors == ()
    return [row.actions["player_0"] for row in rows_of(folder)]


@pytest.mark.parametrize("policy", ["prompted", "react"])
@pytest.mark.parametrize("model", ["scripted", "worded:Clerk"])
def test_a_cartpole_is_played_from_its_words_and_repeats_in_every_layout(tmp_path, policy, model):
    trial = trial_of(policy=policy, model=model)
    done = run(trial, tmp_path / "0")
    assert len(done) == 8
    assert all(action.text in ("push left", "push right") and action.value in (0, 1) for action in done)
    assert all(action.notes["fallback"] == "" for action in done)
    assert done[-1].notes["shown"] > 0
    run(trial, tmp_path / "1", Layout(memory_actors=2, private="actors"))
    assert Trace(tmp_path / "0").digest() == Trace(tmp_path / "1").digest()


def test_what_was_lived_is_remembered_in_words(tmp_path):
    run(trial_of(), tmp_path)
    lived = rows_of(tmp_path)[2].experiences[0]
    assert lived.text.startswith("position: ") and "I did: push" in lived.text


def test_hops_stand_in_the_trace(tmp_path):
    run(trial_of(policy={"name": "react", "recalls": 1}, model="worded:Clerk"), tmp_path)
    for row in rows_of(tmp_path):
        assert [(one.hop, one.text) for one in row.asked if one.hop] == [(1, "more")]
        assert row.actions["player_0"].notes["recalls"] == ["more"]
        assert row.usage.calls == 2


def test_a_model_that_reads_text_is_told_the_wording_whose_hash_is_in_the_notes(tmp_path):
    done = run(trial_of(model="worded:Clerk"), tmp_path / "trial", calls=tmp_path)
    assert {action.notes["prompt"] for action in done} == {Prompts().version("policy.action")[:16]}
    calls = list(read_calls(tmp_path))
    assert len({call.asked[0][1] for call in calls}) == 1
    assert "push left" in calls[0].asked[1][1]


@pytest.mark.parametrize("policy", ["prompted", "react"])
def test_an_adversarial_model_costs_its_turns_and_nothing_else(tmp_path, policy):
    done = run(trial_of(policy=policy, model={"name": "worded:Clerk", "manner": "junk"}), tmp_path)
    assert {(action.value, action.notes["fallback"]) for action in done} == {(0, "first-legal")}
    assert {tuple(action.notes["malformed"]) for action in done} == {("nonsense", "nonsense")}
    assert {row.usage.malformed for row in rows_of(tmp_path)} == {2}


def test_a_model_that_is_told_its_mistake_mends_it(tmp_path):
    done = run(trial_of(model={"name": "worded:Clerk", "manner": "mend"}), tmp_path)
    assert {(action.notes["retries"], action.notes["fallback"]) for action in done} == {(1, "")}


def test_a_policy_that_refuses_ends_its_world_with_the_reason(tmp_path):
    policy = {"name": "react", "fallback": "refuse"}
    outcome = run_inline(trial_of(policy=policy, model={"name": "worded:Clerk", "manner": "junk"}), tmp_path)
    assert "no usable action twice" in outcome.errors[0] and "\n" not in outcome.errors[0]


def test_free_actions_fit_their_schema_and_come_as_the_spaces_type(tmp_path):
    trial = trial_of(environment="worded:throttle", policy="react", model="worded:Clerk")
    done = run(trial, tmp_path / "good")
    assert [action.value for action in done] == [[0.5]] * 6
    assert [action.reward for action in done] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    junk = trial_of(environment="worded:throttle", model={"name": "worded:Clerk", "manner": "junk"})
    assert {(tuple(a.value), a.notes["fallback"]) for a in run(junk, tmp_path / "bad")} == {((0.0,), "noop")}


def test_claims_are_told_and_answered_in_words(tmp_path):
    claims = {"name": "claims", "agents": 2, "claims": 2, "values": 3, "listed": True}
    for policy in ("prompted", "react"):
        trial = trial_of(environment=claims, policy=policy, memory={"name": "bm25"}, ticks=12)
        done = run(trial, tmp_path / policy)
        assert {action.notes["purpose"] for action in done} == {f"policy.{policy.replace('prompted', 'action')}"}
        assert {type(action.value) for action in done} == {int}
