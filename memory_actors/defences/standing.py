"""What every defence here does alike: doors where it has nothing to say, and its state as bytes.

A help for the defences here: nobody has to derive from it, the protocol is `simonides.sim.defences.Defence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simonides.sim.codec import decode, encode
from simonides.sim.defences import ADMIT, NOTHING, Admission, Audit, DefenceContext, Screening
from simonides.sim.errors import CorruptFile
from simonides.sim.types import Effect, Experience, Plain, Query, Recalled


class Standing:
    """Lets everything pass and keeps nothing; a defence overrides the doors that its card names.

    One with a state overrides `_state` and `_restored`. Maps come back sorted by key:
    no verdict may hang on their order.
    """

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Admit it."""
        return ADMIT

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Show all items."""
        return Screening(tuple(items))

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Reading teaches it nothing."""

    async def audit(self, ctx: DefenceContext) -> Audit:
        """Ask for nothing."""
        return NOTHING

    def snapshot(self) -> bytes:
        """Return the state."""
        return encode({"defence": type(self).__name__, **self._state()})

    def restore(self, data: bytes) -> None:
        """Replace the state. Raises CorruptFile for that of something else."""
        state = decode(data)
        wanted = {"defence", *self._state()}
        if not isinstance(state, dict) or set(state) != wanted or state["defence"] != type(self).__name__:
            raise CorruptFile(f"This snapshot is not of the defence {type(self).__name__} of this version.")
        self._restored(state)

    def _state(self) -> dict[str, Plain]:
        """Return the state, by name."""
        return {}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        """Take over the state."""
