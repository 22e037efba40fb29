"""Notes: titles with texts, which other apps may share into."""

from __future__ import annotations

from functools import partial

from simonides.envs.android.simulated.app import SEND, Activity, App, Filter, Intent
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    fab,
    icon,
    item,
    listing,
    over,
    page,
    scrolling,
    snippet,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, some

PACKAGE = "org.simonides.notes"
SAMPLES = (
    ("Groceries", "Milk, bread, apples, coffee."),
    ("Books to read", "The art of memory. Moonwalking."),
    ("Gift ideas", "A scarf for Mum. A puzzle for the twins."),
    ("Running", "Monday 5 km, Thursday 8 km."),
    ("Paint", "The hall is two coats of warm white."),
    ("Plants", "Water the fern twice a week."),
)


class Notes(Activity):
    """All notes, the newest first, with a field to search."""

    def build(self) -> View:
        """Return the list."""
        wanted = f"%{self.typed('search')}%"
        rows = self.rows(
            "SELECT * FROM notes WHERE title LIKE ? OR body LIKE ? ORDER BY time DESC, id DESC", wanted, wanted
        )
        notes = [
            item(
                one["title"] or "Untitled",
                snippet(one["body"].split("\n")[0]),
                partial(self.go, ".NoteActivity", note=one["id"]),
                id="note",
                on_long=self.set(ask=one["id"]),
            )
            for one in rows
        ]
        empty = [] if notes else [text("No notes", "empty", 16, "faint", centred=True, pad=(0, 40))]
        search = self.field("search", "Search notes", pad=(16, 10))
        return page(
            title_bar("Notes"),
            search,
            over(listing("notes", *notes, *empty), fab("New note", lambda: self.go(".NoteActivity")), weight=1),
        )

    def dialog(self) -> Dialog | None:
        """Ask before a note is deleted."""
        one = self.row("SELECT * FROM notes WHERE id = ?", self.state.get("ask", 0))
        if one is None:
            return None
        return Dialog.ask("Delete note?", one["title"] or "Untitled", "Delete", self._delete, self.set(ask=0))

    def _delete(self) -> None:
        self.do("DELETE FROM notes WHERE id = ?", self.state.pop("ask"))


class Note(Activity):
    """One note, to read and to write."""

    name = ".NoteActivity"
    filters = (Filter(SEND, type="text/*"),)

    def created(self) -> None:
        """Show what is there, or what is shared."""
        one = self.row("SELECT * FROM notes WHERE id = ?", self.intent.extras.get("note", 0))
        shared = str(self.intent.extras.get("android.intent.extra.TEXT", ""))
        subject = str(self.intent.extras.get("android.intent.extra.SUBJECT", ""))
        self.record.fields.update(title=one["title"] if one else subject, body=one["body"] if one else shared)

    def build(self) -> View:
        """Return the two fields."""
        share = icon("share", "Share", self._share, "share")
        bar = title_bar("Note", share, icon("check", "Save", self._save, "save"), up=self.finish)
        return page(bar, scrolling("page", self.field("title", "Title"), self.field("body", "Note", lines=True)))

    def _share(self) -> None:
        extras = {"android.intent.extra.TEXT": self.typed("body"), "android.intent.extra.SUBJECT": self.typed("title")}
        self.open(Intent(SEND, type="text/plain", extras=extras))

    def _save(self) -> None:
        values = (self.typed("title"), self.typed("body"), self.phone.time)
        if self.intent.extras.get("note"):
            self.do("UPDATE notes SET title = ?, body = ?, time = ? WHERE id = ?", *values, self.intent.extras["note"])
        elif values[0] or values[1]:
            self.do("INSERT INTO notes (title, body, time) VALUES (?, ?, ?)", *values)
        self.finish()


class NotesApp(App):
    """The notes app."""

    package, label, colour, accent = PACKAGE, "Notes", "#f9a825", "#e65100"
    schema = """
        CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, time REAL NOT NULL);
    """
    activities = (Notes, Note)

    def populate(self, phone: Phone, world: World) -> None:
        """Write a few."""
        rng = world.draws("notes")
        for title, body in some(rng, SAMPLES, 4):
            sql = "INSERT INTO notes (title, body, time) VALUES (?, ?, ?)"
            phone.database(PACKAGE).execute(sql, (title, body, phone.time - float(rng.integers(3600, 900_000))))
