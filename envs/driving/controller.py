"""Follow a path, keep a distance, stop at a line: the driver that is the same whatever is remembered.

Steering is pure pursuit (Coulter 1992, "Implementation of the Pure Pursuit Path Tracking Algorithm"), speed is the
Intelligent Driver Model (Treiber, Hennecke and Helbing 2000, "Congested traffic states in empirical observations and
microscopic simulations") towards whatever stands in the lane ahead and within sight.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simonides.envs.driving.scene import Body, Control, Floats

CRUISE = 12.0
"""m/s; 43 km/h, a town's."""
CURVE = 3.0
"""m/s²: sideways acceleration at which curves are taken; GUESS, what drivers find comfortable."""
LOOKAHEAD = (4.0, 0.4)
"""Pursued point: m ahead, and s of travel more."""
HEADWAY, GAP, GAIN, COMFORT, HARDEST = 1.2, 3.0, 2.0, 3.0, 7.0
"""IDM: s, m, m/s², m/s²; and the brakes' limit in m/s², that of a dry road."""
LANE = 1.7
"""Half of the width in m within which something counts as in the lane ahead."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where on a path something is: m along it, and m to its left."""

    along: float
    aside: float


class Path:
    """A polyline to follow, with arc lengths and the speeds at which it can be driven."""

    def __init__(self, points: Floats) -> None:
        """`points`: float64[n, 2], n >= 3, no two alike in succession."""
        self.points = points
        steps = np.diff(points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        self.along: Floats = np.concatenate([[0.0], np.cumsum(lengths)])
        self.length = float(self.along[-1])
        headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        turn = np.abs(np.gradient(headings, self.along[:-1]))
        limits = self._brakeable(np.minimum(CRUISE, np.sqrt(CURVE / np.maximum(turn, 1e-6))))
        # As lists: a step looks up a few numbers, which numpy's scalars make several times as dear.
        self._s: list[float] = self.along.tolist()
        self._speeds: list[float] = limits.tolist()
        self._cos, self._sin = np.cos(headings).tolist(), np.sin(headings).tolist()
        self._x, self._y = np.ascontiguousarray(points[:-1, 0]), np.ascontiguousarray(points[:-1, 1])
        self._xs, self._ys = points[:, 0].tolist(), points[:, 1].tolist()

    def _brakeable(self, limits: Floats) -> Floats:
        """Return speeds from which those ahead can be reached at `COMFORT`."""
        found = limits.copy()
        for i in range(len(found) - 2, -1, -1):
            gap = self.along[i + 1] - self.along[i]
            found[i] = min(found[i], np.sqrt(found[i + 1] ** 2 + 2 * COMFORT * gap))
        return found

    def place(self, x: float, y: float) -> Place:
        """Return where a point is, by the nearest vertex and the direction there."""
        dx, dy = self._x - x, self._y - y
        i = int((dx * dx + dy * dy).argmin())
        right, up = x - self._xs[i], y - self._ys[i]
        cos, sin = self._cos[i], self._sin[i]
        return Place(self._s[i] + right * cos + up * sin, up * cos - right * sin)

    def at(self, along: float) -> tuple[float, float]:
        """Return the point so many m along, straight on beyond the end."""
        i = self._segment(along)
        further = max(along - self._s[i], 0.0)
        return self._xs[i] + further * self._cos[i], self._ys[i] + further * self._sin[i]

    def heading(self, along: float) -> float:
        """Return the direction there in rad."""
        i = self._segment(along)
        return math.atan2(self._sin[i], self._cos[i])

    def limit(self, along: float) -> float:
        """Return the speed in m/s at which one may be there."""
        return self._speeds[self._segment(along)]

    def _segment(self, along: float) -> int:
        return min(max(bisect_right(self._s, along) - 1, 0), len(self._cos) - 1)


def drive(path: Path, me: Body, others: Iterable[Body], stop: float = np.inf) -> Control:
    """Return the control for one step along a path, behind what is on it, and no further than `stop` m along it."""
    here = path.place(me.x, me.y)
    gap, closing = stop - here.along, me.speed
    for other in others:
        if math.hypot(other.x - me.x, other.y - me.y) > other.sight:
            continue
        there = path.place(other.x, other.y)
        distance = there.along - here.along - (me.length + other.length) / 2
        if abs(there.aside) < LANE and -1.0 < distance < gap:
            heading = path.heading(there.along)
            gap, closing = distance, me.speed - (other.vx * math.cos(heading) + other.vy * math.sin(heading))
    return Control(_curvature(path, me, here), _acceleration(me.speed, path.limit(here.along), gap, closing))


def _curvature(path: Path, me: Body, here: Place) -> float:
    ahead = LOOKAHEAD[0] + LOOKAHEAD[1] * me.speed
    x, y = path.at(here.along + ahead)
    dx, dy = x - me.x, y - me.y
    aside = dy * math.cos(me.heading) - dx * math.sin(me.heading)
    return 2 * aside / max(dx * dx + dy * dy, 1.0)


def _acceleration(speed: float, limit: float, gap: float, closing: float) -> float:
    """Return IDM's acceleration in m/s²; an endless gap is a free road."""
    free = 1 - (speed / max(limit, 0.5)) ** 4
    wanted = GAP + max(0.0, speed * HEADWAY + speed * closing / (2 * math.sqrt(GAIN * COMFORT)))
    held = 0.0 if math.isinf(gap) else (wanted / max(gap, 0.1)) ** 2
    return min(max(GAIN * (free - held), -HARDEST), GAIN)
