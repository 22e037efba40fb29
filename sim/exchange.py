"""What a world and a memory actor say to each other once a tick: one batch there, one reply back.

A batch is identified by (client, tick, hop, agent). Hop 0 of tick t carries the writes of t-1, the client's frontier
and the reads of t; later hops carry one agent's further reads of the same tick (design section 2, "Exchange").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import NamedTuple

from simonides.sim.codec import decode, pack
from simonides.sim.errors import CorruptFile
from simonides.sim.types import Effect, Experience, Plain, Query, Recall, Recalled
from simonides.sim.values import quick

BatchId = tuple[str, int, int, str]


class Write(NamedTuple):
    """One experience on its way to one space; `n` is its ordinal among the agent's writes of the tick."""

    space: str
    experience: Experience
    n: int


class Read(NamedTuple):
    """One query to one space; `n` is its ordinal among the agent's reads of this hop."""

    space: str
    agent: str
    n: int
    query: Query


@quick
@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one client says to one memory actor at (tick, hop).

    `time` is the client's simulated time at `tick`. `session_end`: a session of the client ended with its step before.
    `leave`: its step before was the client's last. `durable`: the tick of its last durable checkpoint. `heard`: the
    epoch of the host that answered its previous batch, 0 at first. `muted`: agents of the client (or "*") whose budget
    is used up, so that what they read and have written is done without a model.
    """

    client: str
    tick: int
    hop: int = 0
    agent: str = ""
    time: float = 0.0
    writes: tuple[Write, ...] = ()
    reads: tuple[Read, ...] = ()
    session_end: bool = False
    leave: bool = False
    durable: int = 0
    heard: int = 0
    muted: tuple[str, ...] = ()

    @property
    def id(self) -> BatchId:
        """What duplicates are known by."""
        return (self.client, self.tick, self.hop, self.agent)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A read or write that the space did not allow."""

    space: str
    agent: str
    right: str


@quick
@dataclass(frozen=True, slots=True)
class Reply:
    """One recall a read, in order; refusals of writes; the epoch of the host that answers.

    `failure` is (space, phase, error class) when a space that the client is a member of has failed; `resend_from` is
    the tick from which a restarted host needs the client's batches again, or -1. `used` are (agent, counts of a
    `Usage`) for each read that asked a model; `spent` are (agent, calls, prompt tokens, completion tokens) that the
    client's writes have cost here before this tick.
    """

    recalls: tuple[Recall, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    epoch: int = 1
    failure: tuple[str, str, str] | None = None
    resend_from: int = -1
    used: tuple[tuple[str, tuple[int, ...]], ...] = ()
    spent: tuple[tuple[str, int, int, int], ...] = ()


_CONSTANT = frozenset({"world", "tick", "speaker", "session", "channel", "action", "outcome"})
"""Fields of experiences that are sent once when a whole batch agrees: names and integers, whose equality is exact."""

_FIELDS = tuple(item.name for item in fields(Experience))


def _columns(experiences: Sequence[Experience]) -> list[tuple[bool, Plain]]:
    """Return a batch's experiences field by field, as (is it one value for all, value or values)."""
    found: list[tuple[bool, Plain]] = []
    for name in _FIELDS:
        values = [getattr(e, name) for e in experiences]
        if name in _CONSTANT and values and values.count(values[0]) == len(values):
            found.append((True, values[0]))
        else:
            found.append((False, values))
    return found


def _experiences(columns: Sequence[tuple[bool, Plain]], n: int) -> list[Experience]:
    return list(map(Experience, *(repeat(value, n) if same else value for same, value in columns)))


def pack_batch(batch: Batch) -> bytes:
    """Return a batch as msgpack columns; an experience that goes to several spaces is sent once."""
    places: dict[str, int] = {}
    experiences: list[Experience] = []
    for write in batch.writes:
        if write.experience.id not in places:
            places[write.experience.id] = len(experiences)
            experiences.append(write.experience)
    reads = batch.reads
    return pack(
        (
            (batch.client, batch.tick, batch.hop, batch.agent, batch.time),
            (batch.session_end, batch.leave, batch.durable, batch.heard, batch.muted),
            len(experiences),
            _columns(experiences),
            [w.space for w in batch.writes],
            [places[w.experience.id] for w in batch.writes],
            [w.n for w in batch.writes],
            [r.space for r in reads],
            [r.agent for r in reads],
            [r.n for r in reads],
            [(r.query.text, r.query.k, r.query.space, r.query.probe, r.query.filter) for r in reads],
        )
    )


def unpack_batch(data: bytes) -> Batch:
    """Return the batch behind `pack_batch`. Raises CorruptFile for anything else."""
    try:
        head, flags, n, columns, spaces, places, ns, r_spaces, r_agents, r_ns, queries = decode(data)
        writes = _writes(spaces, _experiences(columns, n), places, ns)
        reads = _reads(r_spaces, r_agents, r_ns, queries)
        return Batch(*(*head, writes, reads, *flags[:4], tuple(flags[4])))
    except (TypeError, ValueError, IndexError) as error:
        raise CorruptFile(f"Not a batch that was written here ({error}).") from None


def _writes(spaces: list[str], experiences: list[Experience], indexes: list[int], ns: list[int]) -> tuple[Write, ...]:
    return tuple(Write(s, experiences[i], n) for s, i, n in zip(spaces, indexes, ns, strict=True))


def _reads(spaces: list[str], agents: list[str], ns: list[int], queries: list[Plain]) -> tuple[Read, ...]:
    return tuple(Read(s, a, n, Query(*q)) for s, a, n, q in zip(spaces, agents, ns, queries, strict=True))


def pack_reply(reply: Reply) -> bytes:
    """Return a reply as msgpack: the items of all recalls as columns, and how many each recall has."""
    items = [item for recall in reply.recalls for item in recall.items]
    return pack(
        (
            [
                [i.record_id for i in items],
                [i.text for i in items],
                [i.score for i in items],
                [i.channel for i in items],
                [i.time for i in items],
            ],
            [
                (len(r.items), [(e.kind, e.record_id, e.data) for e in r.effects] if r.effects else (), r.refused)
                for r in reply.recalls
            ],
            [(f.space, f.agent, f.right) for f in reply.refusals],
            reply.epoch,
            reply.failure,
            reply.resend_from,
            reply.used,
            reply.spent,
        )
    )


def unpack_reply(data: bytes) -> Reply:
    """Return the reply behind `pack_reply`."""
    columns, recalls, refusals, epoch, failure, resend_from, used, spent = decode(data)
    items = list(map(Recalled, *columns))
    found, start = [], 0
    for count, effects, refused in recalls:
        end = start + count
        found.append(Recall(tuple(items[start:end]), tuple(Effect(*e) for e in effects) if effects else (), refused))
        start = end
    return Reply(
        tuple(found),
        tuple(Refusal(*item) for item in refusals),
        epoch,
        tuple(failure) if failure else None,
        resend_from,
        tuple((agent, tuple(counts)) for agent, counts in used) if used else (),
        tuple(map(tuple, spent)) if spent else (),
    )
