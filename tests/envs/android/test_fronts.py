"""One episode over several apps, three ways: in this process, over adb and the daemon, and through android_env.

After every action all of them show the same XML.
"""

from __future__ import annotations

import numpy as np
import pytest
from fingers import adb_call, found, step, touch

from simonides.envs.android import xml
from simonides.envs.android.adbd.daemon import AdbDaemon
from simonides.envs.android.adbd.screen import dump_of
from simonides.envs.android.simulated.apps import phone

SEED = 5
HOME, BACK, ENTER, DEL, APP_SWITCH = 3, 4, 66, 67, 187
EPISODE = (
    ("tap", {"text": "Notes"}),
    ("tap", {"content_desc": "New note"}),
    ("tap", {"class_name": "android.widget.EditText"}),
    ("type", "Call the plumber"),
    ("key", BACK),
    ("key", BACK),
    ("tap", {"resource_id": "search"}),
    ("type", "plumb"),
    ("key", DEL),
    ("key", HOME),
    ("tap", {"text": "Shop"}),
    ("swipe", (270, 800, 270, 300, 400)),
    ("tap", {"resource_id": "product"}),
    ("key", APP_SWITCH),
    ("key", BACK),
    ("start", "org.simonides.messages/.MainActivity"),
    ("tap", {"resource_id": "thread"}),
    ("tap", {"class_name": "android.widget.EditText"}),
    ("type", "On my way: 10 min, 5% & more; 'soon'"),
    ("key", ENTER),
    ("key", HOME),
    ("tap", {"text": "Contacts"}),
    ("long_press", {"resource_id": "contact"}),
    ("swipe", (270, 4, 270, 600, 300)),
    ("key", BACK),
    ("stop", "org.simonides.contacts"),
)


def act(device, kind, what):
    """Do one action on a device."""
    if kind == "start":
        device.start(*what.split("/"))
    else:
        getattr(device, kind)(*(what if isinstance(what, tuple) else (what,)))


@pytest.fixture(scope="module")
def recorded():
    """Return the actions with their places, and the dumps after each, as they come in this process."""
    device, actions, dumps = phone(SEED), [], []
    for kind, what in EPISODE:
        actions.append((kind, found(device, what) if isinstance(what, dict) else what))
        act(device, *actions[-1])
        dumps.append((xml.write(device.windows(), device.rotation, hints=True), dump_of(device), device.current()))
    return actions, dumps


def test_the_episode_goes_through_several_apps(recorded):
    actions, dumps = recorded
    assert len({current[0] for _, _, current in dumps}) >= 6
    assert len({dump for dump, _, _ in dumps}) >= len(actions) * 3 // 4


def test_over_adb_and_the_daemon_every_screen_is_the_same(recorded, adb_server):
    pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")
    from simonides.envs.android.adb_device import AdbDevice

    with AdbDaemon(phone(SEED)) as daemon:
        device = AdbDevice(daemon.serial)
        for place, (action, (dump, _, current)) in enumerate(zip(*recorded, strict=True)):
            act(device, *action)
            assert xml.write(device.windows(), device.rotation, hints=True) == dump, f"after {place}: {action}"
            assert device.current() == current
        adb_server("disconnect", daemon.serial)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_through_android_env_every_screen_is_the_same(recorded):
    pytest.importorskip("android_env", reason="needs the extra: pip install 'simonides[android]'")
    from simonides.envs.android.android_env_front import make_android_env

    device = phone(SEED)
    env = make_android_env(device)
    env.reset()
    for place, (action, (dump, shown, _)) in enumerate(zip(*recorded, strict=True)):
        through(env, device.size, *action)
        assert xml.write(device.windows(), device.rotation, hints=True) == dump, f"after {place}: {action}"
        assert adb_call(env, "shell", "uiautomator", "dump", "/dev/tty").startswith(shown)
        assert np.array_equal(env.raw_observation["pixels"].shape, (960, 540, 3))
    env.close()


def through(env, size, kind, what):
    """Do one action as android_env's actions: fingers, keys, and for the rest adb calls."""
    if kind == "tap":
        touch(env, size, [what], 0)
    elif kind == "long_press":
        touch(env, size, [what], 6)
    elif kind == "swipe":
        touch(env, size, [what[:2], what[2:4]], 0)
    elif kind == "key":
        step(env, 5, (0, 0), size, what)
    elif kind == "type":
        adb_call(env, "shell", "input", "text", "'" + what.replace(" ", "%s").replace("'", "'\\''") + "'")
    elif kind == "start":
        adb_call(env, "shell", "am", "start", "-n", what)
    else:
        adb_call(env, "shell", "am", "force-stop", what)
