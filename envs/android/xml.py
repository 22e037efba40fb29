"""Write what a device shows as uiautomator writes it, and read such dumps.

The form is that of AOSP's AccessibilityNodeInfoDumper: `<hierarchy rotation>` with nested `<node>`, its attributes in a
fixed order, invisible children left out. Some versions add `drawing-order`, `hint` and others: what is unknown is
passed over when reading, `hint` is read and, with `hints=True`, written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from operator import attrgetter
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from simonides.envs.android.device import Node
from simonides.sim.errors import DataError

_HEAD = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"
_BOUNDS = re.compile(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]")
_UNPRINTABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"[ -!#-%'-;=?-~]*")
_ENTITIES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;", '"': "&quot;"}

FLAGS = (
    "checkable", "checked", "clickable", "enabled", "focusable", "focused", "scrollable", "long-clickable",
    "password", "selected",
)  # fmt: skip
"""The attributes that are true or false, in uiautomator's order."""

_flags = attrgetter(*(flag.replace("-", "_") for flag in FLAGS))
_FLAGS = {
    values: " ".join(f'{flag}="{str(value).lower()}"' for flag, value in zip(FLAGS, values, strict=True))
    for values in product((False, True), repeat=len(FLAGS))
}
"""All 1024 ways in which they may be set, as they are written: most of a dump is this."""


def write(windows: Sequence[Node], rotation: int, hints: bool = False) -> str:
    """Return the dump of some windows, each a child of the root; uiautomator itself dumps one, the active window."""
    nodes = "".join(piece for index, node in enumerate(windows) for piece in _written(node, index, hints))
    return f'{_HEAD}<hierarchy rotation="{rotation}">{nodes}</hierarchy>'


def _written(node: Node, index: int, hints: bool) -> Iterator[str]:
    left, top, right, bottom = node.bounds
    naf = ' NAF="true"' if node.naf else ""
    hint = f' hint="{_escaped(node.hint)}"' if hints else ""
    yield (
        f'<node{naf} index="{index}" text="{_escaped(node.text)}" resource-id="{_escaped(node.resource_id)}"'
        f' class="{_escaped(node.class_name)}" package="{_escaped(node.package)}"'
        f' content-desc="{_escaped(node.content_desc)}" {_FLAGS[_flags(node)]}'
        f' bounds="[{left},{top}][{right},{bottom}]"{hint}'
    )
    if not node.children:
        yield " />"
        return
    yield ">"
    for place, child in enumerate(node.children):
        yield from _written(child, place, hints)
    yield "</node>"


def _escaped(value: str) -> str:
    """Return an attribute's value; what XML cannot hold becomes a dot, as uiautomator does it."""
    if _PLAIN.fullmatch(value):
        return value
    return escape(_UNPRINTABLE.sub(".", value), _ENTITIES)


def read(dump: str | bytes) -> tuple[int, tuple[Node, ...]]:
    """Return rotation and windows of a dump. Raises DataError for what is none, saying where it ends being one."""
    try:
        root = ElementTree.fromstring(dump.encode() if isinstance(dump, str) else dump)
    except ElementTree.ParseError as error:
        raise DataError(f"This is no uiautomator dump: {error}. Dump the screen again.") from None
    if root.tag != "hierarchy":
        raise DataError(f"A uiautomator dump begins with <hierarchy>, this with <{root.tag}>.")
    return int(root.get("rotation", "0")), tuple(_read(element) for element in root.findall("node"))


def _read(element: ElementTree.Element) -> Node:
    bounds = _BOUNDS.fullmatch(element.get("bounds", ""))
    if bounds is None:
        raise DataError(f"A node's bounds are [l,t][r,b]; found {element.get('bounds')!r}.")
    left, top, right, bottom = map(int, bounds.groups())
    return Node(
        class_name=element.get("class", ""), bounds=(left, top, right, bottom), text=element.get("text", ""),
        resource_id=element.get("resource-id", ""), package=element.get("package", ""),
        content_desc=element.get("content-desc", ""), hint=element.get("hint", ""), naf=element.get("NAF") == "true",
        children=tuple(_read(child) for child in element.findall("node")),
        **{flag.replace("-", "_"): element.get(flag) == "true" for flag in FLAGS},
    )  # fmt: skip
