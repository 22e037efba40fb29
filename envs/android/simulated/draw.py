"""Draw a phone's windows with Pillow, from the same tree that its XML is written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from simonides.envs.android.device import Pixels
from simonides.envs.android.simulated.icons import strokes
from simonides.envs.android.simulated.layout import Box, Placed, font, line_height, px, width_of, wrapped
from simonides.envs.android.simulated.views import CHECK_BOX, EDIT, RADIO, SWITCH, WIDGETS

if TYPE_CHECKING:
    from simonides.envs.android.simulated.phone import Window

Themes = Mapping[str, tuple[str, str]]
BASE = {"text": "#202124", "faint": "#5f6368", "surface": "#ffffff", "on_primary": "#ffffff", "line": "#e0e0e0"}


def drawn(size: tuple[int, int], windows: Sequence[Window], themes: Themes) -> Pixels:
    """Return the picture of windows, the lowest first: uint8[height, width, 3]."""
    image = Image.new("RGB", size, "#000000")
    for window in windows:
        theme = themes.get(window.package, ("#37474f", "#37474f"))
        if window.role == "app":
            ImageDraw.Draw(image).rectangle((0, 0, size[0], window.bounds[1]), fill=_darker(theme[0]))
        if window.role in ("dialog", "shade"):
            image = Image.blend(image, Image.new("RGB", size, "#000000"), 0.5)
        Painter(image, theme, window.record.focus).paint(window.placed)
    return np.asarray(image, np.uint8)


def _darker(colour: str) -> str:
    return "#" + "".join(f"{int(int(colour[i : i + 2], 16) * 0.75):02x}" for i in (1, 3, 5))


class Painter:
    """Paints placed views onto a picture, in one theme (primary and accent colour)."""

    def __init__(self, image: Image.Image, theme: tuple[str, str], focus: str) -> None:
        self.image, self.focus = image, focus
        self.pen = ImageDraw.Draw(image, "RGBA")
        self.colours = {**BASE, "primary": theme[0], "accent": theme[1]}

    def colour(self, name: str) -> str:
        """Return the colour behind a name of the theme."""
        return self.colours.get(name, name)

    def paint(self, placed: Placed) -> None:
        """Paint a view and those below it, each within what is visible of it."""
        view, seen = placed.view, placed.seen
        if seen is None:
            return
        if seen != placed.bounds and not placed.children:
            return self._clipped(placed, seen)
        self._own(placed)
        for child in placed.children:
            self.paint(child)
        if view.look.line:
            x0, _, x1, y1 = seen
            self.pen.line(
                (x0, y1 - 1, x1, y1 - 1),
                fill=self.colour("accent" if view.kind == EDIT and view.id == self.focus else "line"),
            )
        return None

    def _clipped(self, placed: Placed, seen: Box) -> None:
        """Paint a view that is cut off at a list's edge: whole on the side, and then its visible part."""
        layer = self.image.copy()
        Painter(layer, (self.colours["primary"], self.colours["accent"]), self.focus)._own(placed)
        self.image.paste(layer.crop(seen), seen[:2])

    def _own(self, placed: Placed) -> None:
        view, (x0, y0, x1, y1) = placed.view, placed.bounds
        look = view.look
        if look.fill == "wallpaper":
            self._wallpaper(placed.bounds)
        elif look.fill:
            box = placed.seen if placed.children and placed.seen else placed.bounds
            self.pen.rounded_rectangle(
                (box[0], box[1], box[2] - 1, box[3] - 1), px(look.round), fill=self.colour(look.fill)
            )
        if look.border:
            self.pen.rectangle((x0, y1 - 4, x1, y1), fill=self.colour(look.border))
        if look.icon.startswith("app:"):
            self._app(placed.bounds, look.icon)
            x0, y0, x1, y1 = placed.bounds
            self._words((view.text,), (x0, y0 + px(60), x1, y1), look.size, look.colour, True, False)
        elif look.icon.startswith("letter:"):
            self._words((look.icon[7:],), placed.bounds, look.size, look.colour, True, True)
        elif look.icon:
            self._icon(look.icon, placed.bounds, self.colour(look.colour))
        if view.kind in WIDGETS:
            self._widget(placed)
        elif view.kind == EDIT or (view.text and not look.icon):
            self._text(placed)

    def _text(self, placed: Placed) -> None:
        view, (x0, y0, x1, y1) = placed.view, placed.bounds
        inner = (x0 + px(view.pad[0]), y0 + px(view.pad[1]), x1 - px(view.pad[0]), y1 - px(view.pad[1]))
        words = "•" * len(view.text) if view.password else view.text
        colour = view.look.colour if words else "faint"
        lines = wrapped(words or view.hint, view.look.size, max(1, inner[2] - inner[0]))
        self._words(lines, inner, view.look.size, colour, view.look.centred, view.look.bold)
        if view.kind == EDIT and view.id == self.focus:
            x = (
                inner[0] + width_of(wrapped(words, view.look.size, max(1, inner[2] - inner[0]))[-1], view.look.size)
                if words
                else inner[0]
            )
            y = inner[1] + line_height(view.look.size) * (len(lines) - 1)
            self.pen.line(
                (x + 1, y + 2, x + 1, y + line_height(view.look.size) - 2), fill=self.colour("accent"), width=2
            )

    def _words(self, lines: Sequence[str], box: Box, size: int, colour: str, centred: bool, bold: bool) -> None:
        x0, y0, x1, y1 = box
        y = y0 + max(0, (y1 - y0 - line_height(size) * len(lines)) // 2)
        for line in lines:
            x = x0 + max(0, (x1 - x0 - width_of(line, size)) // 2) if centred else x0
            self.pen.text(
                (x, y + px(size) // 10),
                line,
                fill=self.colour(colour),
                font=font(size),
                stroke_width=0.4 if bold else 0,
            )
            y += line_height(size)

    def _widget(self, placed: Placed) -> None:
        view, (x0, y0, x1, y1) = placed.view, placed.bounds
        middle, on = (y0 + y1) // 2, bool(view.checked)
        colour = self.colour("accent" if on else "#757575")
        if view.kind == SWITCH:
            w, r = px(40), px(9)
            left = x0 + (x1 - x0 - w) // 2
            self.pen.rounded_rectangle(
                (left, middle - px(6), left + w, middle + px(6)), px(6), fill=colour + "66" if on else "#bdbdbd"
            )
            knob = left + w - r if on else left + r
            self.pen.ellipse(
                (knob - r, middle - r, knob + r, middle + r), fill=colour if on else "#fafafa", outline="#9e9e9e"
            )
            return
        r, cx = px(8), x0 + px(18)
        box = (cx - r, middle - r, cx + r, middle + r)
        if view.kind == RADIO:
            self.pen.ellipse(box, outline=colour, width=3)
            if on:
                self.pen.ellipse((cx - r + 6, middle - r + 6, cx + r - 6, middle + r - 6), fill=colour)
        elif view.kind == CHECK_BOX:
            self.pen.rounded_rectangle(box, 3, outline=colour, width=3, fill=colour if on else None)
            if on:
                self.pen.line((cx - 7, middle, cx - 2, middle + 6, cx + 8, middle - 6), fill="#ffffff", width=3)
        lines = wrapped(view.text, view.look.size, max(1, x1 - x0 - px(36) - 2 * px(view.pad[0])))
        self._words(lines, (x0 + px(36) + px(view.pad[0]), y0, x1, y1), view.look.size, view.look.colour, False, False)

    def _app(self, box: Box, icon: str) -> None:
        _, letter, colour = icon.split(":", 2)
        cx, r = (box[0] + box[2]) // 2, px(27)
        top = box[1] + px(4)
        self.pen.rounded_rectangle((cx - r, top, cx + r, top + 2 * r), px(14), fill=colour)
        self._words((letter,), (cx - r, top, cx + r, top + 2 * r), 26, "#ffffff", True, True)

    def _wallpaper(self, box: Box) -> None:
        for y in range(box[1], box[3], 4):
            share = (y - box[1]) / max(1, box[3] - box[1])
            colour = tuple(int(a + (b - a) * share) for a, b in ((38, 94), (70, 53), (110, 120)))
            self.pen.rectangle((box[0], y, box[2], y + 4), fill=colour)

    def _icon(self, name: str, box: Box, colour: str) -> None:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        r = min(px(9), (box[2] - box[0]) / 2, (box[3] - box[1]) / 2)
        for stroke in strokes(name):
            points = [(x + dx * r, y + dy * r) for dx, dy in stroke]
            self.pen.line(points, fill=colour, width=max(2, int(r / 5)), joint="curve")
