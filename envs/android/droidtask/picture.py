"""Draw a recorded screen: its elements as boxes one below another, since the recordings hold no bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from simonides.envs.android.droidtask.screens import Element

WIDTH, HEIGHT = 405, 720
TOP, GAP, TALLEST = 44, 3, 44
"""Pixels of the title bar, between boxes, and the most of one box."""
FILLS = {"button": "#dbe7f6", "checkbox": "#e3f1e1", "input": "#fff6da", "p": "#ffffff"}
MARK = "#d0342c"
BARS = {"unrecorded": "#8a3b36", "moved": "#2f5d50"}
"""The title bar's colour by the last action's effect; otherwise a neutral one."""


def drawn(title: str, elements: Sequence[Element], marked: int, effect: str) -> npt.NDArray[np.uint8]:
    """Return uint8[720, 405, 3]: a title, and every element in its order; `marked` is the id of a framed one."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#f4f4f4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, TOP - 6), fill=BARS.get(effect, "#3b4a5a"))
    draw.text((10, 11), title + (f" ({effect})" if effect else ""), fill="white", font=_font(14))
    high = min(TALLEST, (HEIGHT - TOP) / max(1, len(elements)) - GAP)
    for row, element in enumerate(elements):
        top = TOP + row * (high + GAP)
        _box(draw, (8, top, WIDTH - 8, top + high), element, element.id == marked)
    return np.asarray(image, dtype=np.uint8).copy()


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _box(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], element: Element, marked: bool) -> None:
    frame = MARK if marked else "#9aa5b1"
    draw.rectangle(box, fill=FILLS.get(element.kind, "#ffffff"), outline=frame, width=3 if marked else 1)
    left, top, right, bottom = box
    size = max(6.0, min(14.0, (bottom - top) * 0.55))
    tick = {None: "", True: "[x] ", False: "[ ] "}[element.checked]
    words = f"{tick}{element.words or element.label or element.kind}"
    # The default font has no glyph beyond Latin; a question mark says that something stands there.
    shown = words.encode("latin-1", "replace").decode("latin-1")[: int((right - left) / (size * 0.55))]
    draw.text((left + 8, top + (bottom - top - size) / 2 - 1), shown, fill="#1d242c", font=_font(size))
