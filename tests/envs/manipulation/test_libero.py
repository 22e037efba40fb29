"""LIBERO loads, steps, saves and goes on alike; nothing is claimed of success, the goal is checked by an oracle."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("robosuite", reason="needs the extra libero")

from simonides.envs.manipulation.libero import PLATES, RECALL, LiberoEnv, libero, task_files
from simonides.sim.errors import CorruptFile

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # robosuite 1.4.0 warns of its own future


@pytest.fixture(scope="module")
def env():
    made = libero()
    yield made
    made.close()


def rollout(env: LiberoEnv, steps: int) -> list[np.ndarray]:
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, 7)).astype(np.float32)
    observations, _ = env.reset(seed=3)
    seen = [observations["player_0"]]
    for action in actions:
        seen.append(env.step({"player_0": action})[0]["player_0"])
    return seen


def test_the_ten_task_files_are_there():
    assert len(task_files()) == 10


def test_an_open_loop_episode_of_200_steps_is_reproducible(env):
    assert np.array_equal(rollout(env, 200), rollout(env, 200))


def test_a_saved_episode_goes_on_alike(env):
    rollout(env, 20)
    saved, action = env.snapshot(), np.full(7, 0.3, np.float32)
    on = [env.step({"player_0": action})[0]["player_0"] for _ in range(10)]
    env.restore(saved)
    assert np.array_equal(on, [env.step({"player_0": action})[0]["player_0"] for _ in range(10)])


def test_the_fact_is_told_at_first_and_only_then(env):
    _, infos = env.reset(seed=1)
    told = infos["player_0"]
    assert env.truth in told["text"]
    assert [one["text"] for one in told["experiences"]] == [f"The white mug belongs on the {env.truth}."]
    *_, infos = env.step({"player_0": told["noop"]})
    assert env.truth not in infos["player_0"]["text"]


@pytest.mark.parametrize("told", sorted(PLATES))
def test_an_oracle_that_sets_the_goal_state_finds_the_plate_that_was_told(env, told):
    seeds = (seed for seed in range(20) if env.reset(seed=seed) and env.truth == told)
    for plate in PLATES:
        env.reset(seed=next(seeds))
        env.put_mug_on(plate)
        for _ in range(3):
            env.step({"player_0": np.zeros(7, np.float32)})
        assert env.succeeded() == (plate == told)


@pytest.mark.parametrize("wrong", [None, "open", [2.0] * 7, [np.nan] * 7, [0.0] * 6])
def test_an_illegal_action_is_refused(env, wrong):
    env.reset(seed=0)
    *_, infos = env.step({"player_0": wrong})
    assert {"asked", "legal"} <= set(infos["player_0"]["illegal"])
    assert infos["player_0"]["answer_key"]["illegal"] == 1


def test_physics_that_diverges_ends_the_episode_as_failed(env):
    env.reset(seed=0)
    env.sim_env.sim.data.qvel[:] = np.nan
    observations, _, _, _, infos = env.step({"player_0": np.zeros(7, np.float32)})
    assert "failed" in infos["player_0"]["answer_key"]
    assert env.observation_space("player_0").contains(observations["player_0"])
    env.step({"player_0": np.zeros(7, np.float32)})
    assert not env.agents
    env.reset(seed=0)
    assert env.agents


def test_a_snapshot_of_another_configuration_is_refused(env):
    saved = env.snapshot()
    env._shape = [RECALL, False, 1]
    try:
        with pytest.raises(CorruptFile, match="with these parameters"):
            env.restore(saved)
    finally:
        env._shape = [RECALL, True, 600]
