"""Trust that is made of several signals and fades with time, with a threshold where a memory is written and read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.memory_actors.defences.ledger import Ledger
from simonides.memory_actors.defences.lineage_trust import Trust
from simonides.memory_actors.defences.sources import TrustTable, behind
from simonides.memory_actors.defences.standing import Standing
from simonides.memory_actors.defences.statements import Forms, reader_of
from simonides.sim.defences import Admission, DefenceCard, DefenceContext, Screening
from simonides.sim.errors import StudyError
from simonides.sim.types import Experience, Plain, Query, Recalled

DAY = 86_400.0
PATTERNS = (
    r"\bignore (?:all|any|the|your) (?:previous|earlier|other)\b",
    r"\b(?:pass|copy|repeat|forward) this\b",
    r"\bRule for [^;\n]+?: answer\b",
    r"\balways (?:answer|say|choose|use)\b",
    r"\b(?:remember|note) (?:that|this):",
    r"\bsystem (?:message|prompt|note)\b",
    r"\bTask: [^;\n]+?; steps:",
)
"""What instructions look like. GUESS: ours, short on purpose; a study gives its own."""
UNKNOWN = 0.5
"""Agreement of what nobody else has said anything about."""


class TrustDecay(Standing):
    """Composite trust: how far the source is trusted, whether a text looks like an instruction, and who agrees with it.

    trust = (w_s * source + w_p * pattern + w_a * agreement) / (w_s + w_p + w_a), with `source` from the table of
    `lineage-trust`, `pattern` 0 for a text in which one of `patterns` is found and else 1, and `agreement` the share of
    the identities behind a text's least supported statement among those for and against it, without its own (one half
    where there are none). At a write, what is trusted less than `write` is refused. At a read the trust of a record is
    the least of what its origins were trusted when written and what its text is trusted now, halved every `half_life`
    days of simulated time since the record was written; below `read` it is left out, else shown as a label.

    Weights, thresholds and half-life are GUESSES: the paper tells that a wrong threshold blocks all or misses what is
    subtle, and that is what to vary.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Composite trust with temporal decay", "after arXiv 2601.05504; weights are ours", ("admit", "screen")
    )

    def __init__(
        self,
        write: Trust = 0.4,
        read: Trust = 0.4,
        half_life: Annotated[float, Field(gt=0.0)] = 30.0,
        source: Annotated[float, Field(ge=0.0)] = 0.5,
        pattern: Annotated[float, Field(ge=0.0)] = 0.3,
        agreement: Annotated[float, Field(ge=0.0)] = 0.2,
        patterns: list[str] | None = None,
        trust: dict[str, Trust] | None = None,
        speakers: dict[str, Trust] | None = None,
        writers: dict[str, Trust] | None = None,
        grammar: Forms = "",
    ) -> None:
        """Raises StudyError for weights that are all 0, or a pattern that is no regular expression."""
        if source + pattern + agreement <= 0.0:
            raise StudyError("trust-decay: source, pattern and agreement all weigh 0; give one of them a weight.")
        self.write, self.least, self.half_life = write, read, half_life
        self.weights = (source, pattern, agreement)
        self.table = TrustTable(trust or {}, speakers or {}, writers or {})
        self.patterns = [_compiled(one) for one in (PATTERNS if patterns is None else patterns)]
        self.read = reader_of(grammar)
        self._ledger = Ledger()

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Refuse what is trusted too little, else set its trust."""
        who = behind(experience)
        trust = self._composite(self.table.of(experience), experience.text, frozenset(who))
        if trust < self.write:
            return Admission("refuse", f"trusted {trust:.2f}, {self.write:g} is needed", trust)
        self._ledger.add(self.read(experience.text), who, experience.id)
        return Admission(trust=trust)

    def _composite(self, source: float, text: str, own: frozenset[str]) -> float:
        signals = (source, float(not any(one.search(text) for one in self.patterns)), self._agreement(text, own))
        return sum(w * s for w, s in zip(self.weights, signals, strict=True)) / sum(self.weights)

    def _agreement(self, text: str, own: frozenset[str]) -> float:
        shares = []
        for one in self.read(text):
            agreed, denied = self._ledger.behind(one) - own, self._ledger.against(one) - own
            shares.append(len(agreed) / (len(agreed) + len(denied)) if agreed or denied else UNKNOWN)
        return min(shares, default=UNKNOWN)

    async def forgot(self, experiences: frozenset[str], ctx: DefenceContext) -> None:
        """Let what was purged agree with nothing."""
        self._ledger.forget(experiences)

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Leave out what is trusted too little by now, and label the rest."""
        labelled = [item._replace(trust=min(item.trust, self._now(item, ctx))) for item in items]
        return Screening(tuple(item for item in labelled if item.trust >= self.least))

    def _now(self, item: Recalled, ctx: DefenceContext) -> float:
        record = ctx.record(item.record_id)
        if record is None:
            return 0.0
        stamps = [ctx.stamp(origin) for origin in record.origins]
        own = frozenset(stamp.writer for stamp in stamps if stamp is not None)
        source = min((self.table.of(stamp) for stamp in stamps if stamp is not None), default=1.0)
        trust = min(ctx.trust(record), self._composite(source, item.text, own))
        days = max(0.0, ctx.time - record.time) / DAY
        return float(trust * 2.0 ** (-days / self.half_life))

    def _state(self) -> dict[str, Plain]:
        return {"ledger": self._ledger.plain()}

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._ledger.restore(state["ledger"])


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise StudyError(f"trust-decay.patterns: {pattern!r} is no regular expression: {error}.") from None
