"""What every memory system that keeps whole records does alike; each says only what its mechanism does otherwise.

A help for the systems here: nobody has to derive from it, the protocol is `simonides.sim.protocols.MemorySystem`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simonides.memory_actors.systems.store import Records, pack_state, unpack_state
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Effect, Experience, Plain, Prepared, Record


class KeptRecords:
    """Holds `self._records`: prepares nothing, has no effects, consolidates nothing, forgets whole records.

    A system with an index made from its records, or with other state, overrides `_dropped`, `_state` and `_restored`.
    """

    def __init__(self) -> None:
        self._records = Records()

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Nothing depends on the experience alone."""
        return Prepared(experience)

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Reading has no effects."""

    async def manage(self, ctx: MemoryContext) -> None:
        """Nothing is ever consolidated."""

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """Remove every record that descends from one of these experiences."""
        self._dropped(self._records.forget(experience_ids, ctx))
        return ()

    def records(self) -> Sequence[Record]:
        """Return all records, oldest first."""
        return tuple(self._records)

    def snapshot(self) -> bytes:
        """Return all records as columns, and the rest of the state."""
        return pack_state(self._records, **self._state())

    def restore(self, data: bytes) -> None:
        """Replace all records and the rest of the state. Raises CorruptFile."""
        self._records, state = unpack_state(data, *self._state())
        self._restored(state)

    def _dropped(self, records: Sequence[Record]) -> None:
        """Take records out of what is made from them."""

    def _state(self) -> dict[str, Plain]:
        """Return the state beside the records, by name."""
        return {}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        """Take over the state beside the records, and forget what is made from them."""
