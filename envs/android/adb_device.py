"""Drive an Android device over adb: a real phone by its serial number, an emulator, or a simulated one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from xml.etree import ElementTree

import adbutils
import numpy as np

from simonides.envs.android import xml
from simonides.envs.android.device import DeviceGone, Node, Pixels

DUMP = "/data/local/tmp/simonides_dump.xml"
TRIES = 5
"""How often a screen is dumped that does not come to rest ("could not get idle state")."""
LONG = 800
"""Milliseconds of a long press: well over Android's 500."""
SETTLE = 1.0
"""GUESS: seconds in which the animations of a real phone end after an input."""
SIMULATED = "simonides"
"""The brand of simulated phones."""
_BLOCK = re.compile(r"ActivityInfo:\s.*?packageName=(\S+).*?nonLocalizedLabel=(.*?) icon=", re.DOTALL)
_PROPERTY = re.compile(r"^\[(.+?)\]: \[(.*?)\]\r?$", re.MULTILINE)
_LAUNCHERS = "cmd package query-activities -a android.intent.action.MAIN -c android.intent.category.LAUNCHER"


class AdbDevice:
    """A `Device` behind adb.

    Every method raises DeviceGone when adb does not reach the device, or the device does not answer.
    """

    def __init__(self, serial: str, server_port: int | None = None, settle: float | None = None) -> None:
        """`serial` is as `adb devices` says it; one like "127.0.0.1:5555" is connected first.

        `server_port` is that of the adb server: ANDROID_ADB_SERVER_PORT or 5037 if None. `settle` are the seconds
        waited after each input: if None, SETTLE for a real phone and 0 for a simulated one, which has no animations.
        """
        self.serial = serial
        self._client = adbutils.AdbClient(port=server_port)
        if re.fullmatch(r"[\w.-]+:\d+", serial):
            with self._asking():
                self._client.connect(serial, timeout=10)
        self._adb = self._client.device(serial)
        simulated = self._shell("getprop", "ro.product.brand").strip() == SIMULATED
        self._settle = settle if settle is not None else 0.0 if simulated else SETTLE

    @property
    def server_port(self) -> int:
        """The port of the adb server."""
        return int(self._client.port)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (adbutils.AdbError, OSError, EOFError) as error:
            raise DeviceGone(f"The device {self.serial!r} does not answer: {error}. Is it in `adb devices`?") from error

    def _shell(self, *words: str) -> str:
        """Return what a command says, whatever its status."""
        with self._asking():
            said = self._adb.shell2(list(words) if len(words) > 1 else words[0], timeout=60)
            return str(said.output)

    def _input(self, *words: str) -> None:
        self._shell("input", *words)
        time.sleep(self._settle)

    # --- what is shown ---

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, in the current orientation."""
        with self._asking():
            wide, tall = self._adb.window_size()
        return int(wide), int(tall)

    @property
    def rotation(self) -> int:
        """Quarter turns: 0 to 3."""
        with self._asking():
            return int(self._adb.rotation())

    def windows(self) -> Sequence[Node]:
        """Return the roots of what is shown, the lowest first; from an old Android the active window's alone."""
        for _ in range(TRIES):
            said = self._shell(f"rm -f {DUMP}; uiautomator dump --windows {DUMP}")
            if "dumped to" in said:
                with self._asking():
                    return _windows(self._adb.sync.read_bytes(DUMP))
        raise DeviceGone(f"The screen of {self.serial!r} could not be dumped {TRIES} times; it said: {said.strip()}")

    def screenshot(self) -> Pixels:
        """Return uint8[height, width, 3], RGB."""
        with self._asking():
            return np.asarray(self._adb.screenshot(error_ok=False), np.uint8)

    def current(self) -> tuple[str, str]:
        """Return package and activity class of what has the focus."""
        with self._asking():
            found = self._adb.app_current()
        package, activity = str(found.package), str(found.activity)
        return package, activity[len(package) :] if activity.startswith(f"{package}.") else activity

    # --- gestures and keys ---

    def tap(self, x: int, y: int) -> None:
        """Touch a place."""
        self._input("tap", str(x), str(y))

    def long_press(self, x: int, y: int) -> None:
        """Touch a place and stay."""
        self._input("swipe", str(x), str(y), str(x), str(y), str(LONG))

    def swipe(self, x0: int, y0: int, x1: int, y1: int, milliseconds: int = 300) -> None:
        """Move a finger from one place to another."""
        self._input("swipe", str(x0), str(y0), str(x1), str(y1), str(milliseconds))

    def key(self, code: int) -> None:
        """Press a key by Android's keycode."""
        self._input("keyevent", str(code))

    def type(self, text: str) -> None:
        """Type into the field that has the focus.

        What `input text` cannot say (letters beyond ASCII, line ends, a literal %s) is pasted by uiautomator2.
        """
        if not text:
            return
        if text.isascii() and text.isprintable() and "%s" not in text:
            self._input("text", text.replace(" ", "%s"))
            return
        with self._asking():
            self._automator.jsonrpc.setClipboard(None, text)
            self._automator.jsonrpc.pasteClipboard()
        time.sleep(self._settle)

    @cached_property
    def _automator(self) -> Any:
        import uiautomator2

        return uiautomator2.connect(self._adb)

    # --- apps ---

    def start(self, package: str, activity: str = "") -> None:
        """Start an activity, by default the launcher's. Raises KeyError for a package that is not installed."""
        if activity:
            said = self._shell("am", "start", "-n", f"{package}/{activity}")
        else:
            said = self._shell("monkey", "-p", package, "-c", "android.intent.category.LAUNCHER", "1")
        if "Error" in said or "No activities found" in said:
            raise KeyError(package)
        time.sleep(self._settle)

    def stop(self, package: str) -> None:
        """Force an app to stop."""
        self._shell("am", "force-stop", package)

    def packages(self) -> Mapping[str, str]:
        """Return package -> the app's name, of those with a launcher activity.

        Where an app's name is a resource, which adb does not show, the last part of its package stands for it.
        """
        found = dict(_BLOCK.findall(self._shell(_LAUNCHERS)))
        named = {name: label if label != "null" else name.rsplit(".", 1)[-1] for name, label in found.items()}
        return dict(sorted(named.items(), key=lambda one: one[1]))

    def properties(self) -> Mapping[str, str]:
        """Return the system's properties."""
        return dict(_PROPERTY.findall(self._shell("getprop")))


def _windows(dump: bytes) -> tuple[Node, ...]:
    """Return the windows of a dump, the lowest first; a dump of all of them has the highest first."""
    root = ElementTree.fromstring(dump)
    if root.tag == "hierarchy":
        return xml.read(dump)[1]
    trees = [xml.read(ElementTree.tostring(tree))[1] for tree in root.iter("hierarchy")]
    return tuple(node for tree in reversed(trees) for node in tree)
