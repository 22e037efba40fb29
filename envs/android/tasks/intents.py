"""AndroTMem's eight intents as work on the phone: which facts decide, what is done with them, how one sees it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from simonides.envs.android.simulated.apps import calendar, contacts, messages, notes, settings, shop
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.world import World, some
from simonides.envs.android.tasks.acts import Where
from simonides.envs.android.tasks.facts import Fact
from simonides.envs.android.tasks.ops import Op

IntentName = Literal["lookup", "compare", "purchase", "booking", "communicate", "share", "create", "configure"]
TOPICS = (
    "review", "party", "trip", "flat", "garden", "choir", "workshop", "picnic", "concert", "club", "regatta", "parade",
    "bazaar", "ball", "rally", "gala",
)  # fmt: skip
LISTS = ("Packing list", "Guest list", "Menu plan", "Song list", "Tool list", "Seating plan")
TITLES = ("Codes", "Numbers", "For later", "To keep", "Details", "Reminder")


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold in the end: a query to an app's database that finds something, or a setting's value."""

    package: str
    sql: str
    values: tuple[str, ...]

    def holds(self, phone: Phone) -> bool:
        """Return whether it holds on the phone; a setting is asked for as "namespace/name"."""
        if not self.package:
            namespace, _, name = self.sql.partition("/")
            return phone.get_setting(namespace, name) == self.values[0]
        return phone.database(self.package).execute(self.sql, self.values).fetchone() is not None


@dataclass(frozen=True, slots=True)
class Work:
    """What a task ends with: the facts it needs, the ops, what must hold afterwards, and how it is told."""

    facts: tuple[Fact, ...]
    ops: tuple[Op, ...]
    checks: tuple[Check, ...]
    says: str
    packages: tuple[str, ...]
    texts: tuple[str, ...] = ()
    """Texts that the instruction gives, to be typed."""
    notes: tuple[tuple[str, str], ...] = ()
    """Notes that are there from the start: title and body."""
    settings: tuple[tuple[str, str, str], ...] = ()
    """Settings that are otherwise than usual from the start: namespace, name, value."""


@dataclass(slots=True)
class Draw:
    """Draws names and values for one task; no topic comes twice."""

    rng: np.random.Generator
    world: World
    options: int
    topics: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.topics = some(self.rng, TOPICS, len(TOPICS))

    def topic(self) -> str:
        """Return a topic of its own."""
        return self.topics.pop()

    def fact(self, subject: str, pool: Sequence[str], options: int = 0) -> Fact:
        """Return a fact, its topic in place of {topic}, its value one of `options` from a pool."""
        topic = self.topic()
        choices = tuple(some(self.rng, pool, min(options or self.options, len(pool))))
        return Fact(subject.format(topic=topic), choices[int(self.rng.integers(len(choices)))], choices, topic)

    def code(self, subject: str) -> Fact:
        """Return a fact whose value has four digits."""
        return self.fact(subject, [str(1000 + n) for n in self.rng.permutation(9000)[: self.options].tolist()])

    def number(self, subject: str) -> Fact:
        """Return a fact whose value is a telephone number."""
        return self.fact(subject, [f"555-{1000 + n}" for n in self.rng.permutation(9000)[: self.options].tolist()])


def typed(fact: Fact) -> Op:
    """Return the op that types a fact's value."""
    return Op("choose", f"type the {fact.subject}", "dependency", fact=fact.subject, plan={v: v for v in fact.options})


def touched(fact: Fact, plan: Mapping[str, Where]) -> Op:
    """Return the op that touches what a fact says."""
    return Op("choose", f"choose the {fact.subject}", "dependency", fact=fact.subject, plan=dict(plan))


def tap(text: str = "", id: str = "", desc: str = "", says: str = "") -> Op:
    """Return a touch; with `says` it changes something for good."""
    return Op("tap", says, "state_change" if says else "", where=Where(text, id, desc))


def into(id: str, *ops: Op) -> list[Op]:
    """Return the ops that type into a field."""
    return [tap(id=id), *ops]


def lookup(draw: Draw) -> Work:
    """Look two codes up and keep them in a note."""
    a, b = draw.code("door code of the {topic}"), draw.code("locker number of the {topic}")
    ops = [Op("goto", package=notes.PACKAGE), tap(desc="New note"), *into("title", typed(a)), *into("body", typed(b)),
           tap(desc="Save", says="save the note")]  # fmt: skip
    sql = "SELECT 1 FROM notes WHERE title = ? AND body = ?"
    says = f"write a new note with the {a.subject} as title and the {b.subject} as text"
    return Work((a, b), tuple(ops), (Check(notes.PACKAGE, sql, (a.value, b.value)),), says, (notes.PACKAGE,))


def compare(draw: Draw) -> Work:
    """Compare two prices, keep them, and write to who is cheaper."""
    people = some(draw.rng, draw.world.people, 2)
    pool = [str(n) for n in (40 + draw.rng.permutation(400)[: 2 * draw.options]).tolist()]
    a = draw.fact("price for the {topic}", pool[: draw.options])
    b = draw.fact("price for the {topic}", pool[draw.options :])
    who = {a.subject: people[0].number, b.subject: people[1].number}
    title = str(draw.rng.choice(TITLES))
    winner = who[min((a, b), key=lambda one: (int(one.value), one.subject)).subject]
    sums = Op("compute", "address who is cheaper", "dependency", plan=who, rule="lower")
    ops = [Op("goto", package=notes.PACKAGE), tap(desc="New note"), *into("title", typed(a)), *into("body", typed(b)),
           tap(desc="Save", says="save both prices"), Op("goto", package=messages.PACKAGE), tap(desc="Start chat"),
           *into("recipient", sums), *into("body", Op("text", value=title)),
           tap(desc="Send", says="send the message")]  # fmt: skip
    checks = (
        Check(notes.PACKAGE, "SELECT 1 FROM notes WHERE title = ? AND body = ?", (a.value, b.value)),
        Check(messages.PACKAGE, SENT, (winner, title)),
    )
    says = (
        f"write both into a new note, the {a.subject} as title and the {b.subject} as text, and send {title!r} to "
        f"{people[0].number} if the {a.subject} is the lower one, otherwise to {people[1].number}"
    )
    texts = (title, *who.values())
    return Work((a, b), tuple(ops), checks, says, (notes.PACKAGE, messages.PACKAGE), texts)


SENT = "SELECT 1 FROM messages WHERE mine = 1 AND number = ? AND body = ?"


def purchase(draw: Draw) -> Work:
    """Buy the right thing, delivered the right way."""
    names = [name for those in shop.PRODUCTS.values() for name in those]
    a = draw.fact("present for the {topic}", names)
    b = draw.fact("delivery for the {topic}", [name for name, _ in shop.DELIVERIES])
    ops = [Op("goto", package=shop.PACKAGE), *into("search", typed(a)), tap(id="product"),
           tap(id="add_to_cart", says="put it into the cart"), tap(id="checkout"),
           touched(b, {name: Where(name, "delivery") for name in b.options}),
           tap(id="place_order", says="place the order")]  # fmt: skip
    sql = "SELECT 1 FROM orders JOIN order_lines ON order_id = id WHERE name = ? AND delivery = ?"
    says = f"order the {a.subject} in the shop, with the {b.subject} as option"
    return Work((a, b), tuple(ops), (Check(shop.PACKAGE, sql, (a.value, b.value)),), says, (shop.PACKAGE,))


def booking(draw: Draw) -> Work:
    """Book the right room under the right code."""
    a, b = draw.fact("room of the {topic}", calendar.ROOMS), draw.code("booking code of the {topic}")
    title = f"Meeting {draw.topic()}"
    # The room first: while the keyboard is up, its dialog does not show all rooms.
    ops = [Op("goto", package=calendar.PACKAGE), tap(desc="Create new event"), tap(id="room"),
           touched(a, {name: Where(name, "room_name") for name in a.options}),
           *into("title", Op("text", value=title)), *into("note", typed(b)),
           tap(desc="Save", says="book the room")]  # fmt: skip
    sql = "SELECT 1 FROM events WHERE title = ? AND room = ? AND note = ?"
    says = f"book an event {title!r} in the {a.subject}, with the {b.subject} as description"
    check = Check(calendar.PACKAGE, sql, (title, a.value, b.value))
    return Work((a, b), tuple(ops), (check,), says, (calendar.PACKAGE,), (title,))


def communicate(draw: Draw) -> Work:
    """Tell the right number the right thing."""
    a, b = draw.number("phone number of the {topic}"), draw.code("ticket number of the {topic}")
    ops = [Op("goto", package=messages.PACKAGE), tap(desc="Start chat"), *into("recipient", typed(a)),
           *into("body", typed(b)), tap(desc="Send", says="send the message")]  # fmt: skip
    says = f"send the {b.subject} to the {a.subject}"
    return Work((a, b), tuple(ops), (Check(messages.PACKAGE, SENT, (a.value, b.value)),), says, (messages.PACKAGE,))


def share(draw: Draw) -> Work:
    """Share the right note with the right number."""
    titles = some(draw.rng, LISTS, 4)
    bodies = {title: f"{title} of {draw.topic()}" for title in titles}
    a, b = draw.fact("list for the {topic}", titles), draw.number("phone number of the {topic}")
    ops = [Op("goto", package=notes.PACKAGE), touched(a, {title: Where(title) for title in a.options}),
           tap(desc="Share"), tap("Messages"), *into("recipient", typed(b)),
           tap(desc="Send", says="send the note")]  # fmt: skip
    says = f"share the {a.subject} from the notes as a message to the {b.subject}"
    check = Check(messages.PACKAGE, SENT, (b.value, bodies[a.value]))
    packages = (notes.PACKAGE, messages.PACKAGE)
    return Work((a, b), tuple(ops), (check,), says, packages, notes=tuple(bodies.items()))


def create(draw: Draw) -> Work:
    """Create a contact with the right number and note."""
    a, b = draw.number("phone number of the {topic}"), draw.code("customer number of the {topic}")
    name = f"New {draw.topic()} desk"
    ops = [Op("goto", package=contacts.PACKAGE), tap(desc="Create contact"), *into("name", Op("text", value=name)),
           *into("number", typed(a)), *into("email", typed(b)), tap(desc="Save", says="save the contact")]  # fmt: skip
    sql = "SELECT 1 FROM contacts WHERE name = ? AND number = ? AND email = ?"
    says = f"create a contact {name!r} with the {a.subject}, and the {b.subject} in the field for the email"
    check = Check(contacts.PACKAGE, sql, (name, a.value, b.value))
    return Work((a, b), tuple(ops), (check,), says, (contacts.PACKAGE,), (name,))


def configure(draw: Draw) -> Work:
    """Join the right network and set the right brightness."""
    networks = some(draw.world.draws("settings"), settings.NETWORKS, 5)
    a = draw.fact("network of the {topic}", sorted(networks))
    b = draw.fact("brightness for the {topic}", [name for name, _ in settings.BRIGHTNESS])
    there, put = obstacle(draw)
    ops = [Op("goto", package=settings.PACKAGE), *there,
           touched(a, {name: Where(name) for name in a.options}), tap("Connect", says="join the network"),
           Op("goto", package=settings.PACKAGE), tap("Display"),
           Op("choose", "set the brightness", "state_change", fact=b.subject,
              plan={name: Where(name, "brightness") for name in b.options})]  # fmt: skip
    checks = (
        Check("", "global/wifi_ssid", (a.value,)),
        Check("", "system/screen_brightness", (dict(settings.BRIGHTNESS)[b.value],)),
    )
    says = f"connect the phone to the {a.subject} and set the display to the {b.subject}"
    return Work((a, b), tuple(ops), checks, says, (settings.PACKAGE,), settings=put)


def obstacle(draw: Draw) -> tuple[list[Op], tuple[tuple[str, str, str], ...]]:
    """Return the way to the networks and the settings at the start: in half of the tasks none are shown at first.

    Then Wi-Fi is off, or airplane mode is on and holds it off, which nobody tells: the exception is met on the way.
    """
    way = Op("tap", where=Where("Network and internet"))
    on = tap("Wi-Fi", says="switch Wi-Fi on")
    kind = int(draw.rng.integers(4))
    if kind == 0:
        return [replace(way, says="meet Wi-Fi switched off", kind="exception"), on], (("global", "wifi_on", "0"),)
    if kind == 1:
        met = replace(way, says="meet airplane mode, which holds Wi-Fi off", kind="exception")
        return [met, tap("Airplane mode", says="leave airplane mode"), on], (("global", "airplane_mode_on", "1"),)
    return [way], ()


INTENTS: Mapping[IntentName, Callable[[Draw], Work]] = {
    "lookup": lookup, "compare": compare, "purchase": purchase, "booking": booking, "communicate": communicate,
    "share": share, "create": create, "configure": configure,
}  # fmt: skip
