"""What a task wants done, in words that fit any screen; each says which action it takes now, until it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.tasks.acts import FINISH, GO_BACK, UP, WAIT, Act, Where, covered, find, scrollable

Kind = Literal["subgoal", "state_change", "dependency", "exception", "context_info", "finish"]
"""AndroTMem's types of anchors."""
NOWHERE = Where()


@dataclass(frozen=True, slots=True)
class Op:
    """One thing to do; which of the fields after `kind` count depends on `do`.

    do: `goto` brings an app's first screen to the front, `tap` touches an element (scrolling to it), `text` types,
    `back` goes back, `choose` touches or types what a fact says, `compute` types what follows from facts, `wait`
    waits, `finish` ends the task.
    """

    do: Literal["goto", "tap", "text", "back", "choose", "compute", "wait", "finish"]
    says: str = ""
    """What it achieves, where it is an anchor."""
    kind: Kind | Literal[""] = ""
    """The anchor's type."""
    package: str = ""
    where: Where = NOWHERE
    value: str = ""
    fact: str = ""
    """The subject of the fact that decides."""
    plan: Mapping[str, Where | str] | None = None
    """Value of the fact -> the element to touch, or the text to type."""
    rule: str = ""
    """"lower": the text of the one of `plan`'s subjects whose believed number is lower."""
    sees: tuple[str, ...] = ()
    """Subjects of the facts that the screen shows before it is done."""

    @property
    def decides(self) -> bool:
        """Whether memory decides it."""
        return self.do == "choose"


@dataclass(frozen=True, slots=True)
class Next:
    """The action to take now; `done` says whether the op is over with it."""

    act: Act
    done: bool


def next_act(op: Op, phone: Phone, believed: Mapping[str, str]) -> Next | None:
    """Return what an op does on this screen, believing these values of facts; None where nothing is left to do."""
    if op.do == "goto":
        return _goto(op.package, phone)
    if op.do == "tap":
        return _tap(op.where, phone)
    if op.do == "choose":
        return _chosen(op, phone, believed[op.fact]) if op.fact in believed else Next(WAIT, False)
    plain = {"text": Act("text", op.value), "back": GO_BACK, "wait": WAIT, "finish": FINISH}
    return Next(plain[op.do] if op.do in plain else Act("text", computed(op, believed)), True)


def _goto(package: str, phone: Phone) -> Next | None:
    front, activity = phone.current()
    if front != package:
        return Next(Act("open_app", phone.packages()[package]), False)
    first = phone.apps[package].activities[0].name
    home = activity.removeprefix(package) == first and not phone.keyboard_shown
    return None if home else Next(GO_BACK, False)


def _tap(where: Where, phone: Phone) -> Next:
    node = find(phone, where)
    if node is not None and covered(phone, node):
        return Next(WAIT, False)  # until it is gone
    if node is not None:
        return Next(Act("tap", box=node.bounds), True)
    return Next(UP if scrollable(phone) else WAIT, False)


def _chosen(op: Op, phone: Phone, value: str) -> Next:
    to = (op.plan or {})[value]
    return _tap(to, phone) if isinstance(to, Where) else Next(Act("text", to), True)


def options_of(op: Op) -> tuple[str, ...]:
    """Return the values among which memory decides."""
    return tuple(op.plan or ())


def computed(op: Op, believed: Mapping[str, str]) -> str:
    """Return what follows from the believed values: with "lower", the text of the subject with the lowest number."""
    plan = {subject: text for subject, text in (op.plan or {}).items() if isinstance(text, str)}
    return plan[min(plan, key=lambda subject: (int(believed.get(subject, "0")), subject))]
