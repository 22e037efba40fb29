"""How what was brought in spreads: who holds what descends from it, who got it from whom, and how readily it passes.

From the trace alone, by descent (`sim/lineage.py`): never by what a text says. `origin` is "attack" for what descends
from tainted items and "benign" for what descends from the controls of the same form. A space is infected while it holds
a record that descends; an agent, while a space does that it is seen to write to or to recall from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.linalg import eigs  # type: ignore[import-untyped]

from simonides.experiments.metrics.lasting import mean_life, restricted_mean
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.states import near
from simonides.sim.rows import Lived, WorldRow

Flags = npt.NDArray[np.bool_]
Agent = tuple[str, str]
"""World and agent."""

SPREAD: Mapping[str, Any] = {
    "origin": pl.String, "of": pl.String, "tick": pl.Int64, "units": pl.Int64, "current": pl.Int64,
    "cumulative": pl.Int64,
}  # fmt: skip
"""`of` is "space" or "agent", `units` how many there are; `current` and `cumulative` are infected as a reader at the
tick finds them. One row a change, and one at the first tick and the last."""
CASCADE: Mapping[str, Any] = {
    "origin": pl.String, "world": pl.String, "agent": pl.String, "tick": pl.Int64, "by": pl.String, "depth": pl.Int64,
}  # fmt: skip
"""One row an agent that was reached: its first tick, by whom ("" from outside), and through how many others."""
OUTBREAKS: Mapping[str, Any] = {
    "origin": pl.String, "began": pl.Int64, "purged": pl.Int64, "contacts": pl.Int64, "passed": pl.Int64,
    "lambda1": pl.Float64, "infected_ticks": pl.Int64, "recoveries": pl.Int64, "life": pl.Float64,
    "stay": pl.Float64, "exposures": pl.Int64, "passed_on": pl.Int64, "edges": pl.Int64, "lambda_read": pl.Float64,
}  # fmt: skip
"""One row an origin. `contacts` are what susceptible agents heard from infected ones, or might have (`met` in an
experience's metadata), `passed` those that carried it; `lambda1` is the largest eigenvalue of the matrix of contacts a
tick between agents; `recoveries` are agents that were infected and at their next tick are not, of `infected_ticks`;
`life` is the mean time in ticks that records of what came to an agent stand (`metrics/lasting.py`), null where none was
seen to end. `exposures` are reads of what descends and another wrote, by agents that had not passed it on before,
`passed_on` those after which the agent said or noted at once what descends from it; `edges` counts each exposure once
for every agent who had written what was read, and `lambda_read` is as `lambda1`, of all reads of what others wrote."""

DENSE = 400
"""Agents up to which all eigenvalues are computed; above, the largest alone."""


@dataclass(frozen=True)
class Descent:
    """What descends from the items of one origin in one trial."""

    reading: Reading
    origin: str

    @cached_property
    def items(self) -> frozenset[str]:
        """The ids of the origin's items."""
        bad = self.origin == "attack"
        return frozenset(id for id, item in self.reading.lineage.items.items() if item.planted.tainted == bad)

    @cached_property
    def experiences(self) -> frozenset[str]:
        """The experiences that descend."""
        roots = self.reading.lineage.roots
        return frozenset(id for id, items in roots.items() if not self.items.isdisjoint(items))

    @property
    def began(self) -> int:
        """The tick of the first item."""
        return min(self.reading.lineage.items[id].tick for id in self.items)

    @cached_property
    def agents(self) -> list[Agent]:
        """Every agent that ever acts, sorted."""
        return sorted({(row.world, agent) for row in self.reading.worlds for agent in row.actions})

    @cached_property
    def end(self) -> int:
        """The first tick that nothing of the trial is stored at any more."""
        worlds, spaces = self.reading.worlds, self.reading.spaces
        return 1 + max(*(row.tick for row in worlds), *(row.tick for row in spaces), -1)

    @cached_property
    def spaces(self) -> dict[str, Flags]:
        """Space -> at which ticks a reader finds it infected, of shape (end + 1,)."""
        found = {space: np.zeros(self.end + 1, np.bool_) for space in sorted({r.space for r in self.reading.spaces})}
        for versions in self.reading.lineage.versions.values():
            for version in versions:
                if not self.experiences.isdisjoint(version.stored.origins):
                    last = self.end if version.until is None else version.until
                    found[version.space][version.tick + 1 : last + 1] = True
        return found

    @cached_property
    def close(self) -> dict[Agent, frozenset[str]]:
        """The spaces that each agent is seen to write to or to recall from."""
        return near(self.reading)

    def world_of(self, agent: str, space: str) -> str:
        """Return the world of an agent of this name, one that is seen at the space if any is; "" for nobody."""
        named = [world for world, name in self.agents if name == agent]
        return next((one for one in named if space in self.close.get((one, agent), ())), named[0] if named else "")

    @cached_property
    def infected(self) -> Flags:
        """Which agents are infected at which ticks, of shape (agents, end + 1)."""
        clean = np.zeros(self.end + 1, np.bool_)
        rows = [
            np.logical_or.reduce([clean, *(self.spaces[s] for s in self.close.get(who, ()) if s in self.spaces)])
            for who in self.agents
        ]
        return np.array(rows, np.bool_).reshape(len(rows), self.end + 1)


def descents(reading: Reading) -> list[Descent]:
    """Return the origins that a trial has items of; usually none."""
    found = [Descent(reading, origin) for origin in ("attack", "benign")] if reading.lineage.items else []
    return [one for one in found if one.items]


def spread(found: Sequence[Descent]) -> pl.DataFrame:
    """Return the infection curves of a trial, with the columns of `SPREAD`."""
    rows: list[tuple[Any, ...]] = []
    for descent in found:
        spaces = list(descent.spaces.values())
        held = np.array(spaces, np.bool_).reshape(len(spaces), descent.end + 1)
        rows += _curve(descent.origin, "space", held)
        rows += _curve(descent.origin, "agent", descent.infected)
    return pl.DataFrame(rows, schema=SPREAD, orient="row")


def _curve(origin: str, of: str, infected: Flags) -> Iterator[tuple[Any, ...]]:
    current = infected.sum(axis=0)
    cumulative = np.logical_or.accumulate(infected, axis=1).sum(axis=0)
    changes = (np.diff(current) != 0) | (np.diff(cumulative) != 0)
    for tick in np.flatnonzero(np.r_[True, changes] | (np.arange(len(current)) == len(current) - 1)).tolist():
        yield origin, of, tick, len(infected), int(current[tick]), int(cumulative[tick])


def cascade(found: Sequence[Descent]) -> pl.DataFrame:
    """Return who was reached first when and by whom, with the columns of `CASCADE`.

    An agent is reached by what is planted as its own or shown to it, by what it hears from another, and by what it
    recalls that another wrote.
    """
    rows = [row for descent in found for row in _cascade(descent)]
    return pl.DataFrame(rows, schema=CASCADE, orient="row")


def _cascade(descent: Descent) -> Iterator[tuple[Any, ...]]:
    depth: dict[Agent, int] = {}
    for tick, world, agent, by in _reached(descent):
        who, source = (world, agent), (world, by)
        if who not in depth and (not by or source in depth):
            depth[who] = depth[source] + 1 if by else 0
            yield descent.origin, world, agent, tick, by, depth[who]


def _reached(descent: Descent) -> list[tuple[int, str, str, str]]:
    """Return (tick, world, agent, by) of everything that reached an agent, in the order of ticks."""
    planted = [
        (row.tick, descent.world_of(done.agent, row.space), done.agent, "")
        for row in descent.reading.spaces
        if any(one.id in descent.items for one in row.planted)
        for done in row.operations
        if done.kind == "plant"
    ]
    lived = [event for row in descent.reading.worlds for event in (*_recalled(descent, row), *_lived(descent, row))]
    return sorted(planted + lived, key=lambda event: event[0])


def _recalled(descent: Descent, row: WorldRow) -> Iterator[tuple[int, str, str, str]]:
    lineage = descent.reading.lineage
    for query in row.asked:
        for record in query.ids:
            version = descent.reading.version(record, row.tick)
            for origin in descent.experiences.intersection(version.stored.origins) if version is not None else ():
                one = lineage.experiences.get(origin)
                writer = one.agent if one is not None else version.stored.writer.rpartition("/")[2] if version else ""
                if writer and writer != query.agent:
                    yield row.tick, row.world, query.agent, writer


def _lived(descent: Descent, row: WorldRow) -> Iterator[tuple[int, str, str, str]]:
    for lived in row.experiences:
        if lived.id in descent.experiences:
            others = [speaker for speaker, _ in lived.heard if speaker != lived.agent]
            for by in others or [""]:
                yield row.tick, row.world, lived.agent, by


def outbreaks(found: Sequence[Descent]) -> pl.DataFrame:
    """Return how readily each origin passed between agents, with the columns of `OUTBREAKS`."""
    return pl.DataFrame([_outbreak(one) for one in found], schema=OUTBREAKS, orient="row")


def _outbreak(descent: Descent) -> tuple[Any, ...]:
    number = {who: n for n, who in enumerate(descent.agents)}
    contacts = passed = 0
    met: list[tuple[int, int]] = []
    for row in descent.reading.worlds:
        for lived, speaker, at in _meetings(row):
            to, by = number.get((row.world, lived.agent)), number.get((row.world, speaker))
            if to is None or by is None:
                continue
            met.append((by, to))
            if descent.infected[by, at] and not descent.infected[to, row.tick]:
                contacts += 1
                passed += lived.id in descent.experiences
    ticks = max(1, descent.end)
    ill = descent.infected
    recovers = int((ill[:, :-1] & ~ill[:, 1:]).sum())
    exposures, passed_on, edges = _exposed(descent)
    lives = _lives(descent)
    purges = [row.tick for row in descent.reading.spaces for one in row.changed if one.kind in ("purge", "wipe")]
    purged = min(purges, default=None)
    lambda1 = largest_eigenvalue(met, len(number)) / ticks
    lambda_read = largest_eigenvalue([(number[by], number[to]) for by, to in _readings(descent)], len(number)) / ticks
    return (
        descent.origin, descent.began, purged, contacts, passed, lambda1, int(ill[:, :-1].sum()), recovers,
        mean_life(lives), restricted_mean(lives), exposures, passed_on, edges, lambda_read,
    )  # fmt: skip


def _lives(descent: Descent) -> list[tuple[int, bool]]:
    """Return for what came to an agent from others, by space, how long records of it stood, and whether they ended.

    Not for an agent's recovery: at its next infection the one before would be cut short, and those soonest that would
    have ended soonest, because in an album only what is stored evicts.
    """
    began: dict[tuple[str, str], int] = {}
    until: dict[tuple[str, str], int | None] = {}
    for versions in descent.reading.lineage.versions.values():
        for one in versions:
            for origin in descent.experiences.intersection(one.stored.origins):
                if not _of_its_own(descent, origin):
                    key, known = (one.space, origin), until.get((one.space, origin), 0)
                    began[key] = min(began.get(key, one.tick), one.tick)
                    until[key] = None if known is None or one.until is None else max(known, one.until)
    ends = ((began[key], end) for key, end in until.items())
    return [(descent.end - 1 - since if end is None else end - since, end is not None) for since, end in ends]


def _of_its_own(descent: Descent, experience: str) -> bool:
    """Return whether an experience is what its agent told itself."""
    lived = descent.reading.lineage.experiences.get(experience)
    return lived is not None and bool(lived.heard) and all(speaker == lived.agent for speaker, _ in lived.heard)


def _exposed(descent: Descent) -> tuple[int, int, int]:
    """Return reads of what others wrote by agents that had not passed it on, those passed on, and how many wrote it."""
    worlds = descent.reading.worlds
    read = {event for row in worlds for event in _recalled(descent, row)}
    exposed = {event[:3] for event in read}
    told = {
        (at, row.world, lived.agent)
        for row in worlds
        for lived in row.experiences
        if lived.id in descent.experiences
        for speaker, at in lived.heard
        if speaker == lived.agent
    }
    first: dict[Agent, int] = {}
    for tick, world, agent in sorted(told):
        first.setdefault((world, agent), tick)
    fresh = {one for one in exposed if one[0] <= first.get((one[1], one[2]), one[0])}
    return len(fresh), len(fresh & told), sum(event[:3] in fresh for event in read)


def _readings(descent: Descent) -> Iterator[tuple[Agent, Agent]]:
    """Yield (writer, reader) once a tick for every two agents of a world of whom one recalled what the other wrote."""
    agents, lineage = set(descent.agents), descent.reading.lineage
    for row in descent.reading.worlds:
        pairs = set()
        for query in row.asked:
            for record in query.ids:
                version = descent.reading.version(record, row.tick)
                origins = version.stored.origins if version is not None else ()
                pairs |= {(one.agent, query.agent) for o in origins if (one := lineage.experiences.get(o)) is not None}
        for by, to in sorted(pairs):
            if by != to and {(row.world, by), (row.world, to)} <= agents:
                yield (row.world, by), (row.world, to)


def _meetings(row: WorldRow) -> Iterator[tuple[Lived, str, int]]:
    """Yield (what was lived, whom it was heard from or could have been, when that one acted)."""
    for lived in row.experiences:
        if lived.heard:
            yield from ((lived, speaker, at) for speaker, at in lived.heard if speaker != lived.agent)
        elif "met" in lived.metadata:
            speaker, at = lived.metadata["met"]
            yield lived, speaker, at


def largest_eigenvalue(links: list[tuple[int, int]], size: int) -> float:
    """Return the spectral radius of the matrix that counts links (from, to) between `size` agents; 0 without any."""
    if not links:
        return 0.0
    sources, targets = np.array(links).T
    matrix = csr_array((np.ones(len(links)), (targets, sources)), shape=(size, size))
    if size <= DENSE:
        return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())
    (found,) = eigs(matrix, k=1, which="LM", v0=np.ones(size), return_eigenvectors=False)
    return float(abs(found))
