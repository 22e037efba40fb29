"""Icons as strokes, in tenths of the icon's radius around its middle.

A stroke is a line through points "x y x y ...", or "o x y r [from to]": a circle, or an arc in degrees clockwise from
the right; "*" is a star. Strokes are separated by semicolons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

Stroke = Sequence[tuple[float, float]]


@lru_cache(maxsize=128)
def strokes(name: str) -> tuple[Stroke, ...]:
    """Return an icon's strokes in units of its radius; none for a name that is unknown."""
    return tuple(_stroke(part.split()) for part in ICONS.get(name, "").split(";") if part.strip())


def _stroke(words: Sequence[str]) -> Stroke:
    if words[0] == "*":
        turns = [math.radians(36 * i - 90) for i in range(11)]
        return [(math.cos(t) * (1, 0.4)[i % 2], math.sin(t) * (1, 0.4)[i % 2]) for i, t in enumerate(turns)]
    if words[0] == "o":
        x, y, r, start, end = (*map(float, words[1:]), 0.0, 360.0)[:5]
        turns = [math.radians(start + (end - start) * i / 24) for i in range(25)]
        return [((x + r * math.cos(t)) / 10, (y + r * math.sin(t)) / 10) for t in turns]
    numbers = [float(word) / 10 for word in words]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


ICONS: Mapping[str, str] = {
    "back": "3 -8 -6 0 3 8; -6 0 8 0",
    "home": "o 0 0 7.5",
    "recent_apps": "-7 -7 7 -7 7 7 -7 7 -7 -7",
    "plus": "-8 0 8 0; 0 -8 0 8",
    "minus": "-8 0 8 0",
    "check": "-8 0 -2 6 9 -6",
    "pencil": "-8 8 -6 2 4 -8 8 -4 -2 6 -8 8",
    "star": "*; o 0 0 3; o 0 0 1.5",
    "hollow_star": "*",
    "phone": "-8 -8 -4 -8 -2 -3 -4 -1 2 5 4 2 9 4 8 9 3 9 -8 -2 -8 -8",
    "bubble": "-9 -7 9 -7 9 4 -3 4 -7 9 -7 4 -9 4 -9 -7",
    "envelope": "-9 -6 9 -6 9 6 -9 6 -9 -6 0 1 9 -6",
    "send": "-8 -7 9 0 -8 7 -5 0 -8 -7; -5 0 9 0",
    "person": "o 0 -4 4; o 0 9 7.5 180 360",
    "share": "o 6 -6 2.5; o -6 0 2.5; o 6 6 2.5; -4 -1 4 -5; -4 1 4 5",
    "search": "o -2 -2 6; 2.5 2.5 9 9",
    "trash": "-8 -6 8 -6; -6 -6 -5 9 5 9 6 -6; -2 -9 2 -9",
    "cart": "-9 -7 -6 -7 -3 4 7 4 9 -4 -5 -4; o -2 7.5 1.5; o 6 7.5 1.5",
    "more": "o 0 -7 1.2; o 0 0 1.2; o 0 7 1.2",
    "refresh": "o 0 0 7.5 30 330; 4 -5 7.5 -3.5 8.5 -8",
    "bell": "-8 5 -5 2 -5 -3 -3 -8 3 -8 5 -3 5 2 8 5 -8 5; o 0 7 1.5",
    "folder": "-9 -6 -2 -6 0 -4 9 -4 9 7 -9 7 -9 -6",
    "file": "-6 -9 2 -9 6 -5 6 9 -6 9 -6 -9; -3 0 3 0; -3 4 3 4",
    "clock": "o 0 0 8.5; 0 -5 0 0 4 2",
    "train": "-6 -8 6 -8 6 5 -6 5 -6 -8; -6 -1 6 -1; -3 5 -6 9; 3 5 6 9",
    "lock": "-6 -1 6 -1 6 8 -6 8 -6 -1; o 0 -1 4 180 360",
    "wifi": "o 0 7 13 225 315; o 0 7 8 225 315; o 0 6 1.5",
    "plane": "-9 2 9 2 0 -6 -9 2; 0 -9 0 9",
    "battery": "-5 -7 5 -7 5 9 -5 9 -5 -7; -2 -9 2 -9; -3 2 3 2; -3 5 3 5",
    "up": "-7 1 0 -7 7 1 3 1 3 7 -3 7 -3 1 -7 1",
    "erase": "-9 0 -4 -6 9 -6 9 6 -4 6 -9 0; 0 -3 5 3; 5 -3 0 3",
    "enter": "8 -6 8 2 -8 2; -4 -2 -8 2 -4 6",
    "cross": "-7 -7 7 7; 7 -7 -7 7",
    "next": "-3 -8 6 0 -3 8",
}
