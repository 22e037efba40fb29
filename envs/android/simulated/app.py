"""What an app is: a package with a database and activities, each of which declares its screen from its state."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from simonides.envs.android.simulated.views import EDIT, Dialog, Look, View
from simonides.sim.types import Plain

if TYPE_CHECKING:
    from simonides.envs.android.simulated.phone import Phone
    from simonides.envs.android.simulated.world import World

MAIN, VIEW, SEND, PICK, DIAL, SENDTO, INSERT, EDIT_ACTION = (
    f"android.intent.action.{name}" for name in ("MAIN", "VIEW", "SEND", "PICK", "DIAL", "SENDTO", "INSERT", "EDIT")
)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted of an activity: an action on some data; with `component` ("package/.Class") of that one alone."""

    action: str = MAIN
    data: str = ""
    type: str = ""
    extras: Mapping[str, Plain] = field(default_factory=dict)
    component: str = ""

    @property
    def scheme(self) -> str:
        """The data's scheme, such as "tel"."""
        return self.data.partition(":")[0] if ":" in self.data else ""

    @property
    def rest(self) -> str:
        """The data after its scheme."""
        return self.data.partition(":")[2]

    def plain(self) -> dict[str, Plain]:
        """Return the intent as plain data."""
        return {
            "action": self.action,
            "data": self.data,
            "type": self.type,
            "extras": dict(self.extras),
            "component": self.component,
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """What an activity takes: an action, and where named the data's scheme and type ("text/*" fits "text/plain")."""

    action: str
    scheme: str = ""
    type: str = ""

    def takes(self, intent: Intent) -> bool:
        """Return whether an intent passes, by Android's tests of action, data and type."""
        kind, _, rest = self.type.partition("/")
        typed = self.type == intent.type or (rest == "*" and intent.type.startswith(f"{kind}/"))
        return intent.action == self.action and self.scheme == intent.scheme and typed


@dataclass(slots=True)
class Record:
    """One activity on a stack: all of it that is kept, so that rotation and snapshots lose nothing."""

    id: int
    component: str
    intent: Intent
    state: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    """What is typed into the fields, by view id."""
    scrolled: dict[str, int] = field(default_factory=dict)
    """Pixels by which lists are scrolled, by view id."""
    focus: str = ""
    """The id of the field that has the focus."""
    caller: int = 0
    """The record that waits for a result, 0 for none."""
    request: str = ""

    @property
    def package(self) -> str:
        """The package of the activity."""
        return self.component.partition("/")[0]


class Activity:
    """One screen of an app. `self.state` holds plain data and is kept; the object itself is made anew at will.

    `build` declares the content and `dialog` a window over it; both are called again after whatever may have changed
    something. Handlers are closures over the activity: they change the state, the database, or call `open` and
    `finish`.
    """

    name: ClassVar[str] = ".MainActivity"
    filters: ClassVar[tuple[Filter, ...]] = ()

    def __init__(self, phone: Phone, record: Record) -> None:
        self.phone, self.record = phone, record
        self.state, self.intent = record.state, record.intent

    def build(self) -> View:
        """Return the content."""
        raise NotImplementedError

    def dialog(self) -> Dialog | None:
        """Return the window over the content, None for none."""
        return None

    def created(self) -> None:
        """Fill state and fields when the activity is started for the first time."""

    def resumed(self, request: str, result: Mapping[str, Any] | None) -> None:
        """Take the result of an activity that was opened for one; None where it was left without."""

    def back(self) -> bool:
        """Handle BACK; return false to leave the activity."""
        return False

    @property
    def db(self) -> sqlite3.Connection:
        """The app's database."""
        return self.phone.database(self.record.package)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a query to the app's database."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, None for none."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def do(self, sql: str, *values: Any) -> int:
        """Change the app's database; return the id of a new row."""
        return self.db.execute(sql, values).lastrowid or 0

    def open(self, intent: Intent, request: str = "") -> None:
        """Start another activity, with a `request` for its result."""
        self.phone.open(intent, self.record, request)

    def go(self, name: str, **extras: Plain) -> None:
        """Start another activity of this app."""
        self.open(Intent(extras=extras, component=f"{self.record.package}/{name}"))

    def finish(self, **result: Plain) -> None:
        """Leave the activity, with a result for who asked."""
        self.phone.finish(self.record, result or None)

    def set(self, **state: Plain) -> Callable[[], None]:
        """Return a handler that sets some of the state."""
        return lambda: self.state.update(state)

    def typed(self, id: str) -> str:
        """Return what stands in a field, without spaces at its ends."""
        return self.record.fields.get(id, "").strip()

    def field(self, id: str, hint: str, **fields: object) -> View:
        """Return a field; what is typed into it is kept under its id."""
        look = Look(16, line=True)
        words = self.record.fields.get(id, "")
        return View(EDIT, id, words, hint=hint, pad=(8, 8), look=look).but(**fields)


class App:
    """A package: its name and colour, its tables, its activities (the first is the launcher's), what it does unseen."""

    package: ClassVar[str]
    label: ClassVar[str]
    colour: ClassVar[str] = "#3f51b5"
    accent: ClassVar[str] = "#d81b60"
    schema: ClassVar[str] = ""
    activities: ClassVar[tuple[type[Activity], ...]]
    hidden: ClassVar[bool] = False
    """Whether it has no icon on the launcher."""

    def installed(self, phone: Phone) -> None:
        """Set up what every new phone has (folders, standard rows)."""

    def populate(self, phone: Phone, world: World) -> None:
        """Fill the database with what its owner has, drawn from the world."""

    def received(self, phone: Phone, intent: Intent) -> None:
        """Take a broadcast: an alarm that is due, a message that comes in, a phone that has started."""

    def activity(self, name: str) -> type[Activity]:
        """Return the activity class of a name. Raises KeyError."""
        short = name.removeprefix(self.package)
        return {one.name: one for one in self.activities}[short or self.activities[0].name]
