"""The elements of a screen as AndroidWorld lists them, read from a dump, and in words.

Field names are AndroidWorld's (`android_world/env/representation_utils.py`, commit 1214f0e).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simonides.envs.android import xml
from simonides.envs.android.device import Device, Node


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A box in pixels, or in shares of the screen."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float

    @property
    def center(self) -> tuple[float, float]:
        """The middle, x and y."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2


@dataclass(frozen=True, slots=True)
class UIElement:
    """One element; `bbox` is in shares of the screen, `bbox_pixels` in pixels. None stands for an empty text."""

    text: str | None = None
    content_description: str | None = None
    class_name: str | None = None
    bbox: BoundingBox | None = None
    bbox_pixels: BoundingBox = BoundingBox(0, 0, 0, 0)
    hint_text: str | None = None
    is_checked: bool = False
    is_checkable: bool = False
    is_clickable: bool = False
    is_editable: bool = False
    is_enabled: bool = True
    is_focused: bool = False
    is_focusable: bool = False
    is_long_clickable: bool = False
    is_scrollable: bool = False
    is_selected: bool = False
    is_visible: bool = True
    package_name: str | None = None
    resource_name: str | None = None
    tooltip: str | None = None
    resource_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the element says: its text, else its description, else the hint; of a switch, of what and how it is."""
        if self.is_checkable and self.text and self.content_description:
            return f"{self.content_description} {self.text}"
        return self.text or self.content_description or self.hint_text or ""


EDITABLE = "EditText"
"""How the class of a field ends: a dump does not say what is editable."""

UNSAID = frozenset({"com.android.inputmethod.latin", "com.google.android.inputmethod.latin"})
"""Packages of keyboards, whose keys are elements but not words."""

BARS = frozenset({"com.android.systemui"})


def elements_of(dump: str, size: tuple[int, int]) -> tuple[UIElement, ...]:
    """Return the elements of a dump: every node but the windows' roots, in the dump's order, which is their index."""
    return elements_in(xml.read(dump)[1], size)


def elements_in(windows: Sequence[Node], size: tuple[int, int]) -> tuple[UIElement, ...]:
    """Return the elements of windows, as those of their dump."""
    return tuple(_element(node, size) for window in windows for node in window.walk() if node is not window)


def _element(node: Node, size: tuple[int, int]) -> UIElement:
    left, top, right, bottom = node.bounds
    wide, tall = size
    return UIElement(
        node.text or None, node.content_desc or None, node.class_name or None,
        BoundingBox(left / wide, right / wide, top / tall, bottom / tall), BoundingBox(left, right, top, bottom),
        node.hint or None, node.checked, node.checkable, node.clickable, node.class_name.endswith(EDITABLE),
        node.enabled, node.focused, node.focusable, node.long_clickable, node.scrollable, node.selected, True,
        node.package or None, node.resource_id or None, None, node.resource_id or None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screen:
    """What an agent is shown at one moment."""

    elements: tuple[UIElement, ...]
    package: str
    activity: str
    app: str
    """The app's name, "" for the launcher and the system."""
    apps: tuple[str, ...]
    """The names of all apps, sorted."""
    names: tuple[str, ...]
    """What each element is called: its label, or the first words below it for a row that says nothing itself."""

    @classmethod
    def of(cls, device: Device) -> Screen:
        """Return what a device shows now. Raises DeviceGone."""
        windows = device.windows()
        package, activity = device.current()
        apps = device.packages()
        elements = elements_in(windows, device.size)
        return cls(elements, package, activity, apps.get(package, ""), tuple(sorted(apps.values())), _names(elements))

    def shows(self, words: str) -> bool:
        """Return whether an element says exactly this."""
        return any(element.label == words for element in self.elements)

    def said(self) -> tuple[str, ...]:
        """Return what the app and the notifications over it say, without bars and keyboard, in the screen's order."""
        return tuple(
            element.label for element in self.elements
            if element.label and element.package_name not in UNSAID and not _is_bar(element)
        )  # fmt: skip

    def words(self) -> str:
        """Return the screen in words: a numbered line for each element that says or does something."""
        where = f"App: {self.app or 'Home screen'}"
        return "\n".join(
            [where, *(f"{i}. {line}" for i, line in enumerate(map(self._line, range(len(self.elements)))) if line)]
        )

    def _line(self, index: int) -> str:
        element = self.elements[index]
        marks = _marks(element)
        if element.package_name in UNSAID or not (element.label or marks):
            return ""
        return f"{element.label or self.names[index] or '-'} ({', '.join([kind_of(element), *marks])})"


def _is_bar(element: UIElement) -> bool:
    """Return whether an element is one of the status or navigation bar, not of a notification."""
    box = element.bbox
    return element.package_name in BARS and box is not None and (box.y_max < 0.06 or box.y_min > 0.9)


def _names(elements: Sequence[UIElement]) -> tuple[str, ...]:
    """Return what elements are called: a row to touch that has no label after the first inside it."""
    return tuple(
        element.label or (_inside(elements, index) if element.is_clickable or element.is_long_clickable else "")
        for index, element in enumerate(elements)
    )


def _inside(elements: Sequence[UIElement], index: int) -> str:
    outer = elements[index].bbox_pixels
    for other in elements[index + 1 :]:
        box = other.bbox_pixels
        if not (outer.x_min <= box.x_min and box.x_max <= outer.x_max and outer.y_min <= box.y_min <= outer.y_max):
            break
        if other.label:
            return other.label
    return ""


def kind_of(element: UIElement) -> str:
    """Return an element's class in a word: "text", "button", "field", "switch", "row" ..."""
    name = (element.class_name or "").rsplit(".", 1)[-1]
    known = {
        "TextView": "text",
        "EditText": "field",
        "ImageButton": "button",
        "RecyclerView": "list",
        "ScrollView": "page",
        "LinearLayout": "row",
        "FrameLayout": "row",
        "ImageView": "picture",
        "RadioButton": "choice",
        "CheckBox": "box",
    }
    return known.get(name, name.lower() or "element")


def _marks(element: UIElement) -> list[str]:
    """Return what an element does and is, as words."""
    marks = (
        (element.is_clickable and element.is_enabled, "click"), (element.is_long_clickable, "long press"),
        (element.is_scrollable, "scroll"), (element.is_checkable, "on" if element.is_checked else "off"),
        (element.is_selected, "selected"), (element.is_focused, "focused"), (not element.is_enabled, "disabled"),
    )  # fmt: skip
    return [word for holds, word in marks if holds]
