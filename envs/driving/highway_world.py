"""Show scenes in highway-env: its road network, vehicles, bicycle model, drivers and pictures, with roads of our own.

One junction has an approach from the west, a crossing road, and one to four roads that part beyond it (m, x east, y
south as in highway-env's pictures):

    -160 ------------------ -35 | -20 + ------ 0 =< parting roads to x = 110
                           stop line    crossing road at x = -20, from y = -60 to y = 60
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")  # before pygame is imported: "dummy" gives black pictures

import numpy as np
from highway_env.envs.common.abstract import AbstractEnv
from highway_env.road.lane import LineType, SineLane, StraightLane
from highway_env.road.road import Road, RoadNetwork
from highway_env.vehicle.behavior import IDMVehicle
from highway_env.vehicle.kinematics import Vehicle
from highway_env.vehicle.objects import Obstacle
from pydantic import Field

from simonides.envs.driving.env import Control as Mode
from simonides.envs.driving.env import DrivingEnv
from simonides.envs.driving.facts import TaskName
from simonides.envs.driving.scene import RIVAL, Body, Control, Floats, Picture, Scene
from simonides.envs.driving.trips import Entry, Shape
from simonides.sim.seeds import seed_of

HERTZ = 10
START, LINE, CROSS, BEND, END = -160.0, -35.0, -20.0, 60.0, 110.0
"""x in m of the approach's start, its stop line, the crossing road, the end of the bends, and the roads' ends."""
ASIDE = 60.0
"""m that the crossing road reaches to either side."""
SPREAD = 26.0
"""m between the roads that part, where they run side by side."""
FIRST, SPACING = -95.0, 14.0
"""x in m of the first car, and m between cars."""
DARK = 9.0
"""m from which an unlit wreck behind a bend is noticed: less than it takes to brake from 12 m/s (10.3 m at 7 m/s²)."""
STEERING, ACCELERATION = np.pi / 4, 7.0
"""rad and m/s² at an action of 1."""
SIZE = (640, 400)
"""Pixels of a picture: width, height."""


@lru_cache(maxsize=4)
def offsets(roads: int) -> tuple[float, ...]:
    """Return y in m of the roads that part."""
    return tuple(SPREAD * (i - (roads - 1) / 2) for i in range(roads))


def network(roads: int) -> RoadNetwork:
    """Return the lanes of a junction: nodes w, a, b0.., e0.. for ours; o for the way back; n and s for the crossing."""
    net, edge = RoadNetwork(), (LineType.CONTINUOUS_LINE, LineType.CONTINUOUS_LINE)
    open_side = (LineType.STRIPED, LineType.STRIPED)
    net.add_lane("w", "a", StraightLane((START, 0.0), (0.0, 0.0), line_types=edge, speed_limit=14))
    net.add_lane("o0", "o1", StraightLane((0.0, -5.0), (START, -5.0), line_types=edge, speed_limit=14))
    net.add_lane("n", "s", StraightLane((CROSS, -ASIDE), (CROSS, ASIDE), line_types=open_side, speed_limit=14))
    for i, y in enumerate(offsets(roads)):
        bend = SineLane(
            (0.0, y / 2), (BEND, y / 2), -y / 2, np.pi / BEND, np.pi / 2, line_types=open_side, speed_limit=14
        )
        net.add_lane("a", f"b{i}", bend)
        net.add_lane(f"b{i}", f"e{i}", StraightLane((BEND, y), (END, y), line_types=edge, speed_limit=14))
    return net


class Car(Vehicle):  # type: ignore[misc]
    """A vehicle of highway-env's that does not look for the nearest lane at every step: our controller knows it."""

    def on_state_update(self) -> None:
        """Do nothing; looking through all lanes is a third of a step's cost."""


class JunctionEnv(AbstractEnv):  # type: ignore[misc]
    """highway-env's environment of one scene, with as many controlled vehicles as the scene has cars."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        super().__init__(render_mode="rgb_array")

    @classmethod
    def default_config(cls) -> dict[str, Any]:
        """Return highway-env's configuration, with continuous control of every controlled vehicle."""
        config: dict[str, Any] = super().default_config()
        single = {"type": "ContinuousAction", "acceleration_range": (-ACCELERATION, ACCELERATION),
                  "steering_range": (-STEERING, STEERING), "speed_range": (0.0, 20.0)}  # fmt: skip
        return config | {
            "observation": {"type": "AttributesObservation", "attributes": ["states"]},
            "action": {"type": "MultiAgentAction", "action_config": single},
            "simulation_frequency": HERTZ, "policy_frequency": HERTZ,
            "screen_width": SIZE[0], "screen_height": SIZE[1], "scaling": 3.0, "centering_position": [0.5, 0.5],
        }  # fmt: skip

    @property
    def states(self) -> Floats:
        """float64[n, 4]: x, y, heading and speed of the controlled vehicles; "Kinematics" takes pandas 10 ms a step."""
        return np.array([[*v.position, v.heading, v.speed] for v in self.controlled_vehicles]).reshape(-1, 4)

    def _reset(self) -> None:
        scene = self.scene
        self.road = Road(network(scene.roads), np_random=self.np_random)
        self.controlled_vehicles = [self._car(i) for i in range(len(scene.cars))]
        if scene.rival:
            self.controlled_vehicles.append(Car(self.road, [CROSS, -ASIDE + 20.0], np.pi / 2, 0.0))
        self.road.vehicles += self.controlled_vehicles
        for branch in scene.blocked:
            self._block(branch, offsets(scene.roads)[branch])
        for i in range(scene.traffic):
            x = -30.0 - 25.0 * i - float(self.np_random.uniform(0.0, 10.0))
            self.road.vehicles.append(IDMVehicle(self.road, [x, -5.0], np.pi, float(self.np_random.uniform(8.0, 12.0))))

    def _car(self, i: int) -> Car:
        if self.scene.entry == "main":
            return Car(self.road, [FIRST - SPACING * i, 0.0], 0.0, 0.0)
        return Car(self.road, [CROSS, -ASIDE + 10.0 + SPACING * (len(self.scene.cars) - 1 - i)], np.pi / 2, 0.0)

    def _block(self, branch: int, y: float) -> None:
        if self.scene.obstacle == "barrier":
            self.road.objects.append(Obstacle(self.road, [BEND + 20.0, y]))
        else:
            self.road.vehicles.append(Car(self.road, [BEND + 6.0, y], 0.5, 0.0))

    def _reward(self, action: Any) -> float:
        return 0.0

    def _is_terminated(self) -> bool:
        return False

    def _is_truncated(self) -> bool:
        return False


class HighwayWorld:
    """The simulator that a world of highway-env has to itself (`scene.Simulator`)."""

    dt = 1.0 / HERTZ

    def __init__(self) -> None:
        self.env: JunctionEnv | None = None
        self._bodies: dict[str, Body] = {}

    def place(self, scene: Scene) -> None:
        """Set up a scene; what was there before is gone."""
        if self.env is None:
            self.env = JunctionEnv(scene)
        self.env.scene = scene
        self.env.reset(seed=scene.seed)
        self._look()

    @property
    def _scene(self) -> Scene:
        assert self.env is not None
        return self.env.scene

    def path(self, entry: Entry, branch: int) -> Floats:
        """Return the centre of the lanes from the first car's start, or of the crossing road."""
        net = self.env.road.network if self.env else network(1)
        names = [("n", "s")] if entry == "cross" else [("w", "a"), ("a", f"b{branch}"), (f"b{branch}", f"e{branch}")]
        lanes = [net.get_lane((*name, 0)) for name in names]
        points = [lane.position(s, 0.0) for lane in lanes for s in np.arange(0.0, lane.length, 1.0)]
        return np.array([*points, lanes[-1].position(lanes[-1].length, 0.0)], np.float64)

    def rival_path(self) -> Floats:
        """Return the crossing road."""
        return self.path("cross", 0)

    def line(self, path: Literal["main", "rival"]) -> float:
        """Return how many metres along the path its stop line lies, 15 m before the crossing."""
        return LINE - START if path == "main" else ASIDE - (CROSS - LINE)

    def bodies(self) -> Mapping[str, Body]:
        """Return all vehicles and obstacles by name."""
        return self._bodies

    def _look(self) -> None:
        assert self.env is not None
        scene, found = self._scene, {}
        names = [*scene.cars, *([RIVAL] if scene.rival else [])]
        for i, vehicle in enumerate(self.env.road.vehicles):
            wreck = scene.obstacle == "wreck" and len(names) <= i < len(names) + len(scene.blocked)
            name = names[i] if i < len(names) else f"wreck_{i - len(names)}" if wreck else f"other_{i - len(names)}"
            (x, y), (vx, vy) = vehicle.position.tolist(), vehicle.velocity.tolist()
            found[name] = Body(x, y, float(vehicle.heading), vx, vy, vehicle.LENGTH, DARK if wreck else 60.0)
        for i, thing in enumerate(self.env.road.objects):
            x, y = thing.position.tolist()
            found[f"barrier_{i}"] = Body(x, y, 0.0, 0.0, 0.0, float(thing.LENGTH))
        self._bodies = found

    def step(self, controls: Mapping[str, Control]) -> None:
        """Go on by a tenth of a second through highway-env's own `step`."""
        assert self.env is not None
        names = [*self._scene.cars, *([RIVAL] if self._scene.rival else [])]
        self.env.step(tuple(self._action(name, controls.get(name)) for name in names))
        self._look()

    def _action(self, name: str, control: Control | None) -> Any:
        slowest = -self._bodies[name].speed * HERTZ
        if control is None:
            control = Control(0.0, -ACCELERATION)
        slip = math.asin(min(max(control.curvature * Vehicle.LENGTH / 2, -1.0), 1.0))
        steering = math.atan(2 * math.tan(slip)) / STEERING
        return np.clip([max(control.acceleration, slowest) / ACCELERATION, steering], -1, 1)

    def crashed(self, name: str) -> str:
        """Return that a car has crashed, or left the scene; "" when neither."""
        assert self.env is not None
        vehicle = self.env.controlled_vehicles[self._scene.cars.index(name)]
        if vehicle.crashed:
            return "crashed"
        if not np.isfinite(vehicle.position).all():
            return "left physics: its position is no number"
        x, y = vehicle.position.tolist()
        return "" if START - 100 < x < END + 60 and abs(y) < ASIDE + 60 else "left the town"

    def picture(self, follow: Sequence[str]) -> Picture:
        """Return the scene from above, uint8[400, 640, 3]."""
        assert self.env is not None
        return np.asarray(self.env.render(), np.uint8)

    def close(self) -> None:
        """Give highway-env's viewer back."""
        if self.env is not None:
            self.env.close()
            self.env = None


def highway(
    seed: int = 0,
    world: int = 0,
    task: TaskName = "closure",
    seer: Literal["self", "other"] = "self",
    cars: Annotated[int | None, Field(ge=1, le=8)] = None,
    roads: Annotated[int, Field(ge=2, le=4)] = 3,
    stages: Annotated[int, Field(ge=1, le=4)] = 2,
    sessions: Annotated[int, Field(ge=0, le=30)] = 1,
    distractors: Annotated[int, Field(ge=0, le=8)] = 2,
    told: bool = False,
    reveal: bool = True,
    traffic: Annotated[int, Field(ge=0, le=4)] = 1,
    control: Mode = "roads",
) -> DrivingEnv:
    """Return a town in highway-env; `seed` and the number of the `world` fix all that is drawn.

    `task`: "closure", "hazard", "right-of-way" (two alternatives, whatever `roads`), "learnt-route" (`stages` junctions
    in a row) or "convoy" (as many junctions as cars; each car sees one and needs the others'). `seer`: "other" lets
    the first car see and the others need. `cars`: as few as the task takes, if not given. `sessions`: trips between
    seeing and needing. `distractors`: other junctions' facts seen meanwhile. `told`: the facts are told by the traffic
    radio rather than seen. `reveal`: false hides what is decided on. `traffic`: highway-env's own IDM vehicles.
    `control`: "raw" for steering and acceleration every half second. Raises StudyError for a town that cannot be.
    """
    count = cars or (3 if task == "convoy" else 2 if seer == "other" else 1)
    shape = Shape(task, count, roads, stages, sessions, distractors, seer == "other")
    return DrivingEnv(
        HighwayWorld, shape, seed_of(seed, world) >> 1, reveal=reveal, told=told, traffic=traffic, control=control,
        name="highway",
    )  # fmt: skip
