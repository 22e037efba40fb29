"""Put MJCF parts together to a scene: arms on a circle, and in front of each its bins, cups and objects.

Each arm looks away from the centre, so that its station is its own, and meets its neighbours half way behind itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import mujoco

SUBSTEP = 0.004
"""Seconds of one step of the physics."""
SUBSTEPS = 10
"""Steps of the physics in one control step."""
MEETING = 0.45
"""Metres from an arm's base to the place where it meets its neighbour."""
COLOURS: Mapping[str, tuple[float, float, float]] = {
    "red": (0.85, 0.12, 0.12), "green": (0.13, 0.62, 0.2), "blue": (0.12, 0.25, 0.85), "yellow": (0.95, 0.82, 0.1),
    "white": (0.95, 0.95, 0.95), "black": (0.08, 0.08, 0.08), "orange": (0.97, 0.5, 0.08),
    "purple": (0.5, 0.15, 0.65), "brown": (0.45, 0.27, 0.12),
}  # fmt: skip
GREY = (0.6, 0.6, 0.6)
LENGTH = 0.07
"""Half the length of a bar, in metres: two hands fit on it side by side."""
HALF = 0.02
"""Half the width of every object but a bar, in metres."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A free object; `shape` is cube, bar, cylinder, ball, capsule or egg."""

    name: str
    shape: str
    rgb: tuple[float, float, float] = GREY


@dataclass(frozen=True, slots=True)
class Spot:
    """A place at a station in polar coordinates of the arm's base: metres, and radians from straight ahead."""

    r: float
    angle: float


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands at every station, and how many stations there are."""

    stations: int
    bins: Mapping[str, Spot]
    pieces: tuple[Piece, ...]
    cups: Mapping[str, Spot]
    pads: Mapping[str, Spot]
    lamp: bool = False


POST = Spot(0.34, 1.75)
"""Where the grey post of the chores stands."""
PAD = Spot(0.34, -1.75)
"""Where things are put down that are in hand."""
POST_HEIGHT = 0.12
LAMP = (0.15, -0.72)
"""Where the lamp stands at a station: x and y in metres of the arm's base."""


def base(station: int, stations: int) -> tuple[float, float, float]:
    """Return where an arm stands: x and y in metres, and the direction in radians that it looks in."""
    if stations == 1:
        return 0.0, 0.0, 0.0
    facing = 2 * math.pi * station / stations
    radius = MEETING / math.cos(meeting_turn(stations))
    return radius * math.cos(facing), radius * math.sin(facing), facing


def meeting_turn(stations: int) -> float:
    """Return the angle at an arm's base between the centre and the place where it meets its neighbour."""
    return math.pi / 2 - math.pi / stations if stations > 2 else 0.0


def build(layout: Layout) -> mujoco.MjModel:
    """Return the compiled model of a scene. Names begin with the station: "0/arm", "1/red cube"."""
    spec = mujoco.MjSpec()
    spec.option.timestep = SUBSTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.option.iterations = 20
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    _room(spec)
    parts = {name: _part(name) for name in ("arm", "bin", "cup")}
    for station in range(layout.stations):
        x, y, facing = base(station, layout.stations)
        frame = spec.worldbody.add_frame(pos=[x, y, 0], euler=[0, 0, facing])
        _station(spec, frame, f"{station}/", layout, parts)
    return spec.compile()


def _part(name: str) -> str:
    return (resources.files("simonides.envs.manipulation.scenes") / f"{name}.xml").read_text("utf-8")


def _room(spec: Any) -> None:
    spec.compiler.degree = False
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 640, 480
    spec.visual.headlight.ambient = [0.4, 0.4, 0.4]
    spec.add_texture(
        name="wood", type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.78, 0.72, 0.62], rgb2=[0.75, 0.69, 0.59], width=128, height=128,
    )  # fmt: skip
    wood = spec.add_material(name="wood", texrepeat=[8, 8], specular=0.1)
    wood.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "wood"
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.85, 0.9, 0.95], rgb2=[0.6, 0.7, 0.8], width=64, height=64,
    )  # fmt: skip
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1], material="wood", contype=1, conaffinity=14,
        friction=[0.8, 0.01, 0.0001],
    )  # fmt: skip
    spec.worldbody.add_light(pos=[0.5, 0.6, 2.5], dir=[-0.2, -0.2, -1], diffuse=[0.6, 0.6, 0.6], castshadow=True)


def _station(spec: Any, frame: Any, prefix: str, layout: Layout, parts: Mapping[str, str]) -> None:
    spec.attach(mujoco.MjSpec.from_string(parts["arm"]), frame=frame, prefix=prefix)
    for name, spot in layout.bins.items():
        _attach(spec, frame, parts["bin"], f"{prefix}{name}/", spot)
        latch = spec.add_equality(name=f"{prefix}{name}/latch", type=mujoco.mjtEq.mjEQ_JOINT)
        latch.name1, latch.active = f"{prefix}{name}/lid", False
    for name, spot in layout.pads.items():
        _disc(frame, spot, f"{prefix}{name}", (0.35, 0.55, 0.65))
    for piece in layout.pieces:
        _piece(spec, piece, prefix)
    for name in layout.cups:
        cup = mujoco.MjSpec.from_string(parts["cup"])
        for geom in cup.geoms:
            geom.rgba = [*COLOURS[name.split()[0]], 1]
        where = spec.worldbody.add_frame()
        spec.attach(cup, frame=where, prefix=f"{prefix}{name}/")
        spec.worldbody.add_body(name=f"{prefix}{name}/frame", mocap=True)
        hold = spec.add_equality(name=f"{prefix}{name}/hold", type=mujoco.mjtEq.mjEQ_WELD)
        hold.objtype, hold.active = mujoco.mjtObj.mjOBJ_BODY, False
        hold.name1, hold.name2 = f"{prefix}{name}/frame", f"{prefix}{name}/cup"
        hold.data = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]  # anchor, relative pose (none), share of torque
    x, y = POST.r * math.cos(POST.angle), POST.r * math.sin(POST.angle)
    frame_geom(frame, f"{prefix}post", [x, y, POST_HEIGHT / 2], [0.02, POST_HEIGHT / 2, 0], GREY)
    if layout.lamp:
        geom = frame_geom(frame, f"{prefix}lamp", [*LAMP, 0.3], [0.07, 0.01, 0], (0.2, 0.2, 0.2))
        geom.quat, geom.contype, geom.conaffinity = [math.sqrt(0.5), 0, math.sqrt(0.5), 0], 0, 0
        stand = frame_geom(frame, f"{prefix}stand", [LAMP[0] - 0.02, LAMP[1], 0.13], [0.012, 0.13, 0], GREY)
        stand.contype = stand.conaffinity = 0


def frame_geom(frame: Any, name: str, pos: list[float], size: list[float], rgb: tuple[float, float, float]) -> Any:
    """Add a standing cylinder to the world at a place of a frame; return it."""
    body = frame.parent.add_body(name=name)
    body.set_frame(frame)
    body.pos = pos
    return body.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=size, rgba=[*rgb, 1], contype=1, conaffinity=14
    )


def _disc(frame: Any, spot: Spot, name: str, rgb: tuple[float, float, float]) -> None:
    x, y = spot.r * math.cos(spot.angle), spot.r * math.sin(spot.angle)
    geom = frame_geom(frame, name, [x, y, 0.0005], [0.06, 0.0005, 0], rgb)
    geom.contype = geom.conaffinity = 0


def _attach(spec: Any, frame: Any, xml: str, prefix: str, spot: Spot) -> None:
    """Attach a part at a spot of a station, turned outward."""
    inner = frame.parent.add_frame(
        pos=[spot.r * math.cos(spot.angle), spot.r * math.sin(spot.angle), 0], euler=[0, 0, spot.angle]
    )
    inner.set_frame(frame)
    spec.attach(mujoco.MjSpec.from_string(xml), frame=inner, prefix=prefix)


_SHAPES: Mapping[str, tuple[Any, tuple[float, float, float]]] = {
    "cube": (mujoco.mjtGeom.mjGEOM_BOX, (HALF, HALF, HALF)),
    "bar": (mujoco.mjtGeom.mjGEOM_BOX, (LENGTH, 0.012, 0.015)),
    "cylinder": (mujoco.mjtGeom.mjGEOM_CYLINDER, (HALF, HALF, 0)),
    "ball": (mujoco.mjtGeom.mjGEOM_SPHERE, (HALF, 0, 0)),
    "capsule": (mujoco.mjtGeom.mjGEOM_CAPSULE, (0.016, 0.018, 0)),
    "egg": (mujoco.mjtGeom.mjGEOM_ELLIPSOID, (0.028, HALF, HALF)),
}
RESTING: Mapping[str, float] = {
    "cube": HALF, "bar": 0.015, "cylinder": HALF, "ball": HALF, "capsule": 0.016, "egg": HALF
}  # fmt: skip
"""Height of an object's centre above the table it lies on, in metres."""


def _piece(spec: Any, piece: Piece, prefix: str) -> None:
    kind, size = _SHAPES[piece.shape]
    body = spec.worldbody.add_body(name=f"{prefix}{piece.name}", pos=[0, 0, -1])
    body.add_freejoint(name=f"{prefix}{piece.name}")
    # Rolling friction keeps round objects where they were put; condim 6 is what makes MuJoCo use it.
    body.add_geom(
        name=f"{prefix}{piece.name}", type=kind, size=list(size), rgba=[*piece.rgb, 1], mass=0.04, contype=2,
        conaffinity=15, condim=6 if piece.shape in ("ball", "egg", "capsule") else 4,
        friction=[1.2, 0.02, 0.002], solref=[0.008, 1],
        quat=[math.sqrt(0.5), 0, math.sqrt(0.5), 0] if piece.shape == "capsule" else [1, 0, 0, 0],
    )  # fmt: skip
