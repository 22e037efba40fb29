"""The android environment: its contract, facts that decide later, channels, illegal actions, a device that goes."""

import json

import numpy as np
import pytest
from falsehoods import is_whole

from simonides.envs.android.device import DeviceGone
from simonides.envs.android.facts import DECISIONS, GRAMMAR
from simonides.envs.android.memory import android
from simonides.sim.codec import canonical
from simonides.sim.errors import ContractBroken, CorruptFile, StudyError
from simonides.sim.needs import Need


def play(env, remembers=True, seed=None, ticks=500, heard=None):
    """Return the verdicts of a reader that follows the plan, with all it ever experienced or with nothing."""
    _, infos = env.reset(seed=seed)
    heard, verdicts = {} if heard is None else heard, []
    while env.agents and ticks:
        actions = {}
        for agent, info in infos.items():
            said = [claim for lived in info["experiences"] for claim in GRAMMAR.read(lived["text"])]
            heard.update({(claim.subject, claim.attribute): claim.value for claim in said if "…" not in claim.value})
            need = Need.of(info)
            if need is None:
                actions[agent] = info["plan"]
                continue
            known = heard.get((need.subject, need.attribute)) if remembers else None
            actions[agent] = need.plan[known if known in need.options else need.options[0]]
        _, rewards, _, _, infos = env.step(actions)
        found = [one for info in infos.values() for one in info["answer_key"]["verdicts"]]
        assert sum(rewards.values()) == sum(one["success"] for one in found)
        verdicts += found
        ticks -= 1
    return verdicts


@pytest.mark.parametrize("seer", ["self", "other"])
def test_all_decisions_succeed_for_who_remembers_and_by_chance_for_who_does_not(seer):
    known = [one for seed in range(3) for one in play(android(seed=seed, needs=6, seer=seer))]
    guessed = [one for seed in range(3) for one in play(android(seed=seed, needs=6, seer=seer), remembers=False)]
    assert {one["attribute"] for one in known} == set(DECISIONS) and all(one["success"] for one in known)
    assert all(0 <= one["seen"] < one["needed"] and one["sessions"] == 2 for one in known)
    assert len(guessed) == 18 and sum(one["success"] for one in guessed) < 12


def test_a_hidden_fact_helps_nobody_and_changes_nothing_else():
    hidden = [one for seed in range(4) for one in play(android(seed=seed, needs=6, reveal=False))]
    blind = [one for seed in range(4) for one in play(android(seed=seed, needs=6), remembers=False)]
    assert [(one["chosen"], one["needed"]) for one in hidden] == [(one["chosen"], one["needed"]) for one in blind]
    assert {one["seen"] for one in hidden} == {-1}


def test_facts_are_gone_from_the_phone_when_they_are_needed():
    env = android(seed=2, needs=6)
    _, infos = env.reset()
    facts = [fact.sentence for fact in env._course._facts]
    stored = (
        b"".join(env.devices["player_0"].databases.plain().values())
        + repr(env.devices["player_0"].files.plain()).encode()
    )
    assert all(fact.encode() in stored for fact in facts)
    while Need.of(infos["player_0"]) is None:
        _, _, _, _, infos = env.step({"player_0": infos["player_0"]["plan"]})
    device = env.devices["player_0"]
    for package in sorted(device.apps):
        if package in device.databases:
            dump = "".join(device.database(package).iterdump())
            assert not [fact for fact in facts if fact in dump]
    assert not [fact for fact in facts if fact in repr(device.files.plain())]


def test_delay_and_sessions_lie_between_seeing_and_needing():
    near, far = play(android(seed=1, sessions=1, delay=0))[0], play(android(seed=1, sessions=4, delay=20))[0]
    assert far["needed"] - far["seen"] >= near["needed"] - near["seen"] + 20
    assert (near["sessions"], far["sessions"]) == (1, 4)


def test_sessions_end_and_days_pass():
    env = android(seed=1, sessions=3)
    _, infos = env.reset()
    ends, times = [], []
    while env.agents:
        info = infos["player_0"]
        ends += [info["session"]] if info["session_end"] else []
        times.append(info["time"])
        need = Need.of(info)
        _, _, _, _, infos = env.step({"player_0": need.plan[need.options[0]] if need else info["plan"]})
    assert ends[:4] == [0, 1, 2, 3]
    assert times == sorted(times) and times[-1] - times[0] > 9 * 86_400


@pytest.mark.parametrize("after", [0, 5, 11, 17, 25])
def test_a_restored_environment_goes_on_as_the_saved_one(after):
    def go_on(env, infos, ticks):
        seen = []
        for _ in range(ticks):
            if not env.agents:
                break
            needs = {agent: Need.of(info) for agent, info in infos.items()}
            actions = {a: n.plan[n.options[-1]] if n else infos[a]["plan"] for a, n in needs.items()}
            _, rewards, _, _, infos = env.step(actions)
            seen.append((canonical(infos), rewards))
        return seen, infos

    env = android(seed=7, seer="other", sessions=1, delay=3)
    _, infos = env.reset()
    _, infos = go_on(env, infos, after)
    env.inject("player_1", "screen", "Look here.")
    saved = env.snapshot()
    other = android(seed=0, seer="other", sessions=1, delay=3)
    other.restore(saved)
    assert other.snapshot() == saved
    assert go_on(other, infos, 12)[0] == go_on(env, infos, 12)[0]


def test_a_snapshot_of_another_configuration_is_refused():
    env = android(seed=1)
    env.reset()
    with pytest.raises(CorruptFile):
        android(seed=1, delay=7).restore(env.snapshot())


@pytest.mark.parametrize("channel", ["screen", "message"])
def test_what_is_injected_is_seen_once_and_names_its_channel(channel):
    env = android(seed=3)
    _, infos = env.reset()
    person = (
        env.devices["player_0"].database("org.simonides.contacts").execute("SELECT name FROM contacts").fetchone()[0]
    )
    env.inject("player_0", channel, f'{person} said, "The room of the chess evening is Oak."')
    _, _, _, _, infos = env.step({"player_0": "wait"})
    lived = [one for one in infos["player_0"]["experiences"] if one["channel"] == channel]
    assert [one["speaker"] for one in lived] == [person] and "Oak" in infos["player_0"]["text"]
    assert not [one for one in infos["player_0"]["experiences"] if one["channel"] == "device" and "Oak" in one["text"]]
    _, _, _, _, infos = env.step({"player_0": "wait"})
    assert "Oak" not in infos["player_0"]["text"]


def test_an_injected_message_stays_in_its_senders_thread():
    env = android(seed=3)
    env.reset()
    device = env.devices["player_0"]
    name, number = device.database("org.simonides.contacts").execute("SELECT name, number FROM contacts").fetchone()
    env.inject("player_0", "message", f'{name} said, "Come at nine."')
    env.step({"player_0": "wait"})
    found = device.database("org.simonides.messages").execute(
        "SELECT number FROM messages WHERE body = 'Come at nine.'"
    )
    assert found.fetchone()[0] == number


def test_an_unknown_channel_is_refused():
    env = android(seed=3)
    env.reset()
    with pytest.raises(ContractBroken):
        env.inject("player_0", "dream", "x")


def test_a_falsehood_is_a_false_claim_about_what_will_be_needed():
    for seed in range(8):
        env = android(seed=seed, delay=10)
        env.reset()
        lie = env.falsehood(np.random.default_rng(seed))
        (claim,) = GRAMMAR.read(lie["text"])
        needed = {one["subject"]: one for one in play(env)}
        assert is_whole(env, lie, "message")
        assert (
            claim.value != needed[claim.subject]["truth"] == lie["truth"]
            and claim.value in needed[claim.subject]["options"]
        )
        assert needed[claim.subject]["seen"] < lie["tick"] < needed[claim.subject]["needed"]


def test_an_illegal_action_is_told_and_does_nothing():
    env = android(seed=3)
    env.reset()
    phone = env.devices["player_0"].snapshot()
    _, _, _, _, infos = env.step({"player_0": "fly to the moon"})
    info = infos["player_0"]
    assert env.devices["player_0"].snapshot() == phone
    assert info["illegal"]["asked"] == "fly to the moon" and "navigate_home" in info["illegal"]["legal"]
    assert info["answer_key"]["illegal"] == 1


def test_androidworlds_json_is_taken_as_well():
    env = android(seed=3)
    env.reset()
    _, _, _, _, infos = env.step({"player_0": json.dumps({"action_type": "open_app", "app_name": "Shop"})})
    assert "App: Shop" in infos["player_0"]["text"]


def test_a_device_that_goes_away_ends_the_episode_as_failed(monkeypatch):
    env = android(seed=3)
    env.reset()

    def gone(*_):
        raise DeviceGone("no answer for 10 s")

    monkeypatch.setattr(env.devices["player_0"], "tap", gone)
    _, _, ended, _, infos = env.step({"player_0": '{"action_type": "click", "x": 5, "y": 500}'})
    assert ended == {"player_0": True} and not env.agents
    assert "no answer for 10 s" in infos["player_0"]["failed"]
    assert [one["success"] for one in infos["player_0"]["answer_key"]["verdicts"]] == [False, False]


def test_a_device_that_is_not_there_is_told_in_one_line():
    def missing():
        raise DeviceGone("no such serial")

    env = android(seed=3)
    env._make = missing
    with pytest.raises(StudyError, match="no such serial"):
        env.reset()


def test_with_an_instruction_there_is_no_memory_task_and_quoted_texts_may_be_typed():
    env = android(seed=1, instruction='Note "buy milk".', ticks=4)
    env.reset()
    _, _, _, _, infos = env.step({"player_0": "open_app: Notes"})
    assert any(one["text"].endswith(": buy milk") for one in infos["player_0"]["legal_actions"])
    env.step({"player_0": "status: complete"})
    assert not env.agents


@pytest.mark.parametrize("device", ["phone", "adb:", "emulator-5554"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(StudyError, match="adb:SERIAL"):
        android(device=device)


def test_a_real_phone_takes_instructions_only():
    with pytest.raises(StudyError, match="give an instruction"):
        android(device="adb:0123456789")
    assert android(device="adb:0123456789", instruction="Look around.").possible_agents == ["player_0"]


def test_the_picture_has_a_screen_for_each_agent():
    env = android(seed=1, seer="other")
    env.reset()
    assert env.render().shape == (960, 1080, 3) and env.render().dtype == np.uint8
