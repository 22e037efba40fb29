"""Browser: pages of a small web that the phone carries, history, bookmarks."""

from __future__ import annotations

from functools import partial
from typing import Any

from simonides.envs.android.simulated.app import SEND, VIEW, Activity, App, Filter, Intent
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.views import (
    Dialog,
    Look,
    View,
    icon,
    item,
    listing,
    page,
    row,
    scrolling,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World

PACKAGE = "org.simonides.browser"
HOME = "https://start.example"
PAGES = {
    "https://news.example": (
        "Town news",
        "The bridge opens again on Monday.\nThe market moves to the square for the summer.\n"
        "Library hours are longer from May.",
    ),
    "https://weather.example": (
        "Weather",
        "Rain in the morning, dry after noon.\nWind from the west.\nTomorrow will be warmer.",
    ),
    "https://recipes.example": (
        "Recipes",
        "Lentil soup: onions, carrots, lentils, cumin.\nApple cake: four apples, flour, butter, sugar.\n"
        "Flat bread: flour, water, salt.",
    ),
    "https://museum.example": (
        "City museum",
        "Open Tuesday to Sunday.\nThe clock room is on the second floor.\nGuided tours start at eleven.",
    ),
    "https://garden.example": (
        "Garden club",
        "Cut back roses in March.\nSow peas outdoors when the soil is warm.\nMeetings are on the first Friday.",
    ),
    "https://cinema.example": (
        "Cinema",
        "The Lighthouse, at six and at nine.\nMatinee on Sundays.\nNo shows on Mondays.",
    ),
}
"""Address -> title and paragraphs of the packaged web."""


def publish(phone: Phone, url: str, title: str, body: str) -> None:
    """Put a page on the web that the phone sees, in place of an earlier one; lines of the body are paragraphs."""
    sql = "INSERT OR REPLACE INTO pages VALUES (?, ?, ?)"
    phone.database(PACKAGE).execute(sql, (url, title, body))
    phone.refresh()


def address_of(words: str) -> str:
    """Return what is typed into the address bar as an address."""
    return words if "://" in words else f"https://{words}"


class Browser(Activity):
    """One page at a time, with the way back through those before."""

    filters = (Filter(VIEW, "https"), Filter(VIEW, "http"))

    def created(self) -> None:
        """Open what is asked for, or the start page."""
        self.state["trail"] = []
        self._load(self.intent.data or HOME)

    @property
    def _url(self) -> str:
        return str(self.state["trail"][-1])

    def _load(self, url: str) -> None:
        self.state["trail"] = [*self.state["trail"][-29:], url]
        self._show()
        self.do("INSERT INTO history (url, time) VALUES (?, ?)", url, self.phone.time)

    def _show(self) -> None:
        self.record.fields["url_bar"], self.record.focus = self._url, ""
        self.record.scrolled["page"] = 0

    def build(self) -> View:
        """Return the address bar and the page."""
        go = partial(self._typed)
        star = icon(
            "star" if self._marked else "hollow_star", "Bookmark this page", self._mark, "bookmark", "on_primary"
        )
        menu = icon("more", "More options", self.set(menu=True), "menu", "on_primary")
        address = self.field(
            "url_bar", "Search or type URL", weight=1, on_enter=go, look=Look(15, fill="surface", round=16), pad=(14, 6)
        )
        erase = icon("cross", "Clear address", self._erase, "clear_url", "on_primary")
        bar = row(address, erase, star, menu, id="toolbar", height=56, pad=(8, 4), look=Look(fill="primary"))
        return page(bar, self._start() if self._url == HOME else self._page())

    def _page(self) -> View:
        one = self.row("SELECT * FROM pages WHERE url = ?", self._url)
        if one is None:
            words = text(f"{self._url} could not be found.", "error_message", colour="faint")
            return scrolling("page", text("This site can't be reached", "error_title", 20), words)
        body = [text(line, "paragraph", 16, pad=(0, 4)) for line in one["body"].split("\n") if line]
        return scrolling("page", text(one["title"], "page_title", 24), *body)

    def _start(self) -> View:
        marks = self.rows("SELECT url, title FROM bookmarks JOIN pages USING (url) ORDER BY title")
        links = [item(one["title"], one["url"], partial(self._load, one["url"]), id="link") for one in marks]
        return listing("page", text("Bookmarks", "page_title", 20, pad=(16, 12)), *links)

    def _typed(self) -> None:
        words = self.typed("url_bar")
        if words:
            self._load(address_of(words))

    def _erase(self) -> None:
        self.record.fields["url_bar"] = ""

    @property
    def _marked(self) -> bool:
        return self.row("SELECT 1 FROM bookmarks WHERE url = ?", self._url) is not None

    def _mark(self) -> None:
        if self._marked:
            self.do("DELETE FROM bookmarks WHERE url = ?", self._url)
        elif self.row("SELECT 1 FROM pages WHERE url = ?", self._url) is not None:
            self.do("INSERT INTO bookmarks VALUES (?)", self._url)

    def dialog(self) -> Dialog | None:
        """Offer what else can be done."""
        if not self.state.get("menu"):
            return None
        choices = (
            ("Home page", partial(self._load, HOME)),
            ("History", partial(self.go, ".HistoryActivity")),
            ("Share", self._share),
        )
        close = self.set(menu=False)
        return Dialog.menu(tuple((words, partial(_both, close, do)) for words, do in choices), close)

    def _share(self) -> None:
        one = self.row("SELECT title FROM pages WHERE url = ?", self._url)
        words = f"{one['title']} {self._url}" if one is not None else self._url
        self.open(Intent(SEND, type="text/plain", extras={"android.intent.extra.TEXT": words}))

    def back(self) -> bool:
        """Go to the page before, if there is one."""
        if len(self.state["trail"]) < 2:
            return False
        self.state["trail"].pop()
        self._show()
        return True


def _both(first: Any, second: Any) -> None:
    first()
    second()


class History(Activity):
    """The pages that were seen."""

    name = ".HistoryActivity"

    def build(self) -> View:
        """Return the list, the newest first."""
        rows = self.rows("SELECT url, MAX(time) AS last FROM history GROUP BY url ORDER BY last DESC, url LIMIT 40")
        links = [item(one["url"], on_tap=partial(self._open, one["url"]), id="history_entry") for one in rows]
        clear = icon("trash", "Clear browsing data", self._clear, "clear")
        return page(title_bar("History", clear, up=self.finish), listing("history", *links))

    def _open(self, url: str) -> None:
        self.finish()
        self.open(Intent(VIEW, url, component=f"{PACKAGE}/.MainActivity"))

    def _clear(self) -> None:
        self.do("DELETE FROM history")


class BrowserApp(App):
    """The browser app."""

    package, label, colour, accent = PACKAGE, "Browser", "#5e35b1", "#3949ab"
    schema = """
        CREATE TABLE pages (url TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL);
        CREATE TABLE bookmarks (url TEXT PRIMARY KEY);
        CREATE TABLE history (id INTEGER PRIMARY KEY, url TEXT NOT NULL, time REAL NOT NULL);
    """
    activities = (Browser, History)

    def populate(self, phone: Phone, world: World) -> None:
        """Carry the packaged pages, all of them bookmarked."""
        for url, (title, body) in PAGES.items():
            publish(phone, url, title, body)
        phone.database(PACKAGE).executemany("INSERT INTO bookmarks VALUES (?)", [(url,) for url in PAGES])
