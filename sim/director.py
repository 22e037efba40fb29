"""How all worlds learn at the same tick that a conditional intervention begins: by a space that all write and read.

A world that sees a condition hold at tick t writes so; at t + 1 every world reads it, and carries it to its spaces with
the operations of t + 1. Worlds of a trial with such an intervention therefore wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simonides.sim.codec import decode, pack
from simonides.sim.errors import CorruptFile
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Effect, Experience, Prepared, Query, Recall, Recalled, Record

DIRECTOR = "director"
"""Name of the space in which worlds say what begins."""


class Director:
    """Remembers which interventions begin when; the memory system of the director's space."""

    card: ClassVar[Card] = Card("Director of interventions", "simonides.sim.director")

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Nothing is to be computed."""
        return Prepared(experience)

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Take from a world what begins with the next tick; only the first time counts."""
        for id in prepared.experience.metadata["begins"]:
            self._starts.setdefault(id, ctx.tick + 1)

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the ids of what has begun, each with its first tick as its score."""
        return Recall(tuple(Recalled(id, "", float(start)) for id, start in sorted(self._starts.items())))

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Reads have no effects."""

    async def manage(self, ctx: MemoryContext) -> None:
        """Nothing is consolidated."""

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """What has begun has begun; no text is kept of it."""
        return ()

    def records(self) -> Sequence[Record]:
        """There are none."""
        return ()

    def snapshot(self) -> bytes:
        """Return what has begun."""
        return pack(self._starts)

    def restore(self, data: bytes) -> None:
        """Go on from a snapshot. Raises CorruptFile if it is none."""
        starts = decode(data)
        if not isinstance(starts, dict):
            raise CorruptFile("This snapshot is not of a director of interventions.")
        self._starts = starts
