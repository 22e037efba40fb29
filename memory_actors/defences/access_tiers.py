"""Show each reader what its tier may see, and change or refuse what is written, by policy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from simonides.memory_actors.defences.sources import class_of
from simonides.memory_actors.defences.standing import Standing
from simonides.sim.defences import ADMIT, Admission, DefenceCard, DefenceContext, Screening, Stamp
from simonides.sim.errors import StudyError
from simonides.sim.types import Experience, Query, Recalled


class AccessTiers(Standing):
    """Read policies project, write policies transform; both by the tier of an agent and of where a text came from.

    `tiers` gives agents ("world/agent" or "agent") their tier, all others `others`. An experience has the tier of its
    writer, or that of its class of source where `sources` names it (see `sources.class_of`). With `rule:
    confidential` a reader sees records of its own tier and below, a record being as high as its highest origin; with
    `integrity` records of its own tier and above, a record being as low as its lowest. A read by nobody sees what
    `others` may.

    At a write, an agent of a tier below `write` is refused, and in every text what matches a pattern of `redact` is put
    as it says: {"[0-9]{4,}": "(number)"}. Nothing is decided by what a text states: a lie of the right tier stands.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Access tiers",
        "Collaborative Memory, arXiv 2505.18279; the rules are those of Bell and LaPadula 1973, and Biba 1977",
        ("admit", "screen"),
    )

    def __init__(
        self,
        tiers: dict[str, int] | None = None,
        others: int = 0,
        sources: dict[str, int] | None = None,
        rule: Literal["confidential", "integrity"] = "confidential",
        write: int | None = None,
        redact: dict[str, str] | None = None,
    ) -> None:
        """Raises StudyError for a pattern that is no regular expression."""
        self.tiers, self.others, self.sources = tiers or {}, others, sources or {}
        self.rule, self.write = rule, write
        self.redact = [(_compiled(pattern), instead) for pattern, instead in sorted((redact or {}).items())]

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Refuse who may not write, redact the rest."""
        tier = self._tier(f"{experience.world}/{experience.agent}")
        if self.write is not None and tier < self.write:
            return Admission("refuse", f"its writer is of tier {tier}, {self.write} is needed")
        text = experience.text
        for pattern, instead in self.redact:
            text = pattern.sub(instead, text)
        if text == experience.text:
            return ADMIT
        return Admission(reason="redacted", experience=replace(experience, text=text))

    def _tier(self, identity: str) -> int:
        return self.tiers.get(identity, self.tiers.get(identity.partition("/")[2], self.others))

    def _of(self, stamp: Stamp) -> int:
        return self.sources.get(class_of(stamp), self._tier(stamp.writer))

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Show what the reader's tier may see; never what is gone."""
        reader = self._tier(ctx.reader)
        return Screening(tuple(item for item in items if self._may(reader, item, ctx)))

    def _may(self, reader: int, item: Recalled, ctx: DefenceContext) -> bool:
        record = ctx.record(item.record_id)
        if record is None:
            return False
        stamps = (ctx.stamp(origin) for origin in record.origins)
        tiers = [self._of(stamp) for stamp in stamps if stamp is not None] or [self.others]
        return max(tiers) <= reader if self.rule == "confidential" else min(tiers) >= reader


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise StudyError(f"access-tiers.redact: {pattern!r} is no regular expression: {error}.") from None
