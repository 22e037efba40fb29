"""Shell game and rotate-then-return: what was seen is moved about before it is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.arm import Waypoint
from simonides.envs.manipulation.cell import Cell
from simonides.envs.manipulation.hiding import arc
from simonides.envs.manipulation.scene import COLOURS, RESTING, Layout, Piece, Spot
from simonides.envs.manipulation.skills import Path
from simonides.envs.manipulation.tasks import Case, Question, Task
from simonides.sim.claims import Claim, Form, Grammar

RAISED = 0.16
"""Metres above the table at which cups are held while the ball is shown."""
APART = 0.36
"""Radians between cups: two can go round each other."""
SWAP_STEPS = 24
"""Control steps of one swap: 0.25 m/s."""


class ShellGame(Task):
    """The fact: which cup is put over the ball. m is the number of cups; they have colours, and change places.

    Success: the first cup that the arm lifts is the one with the ball under it. Someone who is not modelled lowers and
    swaps the cups (a weld constraint to a moving frame); the ball is dragged along by contact alone.
    """

    name = "shell-game"
    decoyed = "ball"
    grammar = Grammar([Form("cup", "The {subject} is under the {value}.", "The {subject} is not under the {value}.")])

    def __init__(self, stations: int, items: int, swaps: int) -> None:
        self.cups, self.swaps = tuple(f"{colour} cup" for colour in tuple(COLOURS)[:items]), swaps
        self.spots = list(arc(self.cups, APART).values())
        ball = Piece("ball", "ball", COLOURS["white"])
        self.layout = Layout(stations, {}, (ball,), dict(zip(self.cups, self.spots, strict=True)), {})
        self.actions = [f"lift the {cup}" for cup in self.cups]

    def draw(self, rng: np.random.Generator) -> Case:
        """Draw the ball's cup, the order of the cups, and the pairs of places that are swapped."""
        count = len(self.cups)
        pairs = [rng.permutation(count)[:2].tolist() for _ in range(self.swaps)]
        truth = self.cups[int(rng.integers(count))]
        return Case(truths=[truth], places=rng.permutation(count).tolist(), moves=[n for pair in pairs for n in pair])

    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Hold the cups above their places, the ball under one."""
        for cup, place in zip(self.cups, case.places, strict=True):
            cell.put(station, cup, self.spots[place], self.spots[place].angle, RAISED)
            cell.hold(station, cup)
        cell.put(station, "ball", self.spots[case.places[self.cups.index(case.truths[0])]])

    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Have the cups lowered, swapped and let go."""
        at = dict(zip(case.places, self.cups, strict=True))
        lowered = {cup: [(spot.r * math.cos(spot.angle), spot.r * math.sin(spot.angle), RAISED * (9 - n) / 10 + 0.001)
                         for n in range(10)] for spot, cup in ((self.spots[p], at[p]) for p in at)}  # fmt: skip
        cell.carry(station, lowered)
        for one, other in zip(case.moves[::2], case.moves[1::2], strict=True):
            cell.carry(station, {at[one]: self._round(one, other), at[other]: self._round(other, one)})
            at[one], at[other] = at[other], at[one]

    def _round(self, start: int, end: int) -> list[tuple[float, float, float]]:
        """Return the half circle from one place to another, counter-clockwise."""
        a, b = (complex(spot.r * math.cos(spot.angle), spot.r * math.sin(spot.angle)) for spot in
                (self.spots[start], self.spots[end]))  # fmt: skip
        middle, arm = (a + b) / 2, (a - b) / 2
        turns = (complex(math.cos(x), math.sin(x)) for x in np.linspace(0, math.pi, SWAP_STEPS + 1)[1:].tolist())
        return [((middle + arm * turn).real, (middle + arm * turn).imag, 0.001) for turn in turns]

    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return the cup above the ball while the ball is seen."""
        if show < 0 or not cell.seen(station, "ball"):
            return []
        return [Claim(self.own("ball", station), "cup", self._over_ball(cell, station))]

    def _over_ball(self, cell: Cell, station: int) -> str:
        ball = cell.position(station, "ball")[:2]
        return min(self.cups, key=lambda cup: float(np.linalg.norm(cell.position(station, cup)[:2] - ball)))

    def told(self, cell: Cell, station: int, case: Case, show: int) -> list[str]:
        """Return how the cups stand, from left to right."""
        angles = sorted(((cell.spot(station, station, cup)[1], cup) for cup in self.cups), reverse=True)
        return [f"The cups, from your left: {', '.join(cup for _, cup in angles)}."]

    def question(self, station: int, case: Case) -> Question:
        """Ask for the cup."""
        subject = self.own("ball", station)
        return Question(f"Under which cup is the {subject}?", subject, "cup", {c: f"lift the {c}" for c in self.cups})

    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the cup in hand."""
        return next((cup for cup in self.cups if cell.held(station, station, cup)), "")

    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the ball lies under the cup that is lifted."""
        ball, cup = cell.position(station, "ball"), cell.position(station, case.truths[0])
        under = float(np.linalg.norm(ball[:2] - cup[:2])) < 0.06 and float(ball[2]) < 0.05
        return under and cell.held(station, station, case.truths[0])

    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return the lifts, once the question is open and the hand empty."""
        return list(self.actions) if case.asked >= 0 and not self.choice(cell, arm, case) else []

    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Return the path of a lift."""
        return skills.pick(cell, arm, arm, name.partition(" the ")[2])


DIRECTIONS = {
    "north-south": 0.0,
    "east-west": math.pi / 2,
    "northwest-southeast": math.pi / 4,
    "northeast-southwest": 3 * math.pi / 4,
}
"""Directions of a bar on the table, in radians counter-clockwise from straight ahead, which is north."""
STRICT = math.radians(10)
"""How far the bar may be off the direction, in radians; and below, off the place, in metres."""
CENTRED = 0.03


class RotateThenReturn(Task):
    """The fact: how a bar lay. The arm turns it to another direction first, and back later. m is that of directions.

    Success: the bar lies within 10 degrees and 3 cm of how it lay. The direction between is independent of it.
    """

    name = "rotate-then-return"
    decoyed = "bar"
    grammar = Grammar(
        [Form("direction", "At first the {subject} lay {value}.", "At first the {subject} lay not {value}.")]
    )
    place = Spot(0.42, 0.0)

    def __init__(self, stations: int, items: int) -> None:
        self.values = tuple(DIRECTIONS)[:items]
        self.layout = Layout(stations, {}, (Piece("bar", "bar", COLOURS["orange"]),), {}, {"pad": self.place})
        self.actions = [f"turn the bar {value}" for value in self.values]

    def draw(self, rng: np.random.Generator) -> Case:
        """Draw two directions, which may be the same."""
        first, second = (self.values[int(n)] for n in rng.integers(len(self.values), size=2))
        return Case(truths=[first], aside=second)

    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Lay the bar down."""
        cell.put(station, "bar", self.place, DIRECTIONS[case.truths[0]])

    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Do nothing: it is the arm that turns the bar."""

    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return how the bar lies while it lies as at first."""
        if show < 0:
            return []
        return [Claim(self.own("bar", station), "direction", self._direction(cell, station))]

    def told(self, cell: Cell, station: int, case: Case, show: int) -> list[str]:
        """Return what to turn the bar to first, and how it lies after that."""
        if case.turned:
            return [f"The bar has been turned {self._direction(cell, station)}."]
        return [f"The bar is to be turned {case.aside} first."] if show < 0 else []

    def _direction(self, cell: Cell, station: int) -> str:
        yaw = cell.yaw(station, "bar")
        return min(self.values, key=lambda value: _apart(yaw, DIRECTIONS[value]))

    def question(self, station: int, case: Case) -> Question:
        """Ask for the first direction."""
        subject = self.own("bar", station)
        plan = {value: f"turn the bar {value}" for value in self.values}
        return Question(f"How did the {subject} lie at first? Turn it back.", subject, "direction", plan)

    def between(self, cell: Cell, arm: int, case: Case) -> str:
        """Turn the bar, before the question."""
        return "" if case.turned or case.done else f"turn the bar {case.aside}"

    def watch(self, cell: Cell, station: int, case: Case) -> None:
        """Note that the hand has been at the bar, and that the bar has been turned as it had to be."""
        case.moved = case.moved or (station, station, "bar") in cell.touched
        if case.asked < 0 and case.moved and self._released(cell, station):
            case.turned = case.turned or self._lies(cell, station, case.aside)
            case.moved = False

    def _released(self, cell: Cell, station: int) -> bool:
        arm = cell.arms[station]
        return arm.grip < 0.5 and arm.command[2] > 0.1 and not cell.lifted(station, "bar")

    def _lies(self, cell: Cell, station: int, value: str) -> bool:
        turned = _apart(cell.yaw(station, "bar"), DIRECTIONS[value]) < STRICT
        return turned and cell.near_spot(station, "bar", self.place, CENTRED)

    def ready(self, cell: Cell, station: int, cases: Sequence[Case]) -> bool:
        """Return whether the bar has been turned."""
        return cases[station].turned

    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the direction in which the bar was laid down."""
        return self._direction(cell, station) if case.moved and self._released(cell, station) else ""

    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the bar lies as at first."""
        return self._lies(cell, station, case.truths[0])

    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return all turns."""
        return [] if case.done else list(self.actions)

    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Lift the bar, turn it, and lay it down at its place."""
        goal = DIRECTIONS[name.removeprefix("turn the bar ")]
        lift = skills.pick(cell, arm, arm, "bar")
        r, swing, _, roll = lift[-1].pose
        turn = goal - cell.yaw(arm, "bar")
        turn -= math.pi * round(turn / math.pi)
        down = (self.place.r, self.place.angle, RESTING["bar"] + 0.002, roll - turn + self.place.angle - swing)
        high = (down[0], down[1], 0.12, down[3])
        return [
            *lift[:-1],
            Waypoint((r, swing, 0.12, roll), 1.0),
            Waypoint(high, 1.0, 3),
            Waypoint(down, 1.0, 4),
            Waypoint(down, 0.0, 4),
            Waypoint((*high[:2], 0.19, high[3]), 0.0),
        ]


def _apart(one: float, other: float) -> float:
    """Return the angle between two directions of a bar, which has no front: at most a right angle."""
    return abs((one - other + math.pi / 2) % math.pi - math.pi / 2)
