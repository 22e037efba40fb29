"""Messages: threads of short messages with contacts and strangers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simonides.envs.android.simulated.app import PICK, SEND, SENDTO, Activity, App, Filter, Intent
from simonides.envs.android.simulated.apps import contacts
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import clock_of
from simonides.envs.android.simulated.views import (
    Dialog,
    Look,
    View,
    avatar,
    column,
    fab,
    icon,
    item,
    listing,
    over,
    page,
    row,
    snippet,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, colour_of, some

PACKAGE = "org.simonides.messages"
RECEIVED = "android.provider.Telephony.SMS_RECEIVED"
SMALL_TALK = (
    "Are we still on for Friday?",
    "Thanks for yesterday!",
    "Running ten minutes late.",
    "Did you see the game?",
    "Happy birthday!",
    "Call me when you can.",
    "The cat is fine.",
    "See you at the station.",
    "Lunch on Tuesday?",
    "Got it, thank you.",
)


def receive(phone: Phone, number: str, body: str) -> None:
    """Let a message come in from a number: it is kept, and notified of."""
    phone.apps[PACKAGE].received(phone, Intent(RECEIVED, extras={"number": number, "body": body}))
    phone.refresh()


def name_of(phone: Phone, number: str) -> str:
    """Return who has a number; the number, if no contact has."""
    if contacts.PACKAGE not in phone.databases:
        return number
    one = phone.database(contacts.PACKAGE).execute("SELECT name FROM contacts WHERE number = ?", (number,)).fetchone()
    return one["name"] if one is not None else number


class Threads(Activity):
    """All threads, the newest first."""

    def build(self) -> View:
        """Return the list of threads."""
        rows = self.rows(
            "SELECT number, body, MAX(time * 1000000 + id) AS latest, time, SUM(NOT seen) AS new"
            " FROM messages GROUP BY number ORDER BY latest DESC"
        )
        threads = [self._thread(one) for one in rows]
        empty = [] if threads else [text("No conversations", "empty", 16, "faint", centred=True, pad=(0, 40))]
        return page(
            title_bar("Messages"),
            over(
                listing("threads", *threads, *empty),
                fab("Start chat", lambda: self.go(".ComposeActivity"), name="bubble"),
                weight=1,
            ),
        )

    def _thread(self, one: Any) -> View:
        name, number = name_of(self.phone, one["number"]), one["number"]
        return item(
            name,
            snippet(one["body"]),
            lambda: self.go(".ThreadActivity", number=number),
            id="thread",
            on_long=self.set(ask=number),
            lead=avatar(name, colour_of(name)),
            aside=f"{one['new']} new" if one["new"] else clock_of(one["time"]),
            ids=("conversation_name", "conversation_snippet", "conversation_timestamp"),
        )

    def dialog(self) -> Dialog | None:
        """Ask before a thread is deleted."""
        number = self.state.get("ask")
        if not number:
            return None
        words = f"All messages with {name_of(self.phone, number)} will be deleted."
        return Dialog.ask("Delete conversation?", words, "Delete", self._delete, self.set(ask=""))

    def _delete(self) -> None:
        self.do("DELETE FROM messages WHERE number = ?", self.state.pop("ask"))


class Thread(Activity):
    """The messages with one number, the newest at the bottom, and a field for the next."""

    name = ".ThreadActivity"
    filters = (Filter(SENDTO, "smsto"),)

    def created(self) -> None:
        """Begin at the newest message."""
        self.record.scrolled["messages"] = 1_000_000
        self.record.fields["compose_message_text"] = str(self.intent.extras.get("body", ""))

    @property
    def _number(self) -> str:
        return str(self.intent.extras.get("number") or self.intent.rest)

    def build(self) -> View:
        """Return the thread; what is shown counts as seen."""
        self.do("UPDATE messages SET seen = 1 WHERE number = ? AND NOT seen", self._number)
        rows = self.rows("SELECT * FROM messages WHERE number = ? ORDER BY time, id", self._number)
        bubbles = [bubble(one["body"], bool(one["mine"]), clock_of(one["time"])) for one in rows[-60:]]
        name = name_of(self.phone, self._number)
        call = icon(
            "phone", "Call", lambda: self.open(Intent("android.intent.action.DIAL", f"tel:{self._number}")), "call"
        )
        compose = row(
            self.field("compose_message_text", "Text message", weight=1, on_enter=self._send),
            icon("send", "Send", self._send, "send_message_button", "primary"),
            pad=(10, 4),
            look=Look(fill="#f1f3f4"),
        )
        return page(title_bar(name, call, up=self.finish), listing("messages", *bubbles, gap=8, pad=(10, 10)), compose)

    def _send(self) -> None:
        body = self.typed("compose_message_text")
        if body:
            self.record.fields["compose_message_text"] = ""
            self.record.scrolled["messages"] = 1_000_000
            sql = "INSERT INTO messages (number, body, time, mine, seen) VALUES (?, ?, ?, 1, 1)"
            self.do(sql, self._number, body, self.phone.time)


def bubble(body: str, mine: bool, time: str) -> View:
    """Return one message."""
    look = Look(15, "on_primary" if mine else "text", "primary" if mine else "#e8eaed", 12)
    words = View(
        "android.widget.TextView", "message_text", body, look=look, pad=(12, 8), hug="end" if mine else "start"
    )
    stamp = text(time, "message_status", 11, "faint", hug="end" if mine else "start")
    return column(words, stamp, pad=(4, 0), gap=2, id="message")


class Compose(Activity):
    """A new message: to whom, and what; also where other apps share text."""

    name = ".ComposeActivity"
    filters = (Filter(SEND, type="text/*"),)

    def created(self) -> None:
        """Take what is shared."""
        self.record.fields["body"] = str(self.intent.extras.get("android.intent.extra.TEXT", ""))

    def build(self) -> View:
        """Return the form."""
        pick = icon(
            "person",
            "Choose a contact",
            lambda: self.open(Intent(PICK, type="vnd.android.cursor.dir/contact"), "to"),
            "pick",
        )
        to = row(self.field("recipient", "To", weight=1), pick, pad=(10, 6))
        body = row(
            self.field("body", "Text message", weight=1, on_enter=self._send),
            icon("send", "Send", self._send, "send_message_button", "primary"),
            pad=(10, 4),
            look=Look(fill="#f1f3f4"),
        )
        return page(title_bar("New conversation", up=self.finish), to, View("android.view.View", weight=1), body)

    def resumed(self, request: str, result: Mapping[str, Any] | None) -> None:
        """Take the contact that was picked."""
        if result is not None:
            self.record.fields["recipient"] = result["number"]

    def _send(self) -> None:
        number, body = self.typed("recipient"), self.typed("body")
        if number and body:
            sql = "INSERT INTO messages (number, body, time, mine, seen) VALUES (?, ?, ?, 1, 1)"
            self.do(sql, number, body, self.phone.time)
            self.finish()
            self.phone.open(Intent(extras={"number": number}, component=f"{PACKAGE}/.ThreadActivity"), new_task=True)


class Messages(App):
    """The messages app."""

    package, label, colour, accent = PACKAGE, "Messages", "#1a73e8", "#1a73e8"
    schema = """
        CREATE TABLE messages (id INTEGER PRIMARY KEY, number TEXT NOT NULL, body TEXT NOT NULL, time REAL NOT NULL,
            mine INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0);
    """
    activities = (Threads, Thread, Compose)

    def populate(self, phone: Phone, world: World) -> None:
        """Let some people have written lately."""
        rng = world.draws("messages")
        for person in some(rng, world.people, 5):
            for body in some(rng, SMALL_TALK, int(rng.integers(1, 5))):
                ago, mine = float(rng.integers(3600, 400_000)), int(rng.integers(2))
                sql = "INSERT INTO messages (number, body, time, mine, seen) VALUES (?, ?, ?, ?, 1)"
                phone.database(PACKAGE).execute(sql, (person.number, body, phone.time - ago, mine))

    def received(self, phone: Phone, intent: Intent) -> None:
        """Keep a message that comes in, and notify."""
        if intent.action != RECEIVED:
            return
        number, body = str(intent.extras["number"]), str(intent.extras["body"])
        sql = "INSERT INTO messages (number, body, time) VALUES (?, ?, ?)"
        phone.database(PACKAGE).execute(sql, (number, body, phone.time))
        target = Intent(extras={"number": number}, component=f"{PACKAGE}/.ThreadActivity")
        phone.notify(PACKAGE, name_of(phone, number), body, target)
