"""Plan an episode over a recorded app: which transitions are walked in the first session, and the task of the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simonides.envs.android.droidtask.graph import Edge, Graph, Mode
from simonides.envs.android.droidtask.load import Task, load
from simonides.envs.android.droidtask.screens import Element
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.errors import DataError

SLACK = 2
"""Actions beyond the gold length that a task may take."""
GRAMMAR = Grammar([Form("way", "The way {subject} is to touch {value}.", "The way {subject} is not to touch {value}.")])


def asking(subject: str) -> str:
    """Return the question for a transition."""
    return f"Which element is the way {subject}?"


@dataclass(frozen=True, slots=True)
class Posed:
    """A task that an app's graph can reach in its budget: the way, the start and the goal by number of screen."""

    task: Task
    graph: Graph
    start: int
    goal: int
    way: tuple[Edge, ...]

    @property
    def budget(self) -> int:
        """Actions that the task may take."""
        return self.task.length + SLACK


@lru_cache(maxsize=8)
def posed(data: str, mode: Mode, app: str = "") -> tuple[Posed, ...]:
    """Return the tasks that the recordings allow, by app and in the published order. Raises DataError for none."""
    found: list[Posed] = []
    for one in load(data):
        graph = Graph.of(one, mode)
        found += [p for task in one.tasks if app in ("", one.name) and (p := _posed(task, graph)) is not None]
    if not found:
        known = ", ".join(one.name for one in load(data))
        raise DataError(f"DroidTask: no task of the app {app!r} can be done in {mode!r} mode; apps: {known}.")
    return tuple(found)


def _posed(task: Task, graph: Graph) -> Posed | None:
    start, goal = (graph.numbers.get(task.moves[i].screen.key) for i in (0, -1))
    way = graph.path(start, goal) if start is not None and goal is not None else None
    if not way or len(way) > task.length + SLACK:
        return None
    return Posed(task, graph, way[0].source, way[-1].target, tuple(way))


def walks(one: Posed, reveal: bool, distractors: int, sessions: int, rng: np.random.Generator) -> list[list[Edge]]:
    """Return the transitions walked in each session before the task: what is needed in the first, others between.

    Without `reveal` other transitions take the place of those needed, so that nothing else changes.
    """
    way = set(one.way)
    shown = {edge.source for edge in one.way}, {edge.target for edge in one.way}
    others = [e for e in one.graph.edges if e not in way and not (e.source in shown[0] and e.target in shown[1])]
    order = [others[i] for i in rng.permutation(len(others))] or list(one.way)
    wanted = [len(one.way) + distractors, *[max(1, distractors)] * sessions]
    cycle = _Cycle(order)
    first = [*(one.way if reveal else cycle.take(len(one.way))), *cycle.take(distractors)]
    rank = {edge: i for i, edge in enumerate(one.graph.edges)}
    return [sorted(first, key=rank.__getitem__), *(cycle.take(count) for count in wanted[1:])]


class _Cycle:
    """Hands out a sequence again and again."""

    def __init__(self, items: Sequence[Edge]) -> None:
        self._items, self._next = items, 0

    def take(self, count: int) -> list[Edge]:
        found = [self._items[(self._next + i) % len(self._items)] for i in range(count)]
        self._next += count
        return found


def subject(app: str, source: int, target: int) -> str:
    """Return what a way is called: from one numbered screen of an app to another."""
    return f"from {app} screen {source} to {app} screen {target}"


def way_claim(app: str, edge: Edge, element: Element) -> Claim:
    """Return the claim that touching an element leads from one screen to another."""
    return Claim(subject(app, edge.source, edge.target), "way", element.name)
