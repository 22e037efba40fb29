"""What the memory tasks have in common: the case that a station poses, and the questions it asks.

A task knows its scene, draws cases, says what is to be seen, asks, and reads from the physics what came of it.
The families are MIKASA-Robo's (arXiv:2502.10550); scenes, words and judgement are ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.cell import Cell
from simonides.envs.manipulation.scene import Layout
from simonides.envs.manipulation.skills import Path
from simonides.sim.claims import Claim, Grammar
from simonides.sim.types import Plain


@dataclass(slots=True)
class Case:
    """What one station is about in one episode, and how far it is. Plain data, part of a snapshot."""

    target: str = ""
    """The object that is asked about, where there are several."""
    truths: list[str] = field(default_factory=list)
    """The value of the fact of each question, in the order in which they are asked."""
    places: list[int] = field(default_factory=list)
    """Where the pieces lie, as numbers whose meaning is the task's."""
    order: list[int] = field(default_factory=list)
    """In which order facts were shown that are asked in another."""
    moves: list[int] = field(default_factory=list)
    """Pairs of places whose cups are swapped, one after the other."""
    aside: str = ""
    """A second value that is drawn: what a thing is turned to in between."""
    stage: int = 0
    """Questions answered."""
    asked: int = -1
    """Tick at which the current question was posed; -1 before."""
    chosen: str = ""
    done: bool = False
    moved: bool = False
    """That the piece in question has been lifted since the question was posed."""
    waited: int = 0
    """Ticks for which a due question could not be posed."""
    turned: bool = False
    """That what had to be done in between was done."""

    def plain(self) -> dict[str, Plain]:
        """Return the case as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be known now, and which action follows from each answer."""

    text: str
    subject: str
    attribute: str
    plan: Mapping[str, str]


class Task(ABC):
    """One family of memory tasks. Stateless: cases hold what changes."""

    name: str
    grammar: Grammar
    layout: Layout
    shows: int = 1
    """Ticks (skills) during which facts are seen."""
    questions: int = 1
    breaks: bool = False
    """That a wrong answer ends the case."""
    patience: int = 4
    """Skills that may be tried for each question."""
    actions: Sequence[str]
    """The task's own actions, by name; waiting, looking and tapping the post are everybody's."""

    def own(self, subject: str, station: int) -> str:
        """Return what a subject is called when others' are talked of, too."""
        return subject if self.layout.stations == 1 else f"{subject} of player_{station}"

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Case:
        """Return a new case."""

    @abstractmethod
    def lay(self, cell: Cell, station: int, case: Case) -> None:
        """Lay the pieces out."""

    @abstractmethod
    def conceal(self, cell: Cell, station: int, case: Case) -> None:
        """Have what was shown covered."""

    @abstractmethod
    def visible(self, cell: Cell, station: int, case: Case, show: int) -> list[Claim]:
        """Return what is to be seen at a station; `show` is the number of the showing tick, -1 afterwards."""

    @abstractmethod
    def question(self, station: int, case: Case) -> Question:
        """Return the question of the case's stage."""

    @abstractmethod
    def skill(self, cell: Cell, arm: int, name: str) -> Path:
        """Return the path of one of the task's actions."""

    @abstractmethod
    def legal(self, cell: Cell, arm: int, case: Case) -> list[str]:
        """Return those of the task's actions that can be done now."""

    @abstractmethod
    def choice(self, cell: Cell, station: int, case: Case) -> str:
        """Return the value that the arm has acted on, as the physics shows it, or ""."""

    @abstractmethod
    def reached(self, cell: Cell, station: int, case: Case) -> bool:
        """Return whether the goal of the case's stage is reached in the physics."""

    def follow(self, cell: Cell, arm: int, case: Case) -> str:
        """Return what to do once the choice is made, "" for nothing."""
        return ""

    def between(self, cell: Cell, arm: int, case: Case) -> str:
        """Return what the task has the arm do before it asks, "" for nothing."""
        return ""

    def pose(self, cell: Cell, station: int, case: Case) -> None:  # noqa: B027 (most tasks have nothing to do)
        """Make the scene ready for a question that is posed now."""

    def ready(self, cell: Cell, station: int, cases: Sequence[Case]) -> bool:
        """Return whether a station's question can be posed now, once the delay is over."""
        return True

    def watch(self, cell: Cell, station: int, case: Case) -> None:  # noqa: B027 (most tasks have nothing to do)
        """Note in the case what happened in this tick that later judgement needs."""

    def told(self, cell: Cell, station: int, case: Case, show: int) -> list[str]:
        """Return what else is to be seen, in sentences that are none of the grammar's."""
        return []

    def paint(self, cell: Cell, cases: Sequence[Case], show: int) -> None:  # noqa: B027 (most tasks have nothing to do)
        """Colour what changes its colour, before a picture is drawn."""

    carries_distractors: bool = False
    """That the distractors are pieces of the scene, rather than told facts."""

    def decoy(self, rng: np.random.Generator, n: int, station: int) -> Claim:
        """Return a fact of the same kind about something that nobody will ask for."""
        asked = self.question(station, Case(target=self.decoyed, truths=[""] * self.questions, order=[0] * 99))
        options = tuple(asked.plan)
        value = options[int(rng.integers(len(options)))]
        return Claim(self.own(f"{self.decoyed} of table {n + 2}", station), asked.attribute, value)

    decoyed: str = "thing"
    """What a decoy fact is about, followed by "of table n"."""


def chores(cell: Cell, arm: int, name: str) -> Path:
    """Return the path of an action that every task has."""
    if name == "look":
        return skills.look(cell, arm)
    if name == "tap the post":
        return skills.touch_post(cell, arm)
    return []


def fields_of(case: Mapping[str, Any]) -> Case:
    """Return the case that `plain` made plain."""
    return Case(**case)
