"""Lineage, read from a trace: every version of every record, what a space held at any tick, and taint by descent.

Taint is computed here and nowhere else: no agent, model, memory system or defence can see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from simonides.sim.rows import Lived, SpaceRow, Stored, WorldRow, space_row, world_row
from simonides.sim.trace import SPACE, WORLD, Trace


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record: where and when it was made, and when it ended (None while it stands)."""

    space: str
    tick: int
    stored: Stored
    until: int | None = None
    reason: str = ""

    @property
    def text(self) -> str:
        """The record's text."""
        return self.stored.text or ""


@dataclass(slots=True)
class Lineage:
    """Experiences and record versions of one trial, with the experiences that an attack touched."""

    experiences: dict[str, Lived] = field(default_factory=dict)
    planted: dict[str, str] = field(default_factory=dict)
    """Planted experience -> its text."""
    tainted: set[str] = field(default_factory=set)
    """Experiences that an attack touched."""
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """Record -> its versions, oldest first."""

    @classmethod
    def of(cls, trace: Trace) -> Lineage:
        """Read the lineage of a whole trace."""
        lineage = cls()
        for row in trace.of(WORLD):
            lineage.add_world(world_row(row))
        for row in trace.of(SPACE):
            lineage.add_space(space_row(row))
        return lineage

    def add_world(self, row: WorldRow) -> None:
        """Take in the experiences of one tick of one world."""
        self.experiences.update((lived.id, lived) for lived in row.experiences)

    def add_space(self, row: SpaceRow) -> None:
        """Take in one applied tick of one space; ticks of a space must come in order."""
        for planted in row.planted:
            self.planted[planted.id] = planted.text
            if planted.tainted:
                self.tainted.add(planted.id)
        stored = iter(row.records)
        for operation in row.operations:
            for _ in (*operation.made, *operation.revised):
                self._add(row, next(stored))
            for record, reason in operation.retired:
                self._end(record, row.tick, reason)

    def _add(self, row: SpaceRow, stored: Stored) -> None:
        if stored.text is None:
            stored = replace(stored, text=self.text_of(stored.origins[0]))
        self._end(stored.id, row.tick, "revised")
        self.versions.setdefault(stored.id, []).append(Version(row.space, row.tick, stored))

    def _end(self, record: str, tick: int, reason: str) -> None:
        known = self.versions.get(record)
        if known and known[-1].until is None:
            known[-1] = replace(known[-1], until=tick, reason=reason)

    def text_of(self, experience: str) -> str:
        """Return the text of an experience, planted ones included."""
        if experience in self.planted:
            return self.planted[experience]
        lived = self.experiences.get(experience)
        return lived.text if lived is not None else ""

    def content(self, space: str, tick: int) -> list[Version]:
        """Return what a space held after all ticks before `tick`, oldest first."""
        found = [v for versions in self.versions.values() for v in versions if v.space == space and v.tick < tick]
        return sorted(
            (v for v in found if v.until is None or v.until >= tick),
            key=lambda v: (v.tick, v.stored.id, v.stored.version),
        )

    def is_tainted(self, record: str) -> bool:
        """Return True when the newest version of a record descends from an experience that an attack touched."""
        versions = self.versions.get(record, [])
        return bool(versions) and not self.tainted.isdisjoint(versions[-1].stored.origins)

    def contamination(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield (space, tick, records held, tainted records held) after each tick that changed a space."""
        by_space: dict[str, list[Version]] = {}
        for versions in self.versions.values():
            for version in versions:
                by_space.setdefault(version.space, []).append(version)
        for space in sorted(by_space):
            changes: dict[int, list[int]] = {}
            for version in by_space[space]:
                bad = int(not self.tainted.isdisjoint(version.stored.origins))
                for tick, sign in ((version.tick, 1), (version.until, -1)):
                    if tick is not None:
                        held = changes.setdefault(tick, [0, 0])
                        held[0] += sign
                        held[1] += sign * bad
            total = tainted = 0
            for tick in sorted(changes):
                total += changes[tick][0]
                tainted += changes[tick][1]
                yield space, tick, total, tainted

    def evidence(self, record: str) -> Mapping[str, str]:
        """Return {experience id: reference} of a record's origins that carry a reference such as "D3:7"."""
        versions = self.versions.get(record)
        origins = versions[-1].stored.origins if versions else ()
        refs = {}
        for origin in origins:
            lived = self.experiences.get(origin)
            if lived is not None and "ref" in lived.metadata:
                refs[origin] = str(lived.metadata["ref"])
        return refs
