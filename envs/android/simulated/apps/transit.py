"""Transit: lines and stops of a town, routes between two stops, departures, tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from simonides.envs.android.simulated.app import VIEW, Activity, App, Filter
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import clock_of
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    avatar,
    button,
    icon,
    item,
    listing,
    page,
    row,
    tab,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, some

PACKAGE = "org.simonides.transit"
STOPS = (
    "Abbey Road",
    "Bridge Street",
    "Castle",
    "Dock Gate",
    "East Park",
    "Fountain",
    "Garden City",
    "Harbour",
    "Infirmary",
    "Junction",
    "King Square",
    "Library",
    "Market",
    "North Gate",
    "Observatory",
    "Port Hill",
)
LINES = (("1", "#c62828"), ("2", "#1565c0"), ("7", "#2e7d32"), ("12", "#ef6c00"))
EVERY, LEG = 600.0, 180.0
"""Seconds between departures and between two stops."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A ride on one line from a stop to another, with the stops between them counted."""

    line: str
    start: str
    end: str
    stops: int


def routes(phone: Phone, start: str, end: str) -> list[tuple[Leg, ...]]:
    """Return the ways from a stop to another with at most one change, the shortest first."""
    found = phone.database(PACKAGE).execute("SELECT line, stop, place FROM calls ORDER BY line, place").fetchall()
    places: dict[str, dict[str, int]] = {}
    for one in found:
        places.setdefault(one["line"], {})[one["stop"]] = one["place"]
    ways = list(_routes(places, start, end))
    return sorted(ways, key=lambda way: (sum(leg.stops for leg in way) + 3 * len(way), [leg.line for leg in way]))[:5]


def _routes(places: dict[str, dict[str, int]], start: str, end: str) -> Iterator[tuple[Leg, ...]]:
    for line, stops in places.items():
        if start in stops and end in stops:
            yield (Leg(line, start, end, abs(stops[start] - stops[end])),)
            continue
        if start not in stops:
            continue
        for other, others in places.items():
            for change in sorted(set(stops) & set(others)) if end in others and other != line else ():
                if change not in (start, end):
                    first = Leg(line, start, change, abs(stops[start] - stops[change]))
                    yield (first, Leg(other, change, end, abs(others[change] - others[end])))


class Planner(Activity):
    """From where to where, and the ways there."""

    filters = (Filter(VIEW, "transit"),)

    def created(self) -> None:
        """Take the destination that is asked for."""
        self.state.update({"start": "", "end": self.intent.rest})

    def build(self) -> View:
        """Return the two ends and the routes between them."""
        start, end = self.state["start"], self.state["end"]
        tabs = row(
            tab("ROUTES", True, self.set()),
            tab("DEPARTURES", False, partial(self.go, ".DeparturesActivity")),
            tab("TICKETS", False, partial(self.go, ".TicketsActivity")),
        )
        swap = icon("refresh", "Swap start and destination", self.set(start=end, end=start), "swap")
        ends = (
            item("From", start or "Choose a stop", self.set(choosing="start"), id="from", trail=swap),
            item("To", end or "Choose a stop", self.set(choosing="end"), id="to"),
        )
        ways = routes(self.phone, start, end) if start and end and start != end else []
        found = [self._way(way) for way in ways]
        none = text("No route", "empty", 16, "faint", centred=True, pad=(0, 30))
        return page(title_bar("Transit"), tabs, *ends, listing("routes", *(found or [none])))

    def _way(self, way: tuple[Leg, ...]) -> View:
        leave = self.phone.time - self.phone.time % EVERY + EVERY
        seconds = sum(leg.stops for leg in way) * LEG + 300 * (len(way) - 1)
        words = " then ".join(f"line {leg.line}" for leg in way)
        title = f"{clock_of(leave)} to {clock_of(leave + seconds)}"
        legs = [[leg.line, leg.start, leg.end, leg.stops] for leg in way]
        go = partial(self.go, ".RouteActivity", legs=legs, leave=leave)
        return item(title, words, go, id="route", aside=f"{int(seconds // 60)} min")

    def dialog(self) -> Dialog | None:
        """Offer the stops."""
        choosing = self.state.get("choosing", "")
        if not choosing:
            return None
        stops = self.rows("SELECT name FROM stops ORDER BY name")
        choices = tuple((one["name"], self.set(choosing="", **{choosing: one["name"]})) for one in stops)
        return Dialog.menu(choices, self.set(choosing=""), "Choose a stop")


class Route(Activity):
    """One way, step by step, and a ticket for it."""

    name = ".RouteActivity"

    def build(self) -> View:
        """Return the steps."""
        legs = [Leg(*leg) for leg in self.intent.extras["legs"]]
        steps: list[View] = []
        time = self.intent.extras["leave"]
        for leg in legs:
            after = time + leg.stops * LEG
            colour = dict(LINES).get(leg.line, "#37474f")
            words = f"{clock_of(time)}, {leg.stops} stops, arrive {clock_of(after)}"
            steps.append(
                item(f"Line {leg.line} from {leg.start} to {leg.end}", words, id="leg", lead=avatar(leg.line, colour))
            )
            time = after + 300
        buy = button("Buy ticket", partial(self._buy, legs), "buy_ticket", weight=1)
        return page(title_bar("Route", up=self.finish), listing("legs", *steps), row(buy, pad=(16, 10)))

    def _buy(self, legs: list[Leg]) -> None:
        values = (legs[0].start, legs[-1].end, self.phone.time)
        self.do("INSERT INTO tickets (start, end, time) VALUES (?, ?, ?)", *values)
        self.go(".TicketsActivity")


class Departures(Activity):
    """What leaves from a stop."""

    name = ".DeparturesActivity"

    def build(self) -> View:
        """Return stops, or one stop's departures."""
        stop = self.state.get("stop", "")
        if not stop:
            names = [one["name"] for one in self.rows("SELECT name FROM stops ORDER BY name")]
            rows = [item(name, on_tap=self.set(stop=name), id="stop", lead=icon("train", "", None)) for name in names]
            return page(title_bar("Departures", up=self.finish), listing("stops", *rows))
        calls = self.rows("SELECT * FROM calls WHERE stop = ? ORDER BY line", stop)
        leave = self.phone.time - self.phone.time % EVERY + EVERY
        rows = [
            item(f"Line {one['line']}", f"Platform {one['platform']}", id="departure", aside=clock_of(leave + 60 * i))
            for i, one in enumerate(calls)
        ]
        notices = [
            text(one["words"], "notice", 15, pad=(16, 8))
            for one in self.rows("SELECT * FROM notices WHERE stop = ?", stop)
        ]
        marked = self.row("SELECT 1 FROM favourites WHERE stop = ?", stop) is not None
        words = "Remove from favourites" if marked else "Add to favourites"
        star = icon("star" if marked else "hollow_star", words, partial(self._mark, stop, marked), "favourite")
        return page(title_bar(stop, star, up=self.set(stop="")), listing("departures", *notices, *rows))

    def _mark(self, stop: str, marked: bool) -> None:
        self.do("DELETE FROM favourites WHERE stop = ?" if marked else "INSERT INTO favourites VALUES (?)", stop)

    def back(self) -> bool:
        """Go from a stop to all stops first."""
        return bool(self.state.pop("stop", ""))


class Tickets(Activity):
    """The tickets that were bought."""

    name = ".TicketsActivity"

    def build(self) -> View:
        """Return the list, the newest first."""
        rows = self.rows("SELECT * FROM tickets ORDER BY time DESC, id DESC LIMIT 30")
        tickets = [
            item(f"{one['start']} to {one['end']}", f"Bought at {clock_of(one['time'])}", id="ticket") for one in rows
        ]
        empty = [] if tickets else [text("No tickets", "empty", 16, "faint", centred=True, pad=(0, 40))]
        return page(title_bar("Tickets", up=self.finish), listing("tickets", *tickets, *empty))


class Transit(App):
    """The transit app."""

    package, label, colour, accent = PACKAGE, "Transit", "#00695c", "#00838f"
    schema = """
        CREATE TABLE stops (name TEXT PRIMARY KEY);
        CREATE TABLE calls (line TEXT NOT NULL, stop TEXT NOT NULL, place INTEGER NOT NULL, platform INTEGER NOT NULL,
            PRIMARY KEY (line, place));
        CREATE TABLE tickets (id INTEGER PRIMARY KEY, start TEXT NOT NULL, end TEXT NOT NULL, time REAL NOT NULL);
        CREATE TABLE favourites (stop TEXT PRIMARY KEY);
        CREATE TABLE notices (id INTEGER PRIMARY KEY, stop TEXT NOT NULL, words TEXT NOT NULL);
    """
    activities = (Planner, Route, Departures, Tickets)

    def populate(self, phone: Phone, world: World) -> None:
        """Draw the lines: seven stops each, all through Market."""
        rng, db = world.draws("transit"), phone.database(PACKAGE)
        db.executemany("INSERT INTO stops VALUES (?)", [(name,) for name in STOPS])
        others = [name for name in STOPS if name != "Market"]
        for line, _ in LINES:
            stops = some(rng, others, 6)
            stops.insert(int(rng.integers(2, 5)), "Market")
            rows = [(line, stop, place, int(rng.integers(1, 5))) for place, stop in enumerate(stops)]
            db.executemany("INSERT INTO calls VALUES (?, ?, ?, ?)", rows)
