"""The shell commands that touch and look: input, uiautomator, screencap, wm."""

from __future__ import annotations

import struct
from io import BytesIO
from xml.sax.saxutils import quoteattr

from PIL import Image

from simonides.envs.android import xml
from simonides.envs.android.adbd.shell import Call, command, options
from simonides.envs.android.device import Device, Node, Pixels
from simonides.envs.android.gestures import stroke
from simonides.envs.android.keycodes import keycode

DUMP = "/sdcard/window_dump.xml"
SWIPE = 300
"""Milliseconds that a swipe of `input` takes if nothing is said."""
TOUCH_SOURCES = frozenset({"touchscreen", "mouse", "keyboard", "touchpad", "stylus", "dpad", "trackball"})
RGBA_8888, SRGB = 1, 1


def focused_first(device: Device) -> list[Node]:
    """Return the roots of the windows, the one with the focus first, then the others from above.

    The focus is with the highest window of the current app, else with the lowest shown, which covers the app.
    """
    windows = list(device.windows())
    package, _ = device.current()
    place = max((place for place, root in enumerate(windows) if root.package == package), default=0)
    return [windows[place], *reversed(windows[:place] + windows[place + 1 :])]


def active(device: Device) -> Node:
    """Return the root of the window that has the focus."""
    return focused_first(device)[0]


@command("input")
def _input(call: Call) -> int:
    words = list(call.arguments)
    if words[:1] and words[0] in TOUCH_SOURCES:
        words.pop(0)
    if words[:1] == ["-d"]:
        words = words[2:]
    match words:
        case ["tap", x, y]:
            call.device.tap(round(float(x)), round(float(y)))
        case ["swipe" | "draganddrop", x0, y0, x1, y1, *rest]:
            start, end = (round(float(x0)), round(float(y0))), (round(float(x1)), round(float(y1)))
            stroke(call.device, [start, end], int(rest[0]) if rest else SWIPE)
        case ["text", *text]:
            return _text(call, " ".join(text))
        case ["keyevent", *names]:
            return _keys(call, [name for name in names if not name.startswith("--")])
        case _:
            return call.complain("Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]", 1)
    return 0


def _text(call: Call, text: str) -> int:
    """Type; %s is a space, and what the key map has no key for is refused, as Android's `input` refuses it."""
    if not text.isascii():
        call.error += b"Exception occurred while executing 'text':\njava.lang.NullPointerException: "
        return call.complain("Attempt to get length of null array", 255)
    call.device.type(text.replace("%s", " "))
    return 0


def _keys(call: Call, names: list[str]) -> int:
    for name in names:
        try:
            code = keycode(name)
        except ValueError:
            return call.complain(f"Error: Invalid arguments for command: keyevent {name}", 255)
        call.device.key(code)
    return 0


@command("uiautomator")
def _uiautomator(call: Call) -> int:
    if call.arguments[:1] != ["dump"]:
        return call.complain("Usage: uiautomator dump [--compressed] [--windows] [file]")
    flags = {flag for flag, _ in options(call.arguments[1:]) if flag}
    paths = [value for flag, value in options(call.arguments[1:]) if not flag]
    written = _all_windows(call.device) if "--windows" in flags else dump_of(call.device)
    path = paths[0] if paths else DUMP
    if path in ("/dev/tty", "/dev/stdout", "/proc/self/fd/1"):
        call.out += written.encode()
    else:
        call.files.write(call.path(path), written.encode())
    return call.say(f"UI hierchary dumped to: {path}")


def dump_of(device: Device) -> str:
    """Return the dump of the window that has the focus, as `uiautomator dump` writes it."""
    return xml.write([active(device)], device.rotation)


def _all_windows(device: Device) -> str:
    """Return all windows, the highest first, in the form of AOSP's `dumpWindowsToFile`, with hints."""
    pieces = []
    windows = device.windows()
    for index, root in enumerate(reversed(windows)):
        left, top, right, bottom = root.bounds
        words = {
            "index": str(index), "id": str(len(windows) - index), "title": root.package,
            "bounds": f"[{left},{top}][{right},{bottom}]", "layer": str(len(windows) - index - 1),
        }  # fmt: skip
        tree = xml.write([root], device.rotation, hints=True).partition("?>")[2]
        pieces.append(
            f"<window {' '.join(f'{name}={quoteattr(value)}' for name, value in words.items())}>{tree}</window>"
        )
    head = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
    return f'{head}<displays><display id="0">{"".join(pieces)}</display></displays>'


@command("screencap")
def _screencap(call: Call) -> int:
    given = list(options(call.arguments, "-d"))
    paths = [value for flag, value in given if not flag]
    pixels = call.device.screenshot()
    named = bool(paths) and paths[0].endswith(".png")
    data = png(pixels) if named or any(flag == "-p" for flag, _ in given) else raw(pixels)
    if paths:
        call.files.write(call.path(paths[0]), data)
    else:
        call.out += data
    return 0


def png(pixels: Pixels) -> bytes:
    """Return uint8[height, width, 3] as PNG."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def raw(pixels: Pixels) -> bytes:
    """Return pixels as `screencap` writes them: width, height, format, colour space, then RGBA."""
    height, width, _ = pixels.shape
    head = struct.pack("<4I", width, height, RGBA_8888, SRGB)
    return head + Image.fromarray(pixels).convert("RGBA").tobytes()


@command("wm")
def _wm(call: Call) -> int:
    wide, tall = upright(call.device)
    match call.arguments:
        case ["size"]:
            return call.say(f"Physical size: {wide}x{tall}")
        case ["density"]:
            return call.say(f"Physical density: {call.device.properties().get('ro.sf.lcd_density', '160')}")
        case ["size" | "density", "reset"] | ["dismiss-keyguard"]:
            return 0
        case ["user-rotation", "lock", quarter] | ["set-user-rotation", "lock", quarter]:
            call.device.rotate(int(quarter))
            return 0
        case ["user-rotation" | "get-user-rotation"]:
            return call.say(f"lock {call.device.rotation}")
    return call.complain(f"wm: {' '.join(call.arguments)}: this device's screen is fixed", 255)


def upright(device: Device) -> tuple[int, int]:
    """Return width and height in pixels of a device that is not turned."""
    wide, tall = device.size
    return (tall, wide) if device.rotation % 2 else (wide, tall)
