"""Small things to do between seeing facts and needing them: nothing in them depends on a fact."""

from __future__ import annotations

from collections.abc import Mapping

from simonides.envs.android.simulated.apps import (
    browser,
    calendar,
    clock,
    contacts,
    files,
    messages,
    notes,
    settings,
    shop,
    transit,
)
from simonides.envs.android.tasks.acts import Where
from simonides.envs.android.tasks.ops import Op

CHORES: Mapping[str, tuple[str, str, tuple[Where, ...], int]] = {
    "bluetooth": (settings.PACKAGE, "switch Bluetooth over", (Where("Connected devices"), Where("Bluetooth")), 1),
    "apps": (settings.PACKAGE, "look at the list of installed apps", (Where("Apps"),), 1),
    "sound": (settings.PACKAGE, "make the ring louder", (Where("Sound"), Where(desc="Louder")), 1),
    "timer": (clock.PACKAGE, "start a timer of five minutes", (Where("TIMER"), Where("5 minutes")), 1),
    "weather": (browser.PACKAGE, "read the weather page", (Where("Weather"),), 1),
    "museum": (browser.PACKAGE, "look at the page of the city museum", (Where("City museum"),), 1),
    "cinema": (browser.PACKAGE, "see what the cinema shows", (Where("Cinema"),), 1),
    "calls": (contacts.PACKAGE, "look at the calls", (Where("CALLS"),), 1),
    "keypad": (contacts.PACKAGE, "open the keypad", (Where("CALLS"), Where(desc="Keypad")), 2),
    "cart": (shop.PACKAGE, "look into the cart", (Where(desc="Cart, 0 items"),), 1),
    "orders": (shop.PACKAGE, "look at the old orders", (Where(desc="Your orders"), Where("Order 1041")), 2),
    "category": (shop.PACKAGE, "show the books and then all products", (Where("Books"), Where("Books")), 0),
    "music": (files.PACKAGE, "look into the folder Music", (Where("Music"),), 1),
    "pictures": (files.PACKAGE, "look into the folder Pictures", (Where("Pictures"),), 1),
    "tickets": (transit.PACKAGE, "look at the tickets", (Where("TICKETS"),), 1),
    "departures": (transit.PACKAGE, "see what leaves from Market", (Where("DEPARTURES"), Where("Market")), 2),
    "agenda": (calendar.PACKAGE, "begin a new event and leave it", (Where(desc="Create new event"),), 1),
    "compose": (messages.PACKAGE, "begin a chat and leave it", (Where(desc="Start chat"),), 1),
    "blank": (notes.PACKAGE, "begin a note and leave it", (Where(desc="New note"),), 1),
}
"""Name -> the app, what the instruction says, the elements to touch, how often to go back."""


def chore(name: str) -> list[Op]:
    """Return the ops of a chore."""
    package, says, way, backs = CHORES[name]
    ops = [Op("goto", package=package), *(Op("tap", where=where) for where in way)]
    ops[-1] = Op("tap", says, "subgoal", where=way[-1])
    return ops + [Op("back")] * backs
