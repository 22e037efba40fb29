"""Lineage, read from a trace: every version of every record, what a space held at any tick, and taint by descent.

Descent goes through records (a summary descends from what it sums up) and through speech: what an agent says or notes
descends from the records that its action used (`used` in its notes), and so does whatever was heard of it. Taint is
computed here and nowhere else: no agent, model, memory system or defence can see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from simonides.sim.rows import Lived, Planted, SpaceRow, Stored, WorldRow, space_row, world_row
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


SEEN = "observation"
"""Among the ids of an action's `used`: all that the agent lived at that tick."""
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """What an attack, or a study for comparison, brought in: planted in a space, or injected through a channel.

    `world` and `space` are where it entered ("" for a planted item's world and an injected one's space).
    """

    planted: Planted
    tick: int
    space: str = ""
    world: str = ""

    @property
    def id(self) -> str:
        """The planted experience's id, or the injection's."""
        return self.planted.id


@dataclass(slots=True)
class Lineage:
    """Experiences and record versions of one trial, and which of them descend from what was brought in."""

    experiences: dict[str, Lived] = field(default_factory=dict)
    planted: dict[str, str] = field(default_factory=dict)
    """Planted experience -> its text."""
    items: dict[str, Item] = field(default_factory=dict)
    """What was brought in, benign controls included."""
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """Record -> its versions, oldest first."""
    lived_at: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Experience -> its world and tick."""
    used: dict[tuple[str, str, int], tuple[str, ...]] = field(default_factory=dict)
    """(world, agent, tick) -> the records that the agent's action used, where it says so."""
    _touched: dict[str, set[str]] = field(default_factory=dict)
    """Experience -> the injections whose text it holds."""
    _roots: dict[str, frozenset[str]] | None = None
    _tainted: frozenset[str] | None = None

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
        self._roots = self._tainted = None
        for lived in row.experiences:
            self.experiences[lived.id] = lived
            self.lived_at[lived.id] = (row.world, row.tick)
        for agent, acted in row.actions.items():
            if acted.notes.get("used"):
                self.used[row.world, agent, row.tick] = tuple(acted.notes["used"])
        for change in row.changed:
            if change.kind == "inject":
                told = change.details
                item = Planted(change.id, told["text"], "", told["tainted"], told["about"])
                self.items[change.id] = Item(item, row.tick, world=row.world)
            elif change.kind == "touched":
                self._touched.setdefault(change.details["experience"], set()).add(change.id)

    def add_space(self, row: SpaceRow) -> None:
        """Take in one applied tick of one space; ticks of a space must come in order."""
        self._roots = self._tainted = None
        for planted in row.planted:
            self.planted[planted.id] = planted.text
            self.items[planted.id] = Item(planted, row.tick, row.space)
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

    @property
    def roots(self) -> Mapping[str, frozenset[str]]:
        """Experience -> the items that it descends from; experiences without any are left out."""
        if self._roots is None:
            self._roots = {id: frozenset({id}) for id in self.planted}
            heard_or_touched = (e for e in self.experiences.values() if e.heard or e.id in self._touched)
            for lived in sorted(heard_or_touched, key=self._order):
                found = frozenset(self._touched.get(lived.id, ())).union(*self._heard(lived, self._roots))
                if found:
                    self._roots[lived.id] = found
        return self._roots

    def _order(self, lived: Lived) -> tuple[int, bool]:
        """Sort by tick, and what an agent noted itself after all else that it lived at the tick."""
        _, tick = self.lived_at[lived.id]
        return tick, (lived.agent, tick) in lived.heard

    def _heard(self, lived: Lived, roots: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
        """Yield the items behind each saying that an experience holds."""
        world, _ = self.lived_at[lived.id]
        for speaker, at in lived.heard:
            for source in self.used.get((world, speaker, at), ()):
                if source == SEEN:
                    there = (e for e in self.experiences.values() if e.agent == speaker)
                    yield from (roots.get(e.id, NOTHING) for e in there if self.lived_at[e.id] == (world, at))
                else:
                    yield self.roots_of(source, at, roots)

    def roots_of(self, record: str, tick: int, roots: Mapping[str, frozenset[str]] | None = None) -> frozenset[str]:
        """Return the items that a record descends from, as a reader at a tick found it."""
        known = self.roots if roots is None else roots
        found = [v for v in self.versions.get(record, ()) if v.tick < tick]
        return NOTHING.union(*(known.get(origin, NOTHING) for origin in found[-1].stored.origins)) if found else NOTHING

    @property
    def tainted(self) -> frozenset[str]:
        """The experiences that an attack touched, or that descend through speech from one that it did."""
        if self._tainted is None:
            bad = {id for id, item in self.items.items() if item.planted.tainted}
            self._tainted = frozenset(id for id, items in self.roots.items() if not bad.isdisjoint(items))
        return self._tainted

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
