"""Where an experience comes from, as the platform stamps it: its class of source, its identity, its trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simonides.sim.defences import DefenceContext, Stamp
from simonides.sim.types import Experience, Plain, Record

OBSERVED, SAID, HEARD, OTHER = "observation", "said", "heard", "*"

TRUST: Mapping[str, float] = {
    OBSERVED: 1.0,
    "instruction": 0.9,
    SAID: 0.6,
    HEARD: 0.6,
    "note": 0.6,
    "screen": 0.6,
    "device": 0.6,
    "report": 0.3,
    "message": 0.3,
    "rumour": 0.3,
    OTHER: 0.5,
}
"""Class of source -> trust. Own observation is 1 by definition; the others are GUESSES, ordered by who can write there:
the one who gives the task, those whom an agent meets, what a device shows, and what anybody can send."""


def class_of(source: Experience | Stamp) -> str:
    """Return an experience's class of source: its channel, or, of an observation, that it was "said" or "heard".

    "heard" is what an agent of the same world said or noted, as the platform saw; "said" what a text puts into
    somebody's mouth. A stamp does not tell what was heard.
    """
    if source.channel != OBSERVED:
        return source.channel
    if isinstance(source, Experience):
        if source.heard:
            return HEARD
        return SAID if source.speaker not in ("", source.agent) else OBSERVED
    return SAID if source.speaker not in ("", source.writer.partition("/")[2]) else OBSERVED


def writer_of(experience: Experience) -> str:
    """Return the identity that wrote an experience, as stamps have it."""
    return f"{experience.world}/{experience.agent}"


def behind(experience: Experience) -> tuple[str, ...]:
    """Return the identities that stand behind an experience: those it was heard from, as the platform saw, else its
    writer."""
    heard = sorted({f"{experience.world}/{who}" for who, _ in experience.heard})
    return tuple(heard) or (writer_of(experience),)


@dataclass(frozen=True, slots=True)
class TrustTable:
    """What a study trusts: by class of source, by speaker as a text names it, by writer ("world/agent" or "agent").

    The least that applies holds.
    """

    classes: Mapping[str, float] = field(default_factory=dict)
    speakers: Mapping[str, float] = field(default_factory=dict)
    writers: Mapping[str, float] = field(default_factory=dict)

    def of(self, source: Experience | Stamp) -> float:
        """Return the trust in an experience's source, 0 to 1."""
        known = {**TRUST, **self.classes}
        writer = source.writer if isinstance(source, Stamp) else writer_of(source)
        said = [self.speakers[source.speaker]] if source.speaker in self.speakers else []
        wrote = [self.writers[one] for one in (writer, writer.partition("/")[2]) if one in self.writers]
        return min([known.get(class_of(source), known[OTHER]), *said, *wrote])

    def of_record(self, record: Record, ctx: DefenceContext) -> float:
        """Return the least trust in a record's sources, or that some defence set where it is less."""
        stamps = [ctx.stamp(origin) for origin in record.origins]
        return min([ctx.trust(record), *(self.of(stamp) for stamp in stamps if stamp is not None)])


class Told:
    """Which experiences were heard from an agent of the same world: a stamp does not say."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def note(self, experience: Experience) -> None:
        """Keep that somebody told it, if anybody did."""
        if experience.heard:
            self._ids.add(experience.id)

    def own(self, record: Record, ctx: DefenceContext) -> bool:
        """Return whether the reader observed all that a record descends from itself."""
        stamps = [ctx.stamp(origin) for origin in record.origins]
        return bool(ctx.reader) and all(
            stamp is not None and stamp.writer == ctx.reader and class_of(stamp) == OBSERVED and origin not in self._ids
            for origin, stamp in zip(record.origins, stamps, strict=True)
        )

    def plain(self) -> Plain:
        """Return what is known as plain data."""
        return sorted(self._ids)

    def restore(self, state: Plain) -> None:
        """Go to what `plain` gave."""
        self._ids = set(state)
