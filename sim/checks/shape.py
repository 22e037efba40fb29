"""Check that an object has the methods of a memory system before anything is asked of it."""

from __future__ import annotations

import inspect
from dataclasses import fields

from simonides.sim.checks.report import Subject, Unmet, demand
from simonides.sim.types import Card

ASYNC = {"prepare": 2, "write": 2, "read": 2, "absorb": 2, "manage": 1, "forget": 2}
SYNC = {"records": 0, "snapshot": 0, "restore": 1}
ARGUMENTS = {
    "prepare": "experience, ctx",
    "write": "prepared, ctx",
    "read": "query, ctx",
    "absorb": "effects, ctx",
    "manage": "ctx",
    "forget": "experience_ids, ctx",
    "records": "",
    "snapshot": "",
    "restore": "data",
}


def _signature(method: str) -> str:
    inside = ", ".join(filter(None, ["self", ARGUMENTS[method]]))
    return f"{'async ' if method in ASYNC else ''}def {method}({inside})"


def _problem(system: object, method: str, count: int) -> str:
    """Return what is wrong with one method, or nothing."""
    function = getattr(system, method, None)
    if not callable(function):
        return f"{method} is missing"
    if inspect.iscoroutinefunction(function) != (method in ASYNC):
        return f"{method} is {'not ' if method in ASYNC else ''}asynchronous"
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return f"{method}{inspect.signature(function)} does not take ({ARGUMENTS[method]})"
    return ""


async def shape(subject: Subject) -> None:
    """Raise Unmet, naming every method that is missing, of the wrong kind or with other arguments, or a wrong card."""
    system = subject.make()
    problems = {method: _problem(system, method, count) for method, count in {**ASYNC, **SYNC}.items()}
    wrong = {method: problem for method, problem in problems.items() if problem}
    if wrong:
        wanted = "; ".join(_signature(method) for method in wrong)
        raise Unmet(
            "the methods of MemorySystem (simonides.sim.protocols)", "; ".join(wrong.values()), f"write {wanted}"
        )
    card = getattr(system, "card", None)
    missing = [item.name for item in fields(Card) if not hasattr(card, item.name)]
    advice = 'card: ClassVar[Card] = Card("My memory", "where it is published")'
    found = "no card" if card is None else f"a card without {', '.join(missing)}"
    demand(not missing, "a class attribute `card` (simonides.sim.types.Card)", found, advice)
