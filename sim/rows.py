"""Trace rows with names: what a world lived and what a space applied in one tick, decoded for readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simonides.sim.codec import decode
from simonides.sim.context import Usage
from simonides.sim.defences import Ruling
from simonides.sim.errors import CorruptFile
from simonides.sim.trace import PROBE, SPACE, WORLD, Row, Trace
from simonides.sim.types import Effect, Failure, Plain


@dataclass(frozen=True, slots=True)
class Asked:
    """One query and its answer: ids and scores, best first. Texts are in the records."""

    agent: str
    hop: int
    n: int
    text: str
    k: int | None
    space: str | None
    probe: bool
    ids: tuple[str, ...]
    scores: tuple[float, ...]
    refused: str


@dataclass(frozen=True, slots=True)
class Acted:
    """What an agent did: the value for the environment, what it said, the policy's notes, and the reward."""

    value: Plain
    text: str
    notes: Mapping[str, Plain]
    reward: float


@dataclass(frozen=True, slots=True)
class Lived:
    """An experience as the trace keeps it."""

    id: str
    agent: str
    time: float
    text: str
    speaker: str
    session: int
    channel: str
    action: str
    reward: float
    outcome: str
    metadata: Mapping[str, Plain]
    heard: tuple[tuple[str, int], ...] = ()
    """(agent, tick) of the same world for each saying or note that it holds."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An intervention that began here at this tick, by its id; or, of kind "decided", that begins with the next.

    Of kind "touched": an experience (`experience` in the details) that holds a text which the intervention injected.
    """

    id: str
    kind: str
    details: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class WorldRow:
    """One tick of one world. `keys` holds the environment's answer key for each agent that has one."""

    world: str
    tick: int
    time: float
    observed: Mapping[str, bytes]
    keys: Mapping[str, Plain]
    asked: tuple[Asked, ...]
    actions: Mapping[str, Acted]
    experiences: tuple[Lived, ...]
    refusals: tuple[tuple[str, str, str], ...]
    session_end: bool
    changed: tuple[Changed, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Stored:
    """A record's version as the trace keeps it; `text` None repeats its only origin's text."""

    id: str
    writer: str
    time: float
    text: str | None
    origins: tuple[str, ...]
    parents: tuple[str, ...]
    channel: str
    status: str
    version: int
    vector_hash: bytes
    data: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Applied:
    """One operation of a space: "plant", "write", "release" (from quarantine), "session_end", "manage", "effects",
    "wipe" or "purge", and what it changed."""

    kind: str
    world: str
    agent: str
    hop: int
    n: int
    experience: str
    made: tuple[str, ...]
    revised: tuple[str, ...]
    retired: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """An experience that the study put into the space, or a text put into a channel: tainted, or a benign control."""

    id: str
    text: str
    speaker: str
    tainted: bool
    notes: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """One applied tick of one space. `effects` are (world, agent, hop, n, effects) in order of application."""

    space: str
    tick: int
    time: float
    planted: tuple[Planted, ...]
    effects: tuple[tuple[str, str, int, int, tuple[Effect, ...]], ...]
    operations: tuple[Applied, ...]
    records: tuple[Stored, ...]
    refusals: tuple[tuple[str, str, int, int, str], ...]
    changed: tuple[Changed, ...]
    usage: Usage
    rulings: tuple[Ruling, ...]


@dataclass(frozen=True, slots=True)
class Probed:
    """What one probe found of one agent, or of a space ("" for the agent): recalled ids, and what a copy would do."""

    probe: int
    """Its number in the study."""
    agent: str
    space: str
    question: str
    ids: tuple[str, ...]
    scores: tuple[float, ...]
    value: Plain
    text: str
    notes: Mapping[str, Plain]
    error: str
    """Class of what its copy raised, or ""."""
    usage: Usage


def _tuple(value: Plain) -> tuple[Plain, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)


def world_row(row: Row) -> WorldRow:
    """Return a world's tick from its trace row. Raises CorruptFile."""
    if row.kind != WORLD:
        raise CorruptFile(f"The row of {row.name!r} at tick {row.tick} is no world's tick.")
    time, observed, asked, actions, rewards, lived, refusals, end, changed, usage = decode(row.payload)
    paid = dict(rewards)
    return WorldRow(
        row.name,
        row.tick,
        time,
        {agent: seen for agent, seen, _ in observed},
        {agent: key for agent, _, key in observed if key is not None},
        tuple(Asked(*(*a[:7], tuple(a[7]), tuple(a[8]), a[9])) for a in asked),
        {agent: Acted(value, text, notes, paid[agent]) for agent, value, text, notes in actions},
        tuple(Lived(*(*e[:-1], tuple((who, at) for who, at in e[-1]))) for e in lived),
        _tuple(refusals),
        end,
        tuple(Changed(*one) for one in changed),
        Usage(*usage),
    )


def space_row(row: Row) -> SpaceRow:
    """Return a space's applied tick from its trace row. Raises CorruptFile."""
    if row.kind != SPACE:
        raise CorruptFile(f"The row of {row.name!r} at tick {row.tick} is no space's tick.")
    time, planted, effects, operations, records, refusals, changed, usage, rulings = decode(row.payload)
    return SpaceRow(
        row.name,
        row.tick,
        time,
        tuple(Planted(*p) for p in planted),
        tuple((*e[:4], tuple(Effect(*one) for one in e[4])) for e in effects),
        tuple(Applied(*(*o[:6], tuple(o[6]), tuple(o[7]), _tuple(o[8]))) for o in operations),
        tuple(Stored(*_tuple(r)) for r in records),
        _tuple(refusals),
        tuple(Changed(*one) for one in changed),
        Usage(*usage),
        tuple(Ruling(*one) for one in rulings),
    )


def probe_row(row: Row) -> tuple[Probed, ...]:
    """Return what the probes of one tick of one world found. Raises CorruptFile."""
    if row.kind != PROBE:
        raise CorruptFile(f"The row of {row.name!r} at tick {row.tick} is none of probes.")
    return tuple(
        Probed(*(*one[:4], tuple(one[4]), tuple(one[5]), *one[6:10], Usage(*one[10]))) for one in decode(row.payload)
    )


def spent_in(trace: Trace) -> tuple[int, int, int]:
    """Return the model calls, prompt tokens and completion tokens of a trial: those of its worlds and its spaces."""
    total = Usage()
    for row in trace.rows:
        if row.kind in (WORLD, SPACE):
            total.merge(world_row(row).usage if row.kind == WORLD else space_row(row).usage)
    return total.calls, total.prompt_tokens, total.completion_tokens


def failure(row: Row) -> Failure:
    """Return the failure behind a trace row of a failed world or space."""
    return Failure(*decode(row.payload))
