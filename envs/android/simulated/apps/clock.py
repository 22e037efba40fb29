"""Clock: alarms that ring at their time every day they are on for, and a timer."""

from __future__ import annotations

from functools import partial
from typing import Any

from simonides.envs.android.simulated.app import Activity, App, Filter, Intent
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import clock_of
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    button,
    column,
    fab,
    icon,
    item,
    listing,
    over,
    page,
    row,
    switch,
    tab,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World

PACKAGE = "org.simonides.clock"
RING, TIMER_DONE = "org.simonides.clock.RING", "org.simonides.clock.TIMER"
SET_ALARM = "android.intent.action.SET_ALARM"


def minutes_of(minute: int) -> str:
    """Return a minute of the day as hours and minutes."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def arm(phone: Phone, alarm: int, on: bool) -> None:
    """Switch an alarm on, for the next time its minute comes, or off."""
    db = phone.database(PACKAGE)
    one = db.execute("SELECT * FROM alarms WHERE id = ?", (alarm,)).fetchone()
    phone.cancel(one["scheduled"])
    number = 0
    if on:
        at = phone.time - phone.time % 86_400 + 60 * one["minute"]
        number = phone.schedule(at if at > phone.time else at + 86_400, PACKAGE, Intent(RING, extras={"alarm": alarm}))
    db.execute("UPDATE alarms SET armed = ?, scheduled = ? WHERE id = ?", (int(on), number, alarm))


def add(phone: Phone, minute: int, label: str = "", on: bool = True) -> int:
    """Add an alarm; return its id."""
    sql = "INSERT INTO alarms (minute, label) VALUES (?, ?)"
    number = phone.database(PACKAGE).execute(sql, (minute, label)).lastrowid or 0
    arm(phone, number, on)
    return number


class Alarms(Activity):
    """All alarms with their switches."""

    filters = (Filter(SET_ALARM),)

    def created(self) -> None:
        """Add the alarm that another app asks for."""
        if self.intent.action == SET_ALARM:
            minute = 60 * int(self.intent.extras.get("hour", 0)) + int(self.intent.extras.get("minutes", 0))
            add(self.phone, minute, str(self.intent.extras.get("message", "")))

    def build(self) -> View:
        """Return the list."""
        rows = [self._alarm(one) for one in self.rows("SELECT * FROM alarms ORDER BY minute, id")]
        empty = [] if rows else [text("No alarms", "empty", 16, "faint", centred=True, pad=(0, 40))]
        tabs = row(tab("ALARM", True, self.set()), tab("TIMER", False, partial(self.go, ".TimerActivity")))
        new = fab("Add alarm", self.set(choosing="hour"))
        return page(title_bar("Clock"), tabs, over(listing("alarms", *rows, *empty), new, weight=1))

    def _alarm(self, one: Any) -> View:
        time = minutes_of(one["minute"])
        turn = partial(arm, self.phone, one["id"], not one["armed"])
        return row(
            column(
                text(time, "digital_clock", 28, "text" if one["armed"] else "faint"),
                text(one["label"] or "Alarm", "label", 13, "faint"),
                weight=1,
            ),
            switch(bool(one["armed"]), turn, "onoff", f"{time} alarm"),
            icon("trash", f"Delete {time} alarm", partial(self._delete, one["id"]), "delete", "faint"),
            id="alarm",
            pad=(16, 10),
            gap=12,
        )

    def _delete(self, alarm: int) -> None:
        arm(self.phone, alarm, False)
        self.do("DELETE FROM alarms WHERE id = ?", alarm)

    def dialog(self) -> Dialog | None:
        """Ask for the hour, then for the minute."""
        choosing = self.state.get("choosing")
        if choosing == "hour":
            hours = tuple((f"{hour:02d}", self.set(choosing="minute", hour=hour)) for hour in range(24))
            return Dialog.menu(hours, self.set(choosing=""), "Hour")
        if choosing == "minute":
            hour = self.state["hour"]
            minutes = tuple((minutes_of(60 * hour + m), partial(self._add, 60 * hour + m)) for m in range(0, 60, 5))
            return Dialog.menu(minutes, self.set(choosing=""), "Minute")
        return None

    def _add(self, minute: int) -> None:
        self.state["choosing"] = ""
        add(self.phone, minute)


class Timer(Activity):
    """Counts down some minutes."""

    name = ".TimerActivity"

    def build(self) -> View:
        """Return what is running, and what may be started."""
        tabs = row(tab("ALARM", False, self.finish), tab("TIMER", True, self.set()))
        ends = self.state.get("ends", 0.0)
        left = f"Ends at {clock_of(ends)}" if ends > self.phone.time else "No timer runs"
        starts = [
            item("1 minute" if m == 1 else f"{m} minutes", id="timer", on_tap=partial(self._start, m))
            for m in (1, 3, 5, 10, 15, 30, 60)
        ]
        stop = button("Stop", self._stop, "stop", ends > self.phone.time, hug="centre")
        return page(
            title_bar("Clock"),
            tabs,
            text(left, "timer_state", 24, centred=True, pad=(0, 20)),
            stop,
            listing("timers", *starts),
        )

    def _start(self, minutes: int) -> None:
        self.phone.cancel(self.state.get("alarm", 0))
        self.state["ends"] = self.phone.time + 60 * minutes
        intent = Intent(TIMER_DONE, extras={"minutes": minutes})
        self.state["alarm"] = self.phone.schedule(self.state["ends"], PACKAGE, intent)

    def _stop(self) -> None:
        self.phone.cancel(self.state.get("alarm", 0))
        self.state["ends"] = 0.0


class Clock(App):
    """The clock app."""

    package, label, colour, accent = PACKAGE, "Clock", "#283593", "#1e88e5"
    schema = """
        CREATE TABLE alarms (id INTEGER PRIMARY KEY AUTOINCREMENT, minute INTEGER NOT NULL,
            label TEXT NOT NULL DEFAULT '',
            armed INTEGER NOT NULL DEFAULT 0, scheduled INTEGER NOT NULL DEFAULT 0);
    """
    activities = (Alarms, Timer)

    def populate(self, phone: Phone, world: World) -> None:
        """Set an alarm for weekdays, and one that is off."""
        rng = world.draws("clock")
        add(phone, 360 + 15 * int(rng.integers(8)), "Work")
        add(phone, 540, "Weekend", on=False)

    def received(self, phone: Phone, intent: Intent) -> None:
        """Ring, and be ready for the next day."""
        if intent.action == TIMER_DONE:
            phone.notify(PACKAGE, "Timer", "Time is up.")
        if intent.action != RING:
            return
        sql = "SELECT * FROM alarms WHERE id = ? AND armed"
        one = phone.database(PACKAGE).execute(sql, (intent.extras["alarm"],)).fetchone()
        if one is not None:
            phone.notify(PACKAGE, one["label"] or "Alarm", minutes_of(one["minute"]))
            arm(phone, one["id"], True)
