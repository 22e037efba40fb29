"""Calendar: events with a day, a time, a room and a description, and reminders of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from simonides.envs.android.simulated.app import INSERT, Activity, App, Filter, Intent
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import clock_of
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    button,
    fab,
    heading,
    icon,
    item,
    listing,
    over,
    page,
    radio,
    scrolling,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, some

PACKAGE = "org.simonides.calendar"
REMIND = "org.simonides.calendar.REMIND"
ROOMS = ("Ash", "Birch", "Cedar", "Elm", "Larch", "Maple", "Oak", "Pine")
SAMPLES = ("Dentist", "Team meeting", "Yoga class", "Choir", "Parents' evening", "Haircut", "Book club", "Car service")
EARLY = 600.0
"""Seconds before an event at which it is reminded of: Android's calendar's ten minutes."""


def day_of(time: float) -> str:
    """Return the day of a time in words."""
    return datetime.fromtimestamp(time, UTC).strftime("%a %d %b %Y")


def midnight(time: float) -> float:
    """Return the time at which a time's day begins, UTC."""
    return time - time % 86_400


class Agenda(Activity):
    """What is to come, by day."""

    def build(self) -> View:
        """Return the list of days with their events."""
        events = self.rows("SELECT * FROM events WHERE time >= ? ORDER BY time, id LIMIT 60", midnight(self.phone.time))
        rows: list[View] = []
        for day, those in groupby(events, key=lambda one: day_of(one["time"])):
            rows += [heading(day), *(self._event(one) for one in those)]
        empty = [] if rows else [text("Nothing planned", "empty", 16, "faint", centred=True, pad=(0, 40))]
        today = text(f"Today: {day_of(self.phone.time)}", "today", 14, "faint", pad=(16, 8))
        new = fab("Create new event", partial(self.go, ".EditActivity"))
        return page(title_bar("Calendar"), today, over(listing("agenda", *rows, *empty), new, weight=1))

    def _event(self, one: Any) -> View:
        where = f", {one['room']}" if one["room"] else ""
        words = f"{clock_of(one['time'])}{where}"
        return item(one["title"], words, partial(self.go, ".EventActivity", event=one["id"]), id="event")


class Event(Activity):
    """One event."""

    name = ".EventActivity"

    def build(self) -> View:
        """Return what is known of it."""
        one = self.row("SELECT * FROM events WHERE id = ?", self.intent.extras["event"])
        if one is None:
            return page(title_bar("Event", up=self.finish), text("This event is gone.", "empty", pad=(16, 16)))
        edit = icon("pencil", "Edit event", partial(self.go, ".EditActivity", event=one["id"]), "edit")
        delete = icon("trash", "Delete event", self.set(ask=True), "delete")
        parts = [text(one["title"], "event_title", 22), text(f"{day_of(one['time'])}, {clock_of(one['time'])}", "when")]
        if one["room"]:
            parts.append(text(f"Room {one['room']}", "where", colour="faint"))
        if one["note"]:
            parts.append(text(one["note"], "description", 16, pad=(0, 10)))
        return page(title_bar("Event", edit, delete, up=self.finish), scrolling("event_info", *parts))

    def dialog(self) -> Dialog | None:
        """Ask before the event is deleted."""
        if not self.state.get("ask"):
            return None
        return Dialog.ask("Delete event?", "It cannot be undone.", "Delete", self._delete, self.set(ask=False))

    def _delete(self) -> None:
        self.do("DELETE FROM events WHERE id = ?", self.intent.extras["event"])
        self.finish()


class EditEvent(Activity):
    """A new event, or one to change."""

    name = ".EditActivity"
    filters = (Filter(INSERT, type="vnd.android.cursor.dir/event"),)

    def created(self) -> None:
        """Begin with what is known, or the next full hour."""
        one = self.row("SELECT * FROM events WHERE id = ?", self.intent.extras.get("event", 0))
        extras = self.intent.extras
        following = self.phone.time - self.phone.time % 3600 + 3600
        self.state["time"] = one["time"] if one else float(extras.get("beginTime", following))
        self.state["room"] = one["room"] if one else ""
        self.record.fields["title"] = one["title"] if one else str(extras.get("title", ""))
        self.record.fields["note"] = one["note"] if one else str(extras.get("description", ""))

    def build(self) -> View:
        """Return the form."""
        time = self.state["time"]
        save = icon("check", "Save", self._save, "save")
        return page(
            title_bar("Edit event" if self.intent.extras.get("event") else "New event", save, up=self.finish),
            scrolling(
                "form",
                self.field("title", "Add title"),
                item("Day", day_of(time), self.set(choosing="day"), id="start_date"),
                item("Time", clock_of(time), self.set(choosing="time"), id="start_time"),
                item("Room", self.state["room"] or "None", self.set(choosing="room"), id="room"),
                self.field("note", "Add description", lines=True),
                button("Save", self._save, "save_button"),
            ),
        )

    def dialog(self) -> Dialog | None:
        """Offer days, times or rooms."""
        choosing, time = self.state.get("choosing"), self.state["time"]
        if choosing == "day":
            days = [midnight(self.phone.time) + 86_400 * i for i in range(14)]
            choices = tuple((day_of(day), self.set(time=day + time % 86_400, choosing="")) for day in days)
        elif choosing == "time":
            times = [midnight(time) + 1800 * i for i in range(14, 44)]
            choices = tuple((clock_of(one), self.set(time=one, choosing="")) for one in times)
        elif choosing == "room":
            return self._rooms()
        else:
            return None
        return Dialog.menu(choices, self.set(choosing=""), f"Choose a {choosing}")

    def _rooms(self) -> Dialog:
        names = [one["name"] for one in self.rows("SELECT name FROM rooms ORDER BY name")]
        rows = tuple(
            radio(name, name == self.state["room"], self.set(room=name, choosing=""), "room_name") for name in names
        )
        return Dialog("Choose a room", rows, self.set(choosing=""))

    def _save(self) -> None:
        values = (self.typed("title") or "(No title)", self.state["time"], self.state["room"], self.typed("note"))
        event = self.intent.extras.get("event")
        if event:
            self.do("UPDATE events SET title = ?, time = ?, room = ?, note = ? WHERE id = ?", *values, event)
        else:
            add(self.phone, *values)
        self.finish()


def add(phone: Phone, title: str, time: float, room: str = "", note: str = "") -> int:
    """Put an event into the calendar, with its reminder; return its id."""
    sql = "INSERT INTO events (title, time, room, note) VALUES (?, ?, ?, ?)"
    number = phone.database(PACKAGE).execute(sql, (title, time, room, note)).lastrowid or 0
    if time - EARLY > phone.time:
        phone.schedule(time - EARLY, PACKAGE, Intent(REMIND, extras={"event": number}))
    return number


class Calendar(App):
    """The calendar app."""

    package, label, colour, accent = PACKAGE, "Calendar", "#2e7d32", "#00796b"
    schema = """
        CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, time REAL NOT NULL,
            room TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '');
        CREATE TABLE rooms (name TEXT PRIMARY KEY);
    """
    activities = (Agenda, Event, EditEvent)

    def installed(self, phone: Phone) -> None:
        """Know the rooms."""
        phone.database(PACKAGE).executemany("INSERT INTO rooms VALUES (?)", [(name,) for name in ROOMS])

    def populate(self, phone: Phone, world: World) -> None:
        """Plan a few things for the next ten days."""
        rng = world.draws("calendar")
        for title in some(rng, SAMPLES, 5):
            day, slot = int(rng.integers(1, 11)), int(rng.integers(16, 38))
            add(phone, title, midnight(phone.time) + timedelta(days=day).total_seconds() + 1800 * slot)

    def received(self, phone: Phone, intent: Intent) -> None:
        """Remind of an event that is still in the calendar."""
        if intent.action != REMIND:
            return
        number = intent.extras["event"]
        one = phone.database(PACKAGE).execute("SELECT * FROM events WHERE id = ?", (number,)).fetchone()
        if one is not None:
            words = f"{clock_of(one['time'])}{', room ' + one['room'] if one['room'] else ''}"
            target = Intent(extras={"event": number}, component=f"{PACKAGE}/.EventActivity")
            phone.notify(PACKAGE, one["title"], words, target)
