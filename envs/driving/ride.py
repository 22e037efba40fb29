"""Drive cars through one scene with the common controller, and tell how it went; the same in every simulator.

A ride is its scene and the orders given so far: driven again they give the same ride, which is how it is restored
where a simulator cannot save its state.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simonides.envs.driving.controller import Path, drive
from simonides.envs.driving.scene import RIVAL, Body, Control, Scene, Simulator

Kind = Literal["hold", "on", "take", "give way"]
Ending = Literal["", "reached", "crash", "blocked", "late"]

HISTORY, INTERVAL = 8, 0.5
"""Frames that are kept of every vehicle, and seconds between them; the interval is BridgeAD's (CVPR 2025)."""
WAIT = 5.0
"""Seconds that a hold lasts when nobody drives; eight of them use `PATIENCE` up."""
PATIENCE = 40.0
"""Seconds from the first step of a leg after which it is too late to arrive."""
STUCK = 2.0
"""Seconds of standing before something in the lane after which a car gives the road up."""
NEAR = 2.0
"""m before a stop line at which a car has reached it."""
CLEAR = 27.0
"""m behind its stop line at which a car has crossed the other road."""
ACTUATORS = (0.2, 5.0)
"""1/m and m/s² at a raw control of 1."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a car is to do next: hold, drive on to the line or the end, take a road, or give way and then go on."""

    kind: Kind
    branch: int = 0


@dataclass(slots=True)
class Progress:
    """How far one car has come."""

    path: Path
    stop: float
    ending: Ending = ""
    reason: str = ""
    branch: int = -1
    seconds: float = 0.0
    still: float = 0.0
    at_line: bool = False


@dataclass(slots=True)
class Frame:
    """All vehicles at one time: name -> (x, y, heading, vx, vy)."""

    seconds: float
    bodies: dict[str, Body] = field(default_factory=dict)


class Ride:
    """One leg in one simulator.

    ride = Ride(simulator, scene)
    ride.drive({"player_0": Order("on")})          # to the stop line
    ride.drive({"player_0": Order("take", 1)})     # by road 1 to its end
    ride.cars["player_0"].ending                   # "reached"
    """

    def __init__(self, simulator: Simulator, scene: Scene, rival_first: bool = False) -> None:
        """`rival_first`: that the car on the crossing road has priority, and takes it."""
        self.scene, self.rival_first = scene, rival_first
        self._sim = simulator
        simulator.place(scene)
        self.seconds = 0.0
        self.frames: deque[Frame] = deque(maxlen=HISTORY)
        self._paths = {branch: Path(simulator.path(scene.entry, branch)) for branch in range(scene.roads)}
        self._line = simulator.line("main") if scene.entry == "main" else self._paths[0].length - 3.0
        self.cars = {car: Progress(self._paths[0], self._line) for car in scene.cars}
        self._rival = Path(simulator.rival_path()) if scene.rival else None
        self._rival_goes = False
        self._steps = 0
        self._remember()

    @property
    def over(self) -> bool:
        """That every car's leg has ended."""
        return all(car.ending for car in self.cars.values())

    @property
    def paths(self) -> Mapping[int, Path]:
        """The lanes to follow, by the number of the road they lead into."""
        return self._paths

    def bodies(self) -> Mapping[str, Body]:
        """Return everything on the road by name."""
        return self._sim.bodies()

    def drive(self, orders: Mapping[str, Order]) -> None:
        """Carry the orders out, until every car that moves has come to its line or its end."""
        moving = {car: order for car, order in orders.items() if order.kind != "hold" and not self.cars[car].ending}
        for car, order in moving.items():
            self._obey(self.cars[car], order)
        if not moving:
            return self._hold()
        while any(self._under_way(car) for car in moving):
            self._step(moving)

    def steer(self, controls: Mapping[str, tuple[float, float]], seconds: float) -> None:
        """Apply raw controls (steering, acceleration; each in [-1, 1], left and forwards positive) for a while."""
        raw = {car: Control(a * ACTUATORS[0], b * ACTUATORS[1]) for car, (a, b) in controls.items()}
        for _ in range(round(seconds / self._sim.dt)):
            self._advance(raw)
            for car in self.cars:
                self._judge_raw(car)
            if self.over:
                return

    def _obey(self, car: Progress, order: Order) -> None:
        car.at_line = False
        if order.kind == "on":
            return
        car.path, car.branch = self._paths[order.branch], order.branch
        waits = order.kind == "give way" and self._rival is not None
        car.stop = self._line if waits else math.inf
        self._rival_goes = self._rival_goes or self.rival_first

    def _under_way(self, name: str) -> bool:
        car = self.cars[name]
        return not car.ending and not car.at_line

    def _hold(self) -> None:
        for _ in range(round(WAIT / self._sim.dt)):
            self._advance({})
            for car in self.cars.values():
                self._too_late(car)

    def _step(self, moving: Mapping[str, Order]) -> None:
        bodies = self._sim.bodies()
        controls = {}
        for name in moving:
            car = self.cars[name]
            if car.ending in ("", "reached"):
                others = [body for other, body in bodies.items() if other != name]
                controls[name] = drive(car.path, bodies[name], others, car.stop)
        self._advance(controls)
        bodies = self._sim.bodies()
        self._let_rival(bodies)
        for name, order in moving.items():
            if self._under_way(name):
                self._judge(name, order, bodies)

    def _advance(self, controls: Mapping[str, Control]) -> None:
        more = dict(controls)
        if self._rival is not None:
            bodies = self._sim.bodies()
            stop = math.inf if self._rival_goes else self._sim.line("rival")
            more[RIVAL] = drive(self._rival, bodies[RIVAL], (), stop)
        self._sim.step(more)
        self._steps += 1
        self.seconds = self._steps * self._sim.dt
        if self._steps % round(INTERVAL / self._sim.dt) == 0:
            self._remember()

    def _remember(self) -> None:
        self.frames.append(Frame(self.seconds, dict(self._sim.bodies())))

    def _let_rival(self, bodies: Mapping[str, Body]) -> None:
        """Let the crossing car go once all are through, and those who gave way once it is."""
        if self._rival is None:
            return
        clear = self._line + CLEAR
        if all(
            car.path.place(bodies[n].x, bodies[n].y).along > clear for n, car in self.cars.items() if not car.ending
        ):
            self._rival_goes = True
        passed = self._rival.place(bodies[RIVAL].x, bodies[RIVAL].y).along > self._sim.line("rival") + CLEAR
        for car in self.cars.values():
            if passed and car.branch >= 0:
                car.stop = math.inf

    def _judge(self, name: str, order: Order, bodies: Mapping[str, Body]) -> None:
        car, body = self.cars[name], bodies[name]
        car.seconds = self.seconds
        crash = self._sim.crashed(name)
        along = car.path.place(body.x, body.y).along
        car.still = car.still + self._sim.dt if body.speed < 0.3 and math.isinf(car.stop) else 0.0
        if crash:
            car.ending, car.reason = "crash", crash
        elif order.kind == "on" and along > car.stop - NEAR - self._queue(name) - 2.0:
            car.at_line = self.scene.entry == "main"
            car.ending = "" if car.at_line else "reached"
        elif along > car.path.length - 4.0:
            car.ending = "reached"
        elif car.still > STUCK and car.branch >= 0:
            car.ending, car.reason = "blocked", "stood before something in the way"
        else:
            self._too_late(car)

    def _queue(self, name: str) -> float:
        """Return the length in m of the queue before a car at the line."""
        return 9.0 * self.scene.cars.index(name)

    def _judge_raw(self, name: str) -> None:
        car, body = self.cars[name], self._sim.bodies()[name]
        if car.ending:
            return
        car.seconds = self.seconds
        crash = self._sim.crashed(name)
        if crash:
            car.ending, car.reason = "crash", crash
            return
        for branch, path in self._paths.items():
            here = path.place(body.x, body.y)
            if here.along > path.length - 4.0 and abs(here.aside) < 4.0:
                car.ending, car.branch = "reached", branch
                return
        self._too_late(car)

    def _too_late(self, car: Progress) -> None:
        if not car.ending and self.seconds > PATIENCE:
            car.ending, car.reason, car.seconds = "late", "was too late", self.seconds
