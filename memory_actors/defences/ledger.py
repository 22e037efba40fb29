"""Who stands behind which statement: identities by statement, from everything that was written to a space."""

from __future__ import annotations

from collections.abc import Iterable

from simonides.memory_actors.defences.statements import Statement
from simonides.sim.types import Plain


class Ledger:
    """Statements and the identities that made them, each with the last tick at which it did.

    It counts what was written, whether or not the memory system kept it; what is forgotten on request stays counted.
    """

    def __init__(self) -> None:
        self._about: dict[str, dict[str, dict[str, int]]] = {}
        """What it is about -> the value with its sign -> identity -> tick."""

    def add(self, statements: Iterable[Statement], identities: Iterable[str], tick: int) -> None:
        """Note that each of these identities makes these statements."""
        new = dict.fromkeys(identities, tick)
        for one in statements:
            self._about.setdefault(one.about, {}).setdefault(_signed(one), {}).update(new)

    def behind(self, statement: Statement) -> frozenset[str]:
        """Return the identities that make a statement."""
        return frozenset(self._about.get(statement.about, {}).get(_signed(statement), {}))

    def against(self, statement: Statement) -> frozenset[str]:
        """Return the identities that contradict a statement."""
        others = self._about.get(statement.about, {})
        return frozenset(
            who
            for signed, identities in others.items()
            if statement.contradicts(Statement(statement.about, signed[1:], signed[0] == "+", ""))
            for who in identities
        )

    def plain(self) -> Plain:
        """Return the ledger as plain data."""
        return {about: {signed: dict(who) for signed, who in values.items()} for about, values in self._about.items()}

    def restore(self, state: Plain) -> None:
        """Go to what `plain` gave."""
        self._about = {about: {s: dict(who) for s, who in values.items()} for about, values in state.items()}


def _signed(statement: Statement) -> str:
    return f"{'+' if statement.positive else '-'}{statement.value}"
