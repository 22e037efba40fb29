"""Which screen follows which action, by what was recorded: every transition says from which recording it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from simonides.envs.android.droidtask.load import App, Move
from simonides.envs.android.droidtask.screens import Element, Key, Screen

Mode = Literal["recorded", "stitched"]
Place = tuple[str, int]
"""A recording ("graph", or "gold:" and a task's id) and the number of one of its steps."""
GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Edge:
    """One transition: an element of a screen, the text typed, the screen that followed, and where it was recorded."""

    source: int
    markup: str
    typed: str
    target: int
    places: tuple[Place, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """ "graph", "gold" or both."""
        return tuple(sorted({name.partition(":")[0] for name, _ in self.places}))


@dataclass(slots=True)
class Graph:
    """The screens and transitions of an app in one mode; screens are numbered by their first appearance."""

    app: App
    mode: Mode
    screens: list[Screen] = field(default_factory=list)
    numbers: dict[Key, int] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    """In the order in which they were first recorded."""
    _from: dict[tuple[int, str, str], list[Edge]] = field(default_factory=dict)

    @classmethod
    def of(cls, app: App, mode: Mode) -> Graph:
        """Return an app's graph: of the walk alone (`recorded`), or of the walk and all gold steps (`stitched`)."""
        graph = cls(app, mode)
        recordings = [(GRAPH, app.walk)]
        if mode == "stitched":
            recordings += [(f"gold:{task.id}", task.moves) for task in app.tasks]
        found: dict[tuple[int, str, str, int], list[Place]] = {}
        for name, moves in recordings:
            graph._add(name, moves, found)
        graph.edges = [Edge(*step, tuple(places)) for step, places in found.items()]
        for edge in graph.edges:
            graph._from.setdefault((edge.source, edge.markup, edge.typed), []).append(edge)
        return graph

    def _add(self, name: str, moves: Sequence[Move], found: dict[tuple[int, str, str, int], list[Place]]) -> None:
        numbers = [self._number(move.screen) for move in moves]
        for i, (source, target) in enumerate(pairwise(numbers)):
            element = moves[i].element
            if element is not None:
                found.setdefault((source, element.markup, moves[i].typed, target), []).append((name, i))

    def _number(self, screen: Screen) -> int:
        if screen.key not in self.numbers:
            self.numbers[screen.key] = len(self.screens)
            self.screens.append(screen)
        return self.numbers[screen.key]

    def follow(self, screen: int, element: Element, typed: str) -> Sequence[Edge]:
        """Return the recorded transitions of an action, one a target; none where the action has no recorded effect."""
        return self._from.get((screen, element.markup, typed), ())

    def path(self, start: int, goal: int) -> list[Edge] | None:
        """Return a shortest way, or None; one without actions that lead to several screens where there is one."""
        sure = [edge for edge in self.edges if len(self._from[edge.source, edge.markup, edge.typed]) == 1]
        return _shortest(sure, start, goal) or _shortest(self.edges, start, goal)

    def touched(self, edge: Edge) -> Element:
        """Return the element of an edge's action, as its screen shows it."""
        return next(e for e in self.screens[edge.source].elements if e.markup == edge.markup)


def _shortest(edges: Iterable[Edge], start: int, goal: int) -> list[Edge] | None:
    leaving: dict[int, list[Edge]] = {}
    for edge in edges:
        leaving.setdefault(edge.source, []).append(edge)
    came: dict[int, Edge | None] = {start: None}
    waiting = deque([start])
    while waiting and goal not in came:
        for edge in leaving.get(waiting.popleft(), ()):
            if edge.target not in came:
                came[edge.target] = edge
                waiting.append(edge.target)
    return _back(came, goal) if goal in came and goal != start else None


def _back(came: Mapping[int, Edge | None], goal: int) -> list[Edge]:
    way: list[Edge] = []
    edge = came[goal]
    while edge is not None:
        way.append(edge)
        edge = came[edge.source]
    return way[::-1]
