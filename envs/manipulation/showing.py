"""Remember colour and shape: a thing is shown in a box, the box closes, and later its like is picked from several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.arm import SAFE
from simonides.envs.manipulation.cell import AJAR, Cell
from simonides.envs.manipulation.hiding import arc
from simonides.envs.manipulation.scene import COLOURS, PAD, Layout, Piece, Spot
from simonides.envs.manipulation.skills import Path
from simonides.envs.manipulation.tasks import Case, Question, Task
from simonides.sim.claims import Claim, Form, Grammar

BOX = "cue box"
SHAPES = ("cube", "ball", "cylinder", "capsule", "egg")
CLOSE = 0.24
"""Radians between neighbouring things on the table: an open hand fits between them."""
SHIFT = -0.3
"""By how much they lie to the right, to leave room for the box."""
REST = 0.026
"""Height in metres from which things are let go."""


def row(names: tuple[str, ...]) -> list[Spot]:
    """Return a spot for each name, on an arc to the right of the box."""
    return [Spot(spot.r, spot.angle + SHIFT) for spot in arc(names, CLOSE, 0.45).values()]


class RememberOne(Task):
    """The fact: the colour or shape of what was shown. m is the number of things to pick from.

    Success: the thing of that colour or shape is the first that the arm lifts. The box stays shut.
    """

    decoyed = "cue"

    def __init__(self, stations: int, items: int, attribute: str) -> None:
        self.name, self.attribute = f"remember-{attribute}", attribute
        self.grammar = Grammar(
            [
                Form(
                    attribute,
                    f"The {attribute} of the {{subject}} is {{value}}.",
                    f"The {attribute} of the {{subject}} is not {{value}}.",
                )
            ]
        )
        self.values = tuple(COLOURS)[:items] if attribute == "colour" else SHAPES[:items]
        if attribute == "colour":
            pieces = [Piece(f"{value} cube", "cube", COLOURS[value]) for value in self.values]
            self.cues = dict.fromkeys(self.values, "cue")
        else:
            pieces = [Piece(value, value, COLOURS["blue"]) for value in self.values]
            self.cues = {value: f"cue {value}" for value in self.values}
        self.things = {value: piece.name for value, piece in zip(self.values, pieces, strict=True)}
        shown = [
            Piece(name, "cube" if name == "cue" else name.split()[1]) for name in dict.fromkeys(self.cues.values())
        ]
        self.layout = Layout(stations, {BOX: Spot(0.42, 1.15)}, (*pieces, *shown), {}, {"pad": PAD})
        self.actions = [*(f"pick the {name}" for name in self.things.values()), "put it on the pad"]

    def draw(self, rng: np.random.Generator) -> Case:
        """Draw what is shown, and the order on the table."""
        truth = self.values[int(rng.integers(len(self.values)))]
        return Case(truths=[truth], places=rng.permutation(len(self.values)).tolist())

    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Lay the things out, and the cue into the open box."""
        spots = row(self.values)
        for value, place in zip(self.values, case.places, strict=True):
            cell.put(station, self.things[value], spots[place], spots[place].angle)
        cue, box = self.cues[case.truths[0]], self.layout.bins[BOX]
        cell.put(station, cue, box, box.angle)
        if self.attribute == "colour":
            cell.paint(station, cue, COLOURS[case.truths[0]])

    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Have the box closed; it stays latched."""
        cell.close_lids(station, [BOX])

    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return what the cue is like while a camera sees it."""
        seen = cell.opened(station, BOX) > AJAR and cell.seen(station, self.cues[case.truths[0]])
        return [Claim(self.own("cue", station), self.attribute, case.truths[0])] if seen else []

    def told(self, cell: Cell, station: int, case: Case, show: int) -> list[str]:
        """Return what lies on the table, from left to right."""
        spots = sorted((cell.spot(station, station, name)[1], name) for name in self.things.values())
        return [f"On the table, from your left: {', '.join(name for _, name in reversed(spots))}."]

    def question(self, station: int, case: Case) -> Question:
        """Ask for the cue's colour or shape."""
        subject = self.own("cue", station)
        plan = {value: f"pick the {self.things[value]}" for value in self.values}
        return Question(
            f"What was the {self.attribute} of the {subject}? Pick the like.", subject, self.attribute, plan
        )

    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the value of the thing in hand."""
        return next((value for value, name in self.things.items() if cell.held(station, station, name)), "")

    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the thing of the true value is in hand."""
        return cell.held(station, station, self.things[case.truths[0]])

    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return what can be picked; with a full hand, to put it down."""
        if any(cell.held(arm, arm, name) for name in self.things.values()):
            return ["put it on the pad"]
        return [f"pick the {name}" for name in self.things.values()] if case.asked >= 0 else []

    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Return the path of an action."""
        if name == "put it on the pad":
            return skills.place(cell, arm, PAD, cell.arms[arm].command[3], REST)
        return skills.pick(cell, arm, arm, name.partition(" the ")[2])


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


class RememberSeries(Task):
    """The facts: the colours that a lamp showed, one a tick. m is the number of colours, for each of them.

    "remember-sequence" asks for the lights in an order of its own, and goes on after a mistake; "remember-chain" asks
    in the order shown, and a mistake ends it. The answer is to touch a cube of that colour; contact is what counts.
    """

    decoyed = "light"
    grammar = Grammar(
        [Form("colour", "The colour of the {subject} is {value}.", "The colour of the {subject} is not {value}.")]
    )
    patience = 3

    def __init__(self, stations: int, items: int, length: int, chain: bool) -> None:
        self.name = "remember-chain" if chain else "remember-sequence"
        self.breaks, self.shows, self.questions = chain, length, length
        self.values = tuple(COLOURS)[:items]
        pieces = tuple(Piece(f"{value} cube", "cube", COLOURS[value]) for value in self.values)
        self.layout = Layout(stations, {}, pieces, {}, {}, lamp=True)
        self.actions = [f"touch the {value} cube" for value in self.values]

    def draw(self, rng: np.random.Generator) -> Case:
        """Draw the lights, each independent of the others, the order of the questions, and that on the table."""
        shown = [self.values[int(n)] for n in rng.integers(len(self.values), size=self.shows)]
        order = list(range(self.shows)) if self.breaks else rng.permutation(self.shows).tolist()
        places = rng.permutation(len(self.values)).tolist()
        return Case(truths=[shown[n] for n in order], order=order, places=places)

    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Lay the cubes out."""
        spots = list(arc(self.values, CLOSE, 0.45).values())
        for value, place in zip(self.values, case.places, strict=True):
            cell.put(station, f"{value} cube", spots[place], spots[place].angle)

    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Do nothing: the lamp goes out by itself."""

    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return the colour of the lamp."""
        if show < 0:
            return []
        return [Claim(self.own(f"{ORDINALS[show]} light", station), "colour", case.truths[case.order.index(show)])]

    def paint(self, cell: Cell, cases: Sequence[Case], show: int) -> None:
        """Light the lamps."""
        for station, case in enumerate(cases):
            rgb = COLOURS[case.truths[case.order.index(show)]] if show >= 0 else (0.2, 0.2, 0.2)
            cell.paint(station, "lamp", rgb)

    def question(self, station: int, case: Case) -> Question:
        """Ask for one of the lights."""
        subject = self.own(f"{ORDINALS[case.order[case.stage]]} light", station)
        plan = {value: f"touch the {value} cube" for value in self.values}
        return Question(f"What was the colour of the {subject}? Touch the cube of it.", subject, "colour", plan)

    def ready(self, cell: Cell, station: int, cases: Sequence[Case]) -> bool:
        """Return whether the hand touches nothing, so that what it touches next is an answer."""
        return not any(arm == station and name != "post" for arm, _, name in cell.touching)

    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the colour of the cube that was touched; of several, one that is not asked for."""
        touched = {name for arm, of, name in cell.touched if (arm, of) == (station, station)}
        found = [value for value in self.values if f"{value} cube" in touched]
        return min(found, key=lambda value: value == case.truths[case.stage], default="")

    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the cube asked for was touched."""
        return (station, station, f"{case.truths[case.stage]} cube") in cell.touched

    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return all touches, once a question is open."""
        return list(self.actions) if case.asked >= 0 else []

    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Return the path of a touch."""
        r, angle, height = cell.spot(arm, arm, name.partition(" the ")[2])
        return skills.touch(cell, arm, (r, angle), min(height + 0.02, SAFE))
