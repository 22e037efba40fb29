"""Load DroidTask's recorded apps (MobileLLM/AutoDroid): walks through their screens, and tasks with gold steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from simonides.envs.android.droidtask.screens import Element, Screen, read_screen
from simonides.envs.dialogue.reading import find, read_json
from simonides.sim.errors import DataError

WHAT = "DroidTask"
TASKS = ("profile_no_answer.json", "**/profile_no_answer.json")
NOTHING = "null"
"""What the recordings write where nothing is typed."""
ENDED = -1
"""The choice that ends a recording."""
_CALLED = {"sms messenger": "messenger"}
"""Name of a graph's file -> the app's in the tasks, where dropping blanks is not enough."""


@dataclass(frozen=True, slots=True)
class Move:
    """One recorded step: the screen, the element touched (None at the end), the text typed into it ("" for none)."""

    screen: Screen
    element: Element | None
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One task with its gold steps; the last screen is the goal."""

    id: str
    app: str
    text: str
    moves: tuple[Move, ...]

    @property
    def length(self) -> int:
        """The number of gold actions."""
        return len(self.moves) - 1


@dataclass(frozen=True, slots=True)
class App:
    """One recorded app: a walk through it, record by record, and its tasks."""

    name: str
    walk: tuple[Move, ...]
    tasks: tuple[Task, ...]


@lru_cache(maxsize=4)
def load(data: str) -> tuple[App, ...]:
    """Return the apps of a folder that have both a graph and tasks, by name.

    The folder holds `profile_no_answer.json` and the graphs: `utgs/SMS_Messenger.yaml`, ... or beside it. Raises
    DataError in one line.
    """
    path = find(data, TASKS, WHAT)
    told = read_json(path, dict, WHAT)
    walks = _walks(path.parent)
    apps = [App(name, walks[name], _tasks(name, told[name], path)) for name in sorted(set(told) & set(walks))]
    if not apps:
        raise DataError(f"{WHAT}: {path.parent} has no app with both tasks and a graph (utgs/*.yaml).")
    return tuple(apps)


def _walks(folder: Path) -> dict[str, tuple[Move, ...]]:
    files = sorted([*folder.glob("*.yaml"), *folder.glob("utgs/*.yaml")])
    return {_app_of(path.stem): _walk(path) for path in files}


def _app_of(stem: str) -> str:
    name = re.sub(r"[ _]+", " ", stem).lower()
    return _CALLED.get(name, name.replace(" ", ""))


def _walk(path: Path) -> tuple[Move, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        told = yaml.load(path.read_text(encoding="utf-8"), loader)
        return tuple(_move(r["State"], r["Choice"], r["Input"]) for r in told["records"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{WHAT}: {path} cannot be read ({type(error).__name__}); fetch it again.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{WHAT}: {path} is not a graph as published ({type(error).__name__}: {error}).") from None


def _tasks(app: str, told: Mapping[str, Any], path: Path) -> tuple[Task, ...]:
    try:
        return tuple(_task(app, id, entry) for id, entry in told.items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = f"{WHAT}: {path}, app {app!r}"
        raise DataError(f"{where}: not a task as published ({type(error).__name__}: {error}).") from None


def _task(app: str, id: str, told: Mapping[str, Any]) -> Task:
    moves = tuple(_move(step["state"], *step["label"]) for step in told["profile"])
    if len(moves) < 2 or any(move.element is None for move in moves[:-1]):
        raise ValueError(f"the task {told['task']!r} has no whole path of gold steps")
    return Task(id, app, told["task"], moves)


def _move(state: str, choice: int, typed: str) -> Move:
    screen = read_screen(state)
    element = None if choice == ENDED else screen.element(choice)
    if element is None and choice != ENDED:
        raise ValueError(f"element {choice} is not on its screen")
    return Move(screen, element, "" if typed == NOTHING else str(typed))
