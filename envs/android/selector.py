"""Find elements on the screen by uiautomator's UiSelector, as its clients write it down as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simonides.envs.android.device import Node

TEXTS: Mapping[str, Callable[[Node], str]] = {
    "text": lambda node: node.text,
    "description": lambda node: node.content_desc,
    "className": lambda node: node.class_name,
    "packageName": lambda node: node.package,
    "resourceId": lambda node: node.resource_id,
}
FLAGS: Mapping[str, Callable[[Node], bool]] = {
    "checkable": lambda node: node.checkable,
    "checked": lambda node: node.checked,
    "clickable": lambda node: node.clickable,
    "longClickable": lambda node: node.long_clickable,
    "scrollable": lambda node: node.scrollable,
    "enabled": lambda node: node.enabled,
    "focusable": lambda node: node.focusable,
    "focused": lambda node: node.focused,
    "selected": lambda node: node.selected,
}
HOWS: Mapping[str, Callable[[str, str], bool]] = {
    "Contains": lambda found, wanted: wanted.lower() in found.lower(),
    "StartsWith": lambda found, wanted: found.lower().startswith(wanted.lower()),
    "Matches": lambda found, wanted: _pattern(wanted).fullmatch(found) is not None,
}
"""UiSelector compares whole texts exactly, parts of them in any case."""
STRUCTURE = frozenset({"mask", "childOrSibling", "childOrSiblingSelector", "instance"})


@dataclass(frozen=True, slots=True)
class Found:
    """An element with its place: among its parent's children, and the parent, None for a window."""

    node: Node
    index: int
    parent: Found | None

    def below(self) -> Iterator[Found]:
        """Yield this element and all below it."""
        yield self
        for index, child in enumerate(self.node.children):
            yield from Found(child, index, self).below()


Selector = Mapping[str, Any]


def select(windows: Sequence[Node], selector: Selector) -> list[Found]:
    """Return the elements that a selector means, in the order of the dump; with `instance`, that one alone.

    Raises ValueError for a field that UiSelector does not know, and for what is no selector.
    """
    everything = [found for index, root in enumerate(windows) for found in Found(root, index, None).below()]
    matched = _matching(everything, selector)
    kinds, others = selector.get("childOrSibling") or [], selector.get("childOrSiblingSelector") or []
    for kind, other in zip(kinds, others, strict=True):
        matched = _matching(_related(kind, matched), other)
    return matched


def _related(kind: str, matched: Iterable[Found]) -> list[Found]:
    """Return what is below the elements, or below their parents, each once."""
    related: dict[int, Found] = {}
    for found in matched:
        top = found.parent if kind == "sibling" else found
        for one in top.below() if top is not None else ():
            if one.node is not top.node:  # type: ignore[union-attr]  # never None here
                related.setdefault(id(one.node), one)
    return list(related.values())


def _matching(candidates: Iterable[Found], selector: Selector) -> list[Found]:
    if not isinstance(selector, Mapping):
        raise ValueError(f"A selector is a map of UiSelector's fields; found {selector!r}.")
    wanted = {name: value for name, value in selector.items() if name not in STRUCTURE}
    matched = [found for found in candidates if all(_fits(found, name, value) for name, value in wanted.items())]
    if "instance" not in selector:
        return matched
    instance = int(selector["instance"])
    return matched[instance : instance + 1]


def _pattern(wanted: str) -> re.Pattern[str]:
    try:
        return re.compile(wanted, re.DOTALL)
    except re.error as error:
        raise ValueError(f"{wanted!r} is no regular expression: {error}.") from None


def _fits(found: Found, name: str, value: Any) -> bool:
    if name == "index":
        return found.index == int(value)
    if name in FLAGS:
        return FLAGS[name](found.node) == bool(value)
    for base, text in TEXTS.items():
        if name == base:
            return text(found.node) == str(value)
        how = HOWS.get(name.removeprefix(base)) if name.startswith(base) else None
        if how is not None:
            return how(text(found.node), str(value))
    raise ValueError(f"UiSelector has no field {name!r}. Known: {', '.join([*TEXTS, *FLAGS, 'index', 'instance'])}.")
