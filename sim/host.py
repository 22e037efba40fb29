"""Many spaces in one process: admits batches once each, in any order of arrival, and answers them in logical time.

Admission (epoch, duplicate, log, enqueue) is one synchronous function with no `await` in it, so that what is not logged
is not acknowledged (design section 7). Around it a Ray actor or the inline runtime puts the transport.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simonides.sim.batchlog import BatchLog
from simonides.sim.budget import EVERYBODY
from simonides.sim.checkpoint import CheckpointStore, slug
from simonides.sim.codec import pack
from simonides.sim.context import Services, Usage
from simonides.sim.errors import ContractBroken, Interrupted, StaleBatch
from simonides.sim.exchange import PEEK, Batch, BatchId, Read, Refusal, Reply, pack_batch
from simonides.sim.framing import read_file, replace_file
from simonides.sim.hung import TIMEOUT, InProgress, Task
from simonides.sim.space import Space
from simonides.sim.spacesetup import SpaceSetup
from simonides.sim.trace import SPACE, SPACE_FAILED, TraceWriter
from simonides.sim.types import Place, Query, Recall

Answered = tuple[Recall, tuple[str, str, str] | None, Usage]
"""What a read recalled, its failure (part, phase and class of the error), and what it cost."""

UNKNOWN_SIZE = 4096
"""Bytes that a space is taken to hold before it was ever packed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much memory idle spaces may hold before they are packed, and packed ones before they go to `folder`."""

    bytes: int
    folder: Path


@dataclass(slots=True)
class _Client:
    """What a host knows of one client: its spaces, the tick expected next, and what may still be asked again."""

    spaces: list[Space]
    next: int
    kept: int
    stride: int = 1
    early: dict[int, Batch] = field(default_factory=dict)
    """Hop-0 batches that arrived, but must wait until all of an earlier tick are there and answered."""
    open: dict[int, int] = field(default_factory=dict)
    """Tick -> batches that arrived and are not answered yet."""
    gap: asyncio.Future[None] | None = None
    left: bool = False
    waits: int = 0


class SpaceHost:
    """Hosts the spaces of one memory actor, or of one world process."""

    def __init__(
        self,
        setups: Iterable[SpaceSetup],
        seed: int,
        services: Services,
        trace: TraceWriter,
        *,
        log: BatchLog | None = None,
        store: CheckpointStore | None = None,
        checkpoint_every: int = 0,
        budget: Budget | None = None,
        base: int | None = None,
    ) -> None:
        """`base` is the tick at which a forked trial goes on: every space has a checkpoint of that tick."""
        self.spaces: dict[str, Space] = {s.name: Space(s, seed, services) for s in sorted(setups, key=lambda s: s.name)}
        self.epoch = trace.epoch
        self.texts: list[str] = []
        """One line for each failure, for people; the trace has only part, phase and class."""
        self._trace = trace
        self._log = log
        self._store = store
        self._every = checkpoint_every if store is not None else 0
        self._base = base
        self._budget = budget
        self._replies: dict[BatchId, asyncio.Task[Reply]] = {}
        self._refusals: dict[BatchId, list[Refusal]] = {}
        self._sizes: dict[str, int] = {}
        self._resident: OrderedDict[str, None] = OrderedDict.fromkeys(self.spaces if budget else ())
        self._held = UNKNOWN_SIZE * len(self.spaces)
        self._packed_bytes = 0
        self._packed: OrderedDict[str, int] = OrderedDict()
        self.progress = InProgress()
        """What the event loop waits for here: ticks being applied, and reads."""
        self._clients: dict[str, _Client] = {}
        for space in self.spaces.values():
            for member, join in space.spec.members.items():
                first = join if base is None else space.spec.step_at(member, base)
                client = self._clients.setdefault(member, _Client([], first, first, space.spec.stride(member)))
                client.spaces.append(space)

    # --- start and recovery ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Restore from checkpoint and log if there is any, and mark in the trace from which tick rows follow.

        Must run inside the event loop. Replies to logged batches are rebuilt by doing their reads again.
        """
        logged = self._log.batches() if self._log is not None else []
        tick = self._common_checkpoint(logged) if logged or self._base is not None else None
        for space in self.spaces.values():
            if tick is not None and self._store is not None:
                space.restore(self._store.load("space", space.name, tick).data)
            self._trace.start(SPACE, space.name, space.tick)
        if tick is not None:
            for name, client in self._clients.items():
                client.next = client.kept = client.spaces[0].spec.step_at(name, tick)
        for batch in logged:
            client = self._clients[batch.client]
            if batch.id not in self._replies and (batch.tick >= client.kept or batch.leave):
                self._remember(batch)

    def restore(self, states: dict[str, bytes]) -> None:
        """Restore co-located spaces from their world's checkpoint."""
        for name, data in states.items():
            space = self.spaces[name]
            space.restore(data)
            for member in space.spec.members:
                client = self._clients[member]
                client.next = client.kept = space.spec.step_at(member, space.tick)

    def snapshots(self) -> dict[str, bytes]:
        """Return the snapshot of every space, by name."""
        found = {}
        for name, space in self.spaces.items():
            self._load(space)
            found[name] = space.snapshot()
        return found

    def save_all(self, tick: int) -> None:
        """Keep a checkpoint of every space as it stands, for a trial that is to go on from `tick`."""
        assert self._store is not None
        for name, state in self.snapshots().items():
            self._store.save("space", name, tick, state)

    def _common_checkpoint(self, logged: list[Batch]) -> int | None:
        """The newest tick at which every space here has a checkpoint that no client can ask to go behind."""
        durable = {name: client.next for name, client in self._clients.items()}
        left = set()
        for batch in logged:
            durable[batch.client] = max(durable[batch.client], batch.durable)
            if batch.leave:
                left.add(batch.client)
        limit = min((tick for name, tick in durable.items() if name not in left), default=None)
        if self._store is None:
            return None
        common: set[int] | None = None
        for name in self.spaces:
            ticks = set(self._store.ticks("space", name))
            common = ticks if common is None else common & ticks
        fitting = [tick for tick in common or () if limit is None or tick <= limit]
        return max(fitting, default=None)

    # --- admission: synchronous --------------------------------------------------------------------------------------

    async def exchange(self, batch: Batch, raw: bytes | None = None) -> Reply:
        """Answer one batch: at most once applied, however often it is sent; a duplicate gets the original reply.

        Raises StaleBatch for what is older than the kept replies, ContractBroken for an unknown client, NotWritten when
        the log cannot be written.
        """
        if self._log is None:
            client = self._admit(batch)
            return await self._serve(batch, client)
        task = self._replies.get(batch.id)
        if task is None:
            client = self._known(batch)
            if client.left:
                return Reply(epoch=self.epoch)
            lost = next(
                (tick for tick in range(client.next, batch.tick, client.stride) if tick not in client.early), -1
            )
            if lost >= 0 and 0 < batch.heard < self.epoch:
                return Reply(epoch=self.epoch, resend_from=lost)
            self._log.append(raw if raw is not None else pack_batch(batch))
            task = self._remember(batch)
        return await asyncio.shield(task)

    def _known(self, batch: Batch) -> _Client:
        client = self._clients.get(batch.client)
        if client is None:
            raise ContractBroken(
                f"{batch.client!r} is a member of no space here; members: {sorted(self._clients)[:5]}."
            )
        if batch.tick < client.kept and not batch.leave:
            raise StaleBatch(
                f"{batch.client!r} sent tick {batch.tick}, but replies are kept from its durable tick {client.kept} on."
            )
        return client

    def _remember(self, batch: Batch) -> asyncio.Task[Reply]:
        task = asyncio.ensure_future(self._serve(batch, self._admit(batch)))
        task.add_done_callback(_seen)
        self._replies[batch.id] = task
        return task

    def _admit(self, batch: Batch) -> _Client:
        client = self._known(batch)
        if batch.leave and batch.tick < client.next:
            client.next = batch.tick  # it had left before the checkpoint that this host has gone on from
        client.open[batch.tick] = client.open.get(batch.tick, 0) + 1
        if batch.hop == 0:
            client.early[batch.tick] = batch
            self._drain(client)
        return client

    def _drain(self, client: _Client) -> None:
        """Take in the next tick's batch if it is there and nothing of an earlier tick is still to be answered.

        A frontier that moved on before a read of the tick below was answered would let the space pass that read by:
        when a log is replayed, everything has arrived at once.
        """
        while client.next in client.early and min(client.open, default=client.next) >= client.next:
            self._enqueue(client.early.pop(client.next), client)
            if client.gap is not None:
                client.gap.set_result(None)
                client.gap = None

    def _answered(self, batch: Batch, client: _Client) -> None:
        client.open[batch.tick] -= 1
        if not client.open[batch.tick]:
            del client.open[batch.tick]
            if client.early:
                self._drain(client)

    def _enqueue(self, batch: Batch, client: _Client) -> None:
        name, tick = batch.client, batch.tick
        lived = tick - client.stride
        for id, start in batch.begun:
            for space in client.spaces:
                space.begin(id, start, lived)
        for to, experience, n in batch.writes:
            space, agent = self.spaces[to], experience.agent
            place = Place(lived, name, agent, 0, n)
            refusal = space.refusal((name, agent), "write", lived)
            if not refusal:
                space.write(place, experience, bool(batch.muted) and _muted(batch, agent))
            else:
                space.refuse(place, refusal)
                self._refusals.setdefault(batch.id, []).append(Refusal(to, agent, refusal))
        for space in client.spaces:
            if batch.session_end:
                space.end_session(name, lived, EVERYBODY in batch.muted)
            if EVERYBODY in batch.muted:
                space.mute(lived)
            if batch.leave:
                space.leave(name, lived)
            else:
                space.enter(name, tick, batch.time)
        client.next = tick + client.stride
        client.left = batch.leave
        if batch.durable > client.kept:
            self._forget_replies(name, batch.durable)
            client.kept = batch.durable

    def _forget_replies(self, name: str, durable: int) -> None:
        for key in [key for key in self._replies if key[0] == name and key[1] < durable]:
            del self._replies[key]

    # --- service: asynchronous -------------------------------------------------------------------------------------

    async def _serve(self, batch: Batch, client: _Client) -> Reply:
        try:
            return await self._answer(batch, client)
        finally:
            self._answered(batch, client)

    async def _answer(self, batch: Batch, client: _Client) -> Reply:
        tick, task = batch.tick, asyncio.current_task()  # asked for once: it costs as much as a tenth of a space's tick
        while client.next <= tick:  # an earlier batch of this client is missing
            if client.gap is None:
                client.gap = asyncio.get_running_loop().create_future()
            await asyncio.shield(client.gap)
        if batch.hop == 0:
            busy = [space for space in client.spaces if space.ready and not self._rests(space)]
            if busy:
                await self._advance_all(busy, task)
        if not batch.leave:
            for space in client.spaces:
                if space.tick < tick and not space.failure:
                    client.waits += 1
                    await space.reached(tick)
        refusals = tuple(self._refusals.pop(batch.id, ()))
        # Every read is done, even when one fails: which spaces are here must not show in what is left behind.
        failures = [space.failure for space in client.spaces if space.failure and not batch.leave]
        used: list[tuple[str, tuple[int, ...]]] = []
        recalls: list[Recall] = []
        for read, (recall, failure, usage) in zip(batch.reads, await self._read_all(batch, task), strict=True):
            recalls.append(recall)
            if failure is not None:
                failures.append(failure)
            if usage.calls or usage.embedded:
                used.append((read.agent, tuple(usage.plain())))
        if self._budget is not None:
            self._keep_budget(self._budget)
        spent = tuple(one for space in client.spaces if space.asks for one in space.spent_by(batch.client))
        return Reply(tuple(recalls), refusals, self.epoch, min(failures, default=None), -1, tuple(used), spent)

    async def _read_all(self, batch: Batch, task: Task | None) -> Sequence[Answered]:
        """Return what each read of a batch recalled, in order."""
        reads = batch.reads
        if len(reads) > 1 and any(self.spaces[read.space].gathers for read in reads):
            return await asyncio.gather(*(self._read(batch, read, None) for read in reads))  # each in a task of its own
        return [await self._read(batch, read, task) for read in reads]

    async def _read(self, batch: Batch, read: Read, task: Task | None) -> Answered:
        place, usage = Place(batch.tick, batch.client, read.agent, batch.hop, read.n), Usage()
        return *await self._recall(batch, place, self.spaces[read.space], read.query, usage, task), usage

    async def _recall(
        self, batch: Batch, place: Place, space: Space, query: Query, usage: Usage, task: Task | None
    ) -> tuple[Recall, tuple[str, str, str] | None]:
        peek = batch.hop >= PEEK
        refusal = space.refusal((batch.client, place.agent), "read", batch.tick) if place.agent or not peek else ""
        if refusal:
            if not peek:
                space.refuse(place, refusal)
            return Recall(refused=Refusal(space.name, place.agent, refusal).text), None
        if space.failure is not None:
            return Recall(), space.failure
        self._load(space)
        key = self.progress.begin(task)
        try:
            if peek and not query.text:
                return space.shown(query), None
            muted = bool(batch.muted) and _muted(batch, place.agent)
            return await space.read(place, query, batch.time, usage, muted), None
        except Interrupted:
            raise
        except (Exception, asyncio.CancelledError) as error:
            cause = self._cause(key, error)
            if peek:
                return Recall(), (space.name, "read", type(cause).__name__)
            self.texts.append(f"Reading space {space.name!r} at tick {place.tick}: {type(cause).__name__}: {cause}")
            return Recall(), (space.name, "read", type(cause).__name__)
        finally:
            self.progress.end(key)

    def _cause(self, key: int, error: BaseException) -> Exception:
        """Return what failed: the error, or a time-out for our own cancellation. Raises any other cancellation."""
        if isinstance(error, Exception):
            return error
        if self.progress.timed_out(key, error):
            return TimeoutError(TIMEOUT)
        raise error

    def _rests(self, space: Space) -> bool:
        """Pass, without waiting, the ticks that ask nothing of a space; return True when no other can be applied."""
        if space.applying or space.gathers:
            return False  # whose texts are embedded together with others' of the same moment
        while space.ready and space.quiet and not (self._every and (space.tick + 1) % self._every == 0):
            space.rest()
        space.wake()
        return not space.ready

    async def _advance_all(self, spaces: list[Space], task: Task | None) -> None:
        if len(spaces) > 1 and any(space.gathers for space in spaces):
            await asyncio.gather(*(self._advance(space, None) for space in spaces))  # each in a task of its own
            return
        for space in spaces:
            await self._advance(space, task)

    async def _advance(self, space: Space, task: Task | None) -> None:
        if space.applying:
            return
        space.applying = True
        try:
            while space.ready:
                await self._apply(space, task)
        finally:
            space.applying = False
            space.wake()

    async def _apply(self, space: Space, task: Task | None) -> None:
        tick = space.tick
        if self._budget is not None and not space.quiet:
            self._load(space)
        key = self.progress.begin(task)
        try:
            row = await space.apply()
            if row is not None:
                self._trace.row(SPACE, space.name, tick, row)
            if self._every and space.tick % self._every == 0 and self._store is not None:
                self._trace.flush()
                self._load(space)
                self._store.save("space", space.name, space.tick, space.snapshot())
        except Interrupted:
            raise
        except (Exception, asyncio.CancelledError) as error:
            self._fail(space, tick, self._cause(key, error))
        finally:
            self.progress.end(key)
        space.wake()

    def _fail(self, space: Space, tick: int, error: Exception) -> None:
        space.failure = (space.name, "apply", type(error).__name__)
        self.texts.append(f"Space {space.name!r} failed at tick {tick}: {type(error).__name__}: {error}")
        self._trace.row(SPACE_FAILED, space.name, tick, pack(space.failure))

    # --- memory budget ---------------------------------------------------------------------------------------------

    def _load(self, space: Space) -> None:
        """Bring a packed or spilled space back before it is used, and note that it was."""
        if self._budget is None:
            return
        name = space.name
        if name not in self._resident:
            if name in self._packed:
                self._packed_bytes -= self._packed.pop(name)
            else:
                space.unpack(read_file(self._budget.folder / f"{slug(name)}.bin"))
            self._held += self._sizes.get(name, UNKNOWN_SIZE)
        self._resident[name] = None
        self._resident.move_to_end(name)

    def _keep_budget(self, budget: Budget) -> None:
        if self._held > budget.bytes:
            for name in list(self._resident):
                if self._held <= budget.bytes:
                    break
                if self.spaces[name].idle:
                    self._pack(name)
        while self._packed and self._packed_bytes > budget.bytes:
            name, size = self._packed.popitem(last=False)
            replace_file(budget.folder / f"{slug(name)}.bin", self.spaces[name].pack(), sync=False)
            self.spaces[name].spilled()
            self._packed_bytes -= size

    def _pack(self, name: str) -> None:
        self._held -= self._sizes.get(name, UNKNOWN_SIZE)
        self._sizes[name] = self._packed[name] = len(self.spaces[name].pack())
        self._packed_bytes += self._sizes[name]
        del self._resident[name]

    # --- counters --------------------------------------------------------------------------------------------------

    def waits(self, client: str) -> int:
        """Return how often a client's exchange had to wait for another member: 0 if it shares nothing."""
        return self._clients[client].waits

    def close(self) -> None:
        """Close the log and its trace segment; the segment of co-located spaces is their world's, and only flushed."""
        for task in self._replies.values():
            task.cancel()
        self._trace.flush()
        if self._log is not None:
            self._log.close()
            self._trace.close()


def _muted(batch: Batch, agent: str) -> bool:
    return agent in batch.muted or EVERYBODY in batch.muted


def _seen(task: asyncio.Task[Reply]) -> None:
    # A reply that nobody fetches again must not make the event loop complain about its exception.
    if not task.cancelled():
        task.exception()
