"""Control one arm: a commanded pose in cylindrical coordinates, closed-form inverse kinematics, waypoints.

The hand points down always, so five joints fix the pose of the grip: radius, swing, height, roll. The joints follow the
command through position servos, that is, by forces; nothing is set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHOULDER = 0.25
"""Height of the shoulder above the table, in metres; as in arm.xml, like the next two."""
UPPER = FORE = 0.35
HAND = 0.155
"""From the wrist to the point between the finger tips, hand pointing down, in metres."""
SAFE = 0.19
"""Height of the grip in metres at which nothing on the table is in its way."""
SPEED = (0.03, 0.10, 0.03, 0.25)
"""Largest change of the command in one control step: radius (m), swing (rad), height (m), roll (rad)."""
LOW = (0.18, -3.3, 0.012, -3.25)
HIGH = (0.64, 3.3, 0.45, 3.25)
"""The workspace: bounds of radius (m), swing (rad), height (m) and roll (rad)."""
OPEN = 0.042
"""What each finger moves outward when the hand is open, in metres."""
HOME = (0.30, 0.0, 0.30, 0.0)

Pose = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A pose to reach, what the fingers do on the way (0 open, 1 closed), and control steps to stay once there."""

    pose: Pose
    grip: float
    stay: int = 0


def joints(pose: Sequence[float]) -> tuple[float, float, float, float, float]:
    """Return yaw, shoulder, elbow, tilt and roll in radians for a grip at (radius, swing, height, roll).

    Elbow up; a pose out of reach is reached for as far as the arm goes.
    """
    r, swing, height, roll = pose
    rise = height + HAND - SHOULDER
    far = min(max(math.hypot(r, rise), 1e-3), UPPER + FORE - 1e-4)
    bend = math.acos((UPPER**2 + FORE**2 - far**2) / (2 * UPPER * FORE))
    shoulder = -math.atan2(rise, r) - math.acos(far / (2 * UPPER))
    elbow = math.pi - bend
    return swing, shoulder, elbow, math.pi / 2 - shoulder - elbow, roll


def clipped(pose: Sequence[float]) -> Pose:
    """Return a pose within the workspace."""
    r, swing, height, roll = (min(max(x, low), high) for x, low, high in zip(pose, LOW, HIGH, strict=True))
    return r, swing, height, roll


class Arm:
    """One arm of a scene: its command, and the actuators that follow it."""

    def __init__(self, first: int) -> None:
        """`first` is the index of its first actuator; the seven stand in the order of arm.xml."""
        self.first = first
        self.command: Pose = HOME
        self.grip = 0.0
        self.path: list[Waypoint] = []
        self._stayed = 0

    def reset(self) -> None:
        """Stand at home, hand open, with nothing to do."""
        self.command, self.grip, self.path, self._stayed = HOME, 0.0, [], 0

    def start(self, path: Sequence[Waypoint]) -> None:
        """Take up a path, in place of what is left of another."""
        self.path, self._stayed = list(path), 0

    def delta(self) -> tuple[float, ...]:
        """Return the raw action, in [-1, 1], that the next waypoint asks for: radius, swing, height, roll, grip."""
        if not self.path:
            return 0.0, 0.0, 0.0, 0.0, 2 * self.grip - 1
        point = self.path[0]
        moved = (min(max((goal - now) / step, -1.0), 1.0)
                 for goal, now, step in zip(point.pose, self.command, SPEED, strict=True))  # fmt: skip
        return *moved, 2 * point.grip - 1

    def move(self, raw: Sequence[float]) -> None:
        """Move the command by a raw action: a share of SPEED in each coordinate, and the fingers from -1 to 1."""
        self.command = clipped([now + share * step for now, share, step in zip(self.command, raw, SPEED, strict=False)])
        self.grip = min(max((raw[4] + 1) / 2, 0.0), 1.0)

    def follow(self) -> None:
        """Take one control step along the path."""
        self.move(self.delta())
        self.arrive()

    def arrive(self) -> None:
        """Drop the waypoint that the command has reached and stayed at."""
        if not self.path:
            return
        point = self.path[0]
        if max(abs(a - b) for a, b in zip(clipped(point.pose), self.command, strict=True)) > 1e-6:
            return
        if self._stayed < point.stay:
            self._stayed += 1
            return
        self.path.pop(0)
        self._stayed = 0

    def drive(self, ctrl: Any) -> None:
        """Write the targets of the seven servos into MuJoCo's `ctrl`."""
        opened = OPEN * (1 - self.grip) - 0.004 * self.grip  # 4 mm beyond closed: what squeezes
        ctrl[self.first : self.first + 7] = (*joints(self.command), opened, opened)

    def state(self) -> list[Any]:
        """Return the state as plain data."""
        points = [[list(point.pose), point.grip, point.stay] for point in self.path]
        return [list(self.command), self.grip, points, self._stayed]

    def set_state(self, state: Sequence[Any]) -> None:
        """Go to a state that `state` returned."""
        command, self.grip, points, self._stayed = state
        self.command = (command[0], command[1], command[2], command[3])
        self.path = [Waypoint((p[0], p[1], p[2], p[3]), grip, stay) for p, grip, stay in points]
