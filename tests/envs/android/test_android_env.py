"""android_env over the simulated phone, and over one behind adb."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("android_env", reason="needs the extra: pip install 'simonides[android]'")

from android_env.components import errors
from android_env.proto import adb_pb2, state_pb2
from fingers import adb_call, found, touch

from simonides.envs.android.android_env_front import ShellController, make_android_env
from simonides.envs.android.device import DeviceGone


@pytest.fixture
def env(device):
    made = make_android_env(device)
    yield made
    made.close()


def test_specs_fit_what_is_observed(env, device):
    first = env.reset()
    assert first.first()
    spec = env.observation_spec()
    assert set(spec) == {"pixels", "timedelta", "orientation"} == set(first.observation)
    for name, value in first.observation.items():
        spec[name].validate(value)
    assert np.array_equal(first.observation["pixels"], device.screenshot())
    assert first.observation["orientation"].tolist() == [1, 0, 0, 0]
    assert {"action_type", "touch_position", "keycode"} <= set(env.action_spec())


def test_each_episode_begins_with_the_same_state(env, device):
    first, begun = env.reset(), device.time
    touch(env, device.size, [found(device, {"text": "Notes"})], 0)
    assert device.current()[0] == "org.simonides.notes"
    again = env.reset()
    assert np.array_equal(first.observation["pixels"], again.observation["pixels"])
    assert device.time == begun


def test_episodes_go_on_where_that_is_asked_for(device):
    env = make_android_env(device, start_over=False)
    env.reset()
    touch(env, device.size, [found(device, {"text": "Notes"})], 0)
    env.reset()
    assert device.current()[0] == "org.simonides.notes"
    env.close()


def test_sampled_actions_are_survived(env):
    env.reset()
    rng = np.random.default_rng(0)
    for _ in range(60):
        kind, code = np.array(rng.integers(6)), np.array(rng.integers(200))
        seen = env.step({"action_type": kind, "touch_position": rng.random(2, np.float32), "keycode": code})
        assert seen.observation["pixels"].dtype == np.uint8


def test_a_finger_taps_stays_and_moves(env, device, monkeypatch):
    done = []
    for name in ("tap", "long_press", "swipe"):
        monkeypatch.setattr(device, name, lambda *at, name=name: done.append((name, *at)))
    env.reset()
    touch(env, device.size, [(100, 200)], 0)
    touch(env, device.size, [(100, 200)], 6)
    touch(env, device.size, [(100, 700), (100, 500), (100, 300)], 0)
    assert done == [("tap", 100, 200), ("long_press", 100, 200), ("swipe", 100, 700, 100, 300, 300)]


def test_adb_calls_reach_the_device(env, device):
    env.reset()
    env.execute_adb_call(
        adb_pb2.AdbRequest(start_activity={"full_activity": "org.simonides.notes/.MainActivity", "force_stop": True})
    )
    answer = env.execute_adb_call(adb_pb2.AdbRequest(get_current_activity=adb_pb2.AdbRequest.GetCurrentActivity()))
    assert answer.get_current_activity.full_activity == "org.simonides.notes/org.simonides.notes.MainActivity"
    listed = env.execute_adb_call(adb_pb2.AdbRequest(package_manager={"list": {"packages": {}}}))
    assert sorted(listed.package_manager.list.items) == sorted(device.packages())
    env.execute_adb_call(adb_pb2.AdbRequest(push={"path": "/sdcard/p.txt", "content": b"pushed"}))
    assert device.read_file("/sdcard/p.txt") == b"pushed"
    assert env.execute_adb_call(adb_pb2.AdbRequest(pull={"path": "/sdcard/p.txt"})).pull.content == b"pushed"
    with pytest.raises(errors.AdbControllerError, match="has no `adb uninstall"):
        env.execute_adb_call(adb_pb2.AdbRequest(uninstall_package={"package_name": "org.simonides.notes"}))


def test_states_are_kept_and_come_back(env, device):
    env.reset()
    env.save_state(state_pb2.SaveStateRequest(args={"snapshot_name": "home"}))
    before = device.windows()
    touch(env, device.size, [found(device, {"text": "Notes"})], 0)
    assert device.windows() != before
    assert env.load_state(state_pb2.LoadStateRequest(args={"snapshot_name": "home"})).status == 1
    assert device.windows() == before
    missing = env.load_state(state_pb2.LoadStateRequest(args={"snapshot_name": "none"}))
    assert missing.error_message == "No state is called 'none'."


def test_a_device_that_goes_away_ends_the_episode(env, device, monkeypatch):
    def gone(*_):
        raise DeviceGone("unplugged")

    env.reset()
    monkeypatch.setattr(device, "key", gone)
    assert env.step({"action_type": np.array(5), "touch_position": np.zeros(2), "keycode": np.array(3)}).last()


def test_a_command_that_fails_is_an_adb_error(env):
    controller = env._simulator.create_adb_controller()
    assert isinstance(controller, ShellController)
    with pytest.raises(errors.AdbControllerError, match="status 127"):
        controller.execute_command(["shell", "nosuch"])


def test_a_phone_behind_adb_is_one_too(adb, daemon, device):
    from simonides.envs.android.adb_device import AdbDevice

    env = make_android_env(AdbDevice(daemon.serial))
    seen = env.reset()
    assert np.array_equal(seen.observation["pixels"], device.screenshot())
    touch(env, device.size, [found(device, {"text": "Notes"})], 0)
    assert device.current()[0] == "org.simonides.notes"
    assert "Physical size" in adb_call(env, "shell", "wm", "size")
    env.close()
