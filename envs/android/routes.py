"""Where to touch next: a way through an app as steps, of which the last that can be taken now is the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simonides.envs.android.elements import Screen, UIElement


@dataclass(frozen=True, slots=True)
class Touch:
    """Touch what says `label`, or has `id`; only where `given` is on the screen, too, if it is named."""

    label: str = ""
    id: str = ""
    given: str = ""

    def found(self, screen: Screen) -> int | None:
        """Return the index of what to touch, None where it is not on the screen."""
        if self.given and not screen.shows(self.given):
            return None
        return next((i for i, element in enumerate(screen.elements) if self._fits(screen, i, element)), None)

    def _fits(self, screen: Screen, index: int, element: UIElement) -> bool:
        if not (element.is_clickable and element.is_enabled):
            return False
        named = self.label in ("", screen.names[index], element.content_description)
        return named and (not self.id or (element.resource_id or "").endswith(f":id/{self.id}"))


@dataclass(frozen=True, slots=True)
class Route:
    """A way: in which app, and what to touch there, one after another."""

    app: str
    touches: Sequence[Touch]

    def next(self, screen: Screen) -> str:
        """Return the words of the action to take now: the last step that is possible, or one that leads to the way."""
        for touch in reversed(self.touches):
            index = touch.found(screen)
            if index is not None:
                return click(screen, index)
        if screen.app != self.app:
            return f"open_app: {self.app}"
        below = next((i for i, element in enumerate(screen.elements) if element.is_scrollable), None)
        if below is None or screen.shows("Navigate up"):
            return "navigate_back"
        return f"scroll down {below}"


def click(screen: Screen, index: int) -> str:
    """Return the words of a click, as `actions.legal` lists them."""
    name = screen.names[index].replace("\n", " ").strip()
    return f"click {index}: {name}" if name else f"click {index}"
