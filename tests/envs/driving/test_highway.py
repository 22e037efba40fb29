"""The towns in highway-env: their contract, that the right belief gets through and a wrong one does not."""

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils.conversions import parallel_to_aec

pytest.importorskip("highway_env")
from falsehoods import is_whole

from simonides.envs.driving.facts import GRAMMAR
from simonides.envs.driving.highway_world import highway
from simonides.sim.codec import encode
from simonides.sim.errors import ContractBroken, CorruptFile, StudyError
from simonides.sim.registry import registry

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")
TASKS = ("closure", "hazard", "right-of-way", "learnt-route", "convoy")


def wrong(values, truth):
    return next(value for value in values if value != truth)


def test_a_town_passes_pettingzoos_tests():
    parallel_api_test(highway(sessions=0), num_cycles=20)
    parallel_seed_test(lambda: highway(sessions=0), num_cycles=10)


def test_a_town_under_raw_control_passes_the_api_test():
    parallel_api_test(highway(sessions=0, control="raw"), num_cycles=30)


@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")
def test_a_town_passes_the_aec_api_test():
    api_test(parallel_to_aec(highway(sessions=0, cars=2)), num_cycles=20)


@pytest.mark.parametrize("task", TASKS)
def test_who_believes_the_truth_gets_through_and_who_does_not_fails(task, play):
    env = highway(seed=3, task=task, sessions=0)
    right, false = play(env), play(env, wrong)
    assert right and all(verdict["success"] and verdict["chosen"] == verdict["truth"] for verdict in right)
    assert len(false) == len(right) and not any(verdict["success"] for verdict in false)
    assert all(verdict["chosen"] != verdict["truth"] for verdict in false)


@pytest.mark.parametrize(("task", "reason"), [("closure", "stood"), ("hazard", "crashed"), ("right-of-way", "")])
def test_a_wrong_belief_fails_for_a_physical_reason(task, reason, play):
    (verdict,) = play(highway(seed=4, task=task, sessions=0), wrong)
    assert reason in verdict["reason"]


def test_every_need_is_posed_with_a_plan_of_legal_actions_and_no_hint_of_the_truth(play):
    seen = []
    for seed in range(6):
        env = highway(seed=seed, sessions=0, roads=4)
        play(env, after=lambda _, infos: seen.extend(i["need"] for i in infos.values() if "need" in i))
    for need in seen:
        assert sorted(need["plan"]) == sorted(need["options"]) and len(need["options"]) == 4
        assert set(need["plan"].values()) == {f"take {value}" for value in need["options"]}


def test_facts_are_read_back_from_what_is_remembered_and_hidden_without_reveal(play):
    def facts(**how):
        env, found = highway(seed=5, distractors=3, sessions=2, **how), []
        play(env, after=lambda _, infos: found.extend(e for i in infos.values() for e in i["experiences"]))
        return env, [claim for one in found for claim in GRAMMAR.read(one["text"])], found

    env, told, _ = facts()
    assert {(c.subject, c.value) for c in told} == {(site.name, site.truth) for site in env.town.sites}
    env, hidden, _ = facts(reveal=False)
    assert {c.subject for c in hidden} == {site.name for site in env.town.sites[1:]}
    _, reported, lived = facts(told=True)
    assert {claim.said_by for claim in reported} == {"Traffic radio"}
    assert {one["channel"] for one in lived if GRAMMAR.read(one["text"])} == {"report"}


def test_without_reveal_nothing_else_changes_before_the_decision(play):
    def seen(reveal):
        rows = []
        play(highway(seed=6, reveal=reveal), after=lambda observed, _: rows.append(observed["player_0"]))
        return np.stack(rows)

    assert np.array_equal(seen(True), seen(False))


def test_what_stands_on_the_roads_ahead_is_not_seen_before_the_decision(play):
    def at_the_line(truth):
        found = []
        for seed in range(12):
            env = highway(seed=seed, sessions=0, task="hazard", roads=2, distractors=0)
            if env.town.sites[0].branch == truth:
                play(env, after=lambda o, infos: found.append(o) if "need" in infos["player_0"] else None)
        return np.stack([one["player_0"].reshape(12, 7)[:8, :3] for one in found])

    left, right = at_the_line(0), at_the_line(1)
    assert len(left) > 1 and len(right) > 1
    assert not left[:, 3:].any() and not right[:, 3:].any()  # the ego and two others; no wreck


def test_one_sees_and_another_needs(play):
    env, told = highway(seed=7, seer="other", sessions=0), {"player_0": 0, "player_1": 0}

    def count(_, infos):
        for agent, info in infos.items():
            told[agent] += sum(len(GRAMMAR.read(one["text"])) for one in info["experiences"])

    verdicts = play(env, after=count)
    assert told["player_0"] >= 1 and told["player_1"] == 0
    assert [verdict["need"].split("-")[0] for verdict in verdicts] == ["player_1"]


def test_every_car_of_a_convoy_needs_what_others_saw(play):
    verdicts = play(highway(seed=8, task="convoy", sessions=0, cars=3))
    assert sorted(v["need"].split("-")[0] for v in verdicts) == sorted(["player_0", "player_1", "player_2"] * 2)
    assert len({(v["need"].split("-")[0], v["subject"]) for v in verdicts}) == 6


def test_an_illegal_action_does_nothing_is_counted_and_named():
    env = highway(seed=9, sessions=0)
    env.reset()
    start = env._ride.bodies()["player_0"]
    *_, infos = env.step({"player_0": 4})
    info = infos["player_0"]
    assert info["illegal"] == {"asked": 4, "legal": ["drive on", "wait"]} and info["answer_key"]["illegal"] == 1
    *_, infos = env.step({"player_0": "take the plane"})
    assert infos["player_0"]["illegal"]["asked"] == "take the plane" and infos["player_0"]["answer_key"]["illegal"] == 2
    end = env._ride.bodies()["player_0"]
    assert (start.x, start.y) == (end.x, end.y)


def test_who_only_waits_is_too_late_and_the_episode_ends():
    env, verdicts = highway(seed=9, sessions=0), []
    env.reset()
    for _ in range(60):
        if not env.agents:
            break
        *_, infos = env.step({"player_0": 0})
        verdicts += infos["player_0"]["answer_key"]["verdicts"] if infos else []
    assert not env.agents
    assert [(v["success"], v["chosen"], v["seen"]) for v in verdicts] == [(False, "", -1)]


def trace(env, actions, steps):
    found = []
    for _ in range(steps):
        if not env.agents:
            break
        observations, rewards, ended, _, infos = env.step({agent: actions(agent, env) for agent in env.agents})
        found.append(encode([observations, rewards, ended, infos]))
    return found


@pytest.mark.parametrize("task", ["hazard", "right-of-way", "convoy"])
@pytest.mark.parametrize("control", ["roads", "raw"])
def test_a_restored_town_goes_on_identically_from_any_tick(task, control):
    def actions(agent, env):
        if control == "raw":
            return np.array([0.02, 0.6], np.float32)
        info = env._info(agent)
        return info["legal_actions"][0]["value"]

    def fresh():
        return highway(seed=10, task=task, sessions=0, control=control)

    one, two = fresh(), fresh()
    one.reset()
    for tick in range(12):
        two.restore(one.snapshot())
        assert trace(two, actions, 2) == trace_of_copy(one, fresh(), actions), tick
        if not one.agents:
            break
        one.step({agent: actions(agent, one) for agent in one.agents})


def trace_of_copy(env, other, actions):
    """Return the next two ticks of an environment that is then taken back by its own snapshot."""
    kept = env.snapshot()
    found = trace(env, actions, 2)
    env.restore(kept)
    return found


def test_the_snapshot_of_another_town_is_refused():
    one, two = highway(seed=1), highway(seed=1, roads=2)
    one.reset()
    two.reset()
    with pytest.raises(CorruptFile, match="another town"):
        two.restore(one.snapshot())
    with pytest.raises(CorruptFile):
        two.restore(b"\x00")


def test_a_sign_that_lies_is_shown_with_the_next_observation_and_kept_in_a_snapshot():
    env = highway(seed=11)
    env.reset()
    false = env.falsehood(np.random.default_rng(0))
    assert false["agent"] in env.agents and false["channel"] in env.channels
    assert is_whole(env, false, "report")
    assert [(c.subject, c.attribute, c.value) for c in GRAMMAR.read(false["text"])] == [
        (false["subject"], false["attribute"], false["value"])
    ]
    env.inject("player_0", "sign", "The open road at Nowhere Junction is Mill Road.")
    other = highway(seed=11)
    other.restore(env.snapshot())
    for each in (env, other):
        *_, infos = each.step({"player_0": 1})
        assert {"text": "The open road at Nowhere Junction is Mill Road.", "channel": "sign"} in infos["player_0"][
            "experiences"
        ]
        assert "Nowhere Junction" in infos["player_0"]["text"]
    with pytest.raises(ContractBroken, match="Known: sign, report"):
        env.inject("player_0", "sine", "x")


def test_a_falsehood_comes_after_the_truth_and_before_the_need(play):
    for seed in range(8):
        env = highway(seed=seed, task=TASKS[seed % 5], sessions=1)
        false = env.falsehood(np.random.default_rng(seed))
        verdicts = [v for v in play(env) if v["subject"] == false["subject"] and false["agent"] in v["need"]]
        assert len(verdicts) == 1 and verdicts[0]["seen"] <= false["tick"] < verdicts[0]["needed"]
        assert verdicts[0]["truth"] != false["value"]


def test_experiences_carry_histories_for_memories_of_vectors(play):
    found = []
    play(
        highway(seed=12, traffic=2),
        after=lambda _, infos: found.extend(
            e["metadata"]["vectors"] for e in infos["player_0"]["experiences"] if "metadata" in e
        ),
    )
    for vectors in found:
        n = len(vectors["ids"])
        assert (
            vectors["motion"].shape == (n, 8, 7) and vectors["ego"].shape == (8, 7) and vectors["plan"].shape == (6, 2)
        )
        assert np.allclose(vectors["ego"][-1, 1:3], 0) and vectors["ego"][0, 1] < -1  # it has come from behind
    assert found


def test_sessions_are_trips_and_a_day_lies_between(play):
    days = []
    play(highway(seed=13, sessions=2), after=lambda _, infos: days.append(infos["player_0"]))
    ends = [info["session"] for info in days if info["session_end"]]
    assert ends == [0, 1, 2, 3]
    times = [info["time"] for info in days]
    assert times == sorted(times) and times[-1] - times[0] >= 3 * 86_000


def test_a_picture_shows_the_roads_and_the_car():
    env = highway(seed=14)
    assert env.render().shape == (400, 640, 3)
    env.reset()
    picture = env.render()
    assert picture.dtype == np.uint8 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 3
    env.close()


def test_impossible_towns_are_refused():
    with pytest.raises(StudyError, match="cannot share"):
        highway(seer="other", cars=1)
    with pytest.raises(StudyError, match="names of roads"):
        highway(task="convoy", cars=8, roads=4, distractors=8)


def test_it_is_registered_with_checked_parameters():
    with pytest.raises(StudyError, match="roads"):
        registry("environment").check("highway", {"roads": 9}, "environment", frozenset({"seed", "world"}))
