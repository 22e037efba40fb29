"""Make the environment `manipulation` from the parameters of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simonides.envs.manipulation.env import ManipulationEnv
from simonides.envs.manipulation.hiding import Deliver, HideAndRecall
from simonides.envs.manipulation.tasks import Task
from simonides.sim.errors import StudyError
from simonides.sim.seeds import seed_of

Name = Literal["hide-and-recall"]


def manipulation(
    seed: int = 0,
    world: int = 0,
    task: Name = "hide-and-recall",
    control: Literal["skills", "raw"] = "skills",
    arms: Literal[1, 2, 4] | None = None,
    items: Annotated[int | None, Field(ge=2, le=9)] = None,
    deliver: Deliver = "hand",
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    delay: Annotated[int, Field(ge=0)] = 6,
    distractors: Annotated[int, Field(ge=0)] = 0,
    sessions: Annotated[int, Field(ge=0)] = 0,
) -> ManipulationEnv:
    """Return a work cell."""
    stations = arms if arms is not None else 1 if seer == "self" and deliver != "partner" else 2
    if stations == 1 and (seer == "other" or deliver == "partner"):
        raise StudyError(f"manipulation.arms: seer {seer!r} with deliver {deliver!r} needs 2 or 4 arms, found 1.")
    made: Task = HideAndRecall(stations, items or 4, distractors, deliver)
    return ManipulationEnv(made, seed_of(seed, world) >> 1, control, reveal, seer, delay, distractors, sessions)
