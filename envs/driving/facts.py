"""What there is to know in a town: how its facts are worded, and which of them each task turns on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from simonides.sim.claims import Claim, Form, Grammar

TaskName = Literal["closure", "hazard", "right-of-way", "learnt-route", "convoy"]

JUNCTIONS = (
    "Abbey", "Barley", "Castle", "Dover", "Eagle", "Forge", "Garden", "Hunter", "Ivory", "Jubilee", "King", "Lantern",
    "Mason", "Nelson", "Orchard", "Palace", "Quarry", "River", "Saddler", "Temple", "Union", "Victoria", "Weaver",
    "York",
)  # fmt: skip
"""Junctions are called "Abbey Junction" and so on."""

ROADS = (
    "Acorn", "Bridge", "Canal", "Chapel", "Church", "Copper", "Drover", "Fern", "Field", "Fox", "Granary", "Green",
    "Harbour", "Hazel", "Heath", "High", "Hill", "Holly", "Juniper", "Lake", "Laurel", "Lime", "London", "Maple",
    "Market", "Meadow", "Mill", "Moor", "North", "Oak", "Park", "Pine", "Poplar", "Priory", "Rose", "School",
    "South", "Spring", "Station", "Sycamore", "Tower", "Walnut", "West", "Willow", "Windmill", "Wood", "Yew",
    "Zion",
)  # fmt: skip
"""Roads are called "Acorn Road" and so on."""

PLACES = ("the harbour", "the hospital", "the market", "the museum", "the school", "the stadium", "the station")

GRAMMAR = Grammar(
    [
        Form("open road", "The open road at {subject} is {value}.", "The open road at {subject} is not {value}."),
        Form("clear road", "The clear road at {subject} is {value}.", "The clear road at {subject} is not {value}."),
        Form("priority", "The road with priority at {subject} is {value}.",
             "The road with priority at {subject} is not {value}."),
        Form("way", "The way on at {subject} is {value}.", "The way on at {subject} is not {value}."),
    ]
)  # fmt: skip
"""In which every fact of a town is told."""


@dataclass(frozen=True, slots=True)
class Task:
    """One memory task: the attribute of a junction that it turns on, and what becomes of who gets it wrong."""

    name: str
    attribute: str
    question: str
    obstacle: Literal["", "barrier", "wreck"] = ""
    """What stands on the other roads: a barrier that is seen from afar, or a wreck that is not."""
    rival: bool = False
    """That a car waits on the crossing road."""


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("closure", "open road", "Which road at {} is open?", "barrier"),
        Task("hazard", "clear road", "Which road at {} is clear?", "wreck"),
        Task("right-of-way", "priority", "Which road has priority at {}?", rival=True),
        Task("learnt-route", "way", "Which road is the way on at {}?"),
        Task("convoy", "open road", "Which road at {} is open?", "barrier"),
    )
}


def fact(junction: str, attribute: str, value: str, said_by: str = "") -> str:
    """Return a fact about a junction as a sentence, quoted where somebody says it."""
    return GRAMMAR.say(Claim(junction, attribute, value, said_by))
