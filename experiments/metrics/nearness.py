"""How near a query is to what a planted item is about, and whether what the item waits for is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simonides.experiments.metrics.locomo import normalise
from simonides.sim.types import Plain

ADJACENT, DISTANT, NEITHER = "adjacent", "distant", ""


def nearness(notes: Mapping[str, Plain], query: str, targeted: bool, decides: bool) -> str:
    """Return "adjacent", "distant" or "" for a query to a memory, from what an item's notes say of it.

    Adjacent: it serves a decision that the item is about (`targeted`), or is among the item's `adjacent` queries.
    Distant: among its `distant` ones, or, for an item that names none, it serves another decision (`decides`).
    """
    asked = normalise(query)
    if targeted or asked in map(normalise, notes.get("adjacent", ())):
        return ADJACENT
    far = notes.get("distant", ())
    return DISTANT if asked in map(normalise, far) or (decides and not far) else NEITHER


def is_triggered(notes: Mapping[str, Plain], near: str, seen: Iterable[str]) -> bool:
    """Return whether an item means a query: an adjacent one or, for an item that waits for words, any that has them.

    `seen` are the query and what its agent lived at the tick; words are compared without case.
    """
    wanted = str(notes.get("waits_for", "")).casefold()
    return any(wanted in text.casefold() for text in seen) if wanted else near == ADJACENT
