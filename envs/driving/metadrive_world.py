"""Show scenes in MetaDrive: its vehicles on Bullet's physics, its junctions and obstacles, one engine a process.

MetaDrive has one engine a process. The engine is held here for all worlds of the process: it shows the scene of the
world that drives at the moment, and another world's ride is driven again from its orders when its turn comes (`Held`).
So several worlds in one process are right but slow, unless each drives its leg through before another goes on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from metadrive.component.pgblock.intersection import InterSection
from metadrive.component.static_object.traffic_object import TrafficBarrier
from metadrive.component.vehicle.vehicle_type import SVehicle
from metadrive.envs.marl_envs.multi_agent_metadrive import MultiAgentMetaDrive
from metadrive.manager.agent_manager import VehicleAgentManager
from metadrive.obs.observation_base import DummyObservation
from pydantic import Field

from simonides.envs.driving.assets import start_offline
from simonides.envs.driving.controller import Path
from simonides.envs.driving.env import Control as Mode
from simonides.envs.driving.env import DrivingEnv
from simonides.envs.driving.facts import TaskName
from simonides.envs.driving.metadrive_maps import APPROACH, CANDIDATES, JunctionMaps, Routes
from simonides.envs.driving.scene import RIVAL, Body, Control, Floats, Picture, Scene
from simonides.envs.driving.trips import Entry, Shape
from simonides.sim.seeds import seed_of

STEPS, STEP = 5, 0.02
"""Physics steps a control step, and seconds of each: MetaDrive's own."""
FIRST, SPACING = 52.0, 12.0
"""m along the approach of the first car, and m between cars."""
BEFORE, CLASH = 8.0, 20.0
"""m between stop line and junction; m between stop line and where the paths cross, before a rival."""
OBSTACLE = 75.0
"""m along a road at which an obstacle stands: not in sight from the stop line, and after cars have gained speed."""
DARK = 9.0
"""m from which an unlit wreck is noticed: less than it takes to brake from 12 m/s."""
WHEELBASE, STEERING = 2.469, math.radians(40.0)
"""m and rad: MetaDrive's default vehicle."""
THROTTLE, BRAKE = 3.1, 9.0
"""m/s² at full throttle and at full brake, as measured with MetaDrive's default vehicle at 5 to 12 m/s."""
SIZE = (640, 400)
"""Pixels of a picture: width, height."""
KEPT: tuple[int, ...] = (0, 1, 2, 3, 4)
"""The candidates of `metadrive_maps` that are used."""


class Agents(VehicleAgentManager):  # type: ignore[misc]
    """MetaDrive's manager of agents, which takes as many as a scene has; its own keeps to the first reset's."""

    def before_reset(self) -> None:
        """Take the names of the scene's cars; agents of the scene before are removed by MetaDrive."""
        super().before_reset()
        seen = {name: DummyObservation() for name in self.engine.global_config["agent_configs"]}
        self._init_observations = seen
        self._init_observation_spaces = {name: one.observation_space for name, one in seen.items()}
        self._init_action_spaces = dict.fromkeys(seen, self.agent_policy.get_input_space())


class JunctionEnv(MultiAgentMetaDrive):  # type: ignore[misc]
    """MetaDrive's multi-agent environment on our maps; who drives where is set before each reset."""

    def _get_agent_manager(self) -> Agents:
        return Agents(init_observations=self._get_observations())

    def setup_engine(self) -> None:
        """Register MetaDrive's managers, with our maps, and without its drawing of places to start from."""
        super().setup_engine()
        del self.engine._managers["spawn_manager"]
        self.engine.update_manager("map_manager", JunctionMaps())

    def reward_function(self, object_id: str) -> tuple[float, dict[str, Any]]:
        """Return nothing: the town's environment rewards."""
        return 0.0, {}

    def cost_function(self, object_id: str) -> tuple[float, dict[str, Any]]:
        """Return nothing."""
        return 0.0, {}

    def done_function(self, object_id: str) -> tuple[bool, dict[str, Any]]:
        """Return that nobody is done: a ride ends by our own judgement."""
        return False, {}


def _config() -> dict[str, Any]:
    vehicle = {"navigation_module": None, "lidar": {"num_lasers": 0, "distance": 0.0, "num_others": 0},
               "random_color": False}  # fmt: skip
    return {
        "num_agents": 1, "allow_respawn": False, "horizon": None, "log_level": logging.CRITICAL, "delay_done": 0,
        "start_seed": 0, "num_scenarios": len(CANDIDATES), "agent_observation": DummyObservation,
        "map_config": {"lane_num": 1, "exit_length": APPROACH}, "vehicle_config": vehicle, "traffic_density": 0.0,
        "decision_repeat": STEPS, "physics_world_step_size": STEP, "store_map": True, "show_logo": False,
    }  # fmt: skip


class MetaDriveWorld:
    """The simulator of one world (`scene.Simulator`), on the engine that all worlds of the process share."""

    dt = STEPS * STEP
    _engine: ClassVar[JunctionEnv | None] = None
    _shown: ClassVar[MetaDriveWorld | None] = None
    """The world whose scene the engine shows."""

    def __init__(self, maps: tuple[int, ...] = KEPT) -> None:
        """`maps`: the candidates that scenes take theirs from."""
        self._maps = maps
        self.scene: Scene | None = None
        self._log: list[dict[str, Control]] = []
        self._bodies: dict[str, Body] = {}
        self._crashed: dict[str, str] = {}
        self._things: dict[str, Any] = {}

    # The engine.

    @classmethod
    def engine(cls) -> JunctionEnv:
        """Return the process's engine, started at first use without MetaDrive's assets."""
        if cls._engine is None:
            start_offline()
            cls._engine = JunctionEnv(_config())
            cls._engine.reset(seed=0)
        return cls._engine

    def _take(self) -> JunctionEnv:
        """Return the engine with this world's scene on it, driven again if another world's was."""
        env = self.engine()
        if MetaDriveWorld._shown is not self and self.scene is not None:
            self._set_up(self.scene)
            for controls in self._log:
                self._drive(controls)
        return env

    # The scene.

    def place(self, scene: Scene) -> None:
        """Set up a scene; what was there before is gone."""
        self._log = []
        self._set_up(scene)

    def _set_up(self, scene: Scene) -> None:
        # A new engine for each scene: Bullet keeps fractions of a step and contacts over a reset, so that the same
        # scene would go otherwise in the sixth digit after another one.
        if MetaDriveWorld._engine is not None:
            MetaDriveWorld._engine.close()
            MetaDriveWorld._engine = None
        self.scene, env = scene, self.engine()
        MetaDriveWorld._shown = self
        number = self._map(scene)
        names = [*scene.cars, *([RIVAL] if scene.rival else [])]
        self._crashed, self._things = dict.fromkeys(names, ""), {}
        self._routes = self._read(number)
        self._numbers = self._chosen(scene, number)
        self._lines = self._stop_lines(scene)
        env.num_agents = env.config["num_agents"] = len(names)
        env.config["agent_configs"] = {name: self._start(name, env) for name in names}
        env.reset(seed=number)
        self._block(env, scene)
        self._look()

    def _read(self, number: int) -> Routes:
        """Return the routes of a map, which MetaDrive builds when it is first shown."""
        env = self.engine()
        if env.engine.map_manager.maps[number] is None:
            env.num_agents = env.config["num_agents"] = 1
            env.config["agent_configs"] = {"agent0": self._vehicle(env, (">>", ">>>", 0), 20.0)}
            env.reset(seed=number)
        return Routes(env.engine.map_manager.maps[number])

    def _map(self, scene: Scene) -> int:
        crossings = [i for i in self._maps if CANDIDATES[i].block is InterSection]
        fits = crossings if scene.rival else [i for i in self._maps if CANDIDATES[i].roads >= scene.roads]
        return fits[scene.shape % len(fits)]

    @staticmethod
    def _chosen(scene: Scene, number: int) -> list[int]:
        """Return which of the junction's roads are a scene's, in the order of its choices."""
        if scene.rival:
            return [1]
        all_roads = list(range(CANDIDATES[number].roads))
        left_out = scene.shape // 7 % len(all_roads) if len(all_roads) > scene.roads else -1
        return [road for road in all_roads if road != left_out][: scene.roads]

    def _home(self) -> int:
        """Return the road from which one comes home on the crossing leg: drawn, whatever is true."""
        assert self.scene is not None
        return self.scene.seed % len(self._routes.exits)

    def _start(self, name: str, env: JunctionEnv) -> dict[str, Any]:
        assert self.scene is not None
        scene = self.scene
        if name == RIVAL:
            first = self._routes.entries[0]
            return self._vehicle(env, (*first, 0), self.line("rival") - 12.0)
        place = scene.cars.index(name)
        if scene.entry == "cross":
            return self._vehicle(
                env, (*self._routes.entries[self._home()], 0), 10.0 + SPACING * (len(scene.cars) - 1 - place)
            )
        return self._vehicle(env, (">>", ">>>", 0), FIRST - SPACING * place)

    @staticmethod
    def _vehicle(env: JunctionEnv, lane: tuple[str, str, int], along: float) -> dict[str, Any]:
        config: dict[str, Any] = env.config["vehicle_config"].copy()
        config.update({"spawn_lane_index": lane, "spawn_longitude": along, "spawn_lateral": 0.0})
        return config

    def _block(self, env: JunctionEnv, scene: Scene) -> None:
        for branch in scene.blocked:
            start, end = self._routes.exits[self._numbers[branch]]
            lane = env.current_map.road_network.graph[start][end][0]
            if scene.obstacle == "barrier":
                thing = env.engine.spawn_object(
                    TrafficBarrier, position=lane.position(OBSTACLE, 0.0), random_seed=1, static=True,
                    heading_theta=lane.heading_theta_at(OBSTACLE),
                )  # fmt: skip
            else:
                config = self._vehicle(env, (start, end, 0), OBSTACLE)
                thing = env.engine.spawn_object(SVehicle, vehicle_config=config, random_seed=1)
                thing.set_break_down()
            self._things[f"{scene.obstacle}_{branch}"] = thing

    # Where the lanes lie.

    def path(self, entry: Entry, branch: int) -> Floats:
        """Return the lane from the start of the approach to a road's end, or of the way home through the junction."""
        if entry == "cross":
            return self._routes.points(self._routes.home(self._home()))
        return self._routes.points(self._routes.out(self._numbers[branch]))

    def rival_path(self) -> Floats:
        """Return the lane from the road to the right into that to the left."""
        return self._routes.points(self._routes.across(0, 2))

    def line(self, path: Literal["main", "rival"]) -> float:
        """Return how many metres along the path its stop line lies."""
        return self._lines[path]

    def _stop_lines(self, scene: Scene) -> dict[str, float]:
        if not scene.rival:
            return {"main": APPROACH - BEFORE}
        own, other = Path(self.path("main", 0)), Path(self.rival_path())
        found = {}
        for name, here, there in (("main", own, other), ("rival", other, own)):
            gaps = [float(np.hypot(*(there.points - point).T).min()) for point in here.points]
            found[name] = float(here.along[int(np.argmin(gaps))]) - CLASH
        return found

    # Going on.

    def bodies(self) -> Mapping[str, Body]:
        """Return all vehicles and obstacles by name."""
        return self._bodies

    def step(self, controls: Mapping[str, Control]) -> None:
        """Go on by a tenth of a second through MetaDrive's own `step`."""
        self._take()
        self._log.append(dict(controls))
        self._drive(controls)

    def _drive(self, controls: Mapping[str, Control]) -> None:
        env = self.engine()
        env.step({name: self._action(name, controls.get(name)) for name in env.agents})
        for name, vehicle in env.agents.items():
            if not self._crashed[name]:
                self._crashed[name] = _crash(vehicle)
        self._look()

    def _action(self, name: str, control: Control | None) -> list[float]:
        if control is None:
            control = Control(0.0, -BRAKE)
        steering = math.atan(control.curvature * WHEELBASE) / STEERING
        push = control.acceleration / (THROTTLE if control.acceleration > 0 else BRAKE)
        return [min(max(steering, -1.0), 1.0), min(max(push, -1.0), 1.0)]

    def _look(self) -> None:
        env, found = self.engine(), {}
        for name, thing in [*env.agents.items(), *self._things.items()]:
            (x, y), (vx, vy) = map(float, thing.position), map(float, thing.velocity)
            sight = DARK if name.startswith("wreck") else 60.0
            found[name] = Body(float(x), float(y), float(thing.heading_theta), vx, vy, float(thing.LENGTH), sight)
        self._bodies = found

    def crashed(self, name: str) -> str:
        """Return what a car has crashed with, or that it left the road; "" when neither."""
        return self._crashed[name]

    def picture(self, follow: Sequence[str]) -> Picture:
        """Return the scene from above by MetaDrive's top-down renderer, uint8[400, 640, 3]."""
        env = self._take()
        x0, x1, y0, y1 = env.current_map.road_network.get_bounding_box()
        shown = env.render(mode="top_down", window=False, screen_size=SIZE, film_size=(3000, 3000), scaling=2.2,
                           camera_position=((x0 + x1) / 2, (y0 + y1) / 2), num_stack=2)  # fmt: skip
        return np.asarray(shown, np.uint8)

    def close(self) -> None:
        """Leave the engine to the other worlds of the process; it ends with the process."""
        self.scene, self._log = None, []
        if MetaDriveWorld._shown is self:
            MetaDriveWorld._shown = None


def _crash(vehicle: Any) -> str:
    if not np.isfinite(np.asarray(vehicle.position, np.float64)).all():
        return "left physics: its position is no number"
    if vehicle.crash_vehicle or vehicle.crash_object or vehicle.crash_building:
        return "crashed"
    return "left the road" if vehicle.crash_sidewalk else ""


def metadrive(
    seed: int = 0,
    world: int = 0,
    task: TaskName = "closure",
    seer: Literal["self", "other"] = "self",
    cars: Annotated[int | None, Field(ge=1, le=4)] = None,
    roads: Annotated[int, Field(ge=2, le=3)] = 3,
    stages: Annotated[int, Field(ge=1, le=4)] = 2,
    sessions: Annotated[int, Field(ge=0, le=30)] = 1,
    distractors: Annotated[int, Field(ge=0, le=8)] = 2,
    told: bool = False,
    reveal: bool = True,
    control: Mode = "roads",
) -> DrivingEnv:
    """Return a town in MetaDrive; `seed` and the number of the `world` fix all that is drawn.

    The parameters are those of `highway`; a junction is one of the maps that docs/driving.md lists, at most four cars
    drive, and MetaDrive's own traffic is left out. Raises StudyError for a town that cannot be, MissingExtra for
    another version of MetaDrive than is known to start without its assets.
    """
    count = cars or (3 if task == "convoy" else 2 if seer == "other" else 1)
    shape = Shape(task, count, roads, stages, sessions, distractors, seer == "other")
    return DrivingEnv(
        MetaDriveWorld, shape, seed_of(seed, world) >> 1, reveal=reveal, told=told, traffic=0, control=control,
        name="metadrive",
    )  # fmt: skip
