"""Drive one memory system operation by operation, as a space does, and hold what it returns against the protocol."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from simonides.sim.checks.report import Unmet, demand
from simonides.sim.checks.stand_ins import HashedWords, SchemaReplies, mark_of
from simonides.sim.context import Context, Services
from simonides.sim.protocols import Embedder, MemorySystem, Model
from simonides.sim.seeds import identity
from simonides.sim.types import Effect, Experience, Place, Prepared, Query, Recall, Recalled, Record

START = 1_700_000_000.0
"""When a script begins, in seconds since the Unix epoch: 14 November 2023."""

DAY = 86400.0
TOPICS = ("the garden gate", "a red bicycle", "her sister's wedding", "the harbour ferry", "an old violin")


def experience(
    number: int, text: str | None = None, *, days: float = 0.0, session: int = 0, agent: str = "ana"
) -> Experience:
    """Return the n-th experience of a script, `days` after its start; its default text carries its mark."""
    said = f'{agent} said, "{mark_of(number)} about {TOPICS[number % len(TOPICS)]}"' if text is None else text
    place = Place(number, "check", agent)
    return Experience(
        identity(0, "experience", "check", place, 0), "check", agent, number, START + days * DAY, said, agent, session
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a script. `text` is a query's, `cause` that of a manage."""

    kind: Literal["write", "read", "manage"]
    experience: Experience | None = None
    text: str = ""
    k: int | None = None
    cause: str = "session_end"


def script(first: int = 0, sessions: int = 3, turns: int = 12) -> list[Step]:
    """Return the universal script: sessions a day apart, turns a minute apart, reads within, management at each end."""
    steps: list[Step] = []
    for session in range(sessions):
        for turn in range(turns):
            number = first + session * turns + turn
            agent = ("ana", "ben")[turn % 2]
            said = experience(number, days=session + turn / 1440, session=session, agent=agent)
            steps.append(Step("write", said))
            if turn % 5 == 4:
                steps.append(Step("read", text=f"What about {TOPICS[number % len(TOPICS)]}?"))
            if turn == turns // 2:
                steps += [Step("manage", cause="tick"), Step("read", text=said.text, k=3)]
        steps.append(Step("manage"))
    return steps


class _Fixed:
    """A generator whose every uniform draw is the same, for checks that need to know it."""

    def __init__(self, draw: float) -> None:
        self.draw = draw

    def random(self, size: int | tuple[int, ...] | None = None) -> Any:
        """Return the draw, or an array of it."""
        return self.draw if size is None else np.full(size, self.draw)


class _FixedContext(Context):
    """A context whose generator always draws one number."""

    __slots__ = ("draw",)
    draw: float

    @property
    def rng(self) -> Any:
        """The generator that always draws `draw`."""
        return _Fixed(self.draw)


@dataclass(slots=True)
class Done:
    """One operation that was carried out: its kind and its context."""

    kind: str
    context: Context


@dataclass(slots=True)
class Desk:
    """One memory system in one space, with its stand-ins, its clock and a log of what it did.

    Every method raises Unmet when the system raises or returns what its protocol does not allow. `draw` fixes every
    uniform draw. `known` is the latest version of each record that the contexts handed out.
    """

    system: MemorySystem
    space: str = "check"
    model: Model = field(default_factory=SchemaReplies)
    embedder: Embedder = field(default_factory=HashedWords)
    seed: int = 7
    draw: float | None = None
    time: float = START
    tick: int = 0
    done: list[Done] = field(default_factory=list)
    known: dict[str, Record] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()

    def context(self, cause: str, agent: str = "") -> Context:
        """Return the context of the next operation."""
        place = Place(self.tick, "check", agent)
        self.tick += 1
        services = Services(self.embedder, self.model)
        if self.draw is None:
            return Context(self.space, place, self.time, cause, self.seed, services)
        fixed = _FixedContext(self.space, place, self.time, cause, self.seed, services)
        fixed.draw = self.draw
        return fixed

    def _finish(self, kind: str, ctx: Context) -> None:
        self.done.append(Done(kind, ctx))
        for record in (*ctx.changes.made, *ctx.changes.revised):
            self.known[record.id] = record

    async def write(self, said: Experience) -> Context:
        """Prepare and write one experience, at its time or later."""
        self.time = max(self.time, said.time)
        ctx = self.context("write", said.agent)
        prepared: Prepared = await calling("prepare", self.system.prepare(said, ctx))
        await calling("write", self.system.write(prepared, ctx))
        self._finish("write", ctx)
        return ctx

    async def read(self, text: str, k: int | None = None) -> Recall:
        """Read, and check that the answer is a recall."""
        ctx = self.context("read", "ana")
        recall = await calling("read", self.system.read(Query(text, k), ctx))
        self._finish("read", ctx)
        return checked_recall(recall)

    async def absorb(self, effects: Sequence[Effect]) -> None:
        """Give effects back, as a space does when it applies the tick of the read."""
        ctx = self.context("effects", "ana")
        await calling("absorb", self.system.absorb(effects, ctx))
        self._finish("effects", ctx)

    async def manage(self, cause: str = "session_end") -> Context:
        """Manage, because of "session_end" or "tick"."""
        ctx = self.context(cause)
        await calling("manage", self.system.manage(ctx))
        self._finish("manage", ctx)
        return ctx

    async def forget(self, ids: Iterable[str]) -> frozenset[str]:
        """Forget experiences; return those that the system could not remove."""
        ctx = self.context("forget")
        left = await calling("forget", self.system.forget(frozenset(ids), ctx))
        self._finish("forget", ctx)
        good = isinstance(left, Sequence | frozenset | set) and not isinstance(left, str)
        demand(
            good and all(isinstance(item, str) for item in left),
            "forget() returns the ids that could not be removed, as a sequence of strings",
            repr(left)[:120],
            "return () when everything was removed",
        )
        return frozenset(left)

    async def step(self, step: Step) -> Recall | None:
        """Carry out one step of a script; a read's effects come back before the next step."""
        if step.kind == "write" and step.experience:
            await self.write(step.experience)
        elif step.kind == "manage":
            await self.manage(step.cause)
        else:
            recall = await self.read(step.text, step.k)
            if recall.effects:
                await self.absorb(recall.effects)
            return recall
        return None

    async def play(self, steps: Iterable[Step]) -> list[Recall]:
        """Carry out a script; return what its reads recalled."""
        recalls = [await self.step(step) for step in steps]
        return [recall for recall in recalls if recall is not None]

    def snapshot(self) -> bytes:
        """Return the system's snapshot."""
        data = called("snapshot", self.system.snapshot)
        advice = "encode the state with simonides.sim.codec.encode"
        demand(isinstance(data, bytes), "snapshot() returns bytes", type(data).__name__, advice)
        return data  # type: ignore[no-any-return]

    def records(self) -> dict[str, Record]:
        """Return the records that are stored now, by id."""
        found = called("records", self.system.records)
        advice = "return the records that the context made, in a fixed order"
        demand(isinstance(found, Sequence), "records() returns a sequence of Record", type(found).__name__, advice)
        strange = sorted({type(record).__name__ for record in found if not isinstance(record, Record)})
        demand(not strange, "records() returns Record values", strange, advice)
        ids = [record.id for record in found]
        demand(
            len(set(ids)) == len(ids), "records() names each record once", f"{len(ids)} of {len(set(ids))} ids", advice
        )
        return {record.id: record for record in found}


async def calling(method: str, awaitable: Any) -> Any:
    """Await a system's method. Raises Unmet when it is not asynchronous or raises."""
    if not hasattr(awaitable, "__await__"):
        raise Unmet(
            f"{method}() is asynchronous", f"it returned {type(awaitable).__name__}", f"write async def {method}"
        )
    try:
        return await awaitable
    except Unmet:
        raise
    except Exception as error:
        raise _raised(method, error) from error


def called(method: str, function: Any, *arguments: Any) -> Any:
    """Call a system's synchronous method. Raises Unmet when it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        raise _raised(method, error) from error


def _raised(method: str, error: Exception) -> Unmet:
    trace, where = error.__traceback__, ""
    while trace is not None:
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return Unmet(f"{method}() returns", f"it raised {type(error).__name__}: {error}", f"see {where}")


def checked_recall(recall: Any) -> Recall:
    """Return a recall. Raises Unmet when it is none, or its items are not finite scores with texts."""
    advice = "return Recall(tuple of Recalled, tuple of Effect), from simonides.sim.types"
    demand(type(recall) is Recall, "read() returns a Recall", type(recall).__name__, advice)
    for item in recall.items:
        good = type(item) is Recalled and isinstance(item.text, str) and isinstance(item.record_id, str)
        demand(good, "read() returns items that are Recalled, with texts", type(item).__name__, advice)
        finite = isinstance(item.score, float | int) and math.isfinite(item.score)
        demand(finite, "every score is a finite number", item.score, "leave out what cannot be scored")
    strange = sorted({type(effect).__name__ for effect in recall.effects if type(effect) is not Effect})
    demand(not strange, "effects are Effect values", strange, advice)
    return recall  # type: ignore[no-any-return]
