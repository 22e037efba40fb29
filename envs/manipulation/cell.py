"""The work cell: a compiled scene with its state, stepped by control steps; what stands where, touches and is seen.

Positions are in metres, angles in radians. Whatever decides about a task is read from here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from simonides.envs.manipulation.arm import Arm, joints
from simonides.envs.manipulation.scene import RESTING, SUBSTEPS, Layout, Spot, base, build
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile

SHUT = 0.006
"""A lid within so many metres of shut is shut, and latches."""
AJAR = 0.10
"""A lid moved so far is open: two thirds of the bin is uncovered."""
LIFTED = 0.05
"""An object whose centre is so many metres higher than when it lies on the table is lifted."""
PUSH = 9.0
"""Newton with which lids are pushed shut by someone who is not modelled."""
EYES = ((0.85, 0.9, 0.95), (0.85, -0.9, 0.95), (1.05, 0.0, 0.8))
"""Where a station's three cameras are: radius, angle and height. An object is seen when one sees its centre."""

State = mujoco.mjtState.mjSTATE_INTEGRATION
_UNSTABLE = ("mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC", "mjWARN_INERTIA", "mjWARN_CONTACTFULL",
             "mjWARN_CNSTRFULL")  # fmt: skip


class Cell:
    """A scene and its physics. Objects, lids and cups are named by station and name: (0, "red cube")."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.model = build(layout)
        self.data = mujoco.MjData(self.model)
        stations = range(layout.stations)
        self.arms = [Arm(self.model.actuator(f"{i}/yaw").id) for i in stations]
        self.bases = [base(i, layout.stations) for i in stations]
        names = [piece.name for piece in layout.pieces]
        self.shapes = {piece.name: piece.shape for piece in layout.pieces}
        self._free = {(i, n): self._joint(f"{i}/{n}") for i in stations for n in names}
        self._free |= {(i, n): self._joint(f"{i}/{n}/cup") for i in stations for n in layout.cups}
        self._bodies = {key: self._body_of(joint) for key, joint in self._free.items()}
        self._lids = {(i, n): self._joint(f"{i}/{n}/lid") for i in stations for n in layout.bins}
        self._holds = {(i, n): self.model.equality(f"{i}/{n}/hold").id for i in stations for n in layout.cups}
        self._frames = {
            (i, n): int(self.model.body(f"{i}/{n}/frame").mocapid[0]) for i in stations for n in layout.cups
        }
        self._latches = {(i, n): self.model.equality(f"{i}/{n}/latch").id for i in stations for n in layout.bins}
        self._fingers = {self.model.geom(f"{i}/{side}").id: i for i in stations for side in ("left", "right")}
        self._body = self.model.geom_bodyid.tolist()
        self._owner = {self.model.body(body).id: key for key, body in self._bodies.items()}
        self._posts = {self.model.geom(f"{i}/post").id: (i, "post") for i in stations}
        self._eyes = [[self._world(i, *eye) for eye in EYES] for i in stations]
        self._size = mujoco.mj_stateSize(self.model, State)
        self._renderer: Any = None
        self.reset()

    def _joint(self, name: str) -> tuple[int, int]:
        joint = self.model.joint(name)
        return int(joint.qposadr[0]), int(joint.dofadr[0])

    def _body_of(self, joint: tuple[int, int]) -> int:
        return int(self.model.dof_bodyid[joint[1]])

    def _world(self, station: int, r: float, angle: float, height: float) -> npt.NDArray[np.float64]:
        x, y, facing = self.bases[station]
        return np.array([x + r * math.cos(facing + angle), y + r * math.sin(facing + angle), height])

    def reset(self) -> None:
        """Put the arms home and open all lids; objects are where `put` puts them, out of the scene at first."""
        mujoco.mj_resetData(self.model, self.data)
        self.closing: list[tuple[int, str]] = []
        self.interlocked: list[int] = []
        """Stations where opening one lid latches the others, as the drawers of a filing cabinet do."""
        self.carrying: list[list[Any]] = [[] for _ in self.arms]
        """For each station what someone is moving: one map after the other, from cups to the places they go through."""
        self.touching: set[tuple[int, int, str]] = set()
        """What hands touched at the end of the last control step."""
        self.touched: set[tuple[int, int, str]] = set()
        """(arm, station, name) of what hands have touched since this was emptied last; also the post."""
        self.steps = 0
        self._sight: dict[tuple[int, str], bool] = {}
        for arm in self.arms:
            arm.reset()
            address = self.model.actuator_trnid[arm.first : arm.first + 7, 0]
            self.data.qpos[self.model.jnt_qposadr[address]] = [*joints(arm.command), 0.042, 0.042]
            arm.drive(self.data.ctrl)
        for lid, _ in self._lids.values():
            self.data.qpos[lid] = 0.16
        for n, (key, (address, _)) in enumerate(self._free.items()):
            self.data.qpos[address : address + 3] = [4.0 + 0.3 * n, 4.0 + key[0], 0.1]

    def put(self, station: int, name: str, spot: Spot, yaw: float = 0.0, rise: float = 0.0) -> None:
        """Lay an object or a cup down at a spot, turned by `yaw` in the arm's frame, `rise` above the table."""
        address = self._free[station, name][0]
        height = RESTING[self.shapes[name]] if name in self.shapes else 0.0
        turn = (self.bases[station][2] + yaw) / 2
        position = self._world(station, spot.r, spot.angle, height + rise + 0.0005)
        self.data.qpos[address : address + 7] = [*position, math.cos(turn), 0, 0, math.sin(turn)]

    def ready(self) -> None:
        """Make what is derived from the positions current, after they were set or stepped."""
        mujoco.mj_kinematics(self.model, self.data)
        self._sight.clear()

    def step(self) -> None:
        """Take one control step: lids that are being closed are pushed, arms follow their commands, contacts noted."""
        data = self.data
        for arm in self.arms:
            arm.drive(data.ctrl)
        for key in list(self.closing):
            self._push(key)
        for station in range(len(self.arms)):
            self._carry(station)
        for station in self.interlocked:
            self._interlock(station)
        mujoco.mj_step(self.model, data, SUBSTEPS)
        self.steps += 1
        self._note_touches()

    def close_lids(self, station: int, names: Sequence[str]) -> None:
        """Have someone push these lids shut, over the next control steps; shut, they latch."""
        self.closing += [(station, name) for name in names]

    def _push(self, key: tuple[int, str]) -> None:
        address, dof = self._lids[key]
        shut = self.data.qpos[address] < SHUT / 2
        self.data.qfrc_applied[dof] = 0.0 if shut else -PUSH
        if shut:
            self.closing.remove(key)
            self.latch(*key, True)

    def hold(self, station: int, cup: str) -> None:
        """Have someone hold a cup where it is: a weld to a frame that moves as `carry` says."""
        frame, address = self._frames[station, cup], self._free[station, cup][0]
        self.data.mocap_pos[frame] = self.data.qpos[address : address + 3]
        self.data.mocap_quat[frame] = self.data.qpos[address + 3 : address + 7]
        self.data.eq_active[self._holds[station, cup]] = 1

    def carry(self, station: int, paths: Mapping[str, Sequence[tuple[float, float, float]]]) -> None:
        """Have cups moved through places (x, y, height in the arm's frame), one a control step, after earlier moves.

        When nothing is left to move, all cups are let go.
        """
        self.carrying[station].append({cup: [list(point) for point in path] for cup, path in paths.items()})

    def _carry(self, station: int) -> None:
        if not self.carrying[station]:
            return
        moving = self.carrying[station][0]
        x, y, facing = self.bases[station]
        for cup, path in moving.items():
            dx, dy, height = path.pop(0)
            ahead, aside = math.cos(facing), math.sin(facing)
            place = (x + dx * ahead - dy * aside, y + dx * aside + dy * ahead, height)
            self.data.mocap_pos[self._frames[station, cup]] = place
        if not any(moving.values()):
            self.carrying[station].pop(0)
        if not self.carrying[station]:
            for cup in self.layout.cups:
                self.data.eq_active[self._holds[station, cup]] = 0

    def paint(self, station: int, name: str, rgb: Sequence[float]) -> None:
        """Give an object or a lamp a colour; no part of the physics."""
        self.model.geom(f"{station}/{name}").rgba[:3] = rgb

    def interlock(self, station: int) -> None:
        """Unlatch a station's lids; from now on opening one latches the others."""
        for name in self.layout.bins:
            self.latch(station, name, False)
        self.interlocked.append(station)

    def _interlock(self, station: int) -> None:
        wide = [name for name in self.layout.bins if self.opened(station, name) > AJAR / 2]
        for name in self.layout.bins if wide else ():
            if name not in wide and self.opened(station, name) < SHUT:
                self.latch(station, name, True)

    def latch(self, station: int, name: str, shut: bool) -> None:
        """Hold a lid shut, or let it go: a joint equality constraint that pins it at zero."""
        self.data.eq_active[self._latches[station, name]] = shut

    def _note_touches(self) -> None:
        """Note what fingers are in contact with."""
        self.touching.clear()
        contacts = self.data.contact
        for a, b in zip(contacts.geom1.tolist(), contacts.geom2.tolist(), strict=True):
            arm, other = self._fingers.get(a), b
            if arm is None:
                arm, other = self._fingers.get(b), a
            if arm is not None:
                key = self._posts.get(other) or self._owner.get(self._body[other])
                if key is not None:
                    self.touching.add((arm, *key))
        self.touched |= self.touching

    @property
    def busy(self) -> bool:
        """Whether someone who is not modelled still moves a lid or a cup."""
        return bool(self.closing) or any(self.carrying)

    def arm_joints(self, arm: int) -> list[float]:
        """Return the positions of an arm's seven joints: radians, and metres for the fingers."""
        first = self.arms[arm].first
        joints_of = self.model.actuator_trnid[first : first + 7, 0]
        return self.data.qpos[self.model.jnt_qposadr[joints_of]].tolist()  # type: ignore[no-any-return]

    def opened(self, station: int, name: str) -> float:
        """Return how far a lid is open, in metres; 0 is shut."""
        return float(self.data.qpos[self._lids[station, name][0]])

    def position(self, station: int, name: str) -> npt.NDArray[np.float64]:
        """Return float64[3], an object's centre in the world."""
        address = self._free[station, name][0]
        return self.data.qpos[address : address + 3].copy()  # type: ignore[no-any-return]

    def yaw(self, station: int, name: str) -> float:
        """Return how an object is turned about the vertical, in its station's frame."""
        address = self._free[station, name][0]
        w, x, y, z = self.data.qpos[address + 3 : address + 7].tolist()
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)) - self.bases[station][2]

    def spot(self, arm: int, station: int, name: str) -> tuple[float, float, float]:
        """Return radius, angle and height of an object as an arm sees it."""
        x, y, facing = self.bases[arm]
        px, py, height = self.position(station, name).tolist()
        return math.hypot(px - x, py - y), wrapped(math.atan2(py - y, px - x) - facing), height

    def grip_height(self, arm: int) -> float:
        """Return the height of the point between an arm's fingers; `ready` makes it current."""
        return float(self.data.site(f"{arm}/grip").xpos[2])

    def held(self, arm: int, station: int, name: str) -> bool:
        """Return whether an object is between an arm's fingers and off the table: at the grip, and lifted."""
        grip = self.data.site(f"{arm}/grip").xpos
        near = 0.035 if self.shapes.get(name) != "bar" else LENGTH_REACH
        where = self.position(station, name)
        if name not in self.shapes:
            where[2] += 0.088  # a cup is held by its knob
        return self.lifted(station, name) and bool(np.linalg.norm(where - grip) < near)

    def lifted(self, station: int, name: str) -> bool:
        """Return whether an object is off the table by more than LIFTED."""
        rest = RESTING[self.shapes[name]] if name in self.shapes else 0.0
        return float(self.position(station, name)[2]) - rest > LIFTED

    def bin_of(self, station: int, name: str) -> str:
        """Return the bin that an object is in, or ""."""
        x, y, _ = self.position(station, name).tolist()
        for where, spot in self.layout.bins.items():
            centre = self._world(station, spot.r, spot.angle, 0)
            turn = self.bases[station][2] + spot.angle
            along = (x - centre[0]) * math.cos(turn) + (y - centre[1]) * math.sin(turn)
            across = -(x - centre[0]) * math.sin(turn) + (y - centre[1]) * math.cos(turn)
            if abs(along) < 0.079 and abs(across) < 0.069 and not self.lifted(station, name):
                return where
        return ""

    def near_spot(self, station: int, name: str, spot: Spot, within: float) -> bool:
        """Return whether an object's centre is above a spot of its station."""
        goal = self._world(station, spot.r, spot.angle, 0)
        return bool(np.linalg.norm(self.position(station, name)[:2] - goal[:2]) < within)

    def seen(self, station: int, name: str) -> bool:
        """Return whether one of the station's cameras sees an object's centre; a ray is stopped by what is between."""
        key = station, name
        if key not in self._sight:
            self._sight[key] = any(self._sees(eye, key) for eye in self._eyes[station])
        return self._sight[key]

    def _sees(self, eye: npt.NDArray[np.float64], key: tuple[int, str]) -> bool:
        centre, hit = self.position(*key), np.zeros(1, np.int32)
        mujoco.mj_ray(self.model, self.data, eye, centre - eye, None, 1, -1, hit)
        return bool(hit[0] >= 0) and int(self.model.geom_bodyid[hit[0]]) == self._bodies[key]

    def diverged(self) -> str:
        """Return why the physics can't go on, or ""."""
        for name in _UNSTABLE:
            found = self.data.warning[int(getattr(mujoco.mjtWarning, name))]
            if found.number:
                return f"MuJoCo warned {found.number} times: {name[7:].lower()}"
        if not (np.isfinite(self.data.qpos).all() and np.isfinite(self.data.qvel).all()):
            return "a position or velocity is not a finite number"
        return ""

    def snapshot(self) -> bytes:
        """Return the whole state of the physics and of the controllers."""
        physics = np.empty(self._size)
        mujoco.mj_getState(self.model, self.data, physics, State)
        return encode(
            {
                "physics": physics.tobytes(), "arms": [arm.state() for arm in self.arms], "steps": self.steps,
                "interlocked": self.interlocked, "closing": [list(key) for key in self.closing],
                "carrying": self.carrying, "touching": [list(key) for key in sorted(self.touching)],
                "touched": [list(key) for key in sorted(self.touched)],
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state, to the last bit. Raises CorruptFile if it is of another scene."""
        state: Any = decode(data)
        if not isinstance(state, Mapping) or len(state.get("physics", b"")) != 8 * self._size:
            raise CorruptFile("This snapshot is not of this scene; build the same one first.")
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, np.frombuffer(state["physics"], np.float64).copy(), State)
        for arm, one in zip(self.arms, state["arms"], strict=True):
            arm.set_state(one)
        self.steps = state["steps"]
        self.interlocked = list(state["interlocked"])
        self.closing = [(key[0], key[1]) for key in state["closing"]]
        self.carrying = state["carrying"]
        self.touching = {(key[0], key[1], key[2]) for key in state["touching"]}
        self.touched = {(key[0], key[1], key[2]) for key in state["touched"]}
        self.ready()

    def render(self, width: int = 480, height: int = 360) -> npt.NDArray[np.uint8]:
        """Return uint8[height, width, 3], the scene from the front and above. Needs MUJOCO_GL=egl or osmesa."""
        if self._renderer is None:
            self._renderer = mujoco.Renderer(self.model, height, width)
        self.ready()
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        camera = mujoco.MjvCamera()
        camera.lookat = [0.25, 0, 0.05] if self.layout.stations == 1 else [0, 0, 0]
        camera.distance = {1: 1.6, 2: 2.9, 4: 3.5}[self.layout.stations]
        camera.azimuth, camera.elevation = 180.0 if self.layout.stations == 1 else 90.0, -42.0
        self._renderer.update_scene(self.data, camera)
        return self._renderer.render()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


LENGTH_REACH = 0.075
"""How far a bar's centre may be from the fingers that hold it, in metres: they may hold it near an end."""


def wrapped(angle: float) -> float:
    """Return an angle in (-pi, pi]."""
    return math.pi - (math.pi - angle) % (2 * math.pi)
