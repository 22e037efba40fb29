"""The simulated phone: gestures and keys go in, windows of nodes and pixels come out, and all of it can be saved.

Every input takes `INPUT_SECONDS` of simulated time, whatever it is; nothing else moves the clock but `advance`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from simonides.envs.android.device import FileEntry, Node, Pixels
from simonides.envs.android.simulated import system
from simonides.envs.android.simulated.app import MAIN, Activity, App, Intent, Record
from simonides.envs.android.simulated.layout import Box, Layout, Placed, node_of, px
from simonides.envs.android.simulated.stack import Stacks, takers
from simonides.envs.android.simulated.storage import Databases, Files
from simonides.envs.android.simulated.views import DIALOG, EDIT, FRAME, LINEAR, Handler, View
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile

SIZE = (540, 960)
START = 1_772_441_400.0
"""2 March 2026, 08:50 UTC, a Monday."""
INPUT_SECONDS = 1.0
"""GUESS: what a gesture takes with the animation that follows; only the clock on the screen shows it."""
SLOP, LONG_PRESS = 12, 500
"""Pixels up to which a swipe is a touch in place, and milliseconds from which that is a long one (Android's)."""

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "system": {"screen_brightness": "128", "accelerometer_rotation": "0", "font_scale": "1.0", "volume_ring": "5",
               "user_rotation": "0", "time_12_24": "24"},
    "secure": {"location_mode": "3", "ui_night_mode": "1"},
    "global": {"wifi_on": "1", "bluetooth_on": "0", "airplane_mode_on": "0", "zen_mode": "0",
               "device_name": "Simonides Phone", "wifi_ssid": ""},
}  # fmt: skip
PROPERTIES: Mapping[str, str] = {
    "ro.product.model": "Simonides Phone", "ro.product.name": "simonides", "ro.product.device": "simonides",
    "ro.product.brand": "simonides", "ro.product.manufacturer": "Simonides", "ro.product.cpu.abi": "x86_64",
    "ro.build.version.sdk": "34", "ro.build.version.release": "14", "ro.sf.lcd_density": "240",
    "ro.build.type": "userdebug", "sys.boot_completed": "1", "ro.serialno": "simonides",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notification:
    """What an app tells its user from behind; a tap on it opens `intent`."""

    id: int
    package: str
    title: str
    text: str
    time: float
    intent: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """One window: its views in their places, and what is done to the record that keeps its focus and scrolling."""

    role: str
    package: str
    placed: Placed
    record: Record
    bounds: Box
    cancel: Handler | None = None
    """A tap outside, where the window takes all."""


class Phone:
    """An Android phone in this process; see `Device` and `SimulatedDevice` for what its methods promise."""

    def __init__(self, apps: Iterable[type[App]], size: tuple[int, int] = SIZE, time: float = START) -> None:
        """`apps` are installed in their order, besides launcher and system; `size` is in pixels, upright."""
        self._upright, self._rotation, self._time = size, 0, time
        self.databases, self.files, self.stacks = Databases(), Files(), Stacks()
        self.settings = {namespace: dict(values) for namespace, values in SETTINGS.items()}
        self.notifications: list[Notification] = []
        self.heads_up = 0
        """The id of the notification that shows over the screen, until the next input or `advance`; 0 for none."""
        self.layer = "lower"
        self.apps: dict[str, App] = {}
        self._shade, self._typing = False, False
        self._alarms: list[tuple[float, int, str, dict[str, Any]]] = []
        self._ids = 0
        self._system = Record(0, f"{system.SYSTEM_UI}/.Shade", Intent())
        self._shown: list[Window] | None = None
        self._nodes: list[Node] | None = None
        for app in (*system.SYSTEM_APPS, *apps):
            self.install(app)
        self.home()
        self._time = time

    # --- what is installed ---

    def install(self, app: type[App]) -> None:
        """Install an app with an empty database."""
        new = app()
        self.apps[new.package] = new
        if new.schema:
            self.databases.create(new.package, new.schema)
        new.installed(self)
        self._shown = None

    def packages(self) -> Mapping[str, str]:
        """Return package -> the app's name, by name, of those with a launcher activity."""
        named = {package: app.label for package, app in self.apps.items() if not app.hidden}
        return dict(sorted(named.items(), key=lambda one: one[1]))

    def database(self, package: str) -> sqlite3.Connection:
        """Return an app's database, to read and to seed; call `refresh` after changing it. Raises KeyError."""
        return self.databases[package]

    def refresh(self) -> None:
        """Build the screen anew, after its data was changed from outside."""
        self._shown = None

    def properties(self) -> Mapping[str, str]:
        """Return the system's properties."""
        return PROPERTIES

    # --- what is shown ---

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, in the current orientation."""
        wide, tall = self._upright
        return (tall, wide) if self._rotation % 2 else (wide, tall)

    @property
    def rotation(self) -> int:
        """Quarter turns: 0 to 3."""
        return self._rotation

    @property
    def time(self) -> float:
        """Simulated seconds since the Unix epoch."""
        return self._time

    def windows(self) -> Sequence[Node]:
        """Return what is shown, the lowest first. Under a dialog or the shade, which take every touch, nothing is."""
        shown = self._windows()
        if self._nodes is not None:
            return self._nodes
        modal = max((i for i, window in enumerate(shown) if window.cancel is not None), default=0)
        nodes = (node_of(window.placed, window.package, window.record.focus) for window in shown[modal:])
        self._nodes = [node for node in nodes if node is not None]
        return self._nodes

    def find(self, text: str = "", resource_id: str = "", content_desc: str = "") -> Node | None:
        """Return the first element that is shown with all of what is given; an id may go without its package."""
        for root in self.windows():
            for node in root.walk():
                named = not resource_id or resource_id in (node.resource_id, node.resource_id.partition(":id/")[2])
                if named and (not text or node.text == text) and content_desc in ("", node.content_desc):
                    return node
        return None

    def screenshot(self) -> Pixels:
        """Return uint8[height, width, 3], RGB."""
        from simonides.envs.android.simulated.draw import drawn

        themes = {package: (app.colour, app.accent) for package, app in self.apps.items()}
        return drawn(self.size, self._windows(), themes)

    def current(self) -> tuple[str, str]:
        """Return package and activity of what is on top."""
        package, _, activity = self.stacks.top.component.partition("/")
        return package, activity

    @property
    def keyboard_shown(self) -> bool:
        """Whether the keyboard is on the screen."""
        return self._typing and bool(self.stacks.top.focus) and not self._shade

    def _activity(self, record: Record) -> Activity:
        package, _, name = record.component.partition("/")
        return self.apps[package].activity(name)(self, record)

    def _windows(self) -> list[Window]:
        if self._shown is None:
            self._shown, self._nodes = list(self._build()), None
        return self._shown

    def _build(self) -> Iterable[Window]:
        wide, tall = self.size
        top, bottom = px(system.STATUS_DP), tall - px(system.NAVIGATION_DP)
        record = self.stacks.top
        activity = self._activity(record)
        content = View(FRAME, "android:id/content", children=(activity.build(),), weight=1)
        dialog = activity.dialog()
        parts = (content, *(dialog.content if dialog is not None else ()))
        if not any(one.kind == EDIT and one.id == record.focus for part in parts for one in part.walk()):
            record.focus = ""  # its field is gone, and the keyboard with it
        keys = system.keyboard(self) if self.keyboard_shown else None
        free = bottom - (Layout({}).natural(keys, wide)[1] if keys is not None else 0)
        decor = View(FRAME, children=(View(LINEAR, children=(content,), weight=1),))
        yield self._window("app", record.package, decor, (0, top, wide, free), record)
        if dialog is None:
            record.scrolled.pop(DIALOG, None)
        else:
            view = dialog.view()
            width = min(wide - px(40), px(320))
            height = min(Layout({}).natural(view, width)[1], free - top - px(32))
            x, y = (wide - width) // 2, top + (free - top - height) // 2
            yield self._window("dialog", record.package, view, (x, y, x + width, y + height), record, dialog.cancel)
        if keys is not None:
            yield self._window("keyboard", system.KEYBOARD, keys, (0, free, wide, bottom), self._system)
        if self._shade:
            yield self._window(
                "shade", system.SYSTEM_UI, system.shade(self), (0, top, wide, bottom), self._system, self._close
            )
        elif self.heads_up:
            card = system.heads_up(self)
            box = (px(8), top + px(4), wide - px(8), top + px(4) + Layout({}).natural(card, wide - px(16))[1])
            yield self._window("heads_up", system.SYSTEM_UI, card, box, self._system)
        yield self._window("status", system.SYSTEM_UI, system.status_bar(self), (0, 0, wide, top), self._system)
        yield self._window(
            "navigation", system.SYSTEM_UI, system.navigation_bar(self), (0, bottom, wide, tall), self._system
        )

    def _window(
        self, role: str, package: str, view: View, box: Box, record: Record, cancel: Handler | None = None
    ) -> Window:
        placed = Layout(record.scrolled).place(view, box, box)
        return Window(role, package, placed, record, box, cancel)

    # --- gestures and keys ---

    def tap(self, x: int, y: int) -> None:
        """Touch a place."""
        self._input(lambda: self._touched(x, y, False))

    def long_press(self, x: int, y: int) -> None:
        """Touch a place and stay; where nothing waits for that, it is a touch."""
        self._input(lambda: self._touched(x, y, True))

    def swipe(self, x0: int, y0: int, x1: int, y1: int, milliseconds: int = 300) -> None:
        """Move a finger: lists scroll by as much, the shade comes down from the status bar, cards go sideways."""
        if max(abs(x1 - x0), abs(y1 - y0)) <= SLOP:
            return self.long_press(x0, y0) if milliseconds >= LONG_PRESS else self.tap(x0, y0)
        self._input(lambda: self._swiped(x0, y0, x1, y1))

    def _touched(self, x: int, y: int, long: bool) -> None:
        window = self._under(x, y)
        if window is None or not _inside(window.bounds, x, y):
            if window is not None and window.cancel is not None:
                window.cancel()
            return
        hit = [one.view for one in window.placed.walk() if one.seen and _inside(one.seen, x, y)]
        target = next((one for one in reversed(hit) if one.on_tap or one.on_long or one.kind == EDIT), None)
        if target is None or not target.enabled:
            return
        if target.kind == EDIT:
            self._typing, window.record.focus = True, target.id
        do = target.on_long if long and target.on_long else target.on_tap
        if do is not None:
            do()

    def _under(self, x: int, y: int) -> Window | None:
        """Return the highest window at a place, or one that takes all touches outside itself."""
        for window in reversed(self._windows()):
            if _inside(window.bounds, x, y) or window.cancel is not None:
                return window
        return None

    def _swiped(self, x0: int, y0: int, x1: int, y1: int) -> None:
        window = self._under(x0, y0)
        if window is None:
            return
        hit = [one for one in window.placed.walk() if one.seen and _inside(one.seen, x0, y0)]
        if abs(x1 - x0) > abs(y1 - y0):
            go = next((one.view.on_dismiss for one in reversed(hit) if one.view.on_dismiss), None)
            if go is not None:
                go()
            return
        if window.role == "status" and y1 > y0:
            self._shade = True
            return
        scroller = next((one for one in reversed(hit) if one.view.scrolls and one.overflow), None)
        if scroller is not None:
            name = scroller.view.id
            old = min(window.record.scrolled.get(name, 0), scroller.overflow)
            window.record.scrolled[name] = min(max(0, old + y0 - y1), scroller.overflow)
        elif window.role == "shade" and y1 < y0:
            self._close()

    def key(self, code: int) -> None:
        """Press a key by Android's keycode; one without a meaning here does nothing."""
        self._input(lambda: self._pressed(code))

    def _pressed(self, code: int) -> None:
        done: dict[int, Handler] = {
            3: self.home, 4: self.back, 66: self._enter, 67: self._erase, 111: self.back, 187: self.overview,
            61: self._next_field, 160: self._enter, 62: lambda: self.press(" "), 83: self._open_shade,
        }  # fmt: skip
        if code in done:
            done[code]()
        elif 7 <= code <= 16:
            self.press(chr(ord("0") + code - 7))
        elif 29 <= code <= 54:
            self.press(chr(ord("a") + code - 29))

    def type(self, text: str) -> None:
        """Type into the field that has the focus; without one it goes nowhere."""
        self._input(lambda: self.press(text))

    def press(self, text: str) -> None:
        """Put letters into the field that has the focus, as one key of the keyboard does."""
        record = self.stacks.top
        if record.focus:
            record.fields[record.focus] = record.fields.get(record.focus, "") + text
        if self.layer == "upper":
            self.layer = "lower"

    def set_layer(self, layer: str) -> None:
        """Show the keyboard's "lower", "upper" or "symbols"."""
        self.layer = layer

    def _erase(self) -> None:
        record = self.stacks.top
        if record.focus:
            record.fields[record.focus] = record.fields.get(record.focus, "")[:-1]

    def _field(self) -> View | None:
        return next((one for one in self._fields() if one.id == self.stacks.top.focus), None)

    def _fields(self) -> list[View]:
        placed = [one for window in self._windows() if window.role in ("app", "dialog") for one in window.placed.walk()]
        return [one.view for one in placed if one.view.kind == EDIT]

    def _enter(self) -> None:
        field = self._field()
        if field is None:
            return
        if field.lines:
            self.press("\n")
        elif field.on_enter is not None:
            field.on_enter()
        else:
            self._next_field()

    def _next_field(self) -> None:
        names = [one.id for one in self._fields()]
        focus = self.stacks.top.focus
        rest = names[names.index(focus) + 1 :] if focus in names else []
        if rest:
            self.stacks.top.focus = rest[0]
        else:
            self._typing = False

    def _input(self, do: Callable[[], None]) -> None:
        """Do what an input does, then let its time pass."""
        self._windows()
        before = self.stacks.top.id
        self.heads_up = 0
        do()
        if self.stacks.top.id != before:
            self._typing, self.layer = False, "lower"
        self._pass(INPUT_SECONDS)

    # --- going about ---

    def home(self) -> None:
        """Show the launcher."""
        self._close()
        if not self.stacks.front(system.LAUNCHER):
            self._push(f"{system.LAUNCHER}/{system.Launcher.name}", Intent(MAIN), 0, "", True)

    def back(self) -> None:
        """Close the shade, the keyboard or the dialog, or leave the activity."""
        activity = self._activity(self.stacks.top)
        dialog = activity.dialog()
        if self._shade:
            self._close()
        elif self.keyboard_shown:
            self._typing = False
        elif dialog is not None:
            dialog.cancel()
        elif not activity.back():
            activity.finish()

    def overview(self) -> None:
        """Show the tasks that were used last."""
        self._close()
        self.stacks.drop(system.SYSTEM_UI)
        self._push(f"{system.SYSTEM_UI}/{system.Recents.name}", Intent(MAIN), 0, "", True)

    def _open_shade(self) -> None:
        self._shade = True

    def _close(self) -> None:
        self._shade = False
        self._system.scrolled.clear()

    def start(self, package: str, activity: str = "") -> None:
        """Bring an app to the front as it was left, or start it; with `activity`, start that one. Raises KeyError."""
        known = self.apps[package].activity(activity)
        self._close()
        self._typing, self._shown = False, None
        if activity or not self.stacks.front(package):
            self._push(f"{package}/{known.name}", Intent(MAIN), 0, "", True)

    def stop(self, package: str) -> None:
        """Force an app to stop: its activities are gone, its data stays."""
        self.stacks.drop(package)
        self._typing, self._shown = False, None
        if not self.stacks.tasks:
            self.home()

    def open(self, intent: Intent, caller: Record | None = None, request: str = "", new_task: bool = False) -> None:
        """Start the activity that takes an intent; the chooser asks where several do, or none does."""
        found = takers(self.apps, intent)
        self._shown = None
        if len(found) != 1:
            asked = Intent(extras={"intent": intent.plain(), "takers": found})
            found, intent = [f"android/{system.Chooser.name}"], asked
        self._push(found[0], intent, caller.id if caller is not None else 0, request, new_task or not self.stacks.tasks)

    def send(
        self, action: str, data: str = "", kind: str = "", extras: Mapping[str, str] | None = None, component: str = ""
    ) -> None:
        """Start what takes an intent that comes from outside. Raises KeyError where nothing takes it."""
        package, _, activity = component.partition("/")
        intent = Intent(action, data, kind, dict(extras or {}), component)
        if component:
            self.apps[package].activity(activity)
        elif not takers(self.apps, intent):
            raise KeyError(action)
        self._close()
        self._typing = False
        self.open(intent, new_task=True)

    def _push(self, component: str, intent: Intent, caller: int, request: str, new_task: bool) -> None:
        record = self.stacks.push(component, intent, caller, request, new_task)
        self._activity(record).created()

    def finish(self, record: Record, result: Mapping[str, Any] | None = None) -> None:
        """Take an activity away and give its result to who asked for one."""
        if self.stacks.remove(record):
            self.home()
        caller = self.stacks.find(record.caller)
        if caller is not None and record.request:
            self._activity(caller).resumed(record.request, result)

    # --- time, notifications, settings ---

    def advance(self, seconds: float) -> None:
        """Let simulated time pass: alarms that are due go to their apps, in order."""
        shown = self.heads_up
        self._pass(seconds)
        if self.heads_up == shown:
            self.heads_up, self._shown = 0, None

    def _pass(self, seconds: float) -> None:
        until = self._time + seconds
        while self._alarms and self._alarms[0][0] <= until:
            at, _, package, intent = self._alarms.pop(0)
            self._time = max(self._time, at)
            self.apps[package].received(self, Intent(**intent))
        self._time, self._shown = until, None

    def schedule(self, time: float, package: str, intent: Intent) -> int:
        """Let an app receive an intent at a time; return the number to cancel it by."""
        self._ids += 1
        self._alarms.append((time, self._ids, package, intent.plain()))
        self._alarms.sort(key=lambda one: one[:2])
        return self._ids

    def cancel(self, alarm: int) -> None:
        """Forget an alarm, if it is still to come."""
        self._alarms = [one for one in self._alarms if one[1] != alarm]

    def notify(self, package: str, title: str, text: str, intent: Intent | None = None) -> None:
        """Tell the user something from behind: over the screen until the next input, then in the shade."""
        self._ids += 1
        target = intent or Intent(component=f"{package}/{self.apps[package].activities[0].name}")
        self.notifications.append(Notification(self._ids, package, title, text, self._time, target.plain()))
        self.heads_up, self._shown = self._ids, None

    def open_notification(self, number: int) -> None:
        """Open what a notification is about, in its app's task; the notification goes."""
        note = next(one for one in self.notifications if one.id == number)
        self.dismiss(number)
        self._close()
        self.open(Intent(**note.intent), new_task=True)

    def dismiss(self, number: int) -> None:
        """Take a notification away."""
        self.notifications = [one for one in self.notifications if one.id != number]
        self.heads_up, self._shown = 0, None

    def clear(self) -> None:
        """Take all notifications away."""
        self.notifications, self.heads_up, self._shown = [], 0, None
        self._close()

    def on(self, name: str) -> bool:
        """Return whether a setting of any namespace is on."""
        return any(values.get(name, "0") not in ("0", "") for values in self.settings.values())

    def toggle(self, name: str) -> None:
        """Switch a setting."""
        namespace = next(space for space, values in self.settings.items() if name in values)
        self.put_setting(namespace, name, "0" if self.on(name) else "1")

    def get_setting(self, namespace: str, name: str) -> str | None:
        """Return a setting of "system", "secure" or "global"; None where there is none."""
        return self.settings.get(namespace, {}).get(name)

    def put_setting(self, namespace: str, name: str, value: str) -> None:
        """Change a setting; airplane mode takes Wi-Fi and Bluetooth with it."""
        self.settings.setdefault(namespace, {})[name] = value
        if name == "airplane_mode_on" and value == "1":
            self.settings["global"] |= {"wifi_on": "0", "bluetooth_on": "0"}
        if name == "user_rotation":
            self._rotation = int(value) % 4
        self._shown = None

    def settings_of(self, namespace: str) -> Mapping[str, str]:
        """Return all settings of a namespace."""
        return self.settings.get(namespace, {})

    def rotate(self, rotation: int) -> None:
        """Turn the phone; activities keep their state."""
        self._rotation, self._shown = rotation % 4, None

    # --- files ---

    def read_file(self, path: str) -> bytes:
        """Return a file's content; an app's database is at /data/data/PACKAGE/databases/app.db."""
        package = _database(path)
        return self.databases.dump(package) if package in self.databases else self.files.read(path)

    def write_file(self, path: str, data: bytes, mode: int = 0o100644) -> None:
        """Write a file, making the folders above it."""
        package = _database(path)
        if package in self.databases:
            self.databases.load(package, data)
        else:
            self.files.write(path, data, int(self._time), mode)
        self._shown = None

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it that are missing."""
        self.files.mkdir(path, int(self._time))

    def remove_file(self, path: str) -> None:
        """Remove a file, or a folder with all in it. Raises FileNotFoundError."""
        self.files.remove(path)
        self._shown = None

    def list_files(self, path: str) -> Sequence[FileEntry]:
        """Return a folder's entries, by name. Raises FileNotFoundError."""
        return self.files.list(path)

    def stat(self, path: str) -> FileEntry:
        """Return one entry. Raises FileNotFoundError."""
        package = _database(path)
        if package in self.databases:
            return FileEntry("app.db", 0o100660, len(self.databases.dump(package)), int(self._time))
        return self.files.stat(path)

    # --- state ---

    def snapshot(self) -> bytes:
        """Return everything as bytes."""
        return encode(
            {
                "apps": sorted(self.apps), "size": list(self._upright), "rotation": self._rotation, "time": self._time,
                "databases": self.databases.plain(), "files": self.files.plain(), "stacks": self.stacks.plain(),
                "settings": self.settings, "notifications": [list(astuple(one)) for one in self.notifications],
                "heads_up": self.heads_up, "layer": self.layer, "shade": self._shade, "typing": self._typing,
                "alarms": [list(one) for one in self._alarms], "ids": self._ids, "system": self._system.scrolled,
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of a phone with other apps or of another size."""
        state = decode(data)
        shape = (sorted(self.apps), list(self._upright))
        if not isinstance(state, dict) or (state.get("apps"), state.get("size")) != shape:
            raise CorruptFile("This snapshot is not of a phone with these apps and this size; make the same one first.")
        self._rotation, self._time, self.settings = state["rotation"], state["time"], state["settings"]
        self.databases.restore(state["databases"])
        self.files.restore(state["files"])
        self.stacks.restore(state["stacks"])
        self.notifications = [Notification(*one) for one in state["notifications"]]
        self.heads_up, self.layer, self._shade = state["heads_up"], state["layer"], state["shade"]
        self._typing, self._ids = state["typing"], state["ids"]
        self._alarms = [(one[0], one[1], one[2], one[3]) for one in state["alarms"]]
        self._system.scrolled, self._shown = state["system"], None


def _inside(box: Box, x: int, y: int) -> bool:
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def _database(path: str) -> str:
    """Return the package whose database a path names, "" for none."""
    parts = path.strip("/").split("/")
    return (
        parts[2] if len(parts) == 5 and parts[:2] == ["data", "data"] and parts[3:] == ["databases", "app.db"] else ""
    )
