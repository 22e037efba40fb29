"""Two Meta-World tasks in one world: the puck goes where the marker was, for those who remember."""

from __future__ import annotations

import numpy as np
import pytest
from falsehoods import is_whole

pytest.importorskip("metaworld", reason="needs the extra manipulation")

from simonides.envs.manipulation.chain import metaworld_chain
from simonides.sim.checks import check_environment, render
from simonides.sim.errors import CorruptFile, StudyError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize("second", ["pick-place", "push"])
def test_who_remembers_brings_the_puck_to_the_marker(second, played):
    env = metaworld_chain(second=second, delay=1)
    assert [ok for seed in range(3) for ok in played(env, seed).succeeded] == [True] * 3


def test_who_does_not_remember_guesses_and_no_leak_helps(played):
    forgetful = [played(metaworld_chain(delay=1), seed, recall=False) for seed in (1, 2, 3)]
    unshown = [played(metaworld_chain(delay=1, reveal=False), seed) for seed in (1, 2, 3)]
    assert not all(one.succeeded[0] for one in forgetful)
    assert [one.verdicts[0]["chosen"] for one in forgetful] == [one.verdicts[0]["chosen"] for one in unshown]


def test_one_sees_and_another_has_the_robot(played):
    env = metaworld_chain(seer="other", delay=1)
    assert played(env, 2, shared=True).succeeded == [True]
    assert len(env.possible_agents) == 2
    assert is_whole(env, env.falsehood(np.random.default_rng(0)), "message")


def test_the_reset_observation_is_in_the_declared_box():
    env = metaworld_chain()
    for seed in range(5):
        observations, _ = env.reset(seed=seed)
        assert env.observation_space("player_0").contains(observations["player_0"])


def test_physics_that_diverges_ends_the_episode_as_failed():
    env = metaworld_chain(delay=1)
    env.reset(seed=0)
    env.robot.env.data.qvel[:] = np.nan
    observations, _, _, _, infos = env.step({"player_0": 0})
    assert "failed" in infos["player_0"]["answer_key"]
    assert not infos["player_0"]["answer_key"]["verdicts"][0]["success"]
    assert env.observation_space("player_0").contains(observations["player_0"])
    env.step({"player_0": 0})
    assert not env.agents


@pytest.mark.slow
def test_it_passes_the_suite_for_environments():
    report = check_environment("metaworld-chain", {"delay": 2, "sessions": 1, "distractors": 1})
    assert report.passed, render(report)


def test_what_it_cannot_have_is_said():
    with pytest.raises(StudyError, match="do not end in a delay"):
        metaworld_chain(delay=2, sessions=3)
    env = metaworld_chain()
    env.reset(seed=0)
    with pytest.raises(CorruptFile, match="with these parameters"):
        metaworld_chain(delay=2).restore(env.snapshot())


def test_who_remembers_succeeds_and_who_does_not_guesses(played):
    arms = [(metaworld_chain(), True), (metaworld_chain(), False), (metaworld_chain(reveal=False), True)]
    full, none, unshown = (
        np.mean([played(env, seed, recall).succeeded[0] for seed in range(6)]) for env, recall in arms
    )
    assert full == 1.0
    assert max(none, unshown) < 0.9
