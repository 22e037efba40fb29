"""Put what was driven into arrays in the driver's own frame: observations, and histories for memories of vectors.

Frames are the ego's: x forwards, y to the side of the simulator's positive turn, m, m/s and rad.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simonides.envs.driving.controller import Path
from simonides.envs.driving.ride import HISTORY, Frame
from simonides.envs.driving.scene import Body
from simonides.sim.types import Plain

Array = npt.NDArray[np.float32]
NEIGHBOURS, LANES = 7, 4
"""Rows of an observation after the ego's: the nearest vehicles, and the roads to choose among."""
COLUMNS = ("present", "x", "y", "cos_heading", "sin_heading", "vx", "vy")
FAR = 500.0
"""m and m/s to which observations are clipped."""
AHEAD = 8.0
"""m along a lane from the ego to the point that is observed of it."""
PLAN = 6
"""Points of the own plan, half a second of travel apart, as in BridgeAD's planning queries."""


def row(me: Body, other: Body) -> Array:
    """Return float32[7], the columns of `COLUMNS`, of another vehicle as seen from `me`."""
    cos, sin = np.cos(me.heading), np.sin(me.heading)
    turn = np.array([[cos, sin], [-sin, cos]])
    x, y = turn @ (other.x - me.x, other.y - me.y)
    vx, vy = turn @ (other.vx, other.vy)
    heading = other.heading - me.heading
    values = np.array([1.0, x, y, np.cos(heading), np.sin(heading), vx, vy], np.float32)
    return np.clip(np.nan_to_num(values, nan=0.0), -FAR, FAR).astype(np.float32)


def nearest(name: str, bodies: Sequence[tuple[str, Body]], me: Body) -> list[tuple[str, Body]]:
    """Return the others by distance from `me`, at most `NEIGHBOURS`, as far as they can be seen."""
    found = [(float(np.hypot(body.x - me.x, body.y - me.y)), other, body) for other, body in bodies if other != name]
    seen = sorted((distance, other, body) for distance, other, body in found if distance <= body.sight)
    return [(other, body) for _, other, body in seen[:NEIGHBOURS]]


def observed(name: str, frame: Frame, paths: Sequence[Path]) -> Array:
    """Return float32[12, 7]: the ego, the nearest others, and a point ahead on the lane into each road."""
    found = np.zeros((1 + NEIGHBOURS + LANES, len(COLUMNS)), np.float32)
    me = frame.bodies[name]
    found[0] = row(me, me)
    for i, (_, other) in enumerate(nearest(name, list(frame.bodies.items()), me), start=1):
        found[i] = row(me, other)
    for i, path in enumerate(paths):
        x, y = path.at(path.place(me.x, me.y).along + AHEAD)
        found[1 + NEIGHBOURS + i, :3] = row(me, Body(x, y, 0.0, 0.0, 0.0, 0.0))[:3]
    return found


def histories(name: str, frames: Sequence[Frame], path: Path) -> dict[str, Plain]:
    """Return what a queue of motion and planning histories is filled from, in the ego's present frame.

    `ids`: list[str] of the n nearest vehicles. `motion`: float32[n, 8, 7], their last eight frames, oldest first, half
    a second apart, columns as `COLUMNS` with zeros where a vehicle was not there. `ego`: float32[8, 7] likewise.
    `plan`: float32[6, 2], the points of the own lane that the next three seconds lead to at the present speed.
    `seconds`: float, since the leg's start.
    """
    now = frames[-1]
    me = now.bodies[name]
    ids = [other for other, _ in nearest(name, list(now.bodies.items()), me)]
    return {
        "ids": list(ids),
        "motion": np.stack([_track(other, frames, me) for other in ids])
        if ids
        else np.zeros((0, HISTORY, 7), np.float32),
        "ego": _track(name, frames, me),
        "plan": _plan(me, path),
        "seconds": now.seconds,
    }


def _track(name: str, frames: Sequence[Frame], me: Body) -> Array:
    track = np.zeros((HISTORY, len(COLUMNS)), np.float32)
    for i, frame in enumerate(reversed(frames)):
        if name in frame.bodies:
            track[HISTORY - 1 - i] = row(me, frame.bodies[name])
    return track


def _plan(me: Body, path: Path) -> Array:
    here = path.place(me.x, me.y).along
    speed = max(me.speed, 1.0)
    points = [path.at(here + 0.5 * speed * (i + 1)) for i in range(PLAN)]
    return np.stack([row(me, Body(x, y, 0.0, 0.0, 0.0, 0.0))[1:3] for x, y in points])
