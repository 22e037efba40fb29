"""What uiautomator2's server on the device does: the methods of its JSON-RPC, by their names."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from simonides.envs.android import xml
from simonides.envs.android.adbd.screen import active, focused_first
from simonides.envs.android.adbd.shell import Target
from simonides.envs.android.device import Node
from simonides.envs.android.gestures import stroke
from simonides.envs.android.keycodes import keycode
from simonides.envs.android.selector import Found, Selector, select

PORT = 9008
"""Where uiautomator2's server listens on the device."""
LOOK = 0.5
"""Simulated seconds between two looks for an element that is waited for."""
STEP = 5
"""Milliseconds that one of uiautomator's steps takes."""
DOWN, UP, MOVE = 0, 1, 2
"""The actions of `android.view.MotionEvent`."""
KEYS = {
    "home": 3, "back": 4, "up": 19, "down": 20, "left": 21, "right": 22, "center": 23, "volume_up": 24,
    "volume_down": 25, "power": 26, "camera": 27, "enter": 66, "delete": 67, "del": 67, "menu": 82, "search": 84,
    "volume_mute": 164, "recent": 187,
}  # fmt: skip
"""The names that uiautomator2 has for keys."""
ORIENTATIONS = {"natural": 0, "left": 1, "upsidedown": 2, "right": 3}


class NoElement(Exception):
    """No element on the screen fits a selector."""


class NoMethod(Exception):
    """The server has no such method."""


class Automator:
    """The methods; elements are looked for on the screen as it is, and waiting lets simulated time pass."""

    def __init__(self, target: Target) -> None:
        self._target, self._device = target, target.device
        self._course: list[tuple[int, int]] = []
        self._methods: dict[str, Callable[..., Any]] = {
            "deviceInfo": self._info, "dumpWindowHierarchy": self._dump, "takeScreenshot": self._screenshot,
            "click": self._click, "longClick": self._long_click, "swipe": self._swipe,
            "swipePoints": self._swipe_points,
            "drag": self._swipe, "dragTo": self._drag_to, "injectInputEvent": self._inject, "pressKey": self._press,
            "pressKeyCode": self._press_code, "setOrientation": self._turn, "openNotification": self._notifications,
            "openQuickSettings": self._notifications, "getClipboard": lambda: self._target.clipboard,
            "setClipboard": self._set_clipboard, "pasteClipboard": self._paste, "clearInputText": self._clear_focused,
            "exist": lambda selector: bool(self._find(selector)), "count": lambda selector: len(self._find(selector)),
            "objInfo": lambda selector: self._described(self._one(selector)),
            "objInfoOfAllInstances": lambda selector: [self._described(one) for one in self._find(selector)],
            "waitForExists": lambda selector, timeout: self._wait(selector, timeout, True),
            "waitUntilGone": lambda selector, timeout: self._wait(selector, timeout, False),
            "getText": lambda selector: self._one(selector).node.text, "setText": self._set_text,
            "clearTextField": lambda selector: self._set_text(selector, ""), "childByText": self._child_by_text,
            "childByDescription": self._child_by_description, "childByInstance": self._child_by_instance,
            "scrollForward": lambda s, vertical, *_: self._scroll(s, vertical, 1),
            "scrollBackward": lambda s, vertical, *_: self._scroll(s, vertical, -1),
            "flingForward": lambda s, vertical, *_: self._scroll(s, vertical, 1),
            "flingBackward": lambda s, vertical, *_: self._scroll(s, vertical, -1),
            "scrollToEnd": lambda s, vertical, most=500, *_: self._scroll_on(s, vertical, 1, most),
            "scrollToBeginning": lambda s, vertical, most=500, *_: self._scroll_on(s, vertical, -1, most),
            "flingToEnd": lambda s, vertical, most=500: self._scroll_on(s, vertical, 1, most),
            "flingToBeginning": lambda s, vertical, most=500: self._scroll_on(s, vertical, -1, most),
            "scrollTo": self._scroll_to,
            "wakeUp": bool, "sleep": bool, "freezeRotation": lambda frozen=True: None, "isScreenOn": lambda: True,
            "getLastToast": lambda: None, "clearLastToast": lambda: None, "getLastTraversedText": lambda: None,
            "clearLastTraversedText": lambda: None, "waitForIdle": lambda timeout=0: None,
        }  # fmt: skip

    def call(self, name: str, given: list[Any]) -> Any:
        """Return a method's result. Raises NoMethod, NoElement, or TypeError and ValueError for wrong parameters."""
        if name not in self._methods:
            raise NoMethod(f"{name}: the simulated device has no such method; one finger touches it")
        return self._methods[name](*given)

    def _info(self) -> dict[str, Any]:
        known = self._device.properties()
        wide, tall = self._device.size
        density = int(known.get("ro.sf.lcd_density", "160")) / 160
        return {
            "currentPackageName": self._device.current()[0], "displayWidth": wide, "displayHeight": tall,
            "displayRotation": self._device.rotation, "displaySizeDpX": round(wide / density),
            "displaySizeDpY": round(tall / density), "productName": known.get("ro.product.name", "simulated"),
            "screenOn": True, "sdkInt": int(known.get("ro.build.version.sdk", "34")),
            "naturalOrientation": self._device.rotation == 0,
        }  # fmt: skip

    def _dump(self, compressed: bool = False, depth: int = 50, active_only: bool | None = None) -> str:
        """Return all windows from below, or the one with the focus, to a depth."""
        windows = [active(self._device)] if active_only else self._device.windows()
        return xml.write([_cut(root, depth) for root in windows], self._device.rotation, hints=True)

    def _screenshot(self, scale: float = 1, quality: int = 80) -> str:
        file = BytesIO()
        picture = Image.fromarray(self._device.screenshot())
        picture.resize((round(picture.width * scale), round(picture.height * scale))).save(
            file, "JPEG", quality=quality
        )
        return base64.b64encode(file.getvalue()).decode()

    # --- elements ---

    def _find(self, selector: Selector | str) -> list[Found]:
        if isinstance(selector, str):  # the name of an element that childBy... returned
            raise ValueError(f"unknown element {selector!r}")
        return select(focused_first(self._device), selector)

    def _one(self, selector: Selector) -> Found:
        found = self._find(selector)
        if not found:
            raise NoElement(str({name: value for name, value in selector.items() if name != "mask" and value != []}))
        return found[0]

    def _centre(self, selector: Selector) -> tuple[int, int]:
        left, top, right, bottom = self._one(selector).node.bounds
        return (left + right) // 2, (top + bottom) // 2

    def _described(self, found: Found) -> dict[str, Any]:
        node = found.node
        box = dict(zip(("left", "top", "right", "bottom"), node.bounds, strict=True))
        return {
            "bounds": box, "visibleBounds": box, "childCount": len(node.children), "className": node.class_name,
            "contentDescription": node.content_desc, "packageName": node.package, "text": node.text,
            "resourceName": node.resource_id or None, "checkable": node.checkable, "checked": node.checked,
            "clickable": node.clickable, "enabled": node.enabled, "focusable": node.focusable, "focused": node.focused,
            "longClickable": node.long_clickable, "scrollable": node.scrollable, "selected": node.selected,
        }  # fmt: skip

    def _wait(self, selector: Selector, milliseconds: int, there: bool) -> bool:
        left = milliseconds / 1000
        while bool(self._find(selector)) != there:
            if left <= 0:
                return False
            self._device.advance(min(LOOK, left))
            left -= LOOK
        return True

    # --- fingers ---

    def _click(self, *given: Any) -> bool:
        if len(given) == 1:
            given = self._centre(given[0])
        x, y, *held = given
        stroke(self._device, [(round(x), round(y))], int(held[0]) if held else 0)
        return True

    def _long_click(self, selector: Selector) -> bool:
        self._device.long_press(*self._centre(selector))
        return True

    def _swipe(self, x0: float, y0: float, x1: float, y1: float, steps: int = 55) -> bool:
        stroke(self._device, [(round(x0), round(y0)), (round(x1), round(y1))], int(steps) * STEP)
        return True

    def _swipe_points(self, points: list[float], steps: int) -> bool:
        course = [(round(x), round(y)) for x, y in zip(points[::2], points[1::2], strict=True)]
        if len(course) < 2:
            raise ValueError("a swipe has two points or more")
        stroke(self._device, course, int(steps) * STEP * (len(course) - 1))
        return True

    def _drag_to(self, selector: Selector, goal: Selector | float, *given: Any) -> bool:
        """Drag to another element, or to x and y; how many steps it takes comes last."""
        x, y, steps = (*self._centre(goal), *given) if isinstance(goal, dict) else (goal, *given)
        return self._swipe(*self._centre(selector), x, y, steps)

    def _inject(self, action: int, x: float, y: float, meta: int = 0) -> bool:
        """Take one event of a finger; what its course was is done when it goes up."""
        if action == DOWN:
            self._course = []
        self._course.append((round(x), round(y)))
        if action == UP:
            stroke(self._device, self._course, 0)
            self._course = []
        return True

    # --- keys and text ---

    def _press(self, name: str) -> bool:
        self._device.key(KEYS[name] if name in KEYS else keycode(str(name)))
        return True

    def _press_code(self, code: int, meta: int = 0) -> bool:
        self._device.key(code)
        return True

    def _set_clipboard(self, label: str | None, text: str) -> None:
        self._target.clipboard = text

    def _paste(self) -> bool:
        self._device.type(self._target.clipboard)
        return True

    def _focused(self) -> Found | None:
        found = self._find({"focused": True, "className": "android.widget.EditText"})
        return found[0] if found else None

    def _clear_focused(self) -> None:
        found = self._focused()
        if found is not None:
            self._device.key(keycode("MOVE_END"))
            for _ in found.node.text if found.node.text != found.node.hint else "":
                self._device.key(keycode("DEL"))

    def _set_text(self, selector: Selector, text: str) -> bool:
        if not self._one(selector).node.focused:
            self._device.tap(*self._centre(selector))
        self._clear_focused()
        if text:
            self._device.type(text)
        return True

    # --- children, scrolling, the device ---

    def _child(self, selector: Selector, other: Selector, **wish: Any) -> Selector:
        """Return the selector of a child; it is the name by which the client goes on."""
        if self._find(_with_child(selector, {**other, **wish})):
            return _with_child(selector, {**other, **wish})
        raise NoElement(f"{wish}")

    def _child_by_text(self, selector: Selector, other: Selector, text: str, scrolling: bool = False) -> Selector:
        if scrolling:
            self._scroll_to(selector, {**other, "text": text}, True)
        return self._child(selector, other, text=text)

    def _child_by_description(
        self, selector: Selector, other: Selector, text: str, scrolling: bool = False
    ) -> Selector:
        if scrolling:
            self._scroll_to(selector, {**other, "description": text}, True)
        return self._child(selector, other, description=text)

    def _child_by_instance(self, selector: Selector, other: Selector, instance: int) -> Selector:
        return self._child(selector, other, instance=instance)

    def _scroll(self, selector: Selector, vertical: bool, direction: int) -> bool:
        """Swipe over most of an element; return whether anything moved."""
        before = self._one(selector).node
        left, top, right, bottom = before.bounds
        x, y = (left + right) // 2, (top + bottom) // 2
        across, along = (right - left) * 2 // 5 * direction, (bottom - top) * 2 // 5 * direction
        course = [(x, y + along), (x, y - along)] if vertical else [(x + across, y), (x - across, y)]
        stroke(self._device, course, 300)
        return self._one(selector).node != before

    def _scroll_on(self, selector: Selector, vertical: bool, direction: int, most: int) -> bool:
        return any(not self._scroll(selector, vertical, direction) for _ in range(most))

    def _scroll_to(self, selector: Selector, wanted: Selector, vertical: bool = True) -> bool:
        self._scroll_on(selector, vertical, -1, 50)
        while not self._find(_with_child(selector, wanted)):
            if not self._scroll(selector, vertical, 1):
                return False
        return True

    def _turn(self, name: str) -> None:
        self._device.rotate(ORIENTATIONS[name])

    def _notifications(self) -> bool:
        wide, tall = self._device.size
        self._device.swipe(wide // 2, 2, wide // 2, tall * 2 // 3)
        return True


def _with_child(selector: Selector, child: Selector) -> Selector:
    return {
        **selector, "childOrSibling": [*(selector.get("childOrSibling") or []), "child"],
        "childOrSiblingSelector": [*(selector.get("childOrSiblingSelector") or []), child],
    }  # fmt: skip


def _cut(node: Node, depth: int) -> Node:
    """Return an element with what is at most `depth` levels down, itself the first."""
    return replace(node, children=tuple(_cut(child, depth - 1) for child in node.children) if depth > 1 else ())
