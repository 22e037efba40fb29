"""What passes between a drive and the simulator that it takes place in: scenes, bodies, controls, and the protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from simonides.envs.driving.trips import Entry

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
RIVAL = "rival"
"""The name of the car on the crossing road."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One junction, set up: a simulator makes the same world of equal scenes."""

    cars: tuple[str, ...]
    """The cars that are driven, the first one in front."""
    entry: Entry
    roads: int
    """How many roads part here."""
    obstacle: Literal["", "barrier", "wreck"]
    blocked: tuple[int, ...]
    """The roads on which an obstacle stands."""
    rival: bool
    traffic: int
    """Vehicles besides, with the simulator's own drivers."""
    shape: int
    seed: int


@dataclass(frozen=True, slots=True)
class Body:
    """Something on the road: position in m, heading in rad, velocity in m/s, length in m."""

    x: float
    y: float
    heading: float
    vx: float
    vy: float
    length: float
    sight: float = 60.0
    """Distance in m from which drivers notice it."""

    @property
    def speed(self) -> float:
        """Speed in m/s, as a length."""
        return math.hypot(self.vx, self.vy)


@dataclass(frozen=True, slots=True)
class Control:
    """What a driver asks of a car: the curvature of its track in 1/m, left positive in its axes, and m/s²."""

    curvature: float
    acceleration: float


class Simulator(Protocol):
    """A road with cars on it, which shows one scene at a time."""

    dt: float
    """Seconds a step."""

    def place(self, scene: Scene) -> None:
        """Set up a scene; what was there before is gone."""

    def path(self, entry: Entry, branch: int) -> Floats:
        """Return float64[n, 2]: the centre of the lane to follow, a point a metre or less."""

    def rival_path(self) -> Floats:
        """Return float64[n, 2]: the lane of the car on the crossing road."""

    def line(self, path: Literal["main", "rival"]) -> float:
        """Return how many metres along that path the stop line before the junction lies."""

    def bodies(self) -> Mapping[str, Body]:
        """Return all vehicles and obstacles by name, cars under their own."""

    def step(self, controls: Mapping[str, Control]) -> None:
        """Go on by `dt`; cars without a control brake."""

    def crashed(self, name: str) -> str:
        """Return what a car has crashed with or how it left the road; "" when it has not."""

    def picture(self, follow: Sequence[str]) -> Picture:
        """Return the scene from above, uint8[h, w, 3]."""

    def close(self) -> None:
        """Give back what is held."""
