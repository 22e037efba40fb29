"""Plan an episode: the town's junctions and what is true of them, and the trips with who drives where.

A trip is a session and has one leg a junction. On a `cross` leg a car passes a junction on the crossing road and sees
what is so there; on a `main` leg it comes from the side that the roads part from, and has to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simonides.envs.driving.facts import JUNCTIONS, PLACES, ROADS, TASKS, Task, TaskName
from simonides.sim.errors import StudyError
from simonides.sim.seeds import generator, seed_of

Entry = Literal["cross", "main"]
CROSS_TICKS, MAIN_TICKS, ARRIVAL_TICKS = 1, 2, 1
"""Ticks of a leg, and of the arrival at a trip's end, for who never waits."""


@dataclass(frozen=True, slots=True)
class Site:
    """A junction: its name, the roads that part there, the road that crosses, and which of `values` is true."""

    name: str
    roads: tuple[str, ...]
    crossing: str
    values: tuple[str, ...]
    """What may be true, in an order that says nothing."""
    truth: str
    shape: int
    """A draw from which a simulator with several maps takes one."""

    @property
    def branch(self) -> int:
        """The number of the road that is right; 0 where there is only one."""
        return self.roads.index(self.truth) if self.truth in self.roads else 0


@dataclass(frozen=True, slots=True)
class Leg:
    """One junction of a trip: who drives through it, and whose facts are learnt there by whom."""

    site: int
    entry: Entry
    cars: tuple[int, ...]
    tells: tuple[int, ...] = ()
    """Sites whose facts the cars learn on this leg."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One day's drive."""

    goal: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """What an episode is made of. All parts are fixed when it is planned."""

    task: Task
    sites: tuple[Site, ...]
    """The junctions that are decided at first, then those whose facts distract."""
    trips: tuple[Trip, ...]
    targets: int
    """How many of the sites are decided at."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The parameters of a town, checked together."""

    task: TaskName
    cars: int
    roads: int
    stages: int
    sessions: int
    distractors: int
    other: bool
    """That the first car sees and the others decide."""

    def __post_init__(self) -> None:
        if (self.other or self.task == "convoy") and self.cars < 2:
            raise StudyError(f"cars: {self.cars} cannot share what was seen; use 2 or more with seer=other or convoy.")
        if self.targets + self.distractors > len(JUNCTIONS):
            raise StudyError(f"distractors: {self.distractors} are too many; a town has {len(JUNCTIONS)} junctions.")
        if (self.targets + self.distractors) * (self.roads + 1) > len(ROADS):
            raise StudyError(f"distractors: {self.distractors} junctions of {self.roads} roads need more than the "
                             f"{len(ROADS)} names of roads there are; use fewer.")  # fmt: skip

    @property
    def targets(self) -> int:
        """Junctions that are decided at."""
        return {"learnt-route": self.stages, "convoy": self.cars}.get(self.task, 1)


def plan(shape: Shape, seed: int) -> Town:
    """Return the episode of a seed."""
    rng = generator(seed_of("driving", seed))
    sites = _sites(shape, rng)
    goals = [PLACES[i] for i in rng.integers(0, len(PLACES), shape.sessions + shape.targets + 2)]
    return Town(TASKS[shape.task], sites, _trips(shape, goals), shape.targets)


def _sites(shape: Shape, rng: np.random.Generator) -> tuple[Site, ...]:
    count, task = shape.targets + shape.distractors, TASKS[shape.task]
    names = rng.permutation(len(JUNCTIONS))[:count]
    width = 1 if task.rival else shape.roads
    roads = [f"{ROADS[i]} Road" for i in rng.permutation(len(ROADS))[: count * (width + 1)]]
    found = []
    for number, name in enumerate(names.tolist()):
        *parting, crossing = roads[number * (width + 1) : (number + 1) * (width + 1)]
        values = [*parting, crossing] if task.rival else parting
        values = [values[i] for i in rng.permutation(len(values))]
        truth = values[int(rng.integers(len(values)))]
        found.append(
            Site(
                f"{JUNCTIONS[name]} Junction",
                tuple(parting),
                crossing,
                tuple(values),
                truth,
                int(rng.integers(1 << 31)),
            )
        )
    return tuple(found)


def _trips(shape: Shape, goals: list[str]) -> tuple[Trip, ...]:
    """Return the trips: those on which the facts are seen, those between, and the one that decides."""
    seers = (0,) if shape.other else tuple(range(shape.cars))
    everybody = tuple(range(1, shape.cars)) if shape.other else tuple(range(shape.cars))
    decided = range(shape.targets)
    extra = list(range(shape.targets, shape.targets + shape.distractors))
    legs: list[tuple[Leg, ...]]
    if shape.task == "convoy":
        legs = [tuple(Leg(site, "cross", (site,), (site,)) for site in decided)]
        last = tuple(Leg(s, "main", tuple(c for c in range(shape.cars) if c != s)) for s in decided)
    else:
        legs = [(Leg(site, "cross", seers, (site,)),) for site in decided]
        last = tuple(Leg(site, "main", everybody) for site in decided)
    between = [(Leg(extra[i % len(extra)] if extra else 0, "cross", seers),) for i in range(shape.sessions)]
    legs = _distracted([*legs, *between], extra, len(legs) if between else 0)
    return tuple(Trip(goal, trip) for goal, trip in zip(goals, [*legs, last], strict=False))


def _distracted(trips: list[tuple[Leg, ...]], extra: list[int], first: int) -> list[tuple[Leg, ...]]:
    """Spread the distracting facts over the trips from `first` on."""
    later = len(trips) - first
    for position, trip in enumerate(trips[first:]):
        told = tuple(extra[position::later])
        head = trip[0]
        trips[first + position] = (Leg(head.site, head.entry, head.cars, head.tells + told), *trip[1:])
    return trips


def nominal_ticks(town: Town) -> tuple[dict[int, int], dict[int, int]]:
    """Return for every site the tick at which its fact is first shown, and that at which a car stands before it.

    For who never waits.
    """
    known: dict[int, int] = {}
    needed: dict[int, int] = {}
    tick = 0
    for trip in town.trips:
        for leg in trip.legs:
            tick += CROSS_TICKS if leg.entry == "cross" else MAIN_TICKS
            if leg.entry == "main":
                needed[leg.site] = tick - 1
            for site in leg.tells:
                known.setdefault(site, tick)
        tick += ARRIVAL_TICKS
    return known, needed
