"""Read recorded traffic from CommonRoad scenarios: lanes, vehicles and their tracks, as plain arrays.

Only the elements that a replay needs are read, from versions 2018b and 2020a of the format
(https://commonroad.in.tum.de): `lanelet`, `dynamicObstacle`, `staticObstacle` and 2018b's `obstacle`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simonides.sim.errors import DataError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """One vehicle: its size in m, and its states from step `first` on."""

    name: str
    length: float
    width: float
    first: int
    states: Floats
    """float64[n, 4]: x, y (m), heading (rad), speed (m/s); one row for what stands still."""
    static: bool

    def at(self, step: int) -> Floats | None:
        """Return the state at a step, float64[4]; None when it is not there."""
        if self.static:
            step = self.first
        i = step - self.first
        found: Floats | None = self.states[i] if 0 <= i < len(self.states) else None
        return found


@dataclass(frozen=True)
class Recording:
    """A scenario: seconds a step, the bounds of its lanes, and who was there."""

    name: str
    dt: float
    lanes: tuple[tuple[Floats, Floats], ...]
    """Left and right bound of each lanelet, float64[n, 2]."""
    tracks: Mapping[str, Track]
    source: str

    @property
    def steps(self) -> int:
        """Steps until the last moving vehicle's last state."""
        return max((t.first + len(t.states) for t in self.tracks.values() if not t.static), default=0)


def read(path: Path) -> Recording:
    """Return the scenario in a file. Raises DataError when it is none, or holds nothing that moves."""
    try:
        text = path.read_text(encoding="utf-8")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise DataError(f"{path} declares a document type, which no CommonRoad scenario does; it is not read.")
        root = ET.fromstring(text)
        if root.tag != "commonRoad":
            raise DataError(f"{path} is not a CommonRoad scenario: its root is <{root.tag}>, not <commonRoad>.")
        found = Recording(
            root.get("benchmarkID", path.stem), float(root.get("timeStepSize", "0.1")), _lanes(root), _tracks(root),
            root.get("source", ""),
        )  # fmt: skip
    except (OSError, UnicodeDecodeError, ET.ParseError, ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path} cannot be read as a CommonRoad scenario ({type(error).__name__}: {error}).") from None
    if not found.steps:
        raise DataError(f"{path} holds no vehicle that moves, so there is nothing to replay.")
    return found


def scenarios(data: Path) -> tuple[Path, ...]:
    """Return the scenario files at a path: the file itself, or those of the folder. Raises DataError without any."""
    files = tuple(sorted(data.glob("*.xml"))) if data.is_dir() else (data,) if data.is_file() else ()
    if not files:
        raise DataError(f"{data} has no CommonRoad scenario (*.xml); fetch some: simonides data fetch commonroad.")
    return files


def _lanes(root: ET.Element) -> tuple[tuple[Floats, Floats], ...]:
    return tuple((_bound(one.find("leftBound")), _bound(one.find("rightBound"))) for one in root.iter("lanelet")
                 if one.find("leftBound") is not None)  # fmt: skip


def _bound(bound: ET.Element | None) -> Floats:
    points = bound.findall("point") if bound is not None else []
    return np.array([[_number(p, "x"), _number(p, "y")] for p in points], np.float64).reshape(-1, 2)


def _tracks(root: ET.Element) -> dict[str, Track]:
    found = {}
    for tag in ("dynamicObstacle", "staticObstacle", "obstacle"):
        for one in root.findall(tag):
            static = tag == "staticObstacle" or one.findtext("role", "").strip() == "static"
            track = _track(one, static)
            if track is not None:
                found[track.name] = track
    return found


def _track(one: ET.Element, static: bool) -> Track | None:
    """Return one vehicle's track; None for what has no rectangle or no positions, such as an occupied area."""
    size, states = one.find("shape/rectangle"), [one.find("initialState"), *one.findall("trajectory/state")]
    exact = [state for state in states if state is not None and _centre(state) is not None]
    if size is None or not exact or (not static and len(exact) < 2):
        return None
    rows = np.array([_state(state) for state in exact], np.float64)
    first = 0 if static else round(_number(exact[0], "time"))
    name = f"vehicle {one.get('id', '?')}"
    return Track(name, _number(size, "length"), _number(size, "width"), first, rows, static)


def _centre(state: ET.Element) -> ET.Element | None:
    """Return where a state is: a point, or the centre of the rectangle within which it was measured."""
    point = state.find("position/point")
    return point if point is not None else state.find("position/rectangle/center")


def _state(state: ET.Element) -> list[float]:
    point = _centre(state)
    assert point is not None
    return [_number(point, "x"), _number(point, "y"), _number(state, "orientation"), _number(state, "velocity", 0.0)]


def _number(element: ET.Element, name: str, default: float | None = None) -> float:
    """Return a number that stands plainly, in <exact>, or as an interval, whose middle is taken."""
    child = element.find(name)
    if child is None and default is not None:
        return default
    if child is None:
        raise ValueError(f"<{element.tag}> has no <{name}>")
    start, end = child.findtext("intervalStart"), child.findtext("intervalEnd")
    if start is not None and end is not None:
        return (float(start) + float(end)) / 2
    return float(child.findtext("exact") or child.text or "")
