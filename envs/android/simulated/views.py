"""What an app's screen is made of: views as values, declared anew from the app's state whenever something changed.

Lengths are in dp, as Android's are; layout turns them into pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Handler = Callable[[], None]
Axis = Literal["down", "across", "over"]

TEXT = "android.widget.TextView"
BUTTON = "android.widget.Button"
IMAGE_BUTTON = "android.widget.ImageButton"
IMAGE = "android.widget.ImageView"
EDIT = "android.widget.EditText"
SWITCH = "android.widget.Switch"
CHECK_BOX = "android.widget.CheckBox"
RADIO = "android.widget.RadioButton"
LINEAR = "android.widget.LinearLayout"
FRAME = "android.widget.FrameLayout"
LIST = "androidx.recyclerview.widget.RecyclerView"
SCROLL = "android.widget.ScrollView"
PLAIN = "android.view.View"

DIALOG = "android:id/content_scroll"
"""The id of what scrolls in a dialog."""

WIDGETS = frozenset({SWITCH, CHECK_BOX, RADIO})


@dataclass(frozen=True, slots=True)
class Look:
    """How a view is drawn: `size` in sp; colours are "#rrggbb" or names of the app's theme ("primary", "surface")."""

    size: int = 15
    colour: str = "text"
    fill: str = ""
    round: int = 0
    """Radius of the corners in dp."""
    bold: bool = False
    centred: bool = False
    icon: str = ""
    """What is drawn in the middle; see `draw.ICONS`. Else the text."""
    line: bool = False
    """A thin line below, as between the rows of a list."""
    border: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view. A width or height of 0 is as much as the content needs; in a column that is the whole width."""

    kind: str
    id: str = ""
    text: str = ""
    desc: str = ""
    hint: str = ""
    children: tuple[View, ...] = ()
    on_tap: Handler | None = None
    on_long: Handler | None = None
    on_dismiss: Handler | None = None
    """A swipe sideways over it."""
    on_enter: Handler | None = None
    """ENTER in a field; without it the next field gets the focus, or the keyboard goes."""
    checked: bool | None = None
    """None for what cannot be checked."""
    enabled: bool = True
    selected: bool = False
    password: bool = False
    lines: bool = False
    """A field in which ENTER begins a new line."""
    axis: Axis = "down"
    scrolls: bool = False
    width: float = 0
    height: float = 0
    weight: float = 0
    """Share of what is left of the parent's length."""
    pad: tuple[float, float] = (0, 0)
    """Space inside, left and right, above and below."""
    gap: float = 0
    hug: Literal["", "start", "end", "centre"] = ""
    """In a column: as wide as the content, at this side."""
    look: Look = Look()

    def walk(self) -> Iterator[View]:
        """Yield this view and all below it, whether they are on the screen or not."""
        yield self
        for child in self.children:
            yield from child.walk()

    def but(self, **changes: object) -> View:
        """Return the view with some fields changed."""
        return replace(self, **changes) if changes else self  # type: ignore[arg-type]


def column(*children: View, **fields: object) -> View:
    """Return views below each other."""
    return View(LINEAR, children=children).but(**fields)


def row(*children: View, **fields: object) -> View:
    """Return views beside each other, centred in height."""
    return View(LINEAR, children=children, axis="across").but(**fields)


def over(*children: View, **fields: object) -> View:
    """Return views in the same place, the last on top."""
    return View(FRAME, children=children, axis="over").but(**fields)


def listing(id: str, *children: View, **fields: object) -> View:
    """Return a list that scrolls."""
    return View(LIST, id=id, children=children, scrolls=True, weight=1).but(**fields)


def scrolling(id: str, *children: View, **fields: object) -> View:
    """Return a page that scrolls."""
    return View(SCROLL, id=id, children=(column(*children, gap=4, pad=(16, 12)),), scrolls=True, weight=1).but(**fields)


def text(words: str, id: str = "", size: int = 15, colour: str = "text", **fields: object) -> View:
    """Return words."""
    look = Look(size, colour, bold=bool(fields.pop("bold", False)), centred=bool(fields.pop("centred", False)))
    return View(TEXT, id=id, text=words, look=look).but(**fields)


def heading(words: str) -> View:
    """Return the heading of a part of a list."""
    return text(words, size=13, colour="accent", bold=True, pad=(16, 8))


def button(words: str, on_tap: Handler | None, id: str = "", enabled: bool = True, **fields: object) -> View:
    """Return a filled button."""
    look = Look(14, "on_primary", "primary" if enabled else "#bdbdbd", 4, bold=True, centred=True)
    return View(BUTTON, id, words, on_tap=on_tap, enabled=enabled, height=40, pad=(16, 4), look=look).but(**fields)


def flat(words: str, on_tap: Handler | None, id: str = "", **fields: object) -> View:
    """Return a button without a background, as dialogs have them."""
    look = Look(14, "accent", bold=True, centred=True)
    return View(BUTTON, id, words, on_tap=on_tap, height=40, pad=(12, 4), look=look).but(**fields)


def icon(name: str, desc: str, on_tap: Handler | None, id: str = "", colour: str = "text", **fields: object) -> View:
    """Return a picture to tap."""
    look = Look(icon=name, colour=colour)
    return View(IMAGE_BUTTON, id, desc=desc, on_tap=on_tap, width=44, height=44, look=look).but(**fields)


def fab(desc: str, on_tap: Handler, id: str = "fab", name: str = "plus") -> View:
    """Return the round button that floats over a list; put it last in `over`."""
    look = Look(icon=name, colour="on_primary", fill="accent", round=28)
    view = View(IMAGE_BUTTON, id, desc=desc, on_tap=on_tap, width=56, height=56, look=look)
    return column(View(PLAIN, weight=1), row(View(PLAIN, weight=1), view, pad=(16, 16)), weight=1)


def avatar(letter: str, fill: str, size: float = 40) -> View:
    """Return a coloured disc with a letter; it says nothing to a reader."""
    look = Look(int(size * 0.45), "#ffffff", fill, int(size / 2), bold=True, centred=True, icon=f"letter:{letter[:1]}")
    return View(IMAGE, width=size, height=size, look=look)


def item(
    title: str,
    subtitle: str = "",
    on_tap: Handler | None = None,
    *,
    id: str = "",
    lead: View | None = None,
    trail: View | None = None,
    aside: str = "",
    on_long: Handler | None = None,
    ids: tuple[str, str, str] = ("title", "subtitle", "aside"),
    **fields: object,
) -> View:
    """Return a row of a list: a title, what it says below, a picture before and something behind."""
    words = [text(title, ids[0], 16)]
    if subtitle:
        words.append(text(subtitle, ids[1], 13, "faint"))
    parts = [lead] if lead is not None else []
    parts.append(column(*words, weight=1, gap=2))
    if aside:
        parts.append(text(aside, ids[2], 13, "faint"))
    if trail is not None:
        parts.append(trail)
    look = Look(line=True)
    return row(*parts, id=id, on_tap=on_tap, on_long=on_long, pad=(16, 10), gap=14, look=look).but(**fields)


def switch(on: bool, on_tap: Handler | None, id: str = "switch_widget", desc: str = "", **fields: object) -> View:
    """Return a switch."""
    return View(SWITCH, id, desc=desc, text="ON" if on else "OFF", on_tap=on_tap, checked=on, width=48, height=32).but(
        **fields
    )


def check(words: str, on: bool, on_tap: Handler | None, id: str = "", **fields: object) -> View:
    """Return a box to tick, with its words."""
    return View(CHECK_BOX, id, words, on_tap=on_tap, checked=on, height=44, pad=(4, 4), look=Look(15)).but(**fields)


def radio(words: str, on: bool, on_tap: Handler | None, id: str = "", **fields: object) -> View:
    """Return one of several choices of which one holds."""
    return View(RADIO, id, words, on_tap=on_tap, checked=on, height=44, pad=(4, 4), look=Look(15)).but(**fields)


def snippet(words: str, most: int = 30) -> str:
    """Return the beginning of a text, with an ellipsis where it is cut."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def tab(words: str, chosen: bool, on_tap: Handler, id: str = "tab") -> View:
    """Return one of the tabs below a title bar."""
    look = Look(13, "on_primary", "primary", bold=True, centred=True, border="on_primary" if chosen else "")
    return View(TEXT, id, words, on_tap=on_tap, selected=chosen, weight=1, height=44, look=look)


def title_bar(title: str, *actions: View, up: Handler | None = None, id: str = "toolbar") -> View:
    """Return the coloured bar at an activity's top: the way back, the title, what can be done."""
    parts = [icon("back", "Navigate up", up, colour="on_primary")] if up is not None else []
    name = text(title, "toolbar_title", 19, "on_primary", bold=True, weight=1, pad=(12 if up is None else 4, 0))
    coloured = [action.but(look=replace(action.look, colour="on_primary")) for action in actions]
    look = Look(fill="primary")
    return row(*parts, name, *coloured, id=id, height=56, pad=(4, 0), look=look)


def page(*parts: View) -> View:
    """Return a whole activity's content."""
    return View(LINEAR, children=parts, weight=1, look=Look(fill="surface"))


@dataclass(frozen=True, slots=True)
class Dialog:
    """A window over an activity: title, content and buttons; BACK and a tap outside call `cancel`."""

    title: str
    content: tuple[View, ...]
    cancel: Handler
    buttons: tuple[View, ...] = ()

    @classmethod
    def ask(cls, title: str, message: str, yes: str, on_yes: Handler, cancel: Handler) -> Dialog:
        """Return a question with two buttons, named as Android's AlertDialog names them."""
        words = text(message, "android:id/message", 15, "faint", pad=(24, 6))
        buttons = (flat("Cancel", cancel, "android:id/button2"), flat(yes, on_yes, "android:id/button1"))
        return cls(title, (words,), cancel, buttons)

    @classmethod
    def menu(cls, choices: tuple[tuple[str, Handler], ...], cancel: Handler, title: str = "") -> Dialog:
        """Return a list of choices."""
        rows = tuple(text(words, "android:id/text1", 16, on_tap=do, pad=(24, 12)) for words, do in choices)
        return cls(title, rows, cancel)

    def view(self) -> View:
        """Return the dialog's box."""
        title = (text(self.title, "android:id/alertTitle", 19, bold=True, pad=(24, 10)),) if self.title else ()
        buttons = (row(View(PLAIN, weight=1), *self.buttons, pad=(12, 4)),) if self.buttons else ()
        content = View(SCROLL, children=(column(*self.content),), scrolls=True, weight=1, id=DIALOG)
        return column(*title, content, *buttons, pad=(0, 8), look=Look(fill="surface", round=6))
