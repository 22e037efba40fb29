"""Read a screen as DroidTask writes it: a list of elements in an HTML-like markup, with an id each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

ALIKE = 0.8
"""Jaccard index of two screens' element multisets from which they count as the same in the lenient matching."""

_ELEMENT = re.compile(
    r"<(?P<kind>\w+) id=(?P<id>\d+)(?P<rest>(?:\s+\w+=(?:'.*?'(?=\s+\w+=|\s*>)|\w+))*)\s*>(?P<words>.*?)</(?P=kind)>",
    re.DOTALL,
)
_SAID = re.compile(r"text='(.*?)'(?=\s+\w+=|\s*$)", re.DOTALL)
_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
LONGEST = 40
"""Characters of an element's words in its short name."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a recorded screen. The recordings hold neither bounds nor nesting."""

    id: int
    """Its number on the screen; recorded choices name elements by it."""
    kind: str
    """p, button, checkbox or input."""
    words: str
    """What it shows; lines are separated by " / "."""
    label: str = ""
    """Its accessibility text, where it has one."""
    checked: bool | None = None
    """For checkboxes."""

    @property
    def markup(self) -> str:
        """The element without its id: what makes it the same on two screens."""
        return f"<{self.kind} text={self.label!r} checked={self.checked}>{self.words}"

    @property
    def name(self) -> str:
        """A short name, unique on its screen: the id, and words of letters and digits only."""
        words = " ".join(_WORDS.findall(self.words or self.label))[:LONGEST].strip()
        return f"{self.id} {words or self.kind}"

    def __str__(self) -> str:
        mark = {None: "", True: ", checked", False: ", not checked"}[self.checked]
        label = f" ({self.label})" if self.label and self.label != self.words else ""
        return f'[{self.id}] {self.kind} "{self.words}"{label}{mark}'


Key = tuple[str, ...]


@dataclass(frozen=True)
class Screen:
    """One recorded screen: its elements in the recorded order."""

    elements: tuple[Element, ...]

    @cached_property
    def key(self) -> Key:
        """The sorted elements without ids: two screens with equal keys are the same state."""
        return tuple(sorted(element.markup for element in self.elements))

    @cached_property
    def _by_id(self) -> dict[int, Element]:
        return {element.id: element for element in self.elements}

    def element(self, id: int) -> Element | None:
        """Return the element of this number, or None."""
        return self._by_id.get(id)

    def like(self, other: Screen) -> float:
        """Return the Jaccard index of the two element multisets, 0 to 1."""
        mine, theirs = Counter(self.key), Counter(other.key)
        return sum((mine & theirs).values()) / max(1, sum((mine | theirs).values()))


def read_screen(markup: str) -> Screen:
    """Return the screen of a recorded state. Raises ValueError with what is left over, if anything is."""
    rest = _ELEMENT.sub("", markup).strip()
    if rest:
        raise ValueError(f"not an element: {rest[:60]!r}")
    return Screen(tuple(_element(match) for match in _ELEMENT.finditer(markup)))


def _element(match: re.Match[str]) -> Element:
    said = _SAID.search(match["rest"])
    checked = {"True": True, "False": False}.get(match["rest"].rpartition("checked=")[2].strip())
    label = _line(said[1]) if said else ""
    return Element(int(match["id"]), match["kind"], _line(match["words"]), label, checked)


def _line(text: str) -> str:
    parts = (" ".join(part.split()) for part in re.split(r"<br>|\n", text))
    return " / ".join(part for part in parts if part)
