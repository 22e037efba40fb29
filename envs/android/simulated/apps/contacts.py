"""Contacts: people with numbers, and the calls made to them."""

from __future__ import annotations

from functools import partial
from typing import Any

from simonides.envs.android.simulated.app import DIAL, INSERT, PICK, VIEW, Activity, App, Filter, Intent
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import clock_of
from simonides.envs.android.simulated.views import (
    Dialog,
    Handler,
    View,
    avatar,
    button,
    column,
    fab,
    flat,
    icon,
    item,
    listing,
    over,
    page,
    row,
    scrolling,
    tab,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, colour_of

PACKAGE = "org.simonides.contacts"


class People(Activity):
    """All contacts by name, with a field to search; also where other apps pick one."""

    filters = (Filter(PICK, type="vnd.android.cursor.dir/contact"),)

    def build(self) -> View:
        """Return the list."""
        wanted = f"%{self.typed('search')}%"
        rows = self.rows("SELECT * FROM contacts WHERE name LIKE ? OR number LIKE ? ORDER BY name", wanted, wanted)
        people = [
            item(
                one["name"],
                on_tap=self._tapped(one["id"]),
                on_long=self.set(ask=one["id"]),
                id="contact",
                lead=avatar(one["name"], colour_of(one["name"])),
                ids=("name", "", ""),
            )
            for one in rows
        ]
        empty = [] if people else [text("No contacts", "empty", 16, "faint", centred=True, pad=(0, 40))]
        tabs = row(tab("CONTACTS", True, lambda: None), tab("CALLS", False, lambda: self.go(".CallsActivity")))
        search = self.field("search", "Search contacts", pad=(16, 10))
        rest = over(listing("list", *people, *empty), fab("Create contact", lambda: self.go(".EditActivity")), weight=1)
        title = "Choose a contact" if self._picks else "Contacts"
        return page(title_bar(title), *(() if self._picks else (tabs,)), search, rest)

    @property
    def _picks(self) -> bool:
        return self.intent.action == PICK

    def _tapped(self, contact: int) -> Handler:
        def tapped() -> None:
            if not self._picks:
                self.go(".ContactActivity", contact=contact)
                return
            one = self.row("SELECT name, number FROM contacts WHERE id = ?", contact)
            if one is not None:
                self.finish(name=one["name"], number=one["number"])

        return tapped

    def dialog(self) -> Dialog | None:
        """Ask before a contact is deleted."""
        one = self.row("SELECT * FROM contacts WHERE id = ?", self.state.get("ask", 0))
        if one is None:
            return None
        return Dialog.ask("Delete contact?", f"{one['name']} will be deleted.", "Delete", self._delete, self.set(ask=0))

    def _delete(self) -> None:
        self.do("DELETE FROM contacts WHERE id = ?", self.state.pop("ask"))


class Contact(Activity):
    """One contact: call, message, edit."""

    name = ".ContactActivity"
    filters = (Filter(VIEW, "contact"),)

    def build(self) -> View:
        """Return the contact's card."""
        number = self.intent.extras.get("contact") or self.intent.rest
        one = self.row("SELECT * FROM contacts WHERE id = ?", number)
        if one is None:
            return page(title_bar("Contact", up=self.finish), text("This contact is gone.", "empty", pad=(16, 16)))
        edit = icon("pencil", "Edit contact", lambda: self.go(".EditActivity", contact=one["id"]), "edit")
        star = icon(
            "star" if one["starred"] else "hollow_star", "Add to favourites", lambda: self._star(one["id"]), "star"
        )
        head = column(
            avatar(one["name"], colour_of(one["name"]), 88).but(hug="centre"),
            text(one["name"], "name", 24, centred=True),
            pad=(0, 20),
            gap=8,
        )
        call = item(
            one["number"],
            "Mobile",
            lambda: self._call(one),
            id="call",
            lead=icon("phone", "Call", None, colour="primary"),
            ids=("number", "kind", ""),
        )
        sms = item(
            "Message",
            one["number"],
            lambda: self.open(Intent("android.intent.action.SENDTO", f"smsto:{one['number']}")),
            id="message",
            lead=icon("bubble", "Message", None, colour="primary"),
        )
        mail = item(
            one["email"],
            "Email",
            id="email_row",
            lead=icon("envelope", "Email", None, colour="primary"),
            ids=("email", "", ""),
        )
        note = item(one["note"], "Note", id="note_row", ids=("note", "", "")) if one["note"] else None
        return page(
            title_bar("", star, edit, up=self.finish),
            listing("card", head, call, sms, *([mail] if one["email"] else []), *([note] if note else [])),
        )

    def _star(self, contact: int) -> None:
        self.do("UPDATE contacts SET starred = 1 - starred WHERE id = ?", contact)

    def _call(self, one: Any) -> None:
        self.open(Intent(DIAL, f"tel:{one['number']}"))


class EditContact(Activity):
    """A new contact, or one to change."""

    name = ".EditActivity"
    filters = (Filter(INSERT, type="vnd.android.cursor.dir/contact"),)

    def created(self) -> None:
        """Fill the fields with what is known."""
        one = self.row("SELECT * FROM contacts WHERE id = ?", self.intent.extras.get("contact", 0))
        known = dict(one) if one is not None else self.intent.extras
        self.record.fields.update({key: str(known.get(key, "")) for key in ("name", "number", "email", "note")})

    def build(self) -> View:
        """Return the form."""
        fields = (("name", "Name"), ("number", "Phone"), ("email", "Email"), ("note", "Note"))
        form = [self.field(key, hint) for key, hint in fields]
        return page(
            title_bar(
                "Edit contact" if self.intent.extras.get("contact") else "Create contact",
                icon("check", "Save", self._save, "save"),
                up=self.finish,
            ),
            scrolling("form", *form, button("Save", self._save, "save_button")),
        )

    def _save(self) -> None:
        values = [self.typed(key) for key in ("name", "number", "email", "note")]
        if not values[0]:
            return
        if self.intent.extras.get("contact"):
            self.do(
                "UPDATE contacts SET name=?, number=?, email=?, note=? WHERE id=?",
                *values,
                self.intent.extras["contact"],
            )
        else:
            self.do("INSERT INTO contacts (name, number, email, note) VALUES (?, ?, ?, ?)", *values)
        self.finish()


class Calls(Activity):
    """The calls that were made."""

    name = ".CallsActivity"

    def build(self) -> View:
        """Return the log, the newest first."""
        rows = [
            item(
                one["name"] or one["number"],
                one["number"],
                partial(self.open, Intent(DIAL, f"tel:{one['number']}")),
                id="call_log_entry",
                aside=clock_of(one["time"]),
            )
            for one in self.rows("SELECT * FROM calls ORDER BY time DESC, id DESC LIMIT 50")
        ]
        return page(
            title_bar(
                "Calls", icon("phone", "Keypad", lambda: self.open(Intent(DIAL, "tel:")), "dialpad"), up=self.finish
            ),
            listing("calls", *rows),
        )


class Dialler(Activity):
    """A keypad with a number, and the call itself."""

    name = ".DialActivity"
    filters = (Filter(DIAL, "tel"), Filter(VIEW, "tel"))

    def created(self) -> None:
        """Show the number that is asked for."""
        self.state["digits"] = self.intent.rest

    def build(self) -> View:
        """Return the keypad, or the call while it lasts."""
        digits = self.state["digits"]
        if self.state.get("calling"):
            who = self._name(digits) or digits
            return page(
                column(
                    text("Calling", "state", 16, "faint", centred=True),
                    text(who, "name", 26, centred=True),
                    text(digits, "number", 16, "faint", centred=True),
                    button("End call", self.finish, "end_call", hug="centre"),
                    pad=(20, 80),
                    gap=16,
                )
            )
        keys = [row(*[self._key(one) for one in line], gap=6) for line in ("123", "456", "789", "*0#")]
        erase = icon("erase", "Delete", self.set(digits=digits[:-1]), "deleteButton")
        number = row(text(digits, "digits", 26, weight=1, centred=True), erase, pad=(16, 12))
        return page(
            title_bar("Keypad", up=self.finish),
            View("android.view.View", weight=1),
            text(self._name(digits), "lookup", 15, "faint", centred=True, pad=(0, 4)),
            number,
            *keys,
            button("Call", self._call, "call", bool(digits), hug="centre"),
            pad_below(),
        )

    def _key(self, digit: str) -> View:
        return flat(digit, self.set(digits=self.state["digits"] + digit), f"key_{digit}", weight=1, height=52)

    def _name(self, number: str) -> str:
        one = self.row("SELECT name FROM contacts WHERE number = ?", number)
        return one["name"] if one is not None else ""

    def _call(self) -> None:
        digits = self.state["digits"]
        self.do("INSERT INTO calls (name, number, time) VALUES (?, ?, ?)", self._name(digits), digits, self.phone.time)
        self.state["calling"] = True


def pad_below() -> View:
    """Return a little space."""
    return View("android.view.View", height=12, width=1)


class Contacts(App):
    """The contacts app."""

    package, label, colour, accent = PACKAGE, "Contacts", "#1565c0", "#ff6f00"
    schema = """
        CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, number TEXT NOT NULL DEFAULT '',
            email TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', starred INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE calls (id INTEGER PRIMARY KEY, name TEXT NOT NULL, number TEXT NOT NULL, time REAL NOT NULL);
    """
    activities = (People, Contact, EditContact, Calls, Dialler)

    def populate(self, phone: Phone, world: World) -> None:
        """Put everybody in."""
        rows = [(one.name, one.number, one.email) for one in world.people]
        phone.database(PACKAGE).executemany("INSERT INTO contacts (name, number, email) VALUES (?, ?, ?)", rows)
