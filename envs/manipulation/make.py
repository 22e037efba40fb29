"""Make the environment `manipulation` from the parameters of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simonides.envs.manipulation.env import ManipulationEnv
from simonides.envs.manipulation.hiding import BINS, Deliver, HideAndRecall
from simonides.envs.manipulation.moving import DIRECTIONS, RotateThenReturn, ShellGame
from simonides.envs.manipulation.scene import COLOURS
from simonides.envs.manipulation.showing import ORDINALS, SHAPES, RememberOne, RememberSeries
from simonides.envs.manipulation.tasks import Task
from simonides.sim.errors import StudyError
from simonides.sim.seeds import seed_of

Name = Literal[
    "hide-and-recall",
    "shell-game",
    "remember-colour",
    "remember-shape",
    "remember-sequence",
    "remember-chain",
    "rotate-then-return",
]
ITEMS: dict[str, tuple[int, int, int]] = {
    "hide-and-recall": (4, 2, max(BINS)),
    "shell-game": (3, 2, 4),
    "remember-colour": (3, 2, len(COLOURS)),
    "remember-shape": (3, 2, len(SHAPES)),
    "remember-sequence": (4, 2, len(COLOURS)),
    "remember-chain": (4, 2, len(COLOURS)),
    "rotate-then-return": (4, 2, len(DIRECTIONS)),
}
"""Task -> how many alternatives it has by default, at least and at most."""


def manipulation(
    seed: int = 0,
    world: int = 0,
    task: Name = "hide-and-recall",
    control: Literal["skills", "raw"] = "skills",
    arms: Literal[1, 2, 4] | None = None,
    items: Annotated[int | None, Field(ge=2, le=len(COLOURS))] = None,
    length: Annotated[int, Field(ge=1, le=len(ORDINALS))] = 3,
    swaps: Annotated[int, Field(ge=0, le=15)] = 2,
    deliver: Deliver = "hand",
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    delay: Annotated[int, Field(ge=0)] = 6,
    distractors: Annotated[int, Field(ge=0)] = 0,
    sessions: Annotated[int, Field(ge=0)] = 0,
) -> ManipulationEnv:
    """Return a work cell with one agent an arm, 2 arms by default where two are needed, else 1.

    `items` is m, the number of alternatives; `length` that of lights in a series; `swaps` those of cups; `deliver` what
    hide-and-recall wants done with the thing. `delay` is in ticks: skills, or control steps under raw control.
    Raises StudyError for a number of items, distractors, sessions or arms that the task does not have.
    """
    needs_two = seer == "other" or deliver == "partner"
    stations = arms if arms is not None else 2 if needs_two else 1
    default, least, most = ITEMS[task]
    count = items if items is not None else default
    if stations == 1 and needs_two:
        raise StudyError("manipulation.arms: one arm can neither see for another nor hand over; use 2 or 4.")
    if not least <= count <= most:
        raise StudyError(f"manipulation.items: {task} has {least} to {most} items, found {count}.")
    if task == "hide-and-recall" and distractors >= count:
        raise StudyError(
            f"manipulation.distractors: {count} bins have room for {count - 1} others, found {distractors}."
        )
    if sessions > delay:
        raise StudyError(f"manipulation.sessions: {sessions} sessions do not end in a delay of {delay} ticks.")
    made = _task(task, stations, count, length, swaps, distractors, deliver)
    return ManipulationEnv(made, seed_of(seed, world) >> 1, control, reveal, seer, delay, distractors, sessions)


def _task(name: str, stations: int, items: int, length: int, swaps: int, distractors: int, deliver: Deliver) -> Task:
    if name == "hide-and-recall":
        return HideAndRecall(stations, items, distractors, deliver)
    if name == "shell-game":
        return ShellGame(stations, items, swaps)
    if name == "rotate-then-return":
        return RotateThenReturn(stations, items)
    if name in ("remember-colour", "remember-shape"):
        return RememberOne(stations, items, name.removeprefix("remember-"))
    return RememberSeries(stations, items, length, name == "remember-chain")
