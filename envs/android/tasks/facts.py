"""Facts of a task, and the places in the apps where they stand: how they get there and how one looks them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from simonides.envs.android.simulated.apps import (
    browser,
    calendar,
    contacts,
    files,
    messages,
    notes,
    shop,
    transit,
)
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.world import World
from simonides.envs.android.tasks.acts import Where
from simonides.envs.android.tasks.ops import Op
from simonides.sim.claims import Claim, Form, Grammar

GRAMMAR = Grammar([Form("value", "The {subject} is {value}.", "The {subject} is not {value}.")])
ATTRIBUTE = "value"


def asking(subject: str) -> str:
    """Return the question for a fact."""
    return f"What is the {subject}?"


PREFACE = "Hello, here is what you asked me for some time ago."
"""Longer than the previews of lists, so that they do not tell what stands behind it."""
HIDDEN = "The {subject} will be told another day."


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to remember: "The {subject} is {value}.", one of several values that it might have."""

    subject: str
    value: str
    options: tuple[str, ...]
    topic: str
    """What it is about; the place where it stands is called so."""

    def sentence(self, reveal: bool = True) -> str:
        """Return the sentence, or one that hides the value."""
        if not reveal:
            return HIDDEN.format(subject=self.subject)
        return GRAMMAR.say(Claim(self.subject, ATTRIBUTE, self.value))


def claims_in(texts: Iterable[str]) -> list[str]:
    """Return the sentences of the texts that say something, each once."""
    found = [GRAMMAR.say(claim) for text in texts for claim in GRAMMAR.read(text.replace("\n", " "))]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Place:
    """Where facts may stand: an app, how words get there under a topic, and the way to them in words and ops."""

    package: str
    put: Callable[[Phone, World, str, str], None]
    """(phone, world, topic, words)"""
    way: Callable[[World, str], tuple[Where, ...]]
    """(world, topic) -> the elements to touch, from the app's first screen on."""
    said: str
    """How the instruction names it, with {topic}."""
    backs: int = 1
    """How often to go back afterwards."""

    def look_up(self, world: World, topic: str, subjects: tuple[str, ...]) -> list[Op]:
        """Return the ops that go there, look, and go back; the first of going back sees the facts."""
        ops = [Op("goto", package=self.package)]
        ops += [Op("tap", where=where) for where in self.way(world, topic)]
        says = f"read about the {topic} in {self.package.rpartition('.')[2]}"
        ops.append(Op("back", says, "context_info", sees=subjects))
        return ops + [Op("back")] * (self.backs - 1)


def writer(world: World, topic: str) -> str:
    """Return who writes about a topic: always the same person."""
    return world.people[sum(map(ord, topic)) % len(world.people)].name


def _note(phone: Phone, world: World, topic: str, words: str) -> None:
    sql = "INSERT INTO notes (title, body, time) VALUES (?, ?, ?)"
    phone.database(notes.PACKAGE).execute(sql, (f"About the {topic}", f"{PREFACE}\n{words}", phone.time - 60))


def _message(phone: Phone, world: World, topic: str, words: str) -> None:
    person = next(one for one in world.people if one.name == writer(world, topic))
    sql = "INSERT INTO messages (number, body, time, seen) VALUES (?, ?, ?, 1)"
    phone.database(messages.PACKAGE).execute(sql, (person.number, f"{PREFACE} {words}", phone.time - 60))


def _event(phone: Phone, world: World, topic: str, words: str) -> None:
    calendar.add(phone, f"Plan the {topic}", calendar.midnight(phone.time) + 3600 * 20, "", words)


def _page(phone: Phone, world: World, topic: str, words: str) -> None:
    url = f"https://about-{topic}.example"
    browser.publish(phone, url, f"All about the {topic}", f"{PREFACE}\n{words}")
    phone.database(browser.PACKAGE).execute("INSERT INTO bookmarks VALUES (?)", (url,))


def _contact(phone: Phone, world: World, topic: str, words: str) -> None:
    sql = "INSERT INTO contacts (name, number, note) VALUES (?, ?, ?)"
    phone.database(contacts.PACKAGE).execute(sql, (f"A {topic} office", "555-0100", words))


def _order(phone: Phone, world: World, topic: str, words: str) -> None:
    sql = "INSERT INTO orders (id, time, delivery, total, status, note) VALUES (?, ?, 'Parcel locker', 990, ?, ?)"
    values = (order_number(topic), phone.time - 60, "Ordered", words)
    phone.database(shop.PACKAGE).execute(sql, values)


def order_number(topic: str) -> int:
    """Return the number of the order that belongs to a topic."""
    return 2000 + sum(map(ord, topic)) % 1000


def _file(phone: Phone, world: World, topic: str, words: str) -> None:
    phone.files.write(f"{files.ROOT}/Documents/about-{topic}.txt", f"{words}\n".encode(), int(phone.time))


def _notice(phone: Phone, world: World, topic: str, words: str) -> None:
    phone.database(transit.PACKAGE).execute("INSERT INTO notices (stop, words) VALUES (?, ?)", ("Castle", words))


PLACES: Mapping[str, Place] = {
    "notes": Place(notes.PACKAGE, _note, lambda w, t: (Where(f"About the {t}"),), 'the note "About the {topic}"'),
    "messages": Place(
        messages.PACKAGE, _message, lambda w, t: (Where(writer(w, t), "conversation_name"),),
        "the latest message about the {topic}",
    ),
    "calendar": Place(
        calendar.PACKAGE, _event, lambda w, t: (Where(f"Plan the {t}"),), 'the event "Plan the {topic}"'
    ),
    "browser": Place(
        browser.PACKAGE, _page, lambda w, t: (Where(f"All about the {t}"),), 'the page "All about the {topic}"'
    ),
    "contacts": Place(
        contacts.PACKAGE, _contact, lambda w, t: (Where(f"A {t} office"),), 'the contact "A {topic} office"'
    ),
    "shop": Place(
        shop.PACKAGE, _order, lambda w, t: (Where(desc="Your orders"), Where(f"Order {order_number(t)}")),
        "the latest order in the shop, which is for the {topic}", 2,
    ),
    "files": Place(
        files.PACKAGE, _file, lambda w, t: (Where("Documents"), Where(f"about-{t}.txt")),
        "the file about-{topic}.txt", 2,
    ),
    "transit": Place(
        transit.PACKAGE, _notice, lambda w, t: (Where("DEPARTURES"), Where("Castle")),
        "the notice at the stop Castle on the {topic}", 2,
    ),
}  # fmt: skip
