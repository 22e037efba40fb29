"""What belongs to no app: the bars, the shade of notifications, the keyboard, the launcher, the chooser of apps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simonides.envs.android.simulated.app import Activity, App, Intent
from simonides.envs.android.simulated.views import (
    FRAME,
    IMAGE,
    PLAIN,
    TEXT,
    Look,
    View,
    avatar,
    button,
    column,
    flat,
    icon,
    item,
    listing,
    page,
    row,
    text,
)

if TYPE_CHECKING:
    from simonides.envs.android.simulated.phone import Phone

SYSTEM_UI, KEYBOARD, LAUNCHER = "com.android.systemui", "com.android.inputmethod.latin", "com.android.launcher3"
STATUS_DP, NAVIGATION_DP, ROW_DP = 24, 48, 46

LETTERS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SYMBOLS = ("1234567890", "@#$_&-+()/", "*\"':;!?")


def clock_of(time: float) -> str:
    """Return hours and minutes of a time."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M")


def _system(name: str) -> str:
    return f"{SYSTEM_UI}:id/{name}"


def status_bar(phone: Phone) -> View:
    """Return the status bar: the time, an icon for each app that has notified, the battery."""
    shown = {one.package: phone.apps[one.package].label for one in phone.notifications}
    icons = [
        View(
            IMAGE,
            desc=f"{label} notification",
            width=16,
            height=16,
            look=Look(9, "#ffffff", icon=f"letter:{label[0]}", fill="#00000055", round=8),
        )
        for _, label in sorted(shown.items())
    ]
    wifi = "Wifi signal full." if phone.on("wifi_on") else "No internet."
    plane = (
        (
            View(
                IMAGE,
                _system("airplane"),
                desc="Airplane mode.",
                width=16,
                height=16,
                look=Look(icon="plane", colour="#ffffff"),
            ),
        )
        if phone.on("airplane_mode_on")
        else ()
    )
    clock = text(clock_of(phone.time), _system("clock"), 13, "#ffffff", bold=True)
    signal = View(
        IMAGE,
        _system("wifi_signal"),
        desc=wifi,
        width=16,
        height=16,
        look=Look(icon="wifi" if phone.on("wifi_on") else "none", colour="#ffffff"),
    )
    battery = View(
        IMAGE,
        _system("battery"),
        desc="Battery 82 percent.",
        width=12,
        height=16,
        look=Look(icon="battery", colour="#ffffff"),
    )
    bar = row(
        clock, *icons, View(PLAIN, weight=1), *plane, signal, battery, pad=(10, 2), gap=8, id=_system("status_bar")
    )
    return bar.but(height=STATUS_DP)


def navigation_bar(phone: Phone) -> View:
    """Return the three buttons at the bottom."""
    parts = (("back", "Back", phone.back), ("home", "Home", phone.home), ("recent_apps", "Overview", phone.overview))
    keys = [
        icon(name, desc, do, _system(name), "#ffffff", width=0, weight=1, height=NAVIGATION_DP)
        for name, desc, do in parts
    ]
    return row(*keys, id=_system("navigation_bar"), height=NAVIGATION_DP, look=Look(fill="#000000"))


def heads_up(phone: Phone) -> View:
    """Return the newest notification as it shows over whatever is on the screen."""
    note = next(one for one in phone.notifications if one.id == phone.heads_up)
    return _card(phone, note.id).but(id=_system("heads_up"))


def _card(phone: Phone, number: int) -> View:
    note = next(one for one in phone.notifications if one.id == number)
    app = phone.apps[note.package]
    words = column(
        text(f"{app.label} · {clock_of(note.time)}", "android:id/app_name_text", 12, app.colour),
        text(note.title, "android:id/title", 15, bold=True),
        text(note.text, "android:id/text", 14, "faint"),
        weight=1,
        gap=2,
    )
    return row(
        avatar(app.label[0], app.colour, 36),
        words,
        id=_system("expandableNotificationRow"),
        pad=(14, 10),
        gap=12,
        look=Look(fill="surface", round=8),
        on_tap=lambda: phone.open_notification(number),
        on_dismiss=lambda: phone.dismiss(number),
    )


TILES = (
    ("wifi_on", "Wi-Fi"),
    ("bluetooth_on", "Bluetooth"),
    ("zen_mode", "Do not disturb"),
    ("accelerometer_rotation", "Auto-rotate"),
    ("airplane_mode_on", "Airplane mode"),
)


def shade(phone: Phone) -> View:
    """Return the shade: quick settings, then what apps have notified of, the newest first."""
    tiles = [
        text(
            words,
            _system("tile_label"),
            12,
            "#ffffff" if phone.on(name) else "#dddddd",
            centred=True,
            weight=1,
            height=56,
            desc=f"{words}, {'On' if phone.on(name) else 'Off'}",
            on_tap=lambda name=name: phone.toggle(name),
        ).but(look=Look(12, "#ffffff", "#3367d6" if phone.on(name) else "#5f6368", 10, centred=True))
        for name, words in TILES
    ]
    cards = [_card(phone, note.id) for note in reversed(phone.notifications)]
    empty = (
        []
        if cards
        else [text("No notifications", _system("no_notifications"), 15, "#ffffff", centred=True, pad=(0, 30))]
    )
    clear = [button("Clear all", phone.clear, _system("dismiss_text"), hug="end")] if cards else []
    return column(
        row(*tiles, gap=6, pad=(8, 8)),
        listing(_system("notification_stack_scroller"), *cards, *empty, *clear, gap=6, pad=(8, 4)),
        look=Look(fill="#202124"),
        weight=1,
    )


def keyboard(phone: Phone) -> View:
    """Return the keyboard in its present layer: letters, capitals or symbols."""
    layer = phone.layer
    rows = SYMBOLS if layer == "symbols" else tuple(line.upper() if layer == "upper" else line for line in LETTERS)
    swap = _key(
        "ABC" if layer == "symbols" else "?123",
        "Letters" if layer == "symbols" else "Symbols",
        lambda: phone.set_layer("lower" if layer == "symbols" else "symbols"),
        1.5,
    )
    shift = _key("⇧", "Shift", lambda: phone.set_layer("lower" if layer == "upper" else "upper"), 1.5)
    letters = [[_key(one, one, lambda one=one: phone.press(one)) for one in line] for line in rows]
    return column(
        row(*letters[0], gap=4),
        row(*letters[1], gap=4, pad=(0 if layer == "symbols" else 16, 0)),
        row(shift, *letters[2], _key("⌫", "Delete", lambda: phone.key(67), 1.5), gap=4),
        row(
            swap,
            _key(",", ",", lambda: phone.press(",")),
            _key(" ", "Space", lambda: phone.press(" "), 4),
            _key(".", ".", lambda: phone.press(".")),
            _key("⏎", "Enter", lambda: phone.key(66), 1.5),
            gap=4,
        ),
        id="keyboard_view",
        gap=4,
        pad=(4, 4),
        look=Look(fill="#d2d5da"),
    )


def _key(words: str, desc: str, do: object, weight: float = 1) -> View:
    icons = {"⇧": "up", "⌫": "erase", "⏎": "enter"}
    look = Look(
        17 if len(words) == 1 else 13,
        "text",
        "#ffffff" if weight == 1 or words == " " else "#aeb3bc",
        4,
        centred=True,
        icon=icons.get(words, f"letter:{words}"),
    )
    return View(PLAIN, desc=desc, on_tap=do, weight=weight, height=ROW_DP - 4, look=look)  # type: ignore[arg-type]


class Launcher(Activity):
    """All apps in a grid, some of them in a dock below."""

    name = ".uioverrides.QuickstepLauncher"
    dock = ("org.simonides.contacts", "org.simonides.messages", "org.simonides.browser", "org.simonides.clock")

    def build(self) -> View:
        """Return the grid and the dock."""
        labels = self.phone.packages()
        wide = 4 if self.phone.rotation % 2 == 0 else 7
        cells = [self._cell(package) for package in labels if package not in self.dock]
        cells += [View(FRAME, weight=1, height=92)] * (-len(cells) % wide)
        grid = [row(*cells[at : at + wide], gap=4) for at in range(0, len(cells), wide)]
        dock = [self._cell(package) for package in self.dock if package in labels]
        docked = row(*dock, id="hotseat", gap=4, pad=(8, 4), look=Look(fill="#00000044")) if dock else View(PLAIN)
        return View(
            FRAME,
            "launcher",
            children=(listing("workspace", *grid, gap=8, pad=(8, 24)), docked),
            look=Look(fill="wallpaper"),
            weight=1,
        )

    def _cell(self, package: str) -> View:
        app = self.phone.apps[package]
        look = Look(12, "#ffffff", icon=f"app:{app.label[0]}:{app.colour}", centred=True)
        start = lambda: self.phone.start(package)  # noqa: E731
        return View(TEXT, "icon", app.label, app.label, on_tap=start, weight=1, height=92, look=look)

    def back(self) -> bool:
        """Stay: there is nothing below the launcher."""
        return True


class LauncherApp(App):
    """What is there when no app is."""

    package, label, colour, hidden = LAUNCHER, "Home", "#37474f", True
    activities = (Launcher,)


class Recents(Activity):
    """The tasks, the last used first."""

    name = ".recents.RecentsActivity"

    def build(self) -> View:
        """Return a card for each task."""
        tasks = [task for task in reversed(self.phone.stacks.tasks) if task.package not in (LAUNCHER, SYSTEM_UI)]
        cards = [self._card(task.package) for task in tasks]
        empty = [] if cards else [text("No recent items", "no_recents", 16, "#ffffff", centred=True, pad=(0, 60))]
        return View(
            FRAME,
            children=(listing("recents", *cards, *empty, gap=10, pad=(24, 24)),),
            look=Look(fill="#37474f"),
            weight=1,
        )

    def _card(self, package: str) -> View:
        app = self.phone.apps[package]
        return item(
            app.label,
            on_tap=lambda: self._show(package),
            id="task",
            lead=avatar(app.label[0], app.colour),
            on_dismiss=lambda: self.phone.stacks.drop(package),
            look=Look(fill="surface", round=8),
            desc=app.label,
        )

    def _show(self, package: str) -> None:
        self.finish()
        self.phone.start(package)


class SystemUi(App):
    """The bars and the overview."""

    package, label, colour, hidden = SYSTEM_UI, "System UI", "#37474f", True
    activities = (Recents,)


class Chooser(Activity):
    """Asks which app shall take an intent that several take."""

    name = "com.android.internal.app.ChooserActivity"

    def build(self) -> View:
        """Return the apps to choose among."""
        takers = self.intent.extras["takers"]
        rows = [self._taker(component) for component in takers]
        title = "Share" if self.intent.extras["intent"]["action"].endswith("SEND") else "Open with"
        words = title if takers else "No app can perform this action."
        return page(
            text(words, "android:id/title", 19, bold=True, pad=(20, 16)),
            listing("resolver_list", *rows),
            flat("Cancel", self.finish, "android:id/button2"),
        )

    def _taker(self, component: str) -> View:
        app = self.phone.apps[component.partition("/")[0]]
        return item(
            app.label, id="target", on_tap=lambda: self._choose(component), lead=avatar(app.label[0], app.colour)
        )

    def _choose(self, component: str) -> None:
        wanted = Intent(**self.intent.extras["intent"])
        caller, request = self.phone.stacks.find(self.record.caller), self.record.request
        self.record.caller = 0
        self.finish()
        self.phone.open(Intent(wanted.action, wanted.data, wanted.type, wanted.extras, component), caller, request)


class AndroidSystem(App):
    """What the system itself shows."""

    package, label, colour, hidden = "android", "Android System", "#37474f", True
    activities = (Chooser,)


SYSTEM_APPS: tuple[type[App], ...] = (LauncherApp, SystemUi, AndroidSystem)
