"""Give views their places in pixels, by the rules of linear layouts, and turn what is visible into nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from PIL import ImageFont

from simonides.envs.android.device import Node
from simonides.envs.android.simulated.views import EDIT, WIDGETS, View

DENSITY = 1.5
"""Pixels per dp: 240 dots per inch, Android's hdpi."""

Box = tuple[int, int, int, int]


def px(dp: float) -> int:
    """Return a length in pixels."""
    return round(dp * DENSITY)


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font in sp."""
    return ImageFont.load_default(px(size))


@lru_cache(maxsize=8192)
def _advance(letter: str, size: int) -> float:
    return font(size).getlength(letter)


@lru_cache(maxsize=8192)
def width_of(words: str, size: int) -> int:
    """Return the width of one line in pixels, without kerning: the sum of its letters'."""
    return int(sum(_advance(letter, size) for letter in words)) + 1


@lru_cache(maxsize=8192)
def wrapped(words: str, size: int, width: int) -> tuple[str, ...]:
    """Return a text as the lines that fit into a width in pixels; longer words are broken."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if width_of(longer, size) <= width or not line:
                line = longer
            else:
                lines.append(line)
                line = word
            while width_of(line, size) > width and len(line) > 1:
                cut = max(1, next(n for n in range(1, len(line) + 1) if width_of(line[:n], size) > width) - 1)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line)
    return tuple(lines)


def line_height(size: int) -> int:
    """Return the height of a line in pixels."""
    return px(size * 1.3)


@dataclass(slots=True)
class Placed:
    """A view with its place: `bounds` in pixels, `seen` what of it is visible, None for nothing."""

    view: View
    bounds: Box
    seen: Box | None
    children: list[Placed] = field(default_factory=list)
    overflow: int = 0
    """Pixels by which a scrolling view's content is longer than the view."""

    def walk(self) -> Iterator[Placed]:
        """Yield this view and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def _inset(view: View) -> int:
    """Return the pixels before a text that its widget takes."""
    return px(36) if view.kind in WIDGETS and view.text not in ("ON", "OFF") else 0


def _meet(a: Box, b: Box) -> Box | None:
    box = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return box if box[0] < box[2] and box[1] < box[3] else None


class Layout:
    """Places the views of one screen; sizes are kept meanwhile, since every level asks for those below it."""

    def __init__(self, scrolled: Mapping[str, int]) -> None:
        """`scrolled` maps the ids of scrolling views to pixels."""
        self.scrolled = scrolled
        self._sizes: dict[tuple[int, int], tuple[int, int]] = {}

    def natural(self, view: View, width: int) -> tuple[int, int]:
        """Return the width and height in pixels that a view needs when it may be `width` wide."""
        key = (id(view), width)
        if key not in self._sizes:
            self._sizes[key] = self._natural(view, width)
        return self._sizes[key]

    def _natural(self, view: View, width: int) -> tuple[int, int]:
        if view.width and view.height:
            return px(view.width), px(view.height)
        across, down = 2 * px(view.pad[0]), 2 * px(view.pad[1])
        inner = max(1, (px(view.width) if view.width else width) - across)
        if not view.children:
            words = view.text or view.hint
            inset = _inset(view)
            lines = wrapped(words, view.look.size, max(1, inner - inset)) if words or view.kind == EDIT else ()
            wide = max((width_of(line, view.look.size) for line in lines), default=0) + inset
            tall = len(lines) * line_height(view.look.size)
        elif view.axis == "across":
            spans = self._spans(view, inner)
            sizes = [self.natural(child, span) for child, span in zip(view.children, spans, strict=True)]
            wide = sum(spans) + px(view.gap) * (len(spans) - 1)
            tall = max(size[1] for size in sizes)
        else:
            sizes = [self.natural(child, inner) for child in view.children]
            wide = max(size[0] for size in sizes)
            heights = [size[1] for size in sizes]
            tall = max(heights) if view.axis == "over" else sum(heights) + px(view.gap) * (len(sizes) - 1)
        return (px(view.width) or min(width, wide + across)), (px(view.height) or tall + down)

    def _spans(self, view: View, inner: int) -> list[int]:
        """Return the widths of a row's children: what they need, and shares of the rest for those with a weight."""
        room = inner - px(view.gap) * (len(view.children) - 1)
        fixed = [0 if child.weight else self.natural(child, room)[0] for child in view.children]
        shares = sum(child.weight for child in view.children)
        rest = max(0, room - sum(fixed))
        return [
            int(rest * child.weight / shares) if child.weight else width
            for child, width in zip(view.children, fixed, strict=True)
        ]

    def place(self, view: View, bounds: Box, clip: Box) -> Placed:
        """Return a view and those below it with their places."""
        placed = Placed(view, bounds, _meet(bounds, clip))
        if not view.children:
            return placed
        left, top, right, bottom = bounds
        x0, y0, x1, y1 = (
            left + px(view.pad[0]),
            top + px(view.pad[1]),
            right - px(view.pad[0]),
            bottom - px(view.pad[1]),
        )
        if view.axis == "over":
            boxes = [self._framed(child, (x0, y0, x1, y1)) for child in view.children]
        elif view.axis == "across":
            boxes = self._across(view, (x0, y0, x1, y1))
        else:
            boxes = self._down(view, (x0, y0, x1, y1))
        inside = placed.seen or (0, 0, 0, 0)
        if view.scrolls:
            placed.overflow = max(0, boxes[-1][3] - y1)
            shift = min(self.scrolled.get(view.id, 0), placed.overflow)
            boxes = [(b[0], b[1] - shift, b[2], b[3] - shift) for b in boxes]
        for child, box in zip(view.children, boxes, strict=True):
            if _meet(box, inside):
                placed.children.append(self.place(child, box, inside))
        return placed

    @staticmethod
    def _framed(child: View, box: Box) -> Box:
        return box if child.weight or not child.height else (box[0], box[1], box[2], box[1] + px(child.height))

    def _across(self, view: View, box: Box) -> list[Box]:
        boxes, x = [], box[0]
        for child, span in zip(view.children, self._spans(view, box[2] - box[0]), strict=True):
            tall = min(self.natural(child, span)[1], box[3] - box[1])
            y = box[1] + (box[3] - box[1] - tall) // 2
            boxes.append((x, y, x + span, y + tall))
            x += span + px(view.gap)
        return boxes

    def _down(self, view: View, box: Box) -> list[Box]:
        wide = box[2] - box[0]
        sizes = [self.natural(child, wide) for child in view.children]
        shares = 0.0 if view.scrolls else sum(child.weight for child in view.children)
        used = sum(size[1] for child, size in zip(view.children, sizes, strict=True) if not (child.weight and shares))
        rest = max(0, box[3] - box[1] - used - px(view.gap) * (len(sizes) - 1))
        boxes, y = [], box[1]
        for child, size in zip(view.children, sizes, strict=True):
            tall = int(rest * child.weight / shares) if child.weight and shares else size[1]
            span = size[0] if child.hug or child.width else wide
            x = box[0] + {"end": wide - span, "centre": (wide - span) // 2}.get(child.hug, 0)
            boxes.append((x, y, x + span, y + tall))
            y += tall + px(view.gap)
        return boxes


def node_of(placed: Placed, package: str, focus: str) -> Node | None:
    """Return what is visible of placed views as a node; None where nothing is."""
    if placed.seen is None:
        return None
    view = placed.view
    children = tuple(node for child in placed.children if (node := node_of(child, package, focus)) is not None)
    clickable = view.on_tap is not None or view.kind == EDIT
    worded = (
        view.text or view.desc or any(node.text or node.content_desc for child in children for node in child.walk())
    )
    named = view.id if ":" in view.id or not view.id else f"{package}:id/{view.id}"
    return Node(
        class_name=view.kind, bounds=placed.seen, text="•" * len(view.text) if view.password else view.text,
        resource_id=named, package=package, content_desc=view.desc,
        checkable=view.checked is not None, checked=bool(view.checked), clickable=clickable, enabled=view.enabled,
        focusable=clickable, focused=view.kind == EDIT and bool(focus) and view.id == focus,
        scrollable=view.scrolls and placed.overflow > 0, long_clickable=view.on_long is not None,
        password=view.password, selected=view.selected, naf=clickable and view.enabled and not worded,
        hint=view.hint, children=children,
    )  # fmt: skip
