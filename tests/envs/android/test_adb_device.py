"""`AdbDevice`: what drives a real phone, here on the simulated one behind its daemon."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")

from simonides.envs.android.adb_device import AdbDevice, _windows
from simonides.envs.android.adbd.screen import dump_of
from simonides.envs.android.device import DeviceGone

# adbutils leaves its connection open where the server refuses
unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def over(adb, daemon):
    return AdbDevice(daemon.serial)


def test_it_says_of_a_device_what_the_device_says_of_itself(over, device):
    assert (over.size, over.rotation, over.current()) == (device.size, device.rotation, device.current())
    assert over.packages() == device.packages()
    assert over.properties() == device.properties()
    assert over.windows() == tuple(device.windows())
    assert np.array_equal(over.screenshot(), device.screenshot())


def test_it_follows_a_turn(over, device):
    device.rotate(1)
    assert (over.size, over.rotation) == (device.size, 1)
    assert over.screenshot().shape == (540, 960, 3)
    assert over.windows() == tuple(device.windows())


@pytest.mark.parametrize(
    "text", ["plain", "two words", "a;b & 'c' \"d\" $e `f` \\g |", "100%s", "naïve 東京", "-n", ""]
)
def test_what_is_typed_arrives_letter_by_letter(over, device, text):
    if not text.isascii() or "%s" in text:
        pytest.importorskip("uiautomator2", reason="needs the extra: pip install 'simonides[android]'")
    over.start("org.simonides.notes")
    left, top, right, bottom = device.find(resource_id="search").bounds
    over.tap((left + right) // 2, (top + bottom) // 2)
    over.type(text)
    assert device.find(resource_id="search").text == text or not text


def test_apps_that_are_not_there_are_refused(over):
    for activity in ("", ".MainActivity"):
        with pytest.raises(KeyError, match=r"org\.nope"):
            over.start("org.nope", activity)


@unclosed
def test_a_device_that_goes_away_says_so(over, daemon):
    daemon.close()
    for ask in (over.windows, over.screenshot, over.current, over.packages, lambda: over.size, lambda: over.tap(1, 1)):
        with pytest.raises(DeviceGone, match="does not answer"):
            ask()


@unclosed
def test_a_device_that_never_was_says_so(adb_server):
    with pytest.raises(DeviceGone, match="Is it in `adb devices`"):
        AdbDevice("127.0.0.1:9")
    with pytest.raises(DeviceGone, match="emulator-9999"):
        AdbDevice("emulator-9999")


def test_the_dump_of_an_old_android_gives_its_one_window(device):
    (root,) = _windows(dump_of(device).encode())
    assert root.package == device.current()[0]
