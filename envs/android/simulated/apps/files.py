"""Files: folders and files of the shared storage, to look at, share, rename and delete."""

from __future__ import annotations

from functools import partial

from simonides.envs.android.device import FileEntry
from simonides.envs.android.simulated.app import SEND, VIEW, Activity, App, Filter, Intent
from simonides.envs.android.simulated.apps.calendar import day_of
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    flat,
    icon,
    item,
    listing,
    page,
    scrolling,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, some

PACKAGE = "org.simonides.files"
ROOT = "/storage/emulated/0"
FOLDERS = ("Alarms", "DCIM", "Documents", "Download", "Music", "Pictures")
DOCUMENTS = (
    ("Documents/packing.txt", "Passport, tickets, charger, umbrella."),
    ("Documents/recipe.txt", "Boil the pasta for nine minutes. Keep some of the water."),
    ("Download/house-rules.txt", "Quiet after ten. Bins out on Wednesday."),
    ("Download/manual.txt", "Press the button for three seconds to reset."),
    ("Documents/poem.txt", "The fog comes in on little feet."),
)


class Browse(Activity):
    """One folder."""

    def build(self) -> View:
        """Return its entries, folders first."""
        path = self._path
        entries = sorted(self.phone.list_files(path), key=lambda one: (one.mode & 0o100000 > 0, one.name))
        rows = [self._entry(one) for one in entries]
        empty = [] if rows else [text("No items", "empty", 16, "faint", centred=True, pad=(0, 40))]
        up = self.finish if path != ROOT else None
        new = icon("plus", "New folder", self.set(naming=True), "new_folder")
        title = path.rsplit("/", 1)[-1] if path != ROOT else "Files"
        return page(
            title_bar(title, new, up=up),
            text(path.replace(ROOT, "Internal storage"), "breadcrumb", 13, "faint", pad=(16, 8)),
            listing("dir_list", *rows, *empty),
        )

    @property
    def _path(self) -> str:
        return str(self.intent.extras.get("path", ROOT))

    def _entry(self, one: FileEntry) -> View:
        path, folder = f"{self._path}/{one.name}", not one.mode & 0o100000
        name = self.phone.apps[PACKAGE].activities[0 if folder else 1].name
        about = day_of(one.time) if folder else f"{one.size} B, {day_of(one.time)}"
        lead = icon("folder" if folder else "file", "", None, colour="primary")
        return item(
            one.name,
            about,
            partial(self.go, name, path=path),
            id="item_root",
            lead=lead,
            on_long=self.set(ask=path),
            ids=("android:id/title", "date", ""),
        )

    def dialog(self) -> Dialog | None:
        """Ask before something is deleted, or for a folder's name."""
        path = self.state.get("ask", "")
        if path:
            words = f"{path.rsplit('/', 1)[-1]} will be deleted."
            return Dialog.ask("Delete?", words, "Delete", self._delete, self.set(ask=""))
        if self.state.get("naming"):
            cancel = self.set(naming=False)
            buttons = (flat("Cancel", cancel, "android:id/button2"), flat("OK", self._make, "android:id/button1"))
            return Dialog("New folder", (self.field("folder", "Name", pad=(24, 8)),), cancel, buttons)
        return None

    def _delete(self) -> None:
        self.phone.files.remove(self.state.pop("ask"))

    def _make(self) -> None:
        name = self.typed("folder").replace("/", "-")
        self.state["naming"] = False
        if name:
            self.phone.files.mkdir(f"{self._path}/{name}", int(self.phone.time))


class Show(Activity):
    """A text file."""

    name = ".ViewActivity"
    filters = (Filter(VIEW, "file"),)

    def created(self) -> None:
        """Remember that it was opened."""
        sql = "INSERT INTO recent VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET time = excluded.time"
        self.do(sql, self._path, self.phone.time)

    @property
    def _path(self) -> str:
        return str(self.intent.extras.get("path") or self.intent.rest.removeprefix("//"))

    def build(self) -> View:
        """Return the file's text."""
        name = self._path.rsplit("/", 1)[-1]
        try:
            words = self.phone.read_file(self._path).decode("utf-8", "replace")
        except OSError:
            return page(title_bar(name, up=self.finish), text("This file is gone.", "empty", pad=(16, 16)))
        lines = [text(line, "line", 16) for line in words.splitlines()[:200]]
        share = icon("share", "Share", partial(self._share, words), "share")
        return page(title_bar(name, share, up=self.finish), scrolling("text_view", *lines))

    def _share(self, words: str) -> None:
        self.open(Intent(SEND, type="text/plain", extras={"android.intent.extra.TEXT": words}))


class FilesApp(App):
    """The files app."""

    package, label, colour, accent = PACKAGE, "Files", "#1976d2", "#0288d1"
    schema = "CREATE TABLE recent (path TEXT PRIMARY KEY, time REAL NOT NULL);"
    activities = (Browse, Show)

    def installed(self, phone: Phone) -> None:
        """Make the standard folders."""
        for name in FOLDERS:
            phone.files.mkdir(f"{ROOT}/{name}", int(phone.time))

    def populate(self, phone: Phone, world: World) -> None:
        """Keep a few documents."""
        for name, words in some(world.draws("files"), DOCUMENTS, 4):
            phone.files.write(f"{ROOT}/{name}", f"{words}\n".encode(), int(phone.time))
