"""How far the recorded walks cover the gold tasks: screens, transitions and whole paths found, exactly and nearly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise

from simonides.envs.android.droidtask.graph import Graph
from simonides.envs.android.droidtask.load import App, load
from simonides.envs.android.droidtask.screens import ALIKE, Screen


@dataclass(frozen=True, slots=True)
class Found:
    """How many of the gold screens, transitions and whole paths stand in the recorded walks.

    A transition is found when the same element and typed text lead from the screen to the next. `exact` compares the
    multisets of elements without ids; `alike` accepts screens whose multisets have a Jaccard index of 0.8 or more.
    """

    screens: int
    screens_exact: int
    screens_alike: int
    transitions: int
    transitions_exact: int
    transitions_alike: int
    paths: int
    paths_exact: int
    paths_alike: int

    def __add__(self, other: Found) -> Found:
        return Found(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def coverage(data: str) -> dict[str, Found]:
    """Return the counts by app, and for "all" apps. Raises DataError."""
    found = {app.name: _app(app) for app in load(data)}
    return found | {"all": sum(found.values(), Found(*[0] * len(fields(Found))))}


def _app(app: App) -> Found:
    graph = Graph.of(app, "recorded")

    @cache
    def near(screen: Screen) -> frozenset[int]:
        if screen.key in graph.numbers:
            return frozenset([graph.numbers[screen.key]])
        return frozenset(n for n, known in enumerate(graph.screens) if known.like(screen) >= ALIKE)

    screens, exact, alike = [], [], []
    for task in app.tasks:
        screens += [move.screen for move in task.moves]
        steps = list(pairwise(task.moves))
        led = [
            {
                (source, edge.target)
                for source in near(move.screen)
                if move.element is not None
                for edge in graph.follow(source, move.element, move.typed)
            }
            for move, _ in steps
        ]
        pairs = [(graph.numbers.get(a.screen.key), graph.numbers.get(b.screen.key)) for a, b in steps]
        exact.append([pair in known for pair, known in zip(pairs, led, strict=True)])
        alike.append([any(end in near(b.screen) for _, end in known) for (_, b), known in zip(steps, led, strict=True)])
    return Found(
        len(screens),
        sum(screen.key in graph.numbers for screen in screens),
        sum(bool(near(screen)) for screen in screens),
        sum(map(len, exact)),
        sum(map(sum, exact)),
        sum(map(sum, alike)),
        len(app.tasks),
        sum(map(all, exact)),
        sum(map(all, alike)),
    )
