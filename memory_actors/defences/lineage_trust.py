"""Trust a record as the worst of its sources: what is derived from a doubtful text can never be trusted more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.defences.sources import TrustTable
from simonides.memory_actors.defences.standing import Standing
from simonides.sim.defences import Admission, DefenceCard, DefenceContext, Screening
from simonides.sim.types import Effect, Experience, Plain, Query, Recalled

Trust = Annotated[float, Field(ge=0.0, le=1.0)]
SHOWN = "shown"
LATEST = 64
"""Ticks for which it is kept what an agent was shown. GUESS: what is told arrives within a few ticks."""


class LineageTrust(Standing):
    """Non-amplification over lineage: the platform stamps each source, and a derived record keeps the least trust.

    Every experience gets the trust of its source: by class (`trust`, over the defaults in `sources.TRUST`), speaker and
    writer, the least of them. A record's trust is the least among its origins. Reads leave out what is trusted less
    than `threshold` (GUESS: 0.5) and show the trust of the rest as a label; `threshold` 0 only labels.

    What an agent tells on is trusted no more than the worst that this space showed it at that tick.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Trust as minimum over lineage",
        "provenance labels with a minimum over parents, as in information-flow control (Denning, CACM 1976)",
        ("admit", "screen"),
    )

    def __init__(
        self,
        trust: dict[str, Trust] | None = None,
        speakers: dict[str, Trust] | None = None,
        writers: dict[str, Trust] | None = None,
        threshold: Trust = 0.5,
    ) -> None:
        self.table, self.threshold = TrustTable(trust or {}, speakers or {}, writers or {}), threshold
        self._shown: dict[str, dict[int, float]] = {}
        """Reader -> tick -> the least trust that it was shown then, where that is less than 1."""

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Set the trust of the source; of what was heard, no more than what its teller was shown."""
        trust = self.table.of(experience)
        shown = (self._shown.get(f"{experience.world}/{who}", {}).get(tick, 1.0) for who, tick in experience.heard)
        return Admission(trust=min([trust, *shown]))

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Leave out what is trusted too little, and label the rest. A record that is gone is not trusted."""
        labelled = [item._replace(trust=min(item.trust, self._trust(item, ctx))) for item in items]
        passed = tuple(item for item in labelled if item.trust >= self.threshold and ctx.record(item.record_id))
        least = min((item.trust for item in passed), default=1.0)
        told = least < 1.0 and ctx.reader
        effects = (Effect(SHOWN, "", {"reader": ctx.reader, "tick": ctx.tick, "trust": least}),) if told else ()
        return Screening(passed, effects)

    def _trust(self, item: Recalled, ctx: DefenceContext) -> float:
        record = ctx.record(item.record_id)
        return self.table.of_record(record, ctx) if record is not None else 0.0

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Keep what a reader was shown."""
        for effect in effects:
            data = effect.data
            known = self._shown.get(data["reader"], {})
            recent = {tick: trust for tick, trust in known.items() if tick > data["tick"] - LATEST}
            recent[data["tick"]] = min(data["trust"], recent.get(data["tick"], 1.0))
            self._shown[data["reader"]] = recent

    def _state(self) -> dict[str, Plain]:
        return {"shown": {who: [list(pair) for pair in sorted(seen.items())] for who, seen in self._shown.items()}}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._shown = {who: dict(seen) for who, seen in state["shown"].items()}
