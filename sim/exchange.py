"""What a world and a memory actor say to each other once a tick: one batch there, one reply back.

A batch is identified by (client, tick, hop, agent). Hop 0 of tick t carries the writes of t-1, the client's frontier
and the reads of t; later hops carry one agent's further reads of the same tick (design section 2, "Exchange").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice, repeat
from operator import attrgetter
from typing import NamedTuple, TypeVar

from simonides.sim.codec import decode, pack
from simonides.sim.errors import CorruptFile
from simonides.sim.types import Effect, Experience, Plain, Query, Recall, Recalled
from simonides.sim.values import quick

T = TypeVar("T")
PEEK = 1 << 20
"""Hops from here on are looks by the platform, for conditions and probes: they leave no effect and no row."""
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
    is used up, so that what they read and have written is done without a model. `begun`: interventions of which the
    client learned at its step before, each with the tick at which it begins.
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
    begun: tuple[tuple[str, int], ...] = ()

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

    @property
    def text(self) -> str:
        """What the agent is told."""
        cut = self.right.removeprefix("cut ")
        if cut != self.right:
            return f"the link of {self.agent} to {self.space} is cut: no {cut}"
        return f"{self.agent} may not {self.right} {self.space}"


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


Column = tuple[bool, Plain]
"""(is it one value for all, that value or the list of all)."""

_EXPERIENCE = tuple(item.name for item in fields(Experience))
HEARD = _EXPERIENCE.index("heard")
_QUERY = tuple(item.name for item in fields(Query))
_NAMES = {"world", "tick", "speaker", "session", "channel", "action", "outcome"}
_ONCE = frozenset(_NAMES | {"text", "k", "space", "probe", "heard"})
"""Fields that are sent once when a whole batch agrees: texts and integers, whose equality is exact."""


def _columns(rows: Sequence[Plain], names: Sequence[str]) -> list[Column]:
    return [_column(list(map(attrgetter(name), rows)), name in _ONCE) for name in names]


def _column(values: list[Plain], once: bool) -> Column:
    same = once and values and values.count(values[0]) == len(values)
    return (True, values[0]) if same else (False, values)


def _rows(make: Callable[..., T], columns: Sequence[Column], n: int) -> list[T]:
    return list(map(make, *(repeat(value, n) if same else value for same, value in columns)))


def _as_tuples(same: bool, heard: Plain) -> Column:
    """Return a column of sayings as it was: msgpack knows lists only."""
    return same, tuple(map(tuple, heard)) if same else [tuple(map(tuple, one)) for one in heard]


_write = partial(tuple.__new__, Write)
_read = partial(tuple.__new__, Read)
_item = partial(tuple.__new__, Recalled)
"""As `Write(*row)` and so on, in C: a batch has thousands."""


def pack_batch(batch: Batch) -> bytes:
    """Return a batch as msgpack columns; an experience that goes to several spaces is sent once."""
    w_spaces, written, w_ns = zip(*batch.writes, strict=True) if batch.writes else ((), (), ())
    r_spaces, r_agents, r_ns, queries = zip(*batch.reads, strict=True) if batch.reads else ((), (), (), ())
    experiences = {e.id: e for e in written}
    places = {known: i for i, known in enumerate(experiences)} if len(experiences) < len(written) else {}
    return pack(
        (
            (batch.client, batch.tick, batch.hop, batch.agent, batch.time),
            (batch.session_end, batch.leave, batch.durable, batch.heard, batch.muted, batch.begun),
            len(experiences),
            _columns(list(experiences.values()), _EXPERIENCE),
            (w_spaces, [places[e.id] for e in written] if places else None, w_ns),
            len(queries),
            _columns(queries, _QUERY),
            (r_spaces, r_agents, r_ns),
        )
    )


def unpack_batch(data: bytes) -> Batch:
    """Return the batch behind `pack_batch`. Raises CorruptFile for anything else."""
    try:
        head, flags, n, columns, (w_spaces, places, w_ns), asked, q_columns, reads = decode(data)
        columns[HEARD] = _as_tuples(*columns[HEARD])
        experiences, queries = _rows(Experience, columns, n), _rows(Query, q_columns, asked)
        written = [experiences[i] for i in places] if places is not None else experiences
        writes = tuple(map(_write, zip(w_spaces, written, w_ns, strict=True)))
        asks = tuple(map(_read, zip(*reads, queries, strict=True)))
        return Batch(*(*head, writes, asks, *flags[:4], tuple(flags[4]), tuple(map(tuple, flags[5]))))
    except (TypeError, ValueError, IndexError) as error:
        raise CorruptFile(f"Not a batch that was written here ({error}).") from None


def pack_reply(reply: Reply) -> bytes:
    """Return a reply as msgpack: the items of all recalls as columns, and how many each recall has."""
    items = [item for recall in reply.recalls for item in recall.items]
    return pack(
        (
            list(zip(*items, strict=True)) if items else [()] * len(Recalled._fields),
            [len(r.items) for r in reply.recalls],
            {i: [(e.kind, e.record_id, e.data) for e in r.effects] for i, r in enumerate(reply.recalls) if r.effects},
            {i: r.refused for i, r in enumerate(reply.recalls) if r.refused},
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
    columns, counts, effects, refused, refusals, epoch, failure, resend_from, used, spent = decode(data)
    items = map(_item, zip(*columns, strict=True))
    found = [Recall(tuple(islice(items, count))) for count in counts]
    for i in sorted({*effects, *refused}):
        told = tuple(Effect(*e) for e in effects.get(i, ()))
        found[i] = Recall(found[i].items, told, refused.get(i, ""))
    return Reply(
        tuple(found),
        tuple(Refusal(*item) for item in refusals),
        epoch,
        tuple(failure) if failure else None,
        resend_from,
        tuple((agent, tuple(counts)) for agent, counts in used) if used else (),
        tuple(map(tuple, spent)) if spent else (),
    )
