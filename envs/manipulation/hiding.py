"""Hide and recall: things lie in bins, lids close, and later one of them has to be fetched, or handed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.cell import AJAR, Cell
from simonides.envs.manipulation.scene import COLOURS, PAD, RESTING, Layout, Piece, Spot
from simonides.envs.manipulation.skills import Path
from simonides.envs.manipulation.tasks import Case, Question, Task
from simonides.sim.claims import Claim, Form, Grammar

Deliver = Literal["hand", "pad", "partner"]

BINS = {
    2: ("left bin", "right bin"),
    3: ("left bin", "middle bin", "right bin"),
    4: ("far left bin", "left bin", "right bin", "far right bin"),
    5: ("far left bin", "left bin", "middle bin", "right bin", "far right bin"),
}
SPREAD = 0.55
"""Radians between neighbouring bins: their open lids just don't meet."""
DISTANCE = 0.42


def arc(names: tuple[str, ...], spread: float = SPREAD, distance: float = DISTANCE) -> dict[str, Spot]:
    """Return spots on an arc in front of an arm, from its left to its right."""
    middle = (len(names) - 1) / 2
    return {name: Spot(distance, spread * (middle - n)) for n, name in enumerate(names)}


class HideAndRecall(Task):
    """The fact: which bin the target is in. m is the number of bins; opening one lid latches the others.

    Success: the target is lifted by the arm ("hand"), or lies on the pad ("pad"), or is in the partner's hand after
    both arms have held it ("partner").
    """

    name = "hide-and-recall"
    grammar = Grammar([Form("bin", "The {subject} is in the {value}.", "The {subject} is not in the {value}.")])

    carries_distractors = True

    def __init__(self, stations: int, bins: int, distractors: int, deliver: Deliver) -> None:
        self.deliver = deliver
        shape = "bar" if deliver == "partner" else "cube"
        self.bins = BINS[bins]
        pieces = tuple(
            Piece(f"{colour} {shape}", shape, COLOURS[colour]) for colour in tuple(COLOURS)[: 1 + distractors]
        )
        self.layout = Layout(stations, arc(self.bins), pieces, {}, {"pad": PAD})
        self.pieces = tuple(piece.name for piece in pieces)
        opening = [f"{verb} the {name}" for name in self.bins for verb in ("open", "close")]
        self.actions = [*opening, *(f"pick the {name}" for name in self.pieces), "put it on the pad"]
        if stations > 1:
            self.actions += ["hand it over", "take it", "let go"]
        self.patience = {"hand": 4, "pad": 5, "partner": 6}[deliver]

    def draw(self, rng: np.random.Generator) -> Case:
        """Draw the target, and a bin of its own for every piece."""
        places = rng.permutation(len(self.bins))[: len(self.pieces)].tolist()
        target = int(rng.integers(len(self.pieces)))
        return Case(target=self.pieces[target], truths=[self.bins[places[target]]], places=places)

    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Lay every piece into its bin, a little turned."""
        for n, (piece, place) in enumerate(zip(self.pieces, case.places, strict=True)):
            spot = self.layout.bins[self.bins[place]]
            cell.put(station, piece, spot, spot.angle + 0.2 * (n - 1) * (self.deliver != "partner"))

    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Have all lids closed."""
        cell.close_lids(station, self.bins)

    def ready(self, cell: Cell, station: int, cases: Sequence[Case]) -> bool:
        """Return whether the hand is free, and of two that hand over the even one is done with its case."""
        waits = self.deliver == "partner" and station % 2 == 1 and not cases[station - 1].done
        return not waits and self._in_hand(cell, station) is None

    def told(self, cell: Cell, station: int, case: Case, show: int) -> list[str]:
        """Return how the lids stand, and what is in hand."""
        wide = [name for name in self.bins if cell.opened(station, name) > AJAR]
        lids = "All bins are closed." if not wide else f"Open: {', '.join(wide)}."
        held = self._in_hand(cell, station)
        sight = [piece for piece in self._reachable(cell, station) if show < 0]
        told = [f"In sight: {', '.join(sight)}."] if sight else []
        return [lids, *told, f"In your hand: {held[1]}." if held else "Your hand is empty."]

    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return where the pieces are that a camera sees in a bin."""
        found = []
        for piece in self.pieces:
            where = cell.bin_of(station, piece)
            if where and cell.opened(station, where) > AJAR and cell.seen(station, piece):
                found.append(Claim(self.own(piece, station), "bin", where))
        return found

    def pose(self, cell: Cell, station: int, case: Case) -> None:
        """Unlatch the lids."""
        cell.interlock(station)

    def question(self, station: int, case: Case) -> Question:
        """Ask for the target's bin."""
        subject = self.own(case.target, station)
        plan = {name: f"open the {name}" for name in self.bins}
        return Question(f"In which bin is the {subject}?", subject, "bin", plan)

    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the bin that is open."""
        return next((name for name in self.bins if cell.opened(station, name) > AJAR), "")

    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the target is where it was to be brought."""
        if self.deliver == "hand":
            return cell.held(station, station, case.target)
        if self.deliver == "pad":
            return cell.near_spot(station, case.target, PAD, 0.06) and not cell.lifted(station, case.target)
        partner = station ^ 1
        return cell.held(partner, station, case.target) and cell.arms[station].grip < 0.5

    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return what can be done with lids as they stand and hands as full as they are."""
        if self._in_hand(cell, arm):
            return ["put it on the pad", *self._handing(cell, arm)]
        found = ["take it"] if self._offered(cell, arm ^ 1) else []
        if case.asked < 0 or case.done:
            return found
        wide = [name for name in self.bins if cell.opened(arm, name) > AJAR]
        found += [f"close the {name}" for name in wide] if wide else [f"open the {name}" for name in self.bins]
        return found + [f"pick the {piece}" for piece in self.pieces if self._in_reach(cell, arm, piece, wide)]

    def _in_reach(self, cell: Cell, arm: int, piece: str, wide: list[str]) -> bool:
        return cell.bin_of(arm, piece) in wide and cell.seen(arm, piece)

    def _in_hand(self, cell: Cell, arm: int) -> tuple[int, str] | None:
        held = ((station, piece) for station in range(self.layout.stations) for piece in self.pieces
                if cell.held(arm, station, piece) and cell.arms[arm].grip > 0.5)  # fmt: skip
        return next(held, None)

    def _handing(self, cell: Cell, arm: int) -> list[str]:
        if self.layout.stations == 1:
            return []
        mine, others = self._in_hand(cell, arm), self._in_hand(cell, arm ^ 1)
        if mine and mine == others:
            return ["let go"]
        return ["hand it over"] if mine and mine[0] == arm and not others else []

    def _offered(self, cell: Cell, partner: int) -> bool:
        """Return whether a partner holds something of its own out that nobody else holds."""
        held = self._in_hand(cell, partner) if self.layout.stations > 1 else None
        if held is None or held[0] != partner:
            return False
        return self._in_hand(cell, partner ^ 1) is None and skills.at_meeting(cell, partner, partner ^ 1)

    def follow(self, cell: Cell, arm: int, case: Case) -> str:
        """Fetch the target from the open bin, and bring it where it goes."""
        if not cell.held(arm, arm, case.target):
            return f"pick the {case.target}" if case.target in self._reachable(cell, arm) else "look"
        if self.deliver != "partner":
            return "put it on the pad"
        if "let go" in self._handing(cell, arm):
            return "let go"
        return "wait" if skills.at_meeting(cell, arm, arm ^ 1) else "hand it over"

    def _reachable(self, cell: Cell, arm: int) -> list[str]:
        wide = [name for name in self.bins if cell.opened(arm, name) > AJAR]
        return [piece for piece in self.pieces if self._in_reach(cell, arm, piece, wide)]

    def between(self, cell: Cell, arm: int, case: Case) -> str:
        """Take what the partner offers, and put down what was taken."""
        if self._offered(cell, arm ^ 1):
            return "take it"
        return "put it on the pad" if self._in_hand(cell, arm) and "let go" not in self._handing(cell, arm) else ""

    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Return the path of an action."""
        verb, _, what = name.partition(" the ")
        if verb == "open":
            return skills.open_lid(cell, arm, what)
        if verb == "close":
            return skills.close_lid(cell, arm, what)
        if verb == "pick":
            return skills.pick(cell, arm, arm, what, skills.HANDS if self.deliver == "partner" else 0.0)
        if name == "put it on the pad":
            rest = RESTING["bar" if self.deliver == "partner" else "cube"] + 0.006
            return skills.place(cell, arm, PAD, cell.arms[arm].command[3], rest)
        if name == "hand it over":
            return skills.offer(cell, arm, arm ^ 1)
        if name == "let go":
            return skills.let_go(cell, arm)
        offered = self._in_hand(cell, arm ^ 1)
        return skills.take(cell, arm, *offered) if offered else []
