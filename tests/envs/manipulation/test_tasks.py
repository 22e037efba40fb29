"""Memory decides every task: who remembers succeeds, who does not is at chance; the physics judges."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="needs the extra manipulation")
from falsehoods import is_whole

from simonides.envs.manipulation.make import ITEMS, manipulation
from simonides.sim.claims import Grammar
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.needs import Need
from simonides.sim.render import legal_actions

TASKS = sorted(ITEMS)


@pytest.mark.parametrize("task", TASKS)
def test_who_remembers_succeeds(task, played):
    env = manipulation(task=task, delay=2)
    found = [one for seed in range(4) for one in played(env, seed).succeeded]
    assert len(found) >= 4
    assert all(found)


@pytest.mark.parametrize("task", TASKS)
def test_who_does_not_remember_guesses_and_no_leak_helps(task, played):
    env, hidden = manipulation(task=task, delay=1), manipulation(task=task, delay=1, reveal=False)
    forgetful = [played(env, seed, recall=False) for seed in range(6)]
    unshown = [played(hidden, seed) for seed in range(6)]
    assert not all(ok for one in forgetful for ok in one.succeeded)
    assert [one.actions for one in forgetful] == [one.actions for one in unshown]
    assert {verdict["seen"] for one in unshown for verdict in one.verdicts} == {-1}


@pytest.mark.parametrize("task", TASKS)
def test_who_remembers_succeeds_and_who_does_not_guesses(task, played):
    """The study `memory_gap` measures it with 100 seeds; here a few show that nothing is broken."""
    env, hidden = manipulation(task=task), manipulation(task=task, reveal=False)
    arms = [(env, True), (env, False), (hidden, True)]
    found = [[ok for seed in range(8) for ok in played(one, seed, recall).succeeded] for one, recall in arms]
    full, none, unshown = (float(np.mean(one)) for one in found)
    assert full == 1.0
    assert max(none, unshown) < 0.9


@pytest.mark.parametrize(
    "parameters",
    [{"arms": 2}, {"arms": 4, "distractors": 2}, {"deliver": "partner"}, {"task": "shell-game"}],
    ids=["two arms", "four arms", "hand over", "shell game"],
)
def test_one_sees_and_another_needs(parameters, played):
    env = manipulation(seer="other", delay=2, **parameters)
    together = played(env, 1, shared=True)
    assert len(together.verdicts) == len(env.possible_agents)
    assert all(together.succeeded)
    alone = [ok for seed in range(3) for ok in played(env, seed).succeeded]
    assert not all(alone)


def test_a_bar_goes_from_hand_to_hand(played):
    env = manipulation(deliver="partner", delay=1)
    acts = [text for _, text in played(env, 3).actions if text in ("hand it over", "take it", "let go")]
    assert acts == ["hand it over", "take it", "let go"] * 2


def test_success_is_what_the_physics_says_not_what_was_chosen(played, monkeypatch):
    from simonides.envs.manipulation import skills

    monkeypatch.setattr(skills, "pick", lambda *given: [])
    verdict = played(manipulation(delay=1), 0).verdicts[0]
    assert verdict["chosen"] == verdict["truth"]
    assert not verdict["success"]


def test_raw_control_follows_the_same_plans(played):
    assert all(played(manipulation(control="raw", delay=25), 2).succeeded)


def test_sessions_end_within_the_delay():
    env = manipulation(delay=4, sessions=2)
    _, infos = env.reset(seed=0)
    ends, times = [], []
    while env.agents:
        ends.append(infos["player_0"]["session_end"])
        times.append(infos["player_0"]["time"])
        *_, infos = env.step({"player_0": 0})
    assert sum(ends) == 2
    assert times == sorted(times)
    assert times[-1] - times[0] > 2 * 86_400 - 1


def test_distractors_are_told_and_change_nothing(played):
    plain, told = manipulation(task="shell-game"), manipulation(task="shell-game", distractors=4)
    assert sum("of table" in text.split(".", 1)[1] for text in played(told, 0).texts) == 4
    assert played(plain, 0).actions == played(told, 0).actions


def test_an_illegal_action_does_nothing_and_names_what_is_legal():
    env = manipulation(delay=3)
    env.reset(seed=0)
    env.step({"player_0": 0})
    *_, infos = env.step({"player_0": env.names.index("open the left bin")})
    assert infos["player_0"]["illegal"]["asked"] == "open the left bin"
    assert "wait" in infos["player_0"]["illegal"]["legal"]
    assert infos["player_0"]["answer_key"]["illegal"] == 1
    assert env.cell.opened(0, "left bin") < 0.01


@pytest.mark.parametrize("wrong", [99, -1, "wait", None, 1.5, np.full(5, np.nan)])
def test_nonsense_is_refused_and_survived(wrong):
    for control in ("skills", "raw"):
        env = manipulation(control=control)
        env.reset(seed=0)
        *_, infos = env.step({"player_0": wrong})
        assert env.agents
        assert np.isfinite(env.cell.data.qpos).all()
        assert infos["player_0"]["answer_key"]["illegal"] == 1


def test_physics_that_diverges_ends_the_episode_as_failed():
    env = manipulation(delay=3)
    env.reset(seed=0)
    env.cell.data.qvel[0] = np.nan
    observations, _, ended, _, infos = env.step({"player_0": 0})
    info = infos["player_0"]
    assert not any(ended.values())
    assert [verdict["success"] for verdict in info["answer_key"]["verdicts"]] == [False]
    assert "failed" in info["answer_key"]
    assert "The episode has failed" in info["text"]
    assert env.observation_space("player_0").contains(observations["player_0"])
    *_, ended, _, _ = env.step({"player_0": 0})
    assert ended["player_0"]
    assert not env.agents
    _, infos = env.reset(seed=0)
    assert "failed" not in infos["player_0"]["answer_key"]


def test_a_falsehood_contradicts_the_truth_in_words_that_are_read():
    env = manipulation(task="remember-colour", seed=3)
    env.reset(seed=5)
    lie = env.falsehood(np.random.default_rng(0))
    claim = env.task.grammar.read(lie["text"])[0]
    assert (claim.subject, claim.attribute, claim.value) == (lie["subject"], lie["attribute"], lie["value"])
    assert claim.value != env.cases[0].truths[0]
    assert claim.said_by == "A visitor"
    assert is_whole(env, lie, "message")


def test_what_prompted_agents_read_is_enough_to_act():
    env = manipulation(delay=1)
    _, infos = env.reset(seed=1)
    while "need" not in infos["player_0"]:
        *_, infos = env.step({"player_0": infos["player_0"]["noop"]})
    need = Need.of(infos["player_0"])
    assert need is not None
    assert need.question in infos["player_0"]["text"]
    assert infos["player_0"]["question"] == need.question
    assert set(need.plan.values()) <= set(legal_actions(infos["player_0"]))
    assert isinstance(need.grammar, Grammar)


def test_a_snapshot_of_another_configuration_is_refused():
    env = manipulation(delay=3)
    env.reset(seed=0)
    with pytest.raises(CorruptFile, match="with these parameters"):
        manipulation(delay=4).restore(env.snapshot())


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"arms": 1, "seer": "other"}, "use 2 or 4"),
        ({"task": "shell-game", "items": 9}, "2 to 4 items"),
        ({"distractors": 4}, "room for 3 others"),
        ({"sessions": 9}, "do not end in a delay"),
    ],
)
def test_what_a_task_cannot_have_is_said(parameters, said):
    with pytest.raises(StudyError, match=said):
        manipulation(**parameters)
