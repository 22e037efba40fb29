"""What a device offers to those who use it: a simulated one and a real phone behind adb fit alike.

Coordinates are pixels of the current orientation from the top left corner. After every call the device is at rest: what
the call started (an animation, a load) is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Node:
    """One element of a screen, with uiautomator's attributes; `bounds` is (left, top, right, bottom) in pixels."""

    class_name: str
    bounds: tuple[int, int, int, int]
    text: str = ""
    resource_id: str = ""
    package: str = ""
    content_desc: str = ""
    checkable: bool = False
    checked: bool = False
    clickable: bool = False
    enabled: bool = True
    focusable: bool = False
    focused: bool = False
    scrollable: bool = False
    long_clickable: bool = False
    password: bool = False
    selected: bool = False
    naf: bool = False
    """Not accessibility friendly: clickable, but without words."""
    hint: str = ""
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """Yield this element and all below it, parents first, in the order of the dump."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of a device's file system: unix mode bits, size in bytes, seconds since the epoch."""

    name: str
    mode: int
    size: int
    time: int


class DeviceGone(Exception):
    """The device no longer answers; the episode ends as failed."""


class Device(Protocol):
    """An Android device. Every method raises DeviceGone when it is no longer there."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, in the current orientation."""

    @property
    def rotation(self) -> int:
        """Quarter turns: 0 to 3."""

    def windows(self) -> Sequence[Node]:
        """Return the roots of what is shown, the lowest first: an app's window, a dialog, the keyboard, the bars."""

    def screenshot(self) -> Pixels:
        """Return uint8[height, width, 3], RGB."""

    def current(self) -> tuple[str, str]:
        """Return package and activity class (".MainActivity" or a full name) of what has the focus."""

    def tap(self, x: int, y: int) -> None: ...
    def long_press(self, x: int, y: int) -> None: ...
    def swipe(self, x0: int, y0: int, x1: int, y1: int, milliseconds: int = 300) -> None: ...
    def key(self, code: int) -> None:
        """Press a key by Android's keycode (3 HOME, 4 BACK, 66 ENTER, 67 DEL, 187 APP_SWITCH, ...)."""

    def type(self, text: str) -> None:
        """Type into the field that has the focus."""

    def start(self, package: str, activity: str = "") -> None:
        """Start an activity, by default the launcher's. Raises KeyError for a package that is not installed."""

    def stop(self, package: str) -> None:
        """Force an app to stop."""

    def packages(self) -> Mapping[str, str]:
        """Return package -> the app's name, of those with a launcher activity."""

    def properties(self) -> Mapping[str, str]:
        """Return the system's properties (`getprop`)."""


class SimulatedDevice(Device, Protocol):
    """What only a simulated device offers: its files, its clock, its whole state."""

    def read_file(self, path: str) -> bytes: ...
    def write_file(self, path: str, data: bytes, mode: int = 0o100644) -> None: ...
    def list_files(self, path: str) -> Sequence[FileEntry]:
        """Return a folder's entries, by name. Raises FileNotFoundError."""

    def stat(self, path: str) -> FileEntry:
        """Return one entry. Raises FileNotFoundError."""

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it that are missing."""

    def remove_file(self, path: str) -> None:
        """Remove a file, or a folder with all in it. Raises FileNotFoundError."""

    def send(
        self, action: str, data: str = "", kind: str = "", extras: Mapping[str, str] | None = None, component: str = ""
    ) -> None:
        """Start the activity that takes an intent; `kind` is a MIME type. Raises KeyError where none takes it."""

    def rotate(self, rotation: int) -> None: ...
    def settings_of(self, namespace: str) -> Mapping[str, str]:
        """Return all settings of a namespace."""

    def get_setting(self, namespace: str, name: str) -> str | None: ...
    def put_setting(self, namespace: str, name: str, value: str) -> None: ...
    def advance(self, seconds: float) -> None:
        """Let simulated time pass: alarms and notifications that are due come."""

    @property
    def time(self) -> float:
        """Simulated seconds since the Unix epoch."""

    def snapshot(self) -> bytes:
        """Return everything: databases, files, stacks of activities, scroll positions, clock."""

    def restore(self, data: bytes) -> None: ...
