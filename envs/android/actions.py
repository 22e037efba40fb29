"""AndroidWorld's actions: read strictly from JSON or words, performed on any device, listed where they are legal.

Names and effects are AndroidWorld's (`json_action.py`, commit 21c0bc0; `actuation.py`, commit 1903b2f).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from simonides.envs.android.device import Device
from simonides.envs.android.elements import UNSAID, Screen, UIElement

ActionType = Literal[
    "click", "double_tap", "scroll", "swipe", "input_text", "navigate_home", "navigate_back", "keyboard_enter",
    "open_app", "status", "wait", "long_press", "answer", "unknown",
]  # fmt: skip
Direction = Literal["left", "right", "up", "down"]
ACTION_TYPES: tuple[str, ...] = get_args(ActionType)
DIRECTIONS: tuple[str, ...] = get_args(Direction)
GOALS = ("complete", "infeasible")

HOME, BACK, ENTER, DELETE, END = 3, 4, 66, 67, 123
SCROLL_MS, SWIPE_MS = 300, 500

_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

_NEEDS: Mapping[str, str] = {
    "scroll": "direction", "swipe": "direction", "input_text": "text", "open_app": "app_name",
    "status": "goal_status", "answer": "text",
}  # fmt: skip
_TOUCHES = frozenset({"click", "double_tap", "long_press"})
_WORDS = re.compile(
    r"(?P<type>[a-z_]+)(?: (?P<direction>left|right|up|down))?(?: (?P<index>\d+))?(?:: (?P<rest>.*))?", re.S
)


class BadAction(ValueError):
    """This is no action; says why."""


@dataclass(frozen=True, slots=True)
class JSONAction:
    """One action, with AndroidWorld's fields. Raises BadAction where it says too little, or two things at once."""

    action_type: str
    index: int | None = None
    x: int | None = None
    y: int | None = None
    text: str | None = None
    direction: str | None = None
    goal_status: str | None = None
    app_name: str | None = None
    keycode: str | None = None
    clear_text: bool | None = None

    def __post_init__(self) -> None:
        if self.action_type not in ACTION_TYPES:
            raise BadAction(f"action_type is {self.action_type!r}; use one of {', '.join(ACTION_TYPES)}")
        if self.index is not None and (self.x is not None or self.y is not None):
            raise BadAction("index and x, y exclude each other; give one of them")
        if (self.x is None) != (self.y is None):
            raise BadAction("x and y go together")
        if self.action_type in _TOUCHES and self.index is None and self.x is None:
            raise BadAction(f"{self.action_type} needs an index, or x and y")
        wanted = _NEEDS.get(self.action_type)
        if wanted is not None and getattr(self, wanted) in (None, ""):
            raise BadAction(f"{self.action_type} needs {wanted}")
        if self.direction is not None and self.direction not in DIRECTIONS:
            raise BadAction(f"direction is {self.direction!r}; use one of {', '.join(DIRECTIONS)}")
        if self.goal_status is not None and self.goal_status not in GOALS:
            raise BadAction(f"goal_status is {self.goal_status!r}; use complete or infeasible")
        if self.keycode is not None and not self.keycode.startswith("KEYCODE_"):
            raise BadAction(f"keycode is {self.keycode!r}; it begins with KEYCODE_")

    def plain(self) -> dict[str, Any]:
        """Return what is said, as a map."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def json_str(self) -> str:
        """Return what is said, as JSON."""
        return _compact(self.plain())


_TYPES: Mapping[str, type] = {"index": int, "x": int, "y": int, "clear_text": bool}


def parse(said: str | Mapping[str, Any]) -> JSONAction:
    """Return the action behind JSON, a map, or the words that `legal` lists. Raises BadAction, saying why."""
    if isinstance(said, Mapping):
        return _from_map(said)
    text = said.strip()
    if not text.startswith("{"):
        return _from_words(text)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadAction(f"this is not JSON: {error}") from None
    return _from_map(found)


def _from_map(found: Mapping[str, Any]) -> JSONAction:
    known = {one.name for one in fields(JSONAction)}
    unknown = sorted(set(map(str, found)) - known)
    if unknown:
        raise BadAction(f"an action has no {', '.join(unknown)}; its fields are {', '.join(sorted(known))}")
    if "action_type" not in found:
        raise BadAction("an action needs action_type")
    for name, value in found.items():
        kind = _TYPES.get(name, str)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise BadAction(f"{name} is {value!r}, which is not of type {kind.__name__}")
    return JSONAction(**found)


def _from_words(text: str) -> JSONAction:
    match = _WORDS.fullmatch(text)
    if match is None:
        raise BadAction(f"{text[:60]!r} is no action")
    kind, rest = match["type"], match["rest"]
    found: dict[str, Any] = {"action_type": kind}
    if match["index"] is not None:
        found["index"] = int(match["index"])
    if match["direction"] is not None:
        found["direction"] = match["direction"]
    name = _NEEDS.get(kind, "")
    if name and name != "direction" and rest is not None:
        found[name] = rest
    return _from_map(found)


def legal(screen: Screen, texts: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return the actions that make sense on a screen, each as words and as JSON; both are read back by `parse`.

    `texts` are what may be typed; every other text may be as well, but they are too many to list. The keyboard's keys,
    coordinates and `swipe` are left out: they do nothing that the others do not.
    """
    found: dict[str, str] = {}

    def add(words: str, **said: Any) -> None:
        found[words] = _compact(said)

    for index, element in enumerate(screen.elements):
        if element.package_name in UNSAID or not element.is_enabled:
            continue
        name = screen.names[index].replace("\n", " ").strip()
        called = f"{index}: {name}" if name else str(index)
        if element.is_clickable:
            add(f"click {called}", action_type="click", index=index)
        if element.is_long_clickable:
            add(f"long_press {called}", action_type="long_press", index=index)
        if element.is_editable:
            for text in texts:
                add(f"input_text {index}: {text}", action_type="input_text", index=index, text=text)
        if element.is_scrollable:
            for way in ("down", "up"):
                add(f"scroll {way} {index}", action_type="scroll", direction=way, index=index)
    for app in screen.apps:
        add(f"open_app: {app}", action_type="open_app", app_name=app)
    for kind in ("navigate_home", "navigate_back", "wait"):
        add(kind, action_type=kind)
    if any(element.package_name in UNSAID for element in screen.elements):
        add("keyboard_enter", action_type="keyboard_enter")
    for goal in GOALS:
        add(f"status: {goal}", action_type="status", goal_status=goal)
    return [{"text": words, "value": said} for words, said in found.items()]


def check(action: JSONAction, screen: Screen) -> None:
    """Raise BadAction where an action names an element or an app that is not there."""
    if action.index is not None and not 0 <= action.index < len(screen.elements):
        raise BadAction(f"there is no element {action.index}; the last is {len(screen.elements) - 1}")
    if action.action_type == "open_app" and (action.app_name or "").lower() not in map(str.lower, screen.apps):
        raise BadAction(f"no app is called {action.app_name!r}; there are {', '.join(screen.apps)}")


def perform(device: Device, action: JSONAction, screen: Screen, wait: float = 1.0) -> None:
    """Do an action, by AndroidWorld's gestures. `status`, `answer` and `unknown` touch nothing.

    `wait` lets `wait` seconds pass: simulated ones on a simulated device.
    """
    kind = action.action_type
    element = screen.elements[action.index] if action.index is not None else None
    if kind in _TOUCHES or kind == "input_text":
        _touch(device, action, element)
    keys = {"keyboard_enter": ENTER, "navigate_home": HOME, "navigate_back": BACK}
    if kind in keys:
        device.key(keys[kind])
    elif kind == "scroll":
        _scroll(device, str(action.direction), element)
    elif kind == "swipe":
        _swipe(device, str(action.direction))
    elif kind == "open_app":
        by_name = {name.lower(): package for package, name in device.packages().items()}
        device.start(by_name[str(action.app_name).lower()])
    elif kind == "wait":
        getattr(device, "advance", time.sleep)(wait)


def _touch(device: Device, action: JSONAction, element: UIElement | None) -> None:
    place = element.bbox_pixels.center if element is not None else (action.x, action.y)
    if place[0] is not None and place[1] is not None:
        x, y = int(place[0]), int(place[1])
        for _ in range(2 if action.action_type == "double_tap" else 1):
            (device.long_press if action.action_type == "long_press" else device.tap)(x, y)
    if action.action_type == "input_text":
        if action.clear_text and element is not None:
            device.key(END)
            for _ in element.text or "":
                device.key(DELETE)
        device.type(str(action.text))
        device.key(ENTER)


def _scroll(device: Device, direction: str, element: UIElement | None) -> None:
    """Show what lies in a direction: the finger goes the other way, from the middle to the edge."""
    wide, tall = device.size
    x0, y0, x1, y1 = 0, 0, wide, tall
    if element is not None:
        box = element.bbox_pixels
        x0, y0, x1, y1 = (
            max(int(box.x_min), 0),
            max(int(box.y_min), 0),
            min(int(box.x_max), wide),
            min(int(box.y_max), tall),
        )
    middle = ((x0 + x1) // 2, (y0 + y1) // 2)
    ends = {"down": (middle[0], y0), "up": (middle[0], y1), "right": (x0, middle[1]), "left": (x1, middle[1])}
    device.swipe(*middle, *ends[direction], SCROLL_MS)


def _swipe(device: Device, direction: str) -> None:
    wide, tall = device.size
    x, y = wide // 2, tall // 2
    ways = {"down": (x, 0, x, tall), "up": (x, tall, x, 0), "left": (0, y, wide, y), "right": (wide, y, 0, y)}
    device.swipe(*ways[direction], SWIPE_MS)
