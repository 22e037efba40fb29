"""The memory task of dialogues: what is told when, that it alone decides, and that answers are taken strictly."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import pytest
from falsehoods import is_whole

from simonides.envs.dialogue.choices import LISTEN, dialogue_choices
from simonides.envs.dialogue.facts import ATTRIBUTES, GRAMMAR, MOST_OPTIONS
from simonides.envs.dialogue.phrases import KINDS, LEADS, OPENINGS, SMALL_TALK, TAILS
from simonides.sim.checks import check_environment, render
from simonides.sim.claims import Claim
from simonides.sim.config import parse_study
from simonides.sim.errors import ContractBroken, CorruptFile, StudyError
from simonides.sim.inline import run_inline
from simonides.sim.needs import Need
from simonides.sim.rows import world_row
from simonides.sim.trace import WORLD, Trace


def play(env, answer=lambda need: ""):
    """Return every tick's infos, answering needs by a rule."""
    _, infos = env.reset()
    seen = [infos]
    while env.agents:
        acts = {agent: answer(Need.of(info)) if "need" in info else "" for agent, info in infos.items()}
        *_, infos = env.step(acts)
        seen.append(infos)
    return seen[:-1]


def verdicts(ticks):
    return [one for infos in ticks for info in infos.values() for one in info["answer_key"]["verdicts"]]


def claims(ticks):
    return [claim for infos in ticks for info in infos.values() for claim in GRAMMAR.read(info["text"])]


@pytest.mark.parametrize("params", [{}, {"seer": "other", "changes": 2, "questions": 3, "sessions": 5}])
def test_it_passes_the_checks_for_environments(params):
    report = check_environment("dialogue-choices", params)
    assert report.passed, render(report)
    assert all(one.applies for one in report.findings)


def test_every_value_of_every_attribute_reads_back_and_nothing_else_reads_as_a_claim():
    for attribute, (kind, question) in ATTRIBUTES.items():
        assert GRAMMAR.read(question.format(p="Nora")) == ()
        for value in KINDS[kind].values:
            for positive in (True, False):
                claim = Claim("Nora", attribute, value, "Iven", positive)
                assert GRAMMAR.read(GRAMMAR.say(claim)) == (claim,)
    others = " ".join((*SMALL_TALK, *LEADS, *TAILS, *(one.format(o="Nora") for one in OPENINGS)))
    assert GRAMMAR.read(others) == ()
    assert min(len(KINDS[kind].values) for kind, _ in ATTRIBUTES.values()) == MOST_OPTIONS


@pytest.mark.parametrize("delay, distractors, sessions", [(0, 0, 1), (12, 4, 2), (30, 30, 7), (6, 1, 7)])
def test_delay_distractors_and_sessions_lie_between_the_telling_and_the_question(delay, distractors, sessions):
    env = dialogue_choices(seed=5, delay=delay, distractors=distractors, sessions=sessions)
    ticks = play(env)
    (verdict,) = verdicts(ticks)
    assert verdict["needed"] - verdict["seen"] == delay + 1
    assert (verdict["distractors"], verdict["sessions"]) == (distractors, sessions)
    between = ticks[verdict["seen"] + 1 : verdict["needed"]]
    assert sum(any(i["experiences"] and GRAMMAR.read(i["text"]) for i in t.values()) for t in between) == distractors
    ends = ticks[verdict["seen"] : verdict["needed"]]
    assert sum(any(info["session_end"] for info in infos.values()) for infos in ends) == sessions
    assert verdict["needed"] == len(ticks) - 2


def test_the_fact_is_told_once_to_who_will_be_asked():
    env = dialogue_choices(seed=2)
    (verdict,) = verdicts(play(env))
    about = [claim for claim in claims(play(env)) if claim.subject == verdict["subject"]]
    assert {(claim.attribute, claim.value) for claim in about} == {(verdict["attribute"], verdict["truth"])}
    (question,) = env.conversation.questions
    assert question.heard and question.evidence and question.reach == "private"


def test_with_another_seer_who_is_asked_was_away():
    env = dialogue_choices(seed=2, seer="other")
    ticks = play(env)
    (verdict,) = verdicts(ticks)
    asked = next(agent for agent, info in ticks[verdict["needed"]].items() if "need" in info)
    heard = ticks[verdict["seen"]]
    assert heard[asked]["experiences"] == [] and sum(bool(i["experiences"]) for i in heard.values()) == 2
    assert env.conversation.questions[0].reach == "team"


def test_a_changed_fact_was_told_before_with_other_values():
    env = dialogue_choices(seed=4, changes=2)
    ticks = play(env)
    (verdict,) = verdicts(ticks)
    values = [claim.value for claim in claims(ticks) if claim.subject == verdict["subject"]]
    assert verdict["task"] == "changed-fact"
    assert len(set(values)) == 3 and values[-1] == verdict["truth"] and set(values) < set(verdict["options"])


def test_hiding_the_fact_changes_nothing_but_the_turns_that_tell_it():
    shown, hidden = (play(dialogue_choices(seed=7, changes=1, reveal=reveal)) for reveal in (True, False))
    (told,), (untold,) = verdicts(shown), verdicts(hidden)
    assert told | {"seen": -1} == untold
    changed = [n for n, (one, other) in enumerate(zip(shown, hidden, strict=True)) if one != other]
    questions = [told["needed"], told["needed"] + 1]  # where the key names the evidence, and the verdict when
    assert len(changed) == 4 and changed[1] == told["seen"] and changed[2:] == questions
    assert not any(claim.subject == told["subject"] for claim in claims(hidden))
    assert [i["text"] for t in shown[told["needed"] :] for i in t.values()] == [
        i["text"] for t in hidden[told["needed"] :] for i in t.values()
    ]


def test_the_truth_is_spread_over_the_options():
    found = [verdicts(play(dialogue_choices(seed=seed, options=2, delay=1, distractors=0))) for seed in range(60)]
    places = [verdict["options"].index(verdict["truth"]) for (verdict,) in found]
    assert 15 < sum(places) < 45


def test_an_answer_is_judged_and_what_is_no_option_does_nothing():
    right = dialogue_choices(seed=3, questions=2)
    truth = {question.id: question.answer for question in right.conversation.questions}
    good = play(right, lambda need: truth[need.id])
    assert [one["success"] for one in verdicts(good)] == [True, True]
    assert [i["outcome"]["truth"] for t in good for i in t.values() if "outcome" in i] == list(truth.values())
    bad = play(dialogue_choices(seed=3, questions=2), lambda need: truth[need.id].upper())
    assert [(one["success"], one["chosen"]) for one in verdicts(bad)] == [(False, "")] * 2
    told = [info["illegal"] for infos in bad for info in infos.values() if "illegal" in info]
    assert len(told) == 2 and set(truth.values()) & set(told[0]["legal"])
    assert max(info["answer_key"]["illegal"] for info in bad[-1].values()) == 2


@pytest.mark.parametrize("wrong", [3, None, ["listen"], {"a": 1}])
def test_an_action_of_another_type_is_illegal_and_nothing_worse(wrong):
    env = dialogue_choices()
    env.reset()
    *_, infos = env.step({"player_0": wrong})
    assert infos["player_0"]["illegal"]["legal"] == [LISTEN]
    assert infos["player_0"]["answer_key"]["illegal"] == 1 and infos["player_1"]["answer_key"]["illegal"] == 0


def test_a_note_from_outside_is_seen_once_and_survives_a_snapshot():
    env, other = dialogue_choices(seed=9), dialogue_choices(seed=9)
    env.reset()
    env.inject("player_1", "message", "Nora lives in Cork.")
    other.restore(env.snapshot())
    for one in (env, other):
        *_, infos = one.step({})
        assert infos["player_1"]["text"].endswith("Nora lives in Cork.")
        assert infos["player_1"]["experiences"][-1] == {"text": "Nora lives in Cork.", "channel": "message"}
        assert "Nora lives" not in infos["player_0"]["text"]
        *_, infos = one.step({})
        assert "Nora lives" not in infos["player_1"]["text"]
    with pytest.raises(ContractBroken, match=r"Did you mean 'message'\?"):
        env.inject("player_1", "mesage", "x")


def test_a_falsehood_is_a_claim_about_what_will_be_asked():
    env = dialogue_choices(seed=6, questions=2)
    false = env.falsehood(np.random.default_rng(1))
    (claim,) = GRAMMAR.read(false["text"])
    assert (claim.subject, claim.attribute, claim.value) == (false["subject"], false["attribute"], false["value"])
    asked = {question.id: question for question in env.conversation.questions}
    assert asked[false["questions"][0]].answer == false["truth"] != false["value"]
    assert is_whole(env, false)
    told = list(takewhile(lambda infos: not any("need" in info for info in infos.values()), play(env)))
    assert false["tick"] == len(told) - 1 and false["channel"] in env.channels


def test_sizes_that_do_not_go_together_and_foreign_snapshots_are_refused():
    for params, text in (
        ({"delay": 3, "distractors": 4}, "use at most `delay`"),
        ({"delay": 3, "distractors": 0, "sessions": 5}, "each needs one"),
        ({"changes": 4}, "each value is told once"),
        ({"speakers": 2, "seer": "other"}, "use 3"),
    ):
        with pytest.raises(StudyError, match=text):
            dialogue_choices(**params)
    with pytest.raises(CorruptFile, match="not of conversation"):
        dialogue_choices(seed=1).restore(dialogue_choices(seed=1, reveal=False).snapshot())


@pytest.mark.parametrize(
    ("params", "wiring", "recall", "low", "high"),
    [
        ({}, "private", True, 1.0, 1.0),
        ({}, "private", False, 0.0, 0.5),
        ({"reveal": False}, "private", True, 0.0, 0.5),
        ({"seer": "other"}, "global", True, 1.0, 1.0),
        ({"seer": "other"}, "private", True, 0.0, 0.5),
    ],
)
def test_a_believer_succeeds_with_memory_and_not_without(tmp_path, params, wiring, recall, low, high):
    found = []
    study = {
        "name": "gap", "seeds": 6, "memory": "full-context", "wiring": wiring,
        "environment": {"name": "dialogue-choices", "questions": 4, **params},
        "policy": {"name": "believer", "k": 1000, "recall": recall},
    }  # fmt: skip
    for n, trial in enumerate(parse_study(study).trials()):
        assert run_inline(trial, tmp_path / str(n)).errors == ()
        rows = [world_row(row) for row in Trace(tmp_path / str(n)).of(WORLD)]
        found += [v["success"] for row in rows for key in row.keys.values() for v in key["verdicts"]]
    assert len(found) == 24
    assert low <= np.mean(found) <= high
