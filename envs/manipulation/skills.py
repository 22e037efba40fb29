"""Skills: what an arm can do, as paths of waypoints over the low-level controller.

A skill looks at where things are when it begins, and then moves; whether it worked is for the physics to say.
"""

from __future__ import annotations

import math

from simonides.envs.manipulation.arm import HOME, SAFE, Pose, Waypoint
from simonides.envs.manipulation.cell import Cell, wrapped
from simonides.envs.manipulation.scene import MEETING, POST, POST_HEIGHT, Spot

Path = list[Waypoint]

KNOB = 0.077
"""Height of the grip at a lid's knob, in metres."""
HANDS = 0.035
"""How far from a bar's middle each of two hands grips it, in metres."""
MEETING_HEIGHT = 0.22
TRAVEL = 0.163
"""How far a lid is pulled, in metres."""


def look(cell: Cell, arm: int) -> Path:
    """Move the arm out of the cameras' way; what it holds stays in hand."""
    return [*_over(cell, arm, HOME, cell.arms[arm].grip), Waypoint(HOME, cell.arms[arm].grip, 2)]


def open_lid(cell: Cell, arm: int, name: str) -> Path:
    """Grip a lid's knob and pull it outward until the bin is uncovered."""
    return _slide(cell, arm, name, TRAVEL)


def close_lid(cell: Cell, arm: int, name: str) -> Path:
    """Grip a lid's knob and push it back."""
    return _slide(cell, arm, name, 0.0)


def _slide(cell: Cell, arm: int, name: str, goal: float) -> Path:
    spot, now = cell.layout.bins[name], cell.opened(arm, name)
    start: Pose = (spot.r + now, spot.angle, KNOB, 0.0)
    end: Pose = (spot.r + goal, spot.angle, KNOB, 0.0)
    return [
        *_over(cell, arm, start, 0.0),
        Waypoint(start, 0.0, 2),
        Waypoint(start, 1.0, 5),
        Waypoint(end, 1.0, 4),
        Waypoint(end, 0.0, 4),
        Waypoint(_high(end), 0.0),
    ]


def pick(cell: Cell, arm: int, station: int, name: str, inward: float = 0.0) -> Path:
    """Grip an object across its narrow side and lift it; a bar, `inward` metres nearer to the arm than its middle."""
    down = grasp(cell, arm, station, name, inward)
    return [
        *_over(cell, arm, down, 0.0),
        Waypoint(down, 0.0, 3),
        Waypoint(down, 1.0, 6),
        Waypoint(_high(down), 1.0, 3),
    ]


def grasp(cell: Cell, arm: int, station: int, name: str, inward: float = 0.0) -> Pose:
    """Return the pose in which an arm grips an object where it is now."""
    r, angle, height = cell.spot(arm, station, name)
    shape = cell.shapes.get(name, "cup")
    if shape in ROUND:
        return r, angle, max(height - 0.004, LOWEST), 0.0
    period = math.pi / 2 if shape in SQUARE else math.pi
    turn = cell.yaw(station, name) + cell.bases[station][2] - cell.bases[arm][2] - angle
    turn -= period * round(turn / period)
    ahead, aside = r - inward * math.cos(turn), -inward * math.sin(turn)
    swing = math.atan2(aside, ahead)
    high = height + CUP_KNOB if shape == "cup" else max(height - 0.004, LOWEST)
    return math.hypot(ahead, aside), angle + swing, high, swing - turn


ROUND = ("ball", "cylinder")
SQUARE = ("cube", "cup")
LOWEST = 0.014
"""Height of the grip in metres at which the finger tips just clear the table."""
CUP_KNOB = 0.09


def place(cell: Cell, arm: int, spot: Spot, roll: float, rest: float) -> Path:
    """Put what is in hand down at a spot, `rest` metres above the table, and let go."""
    down: Pose = (spot.r, spot.angle, rest, roll)
    return [
        *_over(cell, arm, down, 1.0),
        Waypoint(down, 1.0, 5),
        Waypoint(down, 0.0, 5),
        Waypoint(_high(down), 0.0, 1),
    ]


def touch(cell: Cell, arm: int, spot: tuple[float, float], height: float) -> Path:
    """Tap something from above with closed fingers, and go back up."""
    above: Pose = (*spot, max(SAFE, height + 0.03), 0.0)
    down: Pose = (*spot, height - 0.006, 0.0)
    return [*_over(cell, arm, above, 1.0), Waypoint(down, 1.0, 3), Waypoint(above, 1.0)]


def touch_post(cell: Cell, arm: int) -> Path:
    """Tap the grey post."""
    return touch(cell, arm, (POST.r, POST.angle), POST_HEIGHT)


def meeting(cell: Cell, arm: int, partner: int) -> tuple[float, float]:
    """Return radius and angle of the place where two neighbours meet, for one of them."""
    x, y, facing = cell.bases[arm]
    px, py, _ = cell.bases[partner]
    return MEETING, wrapped(math.atan2(py - y, px - x) - facing)


def offer(cell: Cell, arm: int, partner: int) -> Path:
    """Hold what is in hand out to a neighbour, half way between them, and stay there."""
    r, angle = meeting(cell, arm, partner)
    out: Pose = (r - HANDS, angle, MEETING_HEIGHT, 0.0)
    return [*_over(cell, arm, out, 1.0), Waypoint(out, 1.0, 4)]


def take(cell: Cell, arm: int, station: int, name: str) -> Path:
    """Grip the near end of a bar that a neighbour holds out; it lets go after that."""
    near = grasp(cell, arm, station, name, HANDS)
    above: Pose = (near[0], near[1], near[2] + 0.09, near[3])
    return [*_over(cell, arm, above, 0.0), Waypoint(near, 0.0, 4), Waypoint(near, 1.0, 8)]


def let_go(cell: Cell, arm: int) -> Path:
    """Open the hand and draw it up."""
    r, swing, height, roll = cell.arms[arm].command
    return [Waypoint((r, swing, height, roll), 0.0, 6), Waypoint((r, swing, height + 0.1, roll), 0.0, 2)]


def at_meeting(cell: Cell, arm: int, partner: int) -> bool:
    """Return whether an arm holds its hand out to a neighbour."""
    r, angle = meeting(cell, arm, partner)
    now = cell.arms[arm].command
    return abs(now[0] - r) < 2 * HANDS and abs(wrapped(now[1] - angle)) < 0.1 and now[2] > SAFE


def _high(pose: Pose) -> Pose:
    return pose[0], pose[1], SAFE, pose[3]


def _over(cell: Cell, arm: int, pose: Pose, grip: float) -> Path:
    """Return the way to above a pose: up, across, and then down is the caller's."""
    now = cell.arms[arm].command
    up = (now[0], now[1], max(now[2], SAFE), now[3])
    keep = cell.arms[arm].grip
    return [Waypoint(up, keep), Waypoint((pose[0], pose[1], max(SAFE, pose[2]), pose[3]), grip)]
