"""The world of claims: its contract, who sees and hears what, that truth can spread, and that it is cheap."""

from time import process_time

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils.conversions import parallel_to_aec

from simonides.envs.claims.env import claims
from simonides.envs.claims.wording import claim
from simonides.sim.codec import canonical
from simonides.sim.errors import CorruptFile, StudyError


def test_the_world_passes_pettingzoos_tests():
    parallel_api_test(claims(), num_cycles=100)
    parallel_seed_test(claims, num_cycles=60)


@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")
def test_the_world_passes_the_aec_api_test():
    api_test(parallel_to_aec(claims()), num_cycles=60)


def test_every_truth_is_seen_by_its_witnesses_at_the_start():
    env = claims(agents=10, claims=4, witnesses=3)
    _, infos = env.reset()
    seen = [e["text"] for info in infos.values() for e in info["experiences"]]
    truths = [claim(i, env.options[v - 1]) for i, v in enumerate(env.truth)]
    assert sorted(seen) == sorted(truths * 3)


def test_what_is_told_is_heard_by_the_partner_one_tick_later():
    env = claims(agents=6, values=3, ask_every=9)
    _, before = env.reset()
    observations, _, _, _, infos = env.step(dict.fromkeys(env.agents, 2))
    for agent, info in infos.items():
        (lived,) = info["experiences"]
        topic = before[lived["speaker"]]["topic"]
        assert lived["text"] == f'{lived["speaker"]} said, "{claim(topic, "blue")}"'
        assert lived["speaker"] != agent and infos[lived["speaker"]]["experiences"][0]["speaker"] == agent
        assert observations[agent].tolist()[:2] == [topic + 1, 2]


def test_agents_who_tell_only_what_they_know_spread_nothing_but_the_truth():
    env = claims(agents=8, ticks=80, ask_every=10, witnesses=1)
    _, infos = env.reset()
    known: dict[str, dict[int, str]] = {agent: {} for agent in env.agents}
    right = []
    while env.agents:
        for agent, info in infos.items():
            for lived in info["experiences"]:
                known[agent][lived["metadata"]["claim"]] = lived["text"].rstrip('."').split()[-1]
        actions = {a: env.options.index(v) + 1 if (v := known[a].get(infos[a]["topic"])) else 0 for a in env.agents}
        asking, told = env.asking, {a: bool(v) for a, v in actions.items()}
        _, rewards, _, _, infos = env.step(actions)
        if asking:
            assert rewards == {agent: float(told[agent]) for agent in rewards}
            right.append(sum(rewards.values()) / 8)
    assert right[-1] > right[0] and right[-1] > 0.8


def test_silence_is_not_heard_and_an_odd_agent_out_hears_nothing():
    env = claims(agents=5, ask_every=9)
    env.reset()
    *_, infos = env.step(dict.fromkeys(env.agents, 0))
    assert not any(info["experiences"] for info in infos.values())
    *_, infos = env.step(dict.fromkeys(env.agents, 1))
    assert sum(bool(info["experiences"]) for info in infos.values()) == 4


def test_questions_come_at_intervals_leave_no_trace_and_pay_for_the_truth():
    env = claims(agents=4, ask_every=3, ticks=8)
    _, infos = env.reset()
    for tick in range(8):
        assert {info["probe"] for info in infos.values()} == {tick in (3, 6)}
        topics = [info["topic"] for info in infos.values()]
        right = dict(zip(env.agents, (int(env.truth[t]) for t in topics), strict=True))
        _, rewards, _, _, after = env.step(right)
        assert set(rewards.values()) == ({1.0} if tick in (3, 6) else {0.0})
        if tick in (3, 6):
            assert all(info["answer_key"]["answer"] == env.options[right[a] - 1] for a, info in infos.items())
            assert not any(info["experiences"] for info in infos.values())
        infos = after
    assert env.agents == []


@pytest.mark.parametrize("stop", [0, 3, 5, 17])
def test_a_restored_world_goes_on_as_the_first_would_have(stop):
    env, other = claims(), claims()
    env.reset(seed=9)
    other.reset(seed=1)
    for _ in range(stop):
        env.step(dict.fromkeys(env.agents, 3))
    saved = env.snapshot()
    rest = [canonical(env.step(dict.fromkeys(env.agents, i % 4))) for i in range(8)]
    other.restore(saved)
    assert rest == [canonical(other.step(dict.fromkeys(other.agents, i % 4))) for i in range(8)]


def test_a_snapshot_of_another_size_and_too_many_witnesses_are_refused():
    with pytest.raises(CorruptFile, match="of this size"):
        claims(agents=9).restore(claims().snapshot())
    with pytest.raises(StudyError, match="use at most 3"):
        claims(agents=3, witnesses=4)


def test_worlds_of_one_seed_differ_and_equal_ones_do_not():
    assert np.array_equal(claims(seed=1).truth, claims(seed=1).truth)
    assert len({claims(seed=1, world=w, claims=20).truth.tobytes() for w in range(5)}) == 5


def test_a_tick_costs_a_few_microseconds_an_agent():
    env = claims(agents=2000, claims=50, ticks=1000)
    env.reset()
    actions = dict.fromkeys(env.agents, 1)
    began = process_time()
    for _ in range(20):
        env.step(actions)
    assert (process_time() - began) / 20 / 2000 < 20e-6  # about 3e-6 on one idle core; wide for a busy machine


@pytest.mark.parametrize("listed", [False, True])
def test_agents_that_are_removed_are_heard_by_nobody_and_may_come_back(listed):
    env = claims(seed=3, agents=4, ticks=20, ask_every=5, listed=listed)
    env.reset(seed=1)
    env.remove_agent("player_1")
    for _ in range(6):
        observations, rewards, *_, infos = env.step(dict.fromkeys(env.agents, 1))
        assert set(observations) == set(rewards) == set(infos) == {"player_0", "player_2", "player_3"}
        assert not any("player_1 said" in info["text"] for info in infos.values())
    saved = env.snapshot()
    other = claims(seed=3, agents=4, ticks=20, ask_every=5, listed=listed)
    other.reset(seed=9)
    other.restore(saved)
    assert other.agents == ["player_0", "player_2", "player_3"]
    env.add_agent("player_1")
    assert "player_1" in env.step(dict.fromkeys(env.agents, 1))[0]
