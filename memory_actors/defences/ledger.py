"""Who stands behind which statement: identities by statement, from everything that was written to a space."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from simonides.memory_actors.defences.statements import Statement
from simonides.sim.types import Plain


class Ledger:
    """Statements and the identities that made them, each with the experiences in which it did.

    It counts what was written, whether or not the memory system kept it; what was purged no longer counts.
    """

    def __init__(self) -> None:
        self._about: dict[str, dict[str, dict[str, set[str]]]] = {}
        """What it is about -> the value with its sign -> identity -> experiences."""

    def add(self, statements: Iterable[Statement], identities: Iterable[str], experience: str) -> None:
        """Note that each of these identities makes these statements in an experience."""
        who = tuple(identities)
        for one in statements:
            known = self._about.setdefault(one.about, {}).setdefault(_signed(one), {})
            for identity in who:
                known.setdefault(identity, set()).add(experience)

    def forget(self, experiences: Collection[str]) -> None:
        """Count these experiences no more; who made a statement in another one still stands behind it."""
        for values in self._about.values():
            for known in values.values():
                for who in sorted(known):
                    known[who].difference_update(experiences)
                    if not known[who]:
                        del known[who]

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
        return {
            about: {signed: {who: sorted(ids) for who, ids in known.items()} for signed, known in values.items()}
            for about, values in self._about.items()
        }

    def restore(self, state: Plain) -> None:
        """Go to what `plain` gave."""
        self._about = {
            about: {signed: {who: set(ids) for who, ids in known.items()} for signed, known in values.items()}
            for about, values in state.items()
        }


def _signed(statement: Statement) -> str:
    return f"{'+' if statement.positive else '-'}{statement.value}"
