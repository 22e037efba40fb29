"""Draw a world of claims: the agents on a circle, and arrows in the colour of what one has told another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Point = tuple[float, float]

SIZE, RADIUS = 640, 205
NAMED = 24
"""Agents up to which names and notes are written; a larger circle shows dots and lines alone."""

PAPER, INK, FAINT, OUTLINE = (226, 228, 230), (30, 34, 40), (110, 114, 120), (90, 94, 100)


@dataclass(frozen=True, slots=True)
class Spoken:
    """That agent number `who` told agent number `to` that a subject has a value, which is the name of a colour."""

    who: int
    to: int
    subject: str
    value: str


def draw_circle(
    agents: Sequence[str], title: str, spoken: Sequence[Spoken] = (), notes: Sequence[str] = ()
) -> npt.NDArray[np.uint8]:
    """Return a picture, uint8[640, 640, 3], with a note beside each agent where there are at most 24."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (SIZE, SIZE), PAPER)
    page = ImageDraw.Draw(image)
    page.font = ImageFont.load_default(13)
    page.text((12, 12), title, FAINT)
    at = [_place(n, len(agents), RADIUS) for n in range(len(agents))]
    for one in spoken:
        _arrow(page, at[one.who], at[one.to], one.value, len(agents) <= NAMED)
    for one in spoken if len(agents) <= NAMED else ():
        _label(page, at[one.who], at[one.to], one)
    radius = max(2.0, min(11.0, 2.2 * RADIUS / max(len(agents), 1)))
    for n, (x, y) in enumerate(at):
        page.ellipse((x - radius, y - radius, x + radius, y + radius), (255, 255, 255), OUTLINE)
        if len(agents) <= NAMED:
            text = f"{agents[n]}\n{notes[n] if notes else ''}".strip()
            page.text(_place(n, len(agents), RADIUS + 55), text, INK, anchor="mm", align="center")
    return np.asarray(image, np.uint8).copy()


def _place(n: int, count: int, radius: float) -> Point:
    angle = 2 * pi * n / count - pi / 2
    return SIZE / 2 + radius * 1.05 * cos(angle), SIZE / 2 + 10 + radius * sin(angle)


def _arrow(page: ImageDraw, start: Point, end: Point, colour: str, named: bool) -> None:
    """Draw what is said from one to another; two who tell each other get two lines beside each other."""
    angle = atan2(end[1] - start[1], end[0] - start[0])
    aside, back = (5 * sin(angle), -5 * cos(angle)), (13 * cos(angle), 13 * sin(angle))
    tail = (start[0] + aside[0], start[1] + aside[1])
    head = (end[0] + aside[0] - back[0], end[1] + aside[1] - back[1])
    if named:
        page.line((*tail, *head), OUTLINE, 5)
        wings = [(head[0] - 12 * cos(angle + turn), head[1] - 12 * sin(angle + turn)) for turn in (0.45, -0.45)]
        page.polygon([head, *wings], colour, OUTLINE)
    page.line((*tail, *head), colour, 3 if named else 2)


def _label(page: ImageDraw, start: Point, end: Point, one: Spoken) -> None:
    """Write what is said on its arrow, nearer to its head and on its side, so that the answer's label has room."""
    angle = atan2(end[1] - start[1], end[0] - start[0])
    x, y = (start[i] * 0.35 + end[i] * 0.65 for i in (0, 1))
    middle, text = (x + 15 * sin(angle), y - 15 * cos(angle)), f"{one.subject}: {one.value}"
    left, top, right, bottom = page.textbbox(middle, text, anchor="mm")
    page.rounded_rectangle((left - 3, top - 2, right + 3, bottom + 2), 4, (255, 255, 255), FAINT)
    page.text(middle, text, INK, anchor="mm")
