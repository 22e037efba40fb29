"""Turn-based and single-agent environments as ParallelEnvs: one turn a tick, and saved by their actions."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from pettingzoo import AECEnv
from pettingzoo.test import parallel_api_test, parallel_seed_test

from simonides.envs.adapters import SingleAgent, TurnBased
from simonides.sim.codec import canonical
from simonides.sim.errors import ContractBroken, CorruptFile


class Nim(AECEnv):
    """Two take 1 to 3 of 12 to 15 sticks in turn; who takes the last one wins."""

    metadata = {"name": "nim_v0", "is_parallelizable": False}  # noqa: RUF012
    render_mode = None

    def __init__(self):
        self.possible_agents = ["player_0", "player_1"]
        self._observed = {a: Box(0, 15, (1,), np.int64) for a in self.possible_agents}
        self._acting = {a: Discrete(3) for a in self.possible_agents}

    def observation_space(self, agent):
        return self._observed[agent]

    def action_space(self, agent):
        return self._acting[agent]

    def observe(self, agent):
        return np.array([self.sticks])

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.sticks = 12 + (seed or 0) % 4
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.agent_selection = "player_0"

    def step(self, action):
        mover = self.agent_selection
        if self.terminations[mover]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[mover] = 0
        other = self.possible_agents[1 - self.possible_agents.index(mover)]
        self.sticks = max(0, self.sticks - 1 - int(action))
        self._clear_rewards()
        if self.sticks == 0:
            self.rewards = {mover: 1, other: -1}
            self.terminations = dict.fromkeys(self.possible_agents, True)
        self.agent_selection = other
        self._accumulate_rewards()


def turns():
    return TurnBased(Nim())


def cartpole():
    return SingleAgent(lambda: gymnasium.make("CartPole-v1"))


@pytest.mark.parametrize("make", [turns, cartpole])
def test_an_adapted_environment_passes_pettingzoos_tests(make):
    parallel_api_test(make(), num_cycles=100)
    parallel_seed_test(make, num_cycles=50)


def test_one_turn_is_one_tick_and_only_the_mover_acts():
    env = turns()
    observations, infos = env.reset(seed=0)
    assert infos["player_0"]["to_move"] and not infos["player_1"]["to_move"]
    assert infos["player_1"]["experiences"] == [] and "experiences" not in infos["player_0"]
    observations, _, _, _, infos = env.step({"player_0": 2, "player_1": 0})
    assert observations["player_0"].tolist() == [9] and infos["player_1"]["to_move"]
    with pytest.raises(ContractBroken, match="player_1's turn"):
        env.step({"player_0": 0})


def test_the_last_turn_pays_both_and_ends_the_game():
    env = turns()
    env.reset(seed=0)
    ticks = 0
    while env.agents:
        _, rewards, ended, cut, _ = env.step(dict.fromkeys(env.agents, 2))
        ticks += 1
        if env.agents:
            assert rewards == {"player_0": 0.0, "player_1": 0.0}
    assert ticks == 4 and rewards == {"player_0": -1.0, "player_1": 1.0}
    assert ended == {"player_0": True, "player_1": True} and not any(cut.values())


@pytest.mark.parametrize(("make", "stop"), [(turns, 0), (turns, 3), (cartpole, 0), (cartpole, 6)])
def test_a_restored_environment_goes_on_as_the_first_would_have(make, stop):
    env, other = make(), make()
    env.reset(seed=5)
    other.reset(seed=1)
    for i in range(stop):
        env.step(dict.fromkeys(env.agents, i % 2))
    other.restore(env.snapshot())
    assert env.agents == other.agents
    for i in range(3):
        actions = dict.fromkeys(env.agents, i % 2)
        assert canonical(env.step(actions)) == canonical(other.step(actions))


def test_bytes_of_something_else_are_no_snapshot():
    from simonides.sim.codec import encode

    with pytest.raises(CorruptFile, match="not a snapshot"):
        cartpole().restore(encode([1, 2]))
