"""Read a trial's trace once for all of its tables: decoded rows, lineage, and the session that each tick fell into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from simonides.sim.errors import UserError
from simonides.sim.lineage import Lineage, Version
from simonides.sim.rows import SpaceRow, WorldRow, space_row, world_row
from simonides.sim.trace import SPACE, WORLD, Trace
from simonides.sim.types import Plain


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a tick falls: its session, and whether agents are being asked rather than told."""

    session: int
    asking: bool


def asked(row: WorldRow) -> dict[str, Mapping[str, Plain]]:
    """Return agent -> answer key of the questions that a world asked at a tick, sorted by agent.

    Environments may keep other things under an agent's key; it is a question when it tells the answer.
    """
    return {agent: key for agent, key in sorted(row.keys.items()) if isinstance(key, Mapping) and "answer" in key}


class Reading:
    """One trial as its trace tells it. Knows nothing of studies: a copied folder is enough, years later."""

    def __init__(self, folder: Path) -> None:
        """Read a trial's folder. Raises UserError when it holds no trace, CorruptFile for a damaged one."""
        self.trace = Trace(folder)
        if not self.trace.rows:
            raise UserError(f"{folder} holds no trace yet; run or resume the trial first.")
        self.worlds: list[WorldRow] = [world_row(row) for row in self.trace.of(WORLD)]
        self.spaces: list[SpaceRow] = [space_row(row) for row in self.trace.of(SPACE)]
        self.lineage = Lineage()
        for world in self.worlds:
            self.lineage.add_world(world)
        for space in self.spaces:
            self.lineage.add_space(space)
        self.moments = _moments(self.worlds)
        self._first = min(self.moments, default="")
        self._refs: dict[tuple[str, int], tuple[str, ...]] = {}

    def moment(self, world: str, tick: int) -> Moment:
        """Return the moment of a world's tick; the last one for a tick after its end, as spaces have."""
        known = self.moments.get(world) or self.moments.get(self._first) or [Moment(0, False)]
        return known[min(tick, len(known) - 1)]

    def moment_of(self, row: SpaceRow) -> Moment:
        """Return the moment of a space's tick: that of the first world which did something there."""
        worlds = [operation.world for operation in row.operations if operation.world in self.moments]
        return self.moment(min(worlds, default=self._first), row.tick)

    def version(self, record: str, tick: int) -> Version | None:
        """Return a record as a reader at `tick` found it, or None for one that the trace does not know."""
        found = [v for v in self.lineage.versions.get(record, ()) if v.tick < tick]
        return found[-1] if found else None

    def refs(self, record: str, tick: int) -> tuple[str, ...]:
        """Return the references ("D3:7") of the experiences that a record descended from at `tick`, in order."""
        version = self.version(record, tick)
        if version is None:
            return ()
        key = (record, version.stored.version)
        if key not in self._refs:
            lived = (self.lineage.experiences.get(origin) for origin in version.stored.origins)
            refs = (str(one.metadata["ref"]) for one in lived if one is not None and "ref" in one.metadata)
            self._refs[key] = tuple(dict.fromkeys(refs))
        return self._refs[key]

    def tainted(self, record: str, tick: int) -> bool:
        """Return True when a record, as a reader at `tick` found it, descends from something an attack touched."""
        version = self.version(record, tick)
        return version is not None and not self.lineage.tainted.isdisjoint(version.stored.origins)

    def control(self, record: str, tick: int) -> bool:
        """Return True when a record, as a reader at `tick` found it, descends from an attack's honest `control`."""
        return not self._controls.isdisjoint(self.lineage.roots_of(record, tick)) if self._controls else False

    @cached_property
    def _controls(self) -> frozenset[str]:
        items = self.lineage.items.items()
        return frozenset(id for id, one in items if "control" in one.planted.notes)


def _moments(worlds: list[WorldRow]) -> dict[str, list[Moment]]:
    """Return each world's moments by tick; ticks before it joined have those of its first tick."""
    found: dict[str, list[Moment]] = {}
    for row in worlds:
        known = found.setdefault(row.world, [])
        last = known[-1] if known else Moment(0, False)
        session = row.experiences[0].session if row.experiences else last.session
        here = Moment(session, bool(asked(row)) or (last.asking and not row.experiences))
        known.extend([here] * (row.tick + 1 - len(known)))
    return found
