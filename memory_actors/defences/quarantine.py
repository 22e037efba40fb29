"""Hold what comes from a doubtful source until somebody else says so, or nobody has denied it for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.defences.ledger import Ledger
from simonides.memory_actors.defences.lineage_trust import Trust
from simonides.memory_actors.defences.sources import TrustTable, behind
from simonides.memory_actors.defences.standing import Standing
from simonides.memory_actors.defences.statements import Forms, Statement, reader_of
from simonides.sim.defences import ADMIT, Admission, Audit, DefenceCard, DefenceContext
from simonides.sim.types import Experience, Plain


class Quarantine(Standing):
    """An experience whose source is trusted less than `threshold` waits; the memory system gets it when it is promoted.

    Promoted is what `identities` identities stand behind, itself included, or what was not denied for `patience` ticks
    (None: never by waiting alone). It is denied by whatever was admitted at once and contradicts it. What is still
    held after `limit` ticks is dropped. Sources are trusted as in `lineage-trust`; all numbers are GUESSES. What states
    nothing that can be read can be neither denied nor confirmed, and waits.

    A promoted text denies nothing, so that one poisoned text does not keep the truth out.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Quarantine with promotion",
        "quarantine and promotion as in OWASP's agent-memory-guard; the rule is ours",
        ("admit", "audit"),
    )

    def __init__(
        self,
        threshold: Trust = 0.5,
        patience: Annotated[int | None, Field(ge=1)] = 20,
        limit: Annotated[int, Field(ge=1)] = 100,
        identities: Annotated[int, Field(ge=2)] = 2,
        trust: dict[str, Trust] | None = None,
        speakers: dict[str, Trust] | None = None,
        writers: dict[str, Trust] | None = None,
        grammar: Forms = "",
    ) -> None:
        self.threshold, self.patience, self.limit, self.identities = threshold, patience, limit, identities
        self.table = TrustTable(trust or {}, speakers or {}, writers or {})
        self.read = reader_of(grammar)
        self._all, self._sound = Ledger(), Ledger()
        """What anybody stated; what was admitted at once."""
        self._since: dict[str, int] = {}
        """Experience in quarantine -> the tick at which it came."""

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Admit what comes from a trusted source, hold the rest."""
        stated, who = self.read(experience.text), behind(experience)
        self._all.add(stated, who, experience.id)
        trust = self.table.of(experience)
        if trust >= self.threshold:
            self._sound.add(stated, who, experience.id)
            return ADMIT
        self._since[experience.id] = ctx.tick
        return Admission("hold", f"its source is trusted {trust:g}", trust)

    async def forgot(self, experiences: frozenset[str], ctx: DefenceContext) -> None:
        """Let what was purged confirm and deny nothing."""
        self._all.forget(experiences)
        self._sound.forget(experiences)

    async def audit(self, ctx: DefenceContext) -> Audit:
        """Promote what was confirmed or not denied for long enough; drop what has waited too long."""
        release, drop = [], []
        held = {one.id: one for one in ctx.held}
        self._since = {id: tick for id, tick in self._since.items() if id in held}
        for id in sorted(self._since, key=lambda one: (self._since[one], one)):
            waited, stated = ctx.tick - self._since[id], self.read(held[id].text)
            if self._confirmed(stated) or self._waited(waited, stated):
                release.append(id)
            elif waited >= self.limit:
                drop.append(id)
        for id in (*release, *drop):
            del self._since[id]
        return Audit(release=tuple(release), drop=tuple(drop), reason="promoted, or held too long")

    def _confirmed(self, stated: tuple[Statement, ...]) -> bool:
        return bool(stated) and all(len(self._all.behind(one)) >= self.identities for one in stated)

    def _waited(self, waited: int, stated: tuple[Statement, ...]) -> bool:
        if self.patience is None or waited < self.patience:
            return False
        return not any(self._sound.against(one) for one in stated)

    def _state(self) -> dict[str, Plain]:
        return {"all": self._all.plain(), "sound": self._sound.plain(), "since": dict(self._since)}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._all.restore(state["all"])
        self._sound.restore(state["sound"])
        self._since = dict(state["since"])
