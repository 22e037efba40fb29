"""Actions on a device in AndroTMem's vocabulary, and what of a screen can be acted on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simonides.envs.android.device import Node
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.system import KEYBOARD, SYSTEM_UI
from simonides.sim.types import Plain

HOME, BACK = 3, 4
EDIT = "android.widget.EditText"
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Act:
    """One action: its type, the text or the app's name, the element's box in pixels, a swipe's direction."""

    action: str
    value: str = ""
    box: Box | None = None
    """Left, top, right, bottom."""
    direction: str = ""

    def form(self) -> dict[str, Plain]:
        """Return AndroTMem-Bench's `actionForm`."""
        box: list[Plain] = list(self.box) if self.box else []
        return {"action": self.action, "value": self.value, "bbox": box, "direction": self.direction}

    def prediction(self, size: tuple[int, int]) -> dict[str, Plain]:
        """Return the action as a prediction line's `action`; points are pixels of a screen of this size."""
        x, y = self.centre
        said: dict[str, Plain] = {"action": self.action, "x": x, "y": y, "value": self.value}
        return said | {"x_end": 0, "y_end": 0, "direction": self.direction, "distance": ""}

    @property
    def centre(self) -> tuple[int, int]:
        """The middle of the box, (0, 0) without one."""
        left, top, right, bottom = self.box or (0, 0, 0, 0)
        return (left + right) // 2, (top + bottom) // 2


WAIT, FINISH, GO_BACK, GO_HOME = Act("wait"), Act("FINISH"), Act("back"), Act("home")
UP, DOWN = Act("swipe", direction="up"), Act("swipe", direction="down")


def perform(phone: Phone, act: Act) -> None:
    """Do an action on the phone; a tap goes to the middle of its box. FINISH and capture_screen leave it alone."""
    if act.action == "tap":
        phone.tap(*act.centre)
    elif act.action == "text":
        phone.type(act.value)
    elif act.action == "open_app":
        phone.start({label: package for package, label in phone.packages().items()}[act.value])
    elif act.action == "swipe":
        wide, tall = phone.size
        low, high = int(tall * 0.6), int(tall * 0.3)
        start, end = (low, high) if act.direction == "up" else (high, low)
        phone.swipe(wide // 2, start, wide // 2, end)
    elif act.action in ("home", "back"):
        phone.key(HOME if act.action == "home" else BACK)
    elif act.action == "wait":
        phone.advance(1.0)


@dataclass(frozen=True, slots=True)
class Where:
    """How an element is known on whatever screen it stands: by its text, id (without package) or description."""

    text: str = ""
    id: str = ""
    desc: str = ""
    hint: str = ""

    def fits(self, node: Node) -> bool:
        """Return whether a node is what is meant."""
        return (
            self.text in ("", node.text)
            and self.id in ("", node.resource_id, node.resource_id.partition(":id/")[2])
            and self.desc in ("", node.content_desc)
            and self.hint in ("", node.hint)
        )


def roots(phone: Phone) -> list[Node]:
    """Return what apps and dialogs show: no bars, no keyboard."""
    return [root for root in phone.windows() if root.package not in (SYSTEM_UI, KEYBOARD)]


def _paths(node: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
    here = (*above, node)
    yield here
    for child in node.children:
        yield from _paths(child, here)


def find(phone: Phone, where: Where) -> Node | None:
    """Return what a tap on an element acts on: itself, or what holds it and can be tapped. None where it is not shown.

    What lies under another window's element is still found: dialogs come last, and the last window wins.
    """
    for root in reversed(roots(phone)):
        for path in _paths(root):
            if where.fits(path[-1]):
                target = next((node for node in reversed(path) if node.clickable), None)
                if target is not None and target.enabled:
                    return target
    return None


def covered(phone: Phone, node: Node) -> bool:
    """Return whether a notification that has just come in would take a tap to the middle of an element."""
    card = phone.find(resource_id=f"{SYSTEM_UI}:id/heads_up") if phone.heads_up else None
    if card is None:
        return False
    (left, top, right, bottom), (x, y) = card.bounds, Act("tap", box=node.bounds).centre
    return left <= x < right and top <= y < bottom


def words_of(node: Node) -> str:
    """Return what an element says: its own words, or those within."""
    own = node.text or node.content_desc or node.hint
    return own or ", ".join(text for one in node.walk() if (text := one.text or one.content_desc))


def targets(phone: Phone) -> list[tuple[Node, str]]:
    """Return what can be tapped on the screen and its words, in the order of the dump."""
    shown = [node for root in roots(phone) for node in root.walk() if node.clickable and node.enabled]
    return [(node, words_of(node)) for node in shown]


def scrollable(phone: Phone) -> bool:
    """Return whether anything on the screen scrolls."""
    return any(node.scrollable for root in roots(phone) for node in root.walk())


def texts(phone: Phone) -> Sequence[str]:
    """Return the words of all elements that apps and dialogs show, in the order of the dump."""
    return [node.text for root in roots(phone) for node in root.walk() if node.text]
