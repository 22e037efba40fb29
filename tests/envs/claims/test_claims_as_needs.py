"""Claims as a memory task: whom `seer` asks, verdicts, illegal actions, rumours, and what all that costs."""

from __future__ import annotations

import numpy as np
import pytest
from falsehoods import is_whole

from simonides.envs.claims.env import claims
from simonides.envs.claims.wording import GRAMMAR, SILENT, claim
from simonides.sim.checks import check_environment, render
from simonides.sim.claims import Claim
from simonides.sim.config import parse_study
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.inline import run_inline
from simonides.sim.rows import world_row
from simonides.sim.trace import WORLD, Trace


def play(env, act):
    """Return every tick's infos; `act` chooses an action from an info."""
    _, infos = env.reset(seed=4)
    ticks = [infos]
    while env.agents:
        *_, infos = env.step({agent: act(info) for agent, info in infos.items()})
        ticks.append(infos)
    return ticks[:-1]


@pytest.mark.parametrize("params", [{"seer": "self", "witnesses": 1}, {"seer": "other", "ticks": 7}])
def test_it_passes_every_check_for_environments(params):
    report = check_environment("claims", {"listed": True, "agents": 3, "ticks": 12, **params})
    assert report.passed, render(report)
    assert [one.check for one in report.findings if not one.applies] == ["illegal"]  # the space holds legal ones only


def test_its_sentences_are_its_grammars():
    assert GRAMMAR.say(Claim("tower 3", "colour", "red")) == claim(3, "red")


@pytest.mark.parametrize("seer", ["self", "other"])
def test_agents_are_asked_for_what_they_or_only_others_have_seen(seer):
    env = claims(listed=True, seer=seer, agents=6, claims=4)
    ticks = play(env, lambda info: 0)
    own = {agent: {lived["metadata"]["claim"] for lived in info["experiences"]} for agent, info in ticks[0].items()}
    asked = [(agent, info["topic"]) for infos in ticks for agent, info in infos.items() if "need" in info]
    assert len(asked) > 30
    assert {topic in own[agent] for agent, topic in asked} == {seer == "self"}


def test_each_need_gets_its_verdict_at_the_next_tick_and_the_last_tick_asks_nothing():
    ticks = play(claims(listed=True, ask_every=4, ticks=9), lambda info: 2)
    for n, infos in enumerate(ticks):
        assert {"need" in info for info in infos.values()} == {n == 4}
        judged = [one for info in infos.values() for one in info["answer_key"]["verdicts"]]
        assert len(judged) == (8 if n == 5 else 0)
        assert all(one["success"] == (one["truth"] == "blue") and one["chosen"] == "blue" for one in judged)


def test_hiding_the_truths_hides_them_and_changes_nothing_else():
    shown, hidden = (play(claims(listed=True, ticks=12, reveal=reveal), lambda info: 0) for reveal in (True, False))
    assert not any(info["experiences"] for infos in hidden for info in infos.values())
    assert [i["topic"] for t in shown for i in t.values()] == [i["topic"] for t in hidden for i in t.values()]
    assert {one["seen"] for i in hidden[6].values() for one in i["answer_key"]["verdicts"]} == {-1}


@pytest.mark.parametrize("wrong", [99, -1, "red", None, 2.0, 10**30, [1]])
def test_an_illegal_action_is_silence_and_is_told(wrong):
    env = claims(listed=True, agents=4)
    env.reset(seed=1)
    *_, infos = env.step({"player_0": wrong, "player_1": 1, "player_2": np.int64(2), "player_3": 3})
    assert infos["player_0"]["illegal"] == {"asked": repr(wrong), "legal": [SILENT, *env.options]}
    assert [info["answer_key"]["illegal"] for info in infos.values()] == [1, 0, 0, 0]
    assert sum(bool(info["experiences"]) for info in infos.values()) == 3


def test_who_has_nothing_to_do_is_silent_and_within_the_rules():
    env = claims(agents=2)
    env.reset()
    *_, infos = env.step({"player_0": "", "player_1": 1})
    assert "illegal" not in infos["player_0"] and infos["player_0"]["experiences"]


def test_a_rumour_is_seen_once_and_survives_a_snapshot():
    env, other = claims(), claims()
    env.reset()
    env.inject("player_2", "rumour", claim(0, "gold"))
    other.restore(env.snapshot())
    for one in (env, other):
        *_, infos = one.step(dict.fromkeys(one.agents, 1))
        assert infos["player_2"]["experiences"][-1] == {"text": claim(0, "gold"), "channel": "rumour"}
        *_, infos = one.step(dict.fromkeys(one.agents, 1))
        assert claim(0, "gold") not in infos["player_2"]["text"]
    with pytest.raises(ContractBroken, match="Known: rumour"):
        env.inject("player_2", "letter", "x")


def test_a_falsehood_is_false_in_the_world_as_it_stands():
    env = claims()
    env.reset(seed=3)
    for n in range(20):
        false = env.falsehood(np.random.default_rng(n))
        topic = int(false["subject"].split()[1])
        assert is_whole(env, false, "message")
        assert env.options[env.truth[topic] - 1] == false["truth"] != false["value"]
        assert GRAMMAR.read(false["text"]) == (Claim(false["subject"], "colour", false["value"]),)


def test_a_snapshot_of_other_parameters_is_refused():
    with pytest.raises(CorruptFile, match="of this size"):
        claims(listed=True).restore(claims().snapshot())


@pytest.mark.parametrize("agents", [2, 8, 300])
def test_the_circle_is_drawn_at_every_tick(agents):
    env = claims(agents=agents, witnesses=1, ticks=8)
    env.reset()
    pictures = [env.render()]
    for _ in range(6):
        env.step(dict.fromkeys(env.agents, 1))
        pictures.append(env.render())
    assert len({picture.tobytes() for picture in pictures}) == 7
    assert pictures[0].shape == (640, 640, 3) and pictures[0].dtype == np.uint8


@pytest.mark.parametrize(
    ("params", "wiring", "recall", "low", "high"),
    [
        ({"seer": "self"}, "private", True, 1.0, 1.0),
        ({"seer": "self"}, "private", False, 0.0, 0.4),
        ({"seer": "self", "reveal": False}, "private", True, 0.0, 0.4),
        ({"seer": "other"}, "global", True, 1.0, 1.0),
    ],
)
def test_a_believer_succeeds_with_memory_and_not_without(tmp_path, params, wiring, recall, low, high):
    found = []
    study = {
        "name": "gap", "seeds": 6, "memory": "full-context", "wiring": wiring,
        "environment": {"name": "claims", "listed": True, "ticks": 12, **params},
        "policy": {"name": "believer", "k": 1000, "recall": recall},
    }  # fmt: skip
    for n, trial in enumerate(parse_study(study).trials()):
        assert run_inline(trial, tmp_path / str(n)).errors == ()
        rows = [world_row(row) for row in Trace(tmp_path / str(n)).of(WORLD)]
        found += [v["success"] for row in rows for key in row.keys.values() for v in key["verdicts"]]
    assert len(found) > 50
    assert low <= np.mean(found) <= high
