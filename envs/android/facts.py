"""Facts that a phone shows at one time and needs at another: where they are read, and what is decided by them.

A source puts a sentence into an app, to be found under a title, and takes it away again. A decision offers the values
of an attribute in another app, and reads from that app's data which of them was acted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simonides.envs.android.routes import Route, Touch
from simonides.envs.android.simulated.apps import (
    browser,
    calendar,
    clock,
    contacts,
    files,
    messages,
    notes,
    shop,
    transit,
)
from simonides.envs.android.simulated.apps import settings as settings_app
from simonides.envs.android.simulated.phone import Phone
from simonides.sim.claims import Form, Grammar


@dataclass(frozen=True, slots=True)
class Source:
    """An app in which sentences stand, each under a title of its own."""

    app: str
    put: Callable[[Phone, str, str], None]
    """Phone, title, sentence."""
    take: Callable[[Phone, str], None]
    """Phone, title: the sentence is gone for good."""

    def route(self, title: str) -> Route:
        """Return the way to the sentence."""
        return Route(self.app, (Touch(title),))


def _put_message(phone: Phone, title: str, sentence: str) -> None:
    sql = "INSERT INTO messages (number, body, time) VALUES (?, ?, ?)"
    phone.database(messages.PACKAGE).execute(sql, (_number(phone, title), sentence, phone.time))


def _take_message(phone: Phone, title: str) -> None:
    phone.database(messages.PACKAGE).execute("DELETE FROM messages WHERE number = ?", (_number(phone, title),))


def _number(phone: Phone, name: str) -> str:
    """Return a contact's number; who is no contact writes under the name itself, as services do."""
    row = phone.database(contacts.PACKAGE).execute("SELECT number FROM contacts WHERE name = ?", (name,)).fetchone()
    return row["number"] if row is not None else name


def _put_note(phone: Phone, title: str, sentence: str) -> None:
    values = (title, sentence, phone.time)
    phone.database(notes.PACKAGE).execute("INSERT INTO notes (title, body, time) VALUES (?, ?, ?)", values)


def _take_note(phone: Phone, title: str) -> None:
    phone.database(notes.PACKAGE).execute("DELETE FROM notes WHERE title = ?", (title,))


def _put_event(phone: Phone, title: str, sentence: str) -> None:
    calendar.add(phone, title, phone.time + 1200, note=sentence)


def _take_event(phone: Phone, title: str) -> None:
    phone.database(calendar.PACKAGE).execute("DELETE FROM events WHERE title = ?", (title,))


def _put_page(phone: Phone, title: str, sentence: str) -> None:
    url = f"https://{title.lower().replace(' ', '-')}.example"
    browser.publish(phone, url, title, sentence)
    phone.database(browser.PACKAGE).execute("INSERT INTO bookmarks VALUES (?)", (url,))


def _take_page(phone: Phone, title: str) -> None:
    db = phone.database(browser.PACKAGE)
    db.execute("DELETE FROM bookmarks WHERE url IN (SELECT url FROM pages WHERE title = ?)", (title,))
    db.execute("DELETE FROM pages WHERE title = ?", (title,))


def _put_file(phone: Phone, title: str, sentence: str) -> None:
    phone.write_file(f"{files.ROOT}/{title}", f"{sentence}\n".encode())


def _take_file(phone: Phone, title: str) -> None:
    phone.files.remove(f"{files.ROOT}/{title}")


SOURCES = (
    Source("Messages", _put_message, _take_message),
    Source("Notes", _put_note, _take_note),
    Source("Calendar", _put_event, _take_event),
    Source("Browser", _put_page, _take_page),
    Source("Files", _put_file, _take_file),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """An attribute whose value decides what to touch in an app."""

    attribute: str
    app: str
    form: Form
    subjects: Sequence[str]
    values: Sequence[str]
    task: str
    """The instruction, with `{subject}`."""
    offer: Callable[[Phone, str, Sequence[str]], None]
    """Phone, subject, values: offer them, in an order that says nothing."""
    touches: Callable[[str, str], Sequence[Touch]]
    """Subject, value: the steps of one who believes it."""
    chosen: Callable[[Phone, str, float], str]
    """Phone, subject, the time since when: the value that was acted on; "" while none was."""

    def route(self, subject: str, value: str) -> Route:
        """Return the way of one who believes a value."""
        return Route(self.app, self.touches(subject, value))


def _form(attribute: str) -> Form:
    words = f"The {attribute} of the {{subject}} is"
    return Form(attribute, f"{words} {{value}}.", f"{words} not {{value}}.")


def _column(phone: Phone, package: str, sql: str, *values: object) -> str:
    row = phone.database(package).execute(sql, values).fetchone()
    return str(row[0]) if row is not None else ""


def _offer_numbers(phone: Phone, subject: str, values: Sequence[str]) -> None:
    db = phone.database(contacts.PACKAGE)
    db.execute("DELETE FROM calls")
    rows = [("", number, phone.time - 3600.0 * i) for i, number in enumerate(values, start=1)]
    db.executemany("INSERT INTO calls (name, number, time) VALUES (?, ?, ?)", rows)


def _called(phone: Phone, subject: str, since: float) -> str:
    sql = "SELECT number FROM calls WHERE time >= ? ORDER BY id DESC"
    return _column(phone, contacts.PACKAGE, sql, since)


def _offer_rooms(phone: Phone, subject: str, values: Sequence[str]) -> None:
    db = phone.database(calendar.PACKAGE)
    db.execute("DELETE FROM rooms")
    db.executemany("INSERT INTO rooms VALUES (?)", [(value,) for value in values])
    calendar.add(phone, subject.capitalize(), phone.time + 3600)


def _room(phone: Phone, subject: str, since: float) -> str:
    return _column(phone, calendar.PACKAGE, "SELECT room FROM events WHERE title = ?", subject.capitalize())


def _offer_deliveries(phone: Phone, subject: str, values: Sequence[str]) -> None:
    db = phone.database(shop.PACKAGE)
    db.execute("DELETE FROM deliveries")
    db.executemany("INSERT INTO deliveries (name, fee) VALUES (?, 300)", [(value,) for value in values])
    db.execute("DELETE FROM cart")
    db.execute("INSERT INTO cart SELECT id, 1 FROM products ORDER BY name LIMIT 1")


def _delivery(phone: Phone, subject: str, since: float) -> str:
    sql = "SELECT delivery FROM orders WHERE time >= ? ORDER BY id DESC"
    return _column(phone, shop.PACKAGE, sql, since)


def _offer_networks(phone: Phone, subject: str, values: Sequence[str]) -> None:
    db = phone.database(settings_app.PACKAGE)
    db.execute("DELETE FROM networks")
    db.executemany("INSERT INTO networks (ssid) VALUES (?)", [(value,) for value in values])
    phone.put_setting("global", "wifi_on", "1")
    phone.put_setting("global", "wifi_ssid", "")


def _network(phone: Phone, subject: str, since: float) -> str:
    return phone.get_setting("global", "wifi_ssid") or ""


def _offer_alarms(phone: Phone, subject: str, values: Sequence[str]) -> None:
    phone.database(clock.PACKAGE).execute("DELETE FROM alarms")
    for value in values:
        hour, minute = value.split(":")
        clock.add(phone, 60 * int(hour) + int(minute), on=False)


def _alarm(phone: Phone, subject: str, since: float) -> str:
    found = _column(phone, clock.PACKAGE, "SELECT minute FROM alarms WHERE armed ORDER BY id")
    return clock.minutes_of(int(found)) if found else ""


def _offer_stops(phone: Phone, subject: str, values: Sequence[str]) -> None:
    db = phone.database(transit.PACKAGE)
    db.execute("DELETE FROM stops")
    db.execute("DELETE FROM favourites")
    db.executemany("INSERT INTO stops VALUES (?)", [(value,) for value in values])


def _stop(phone: Phone, subject: str, since: float) -> str:
    return _column(phone, transit.PACKAGE, "SELECT stop FROM favourites ORDER BY rowid")


DECISIONS: Mapping[str, Decision] = {
    one.attribute: one
    for one in (
        Decision(
            "phone number", "Contacts", _form("phone number"),
            ("plumber", "dentist", "florist", "landlord", "piano teacher", "vet", "optician", "bakery"),
            tuple(f"555-{n}" for n in (2147, 2741, 3082, 3820, 4196, 4961, 5073, 5730)),
            "Somebody of the recent calls in Contacts is the {subject}. Call the {subject}.",
            _offer_numbers,
            lambda subject, value: (Touch("CALLS"), Touch(value, "call_log_entry"), Touch("Call", "call", value)),
            _called,
        ),
        Decision(
            "room", "Calendar", _form("room"),
            ("budget meeting", "choir practice", "job interview", "chess evening", "staff training", "book swap"),
            calendar.ROOMS, "In Calendar, give the event of the {subject} its room.",
            _offer_rooms,
            lambda subject, value: (
                Touch(subject.capitalize(), "event"), Touch("Edit event"), Touch("Room", "room"),
                Touch(value, "room_name"), Touch("Save", "save", value),
            ),
            _room,
        ),
        Decision(
            "delivery option", "Shop", _form("delivery option"),
            tuple(f"order {n}" for n in (2107, 2170, 2333, 2384, 2411, 2468)),
            ("Home delivery", "Parcel locker", "Pickup point", "Express courier", "Night courier", "Drone drop"),
            "In Shop, order what is in the cart with the same delivery option as {subject} had.",
            _offer_deliveries,
            lambda subject, value: (
                Touch("Cart, 1 items"), Touch("Checkout", "checkout"), Touch(value, "delivery"), Touch("Place order"),
            ),
            _delivery,
        ),
        Decision(
            "network", "Settings", _form("network"),
            ("guest house", "reading room", "workshop", "sports hall", "tea garden", "print shop"),
            settings_app.NETWORKS, "In Settings, connect the phone to the network of the {subject}.",
            _offer_networks,
            lambda subject, value: (
                Touch("Network and internet"), Touch(value, "preference"),
                Touch("Connect", "button1", f"Connect to {value}?"),
            ),
            _network,
        ),
        Decision(
            "wake-up time", "Clock", _form("wake-up time"),
            ("flight day", "market day", "hiking trip", "exam day", "boat tour", "moving day"),
            ("05:10", "05:40", "06:05", "06:35", "07:20", "07:50"),
            "In Clock, switch on the alarm for the {subject}.",
            _offer_alarms, lambda subject, value: (Touch(f"{value} alarm", "onoff"),), _alarm,
        ),
        Decision(
            "nearest stop", "Transit", _form("nearest stop"),
            ("clinic", "language school", "town archive", "swimming pool", "concert hall", "flea market"),
            ("Abbey Road", "Castle", "Fountain", "Harbour", "Library", "Observatory", "Port Hill"),
            "In Transit, make the nearest stop of the {subject} a favourite.",
            _offer_stops,
            lambda subject, value: (
                Touch("DEPARTURES"), Touch(value, "stop"), Touch("Add to favourites", "favourite", value),
            ),
            _stop,
        ),
    )
}  # fmt: skip
"""What is decided, by attribute. Subjects and values are ours; only their number matters."""

GRAMMAR = Grammar(one.form for one in DECISIONS.values())
