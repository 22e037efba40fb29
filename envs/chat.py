"""Draw a conversation as a chat: dated headings, a bubble a turn in its speaker's colour, and below what is asked."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

Pixels = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 640, 640
TEXT_SIZE, SMALL_SIZE, LINE, MARGIN = 15, 12, 19, 12
PAPER, INK, FAINT, FRAME = (246, 246, 243), (30, 34, 40), (120, 125, 132), (210, 212, 214)
ASKED = (255, 243, 205)
TINTS = (
    (214, 232, 250), (220, 243, 218), (250, 224, 214), (234, 222, 246), (250, 240, 206), (212, 242, 240),
    (246, 218, 232), (228, 230, 234),
)  # fmt: skip
"""Colours of bubbles, by the speaker's place among the speakers; they repeat after eight."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One turn as it is drawn; `heading` starts a new session above it."""

    speaker: str
    text: str
    heading: str = ""


def draw_chat(bubbles: Sequence[Bubble], speakers: Sequence[str], title: str, asked: Sequence[str] = ()) -> Pixels:
    """Return a picture, uint8[640, 640, 3], of the last turns that fit, with `asked` in a box below them.

    The first speaker's bubbles are on the right side, everybody else's on the left.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    page = ImageDraw.Draw(image)
    text, small = _font(TEXT_SIZE), _font(SMALL_SIZE)
    page.text((MARGIN, MARGIN), _cut(page, title, small, WIDTH - 2 * MARGIN), FAINT, small)
    bottom = _box(page, asked, text) if asked else HEIGHT - MARGIN
    for bubble in reversed(bubbles):
        bottom = _bubble(page, bubble, bottom, speakers, (text, small))
        if bottom < 0:
            break
    return np.asarray(image, np.uint8).copy()


def _font(size: int) -> Font:
    from PIL import ImageFont

    return ImageFont.load_default(size)  # the one that Pillow brings, so that pictures are alike everywhere


def _bubble(page: ImageDraw, bubble: Bubble, bottom: int, speakers: Sequence[str], fonts: tuple[Font, Font]) -> int:
    """Draw a turn that ends at `bottom`; return where the one before it ends, or -1 when there is no room."""
    text, small = fonts
    lines = wrapped(page, bubble.text, text, int(WIDTH * 0.7))
    high = LINE * len(lines) + SMALL_SIZE + 14
    top = bottom - high - (LINE + 6 if bubble.heading else 0)
    if top < LINE + 2 * MARGIN:
        return -1
    if bubble.heading:
        page.text((WIDTH / 2, top + LINE / 2), bubble.heading, FAINT, small, anchor="mm")
    names = [*lines, bubble.speaker]
    wide = max(page.textlength(one, text) for one in names) + 2 * MARGIN
    mine = bool(speakers) and bubble.speaker == speakers[0]
    left, above = (WIDTH - MARGIN - wide if mine else MARGIN), bottom - high
    place = speakers.index(bubble.speaker) if bubble.speaker in speakers else len(TINTS) - 1
    page.rounded_rectangle((left, above, left + wide, bottom), 9, TINTS[place % len(TINTS)], FRAME)
    page.text((left + MARGIN, above + 5), bubble.speaker, FAINT, small)
    for n, line in enumerate(lines):
        page.text((left + MARGIN, above + SMALL_SIZE + 8 + n * LINE), line, INK, text)
    return int(top - 8)


def _box(page: ImageDraw, asked: Sequence[str], font: Font) -> int:
    """Draw what is asked at the foot, in at most half of the picture; return where the turns end."""
    lines = [line for one in asked for line in wrapped(page, one, font, WIDTH - 4 * MARGIN)]
    most = HEIGHT // 2 // LINE
    if len(lines) > most:
        lines = [*lines[: most - 1], f"... and {len(lines) - most + 1} lines more"]
    top = HEIGHT - MARGIN - LINE * len(lines) - 2 * MARGIN
    page.rounded_rectangle((MARGIN, top, WIDTH - MARGIN, HEIGHT - MARGIN), 9, ASKED, FRAME)
    for n, line in enumerate(lines):
        page.text((2 * MARGIN, top + MARGIN + n * LINE), line, INK, font)
    return top - MARGIN


def wrapped(page: ImageDraw, text: str, font: Font, width: int) -> list[str]:
    """Return a text in lines that are at most `width` pixels wide; a single longer word is cut."""
    lines = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and page.textlength(longer, font) > width:
                lines.append(_cut(page, line, font, width))
                longer = word
            line = longer
        lines.append(_cut(page, line, font, width))
    return lines


def _cut(page: ImageDraw, text: str, font: Font, width: int) -> str:
    if page.textlength(text, font) <= width:
        return text
    fits = bisect_right(range(len(text)), width, key=lambda n: math.ceil(page.textlength(f"{text[:n]}...", font)))
    return f"{text[: max(0, fits - 1)]}..."
