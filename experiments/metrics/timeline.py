"""A trial as a reader can follow it: what was planted, asked, recalled, answered, written and refused, tick by tick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading, asked
from simonides.sim.rows import Asked, SpaceRow, WorldRow

SCHEMA: Mapping[str, Any] = {
    "tick": pl.Int64, "session": pl.Int64, "agent": pl.String, "kind": pl.String, "space": pl.String,
    "text": pl.String, "score": pl.Float64, "tainted": pl.Boolean,
}  # fmt: skip
WIDTH = 240
"""Characters of a text that are shown."""
SHOWN = 3
"""Recalled records that are shown of an ordinary question, besides tainted ones; ten of a question under attack."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline. `weight` says how much it matters: the lightest are left out of a full page first."""

    tick: int
    session: int
    agent: str
    kind: str
    space: str
    text: str
    score: float | None
    tainted: bool
    weight: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The events that are shown, in logical time, and how many there were in all."""

    events: pl.DataFrame
    total: int


def timeline(reading: Reading, targeted: frozenset[tuple[str, int, str]], limit: int = 150) -> Timeline:
    """Return at most `limit` events: attacks and questions under attack first, then questions, then first writes.

    `targeted` names questions as (world, tick, agent).
    """
    told = [event for world in reading.worlds for event in _of_world(reading, world, targeted)]
    told += [event for space in reading.spaces for event in _of_space(reading, space)]
    kept = sorted(range(len(told)), key=lambda i: (-told[i].weight, told[i].tick, i))[:limit]
    events = [told[i] for i in sorted(kept, key=lambda i: (told[i].tick, i))]
    rows = [astuple(event)[:-1] for event in events]
    return Timeline(pl.DataFrame(rows, schema=SCHEMA, orient="row"), len(told))


def _of_world(reading: Reading, row: WorldRow, targeted: frozenset[tuple[str, int, str]]) -> Iterator[Event]:
    session, many = reading.moment(row.world, row.tick).session, len(reading.moments) > 1
    keys = asked(row)
    for agent in sorted(row.actions):
        hit = (row.world, row.tick, agent) in targeted
        who, weight = f"{row.world}/{agent}" if many else agent, 5 if hit else 3
        key = keys.get(agent)
        if key is not None:
            question = f"{key.get('text', key.get('topic', ''))} (answer: {key.get('answer') or 'none'})"
            yield Event(row.tick, session, who, "asked", "", _short(question), None, hit, weight)
        for read in (one for one in row.asked if one.agent == agent):
            yield from _recalled(reading, row.tick, session, who, read, hit)
        acted = row.actions[agent]
        if key is not None:
            reply = _short(acted.text or str(acted.value))
            yield Event(row.tick, session, who, "answered", "", reply, None, False, weight)
    for changed in row.changed:
        yield Event(row.tick, session, "", changed.kind, "", changed.id, None, False, 5)
    for space, agent, right in row.refusals:
        yield Event(row.tick, session, agent, "refused", space, f"{agent} may not {right} {space}", None, False, 4)


def _recalled(reading: Reading, tick: int, session: int, who: str, read: Asked, hit: bool) -> Iterator[Event]:
    for rank, (record, score) in enumerate(zip(read.ids, read.scores, strict=True)):
        bad, version = reading.tainted(record, tick), reading.version(record, tick)
        if version is not None and (bad or rank < (10 if hit else SHOWN)):
            weight = 4 if bad or hit else 2 if rank == 0 else 1
            yield Event(tick, session, who, "recalled", version.space, _short(version.text), score, bad, weight)


def _of_space(reading: Reading, row: SpaceRow) -> Iterator[Event]:
    session, stored = reading.moment_of(row).session, iter(row.records)
    plain = 2 if session <= 1 else 0  # the beginning shows how this memory writes
    for changed in row.changed:
        if changed.kind != "plant":
            told = ", ".join(f"{key}: {_short(str(value))}" for key, value in changed.details.items()) or changed.id
            yield Event(row.tick, session, "", changed.kind, row.space, told, None, False, 5)
    for done in row.operations:
        who = done.agent if done.agent.isprintable() else ""
        for _ in (*done.made, *done.revised):
            record = next(stored)
            bad = not reading.lineage.tainted.isdisjoint(record.origins)
            text = record.text if record.text is not None else reading.lineage.text_of(record.origins[0])
            kind = "planted" if done.kind == "plant" else "written"
            weight = 5 if kind == "planted" else 4 if bad else 2 if record.parents else plain
            yield Event(row.tick, session, who, kind, row.space, _short(text), None, bad, weight)
        for record_id, reason in done.retired:
            if reading.tainted(record_id, row.tick + 1):
                text = f"{_short(reading.lineage.versions[record_id][-1].text)} ({reason})"
                yield Event(row.tick, session, who, "retired", row.space, text, None, True, 4)


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
