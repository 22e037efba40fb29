"""The rules of an exchange, one by one, on a plain host."""

import asyncio
from dataclasses import replace

import pytest
from toys import ToyMemory

from simonides.sim.batchlog import BatchLog
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.context import Services
from simonides.sim.errors import ContractBroken, CorruptFile, StaleBatch
from simonides.sim.exchange import Batch, Read, Write, pack_batch, pack_reply, unpack_batch, unpack_reply
from simonides.sim.host import Budget, SpaceHost
from simonides.sim.spacesetup import SpaceSetup
from simonides.sim.trace import Trace, TraceWriter
from simonides.sim.types import Experience, Query


def host_of(folder, members=("w0", "w1"), epoch=1, log=True, budget=None, **fields):
    agents = frozenset((w, "a") for w in members)
    setup = SpaceSetup("s", agents, agents, dict.fromkeys(members, 0), ToyMemory, **fields)
    return SpaceHost(
        [setup],
        7,
        Services(),
        TraceWriter(folder, "m", epoch),
        log=BatchLog(folder / "m.log", epoch) if log else None,
        store=CheckpointStore(folder / "checkpoints"),
        budget=budget,
    )


def lived(world, tick, text="hello"):
    return Experience(f"{tick:030x}{world[-1]:0>2}", world, "a", tick, float(tick), f"{text} {world} {tick}")


def batch(world, tick, writes=True, **fields):
    written = (Write("s", lived(world, tick - 1), 0),) if writes and tick else ()
    return Batch(world, tick, 0, "", float(tick), written, (Read("s", "a", 0, Query("hello", k=9)),), **fields)


def texts(reply):
    return sorted(item.text for item in reply.recalls[0].items)


def test_a_read_sees_the_space_as_it_stood_after_the_tick_before(tmp_path):
    async def go():
        host = host_of(tmp_path)
        first = await asyncio.gather(host.exchange(batch("w0", 0)), host.exchange(batch("w1", 0)))
        second = await asyncio.gather(host.exchange(batch("w0", 1)), host.exchange(batch("w1", 1)))
        return [texts(reply) for reply in (*first, *second)]

    empty, also_empty, one, other = asyncio.run(go())
    assert empty == also_empty == []
    assert one == other == ["hello w0 0", "hello w1 0"]


def test_a_reader_waits_for_every_member_and_a_leave_sets_it_free(tmp_path):
    async def go():
        host = host_of(tmp_path)
        await asyncio.gather(host.exchange(batch("w0", 0)), host.exchange(batch("w1", 0)))
        waiting = asyncio.ensure_future(host.exchange(batch("w0", 1)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        await host.exchange(replace(batch("w1", 1), reads=(), leave=True))
        return texts(await waiting), host.waits("w0")

    seen, waits = asyncio.run(go())
    assert seen == ["hello w0 0", "hello w1 0"]
    assert waits == 1


def test_a_duplicate_gets_the_original_reply_and_is_applied_once(tmp_path):
    async def go():
        host = host_of(tmp_path, ("w0",))
        await host.exchange(batch("w0", 0))
        one = await host.exchange(batch("w0", 1))
        await host.exchange(batch("w0", 2))
        again = await host.exchange(batch("w0", 1))
        return one, again, host.spaces["s"].system.records()

    one, again, records = asyncio.run(go())
    assert again is one
    assert [r.text for r in sorted(records, key=lambda r: r.tick)] == ["hello w0 0", "hello w0 1"]


def test_a_gap_waits_until_it_is_filled(tmp_path):
    async def go():
        host = host_of(tmp_path, ("w0",))
        early = asyncio.ensure_future(host.exchange(batch("w0", 1)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not early.done()
        await host.exchange(batch("w0", 0))
        return texts(await early)

    assert asyncio.run(go()) == ["hello w0 0"]


def test_a_batch_older_than_the_kept_replies_is_an_error(tmp_path):
    async def go():
        host = host_of(tmp_path, ("w0",))
        for tick in range(4):
            await host.exchange(batch("w0", tick, durable=max(0, tick - 1)))
        with pytest.raises(StaleBatch, match="tick 0, but replies are kept from its durable tick 2"):
            await host.exchange(batch("w0", 0))

    asyncio.run(go())


def test_a_stranger_is_told_that_it_is_no_member(tmp_path):
    with pytest.raises(ContractBroken, match="member of no space here"):
        asyncio.run(host_of(tmp_path).exchange(batch("stranger", 0)))


def test_a_probe_leaves_no_effects(tmp_path):
    async def go(probe):
        host = host_of(tmp_path / str(probe), ("w0",))
        await host.exchange(batch("w0", 0))
        ask = Read("s", "a", 0, Query("hello", probe=probe))
        await host.exchange(replace(batch("w0", 1), reads=(ask,)))
        await host.exchange(replace(batch("w0", 2), reads=()))
        return [r.version for r in host.spaces["s"].system.records() if r.tick == 0]

    assert asyncio.run(go(False)) == [2]
    assert asyncio.run(go(True)) == [1]


def test_an_orphans_entries_lose_against_its_successors(tmp_path):
    old, new = BatchLog(tmp_path / "log", 1), BatchLog(tmp_path / "log", 2)
    old.append(pack_batch(batch("w0", 0)))
    new.append(pack_batch(batch("w0", 1)))
    old.append(pack_batch(batch("w0", 2)))
    assert [b.tick for b in new.batches()] == [0, 1]


def test_a_successor_asks_again_for_what_only_an_orphan_had_acknowledged(tmp_path):
    from simonides.sim.line import Line

    async def go():
        host = host_of(tmp_path, ("w0",))
        sent = []

        async def send(one):
            sent.append(one.tick)
            return await host.exchange(one)

        line = Line(send)
        for tick in range(3):
            await line.exchange(batch("w0", tick))
        (tmp_path / "m.log").unlink()  # the successor's log never saw what the orphan answered
        host = host_of(tmp_path, ("w0",), epoch=2)
        host.start()
        return texts(await line.exchange(batch("w0", 3))), sent

    seen, sent = asyncio.run(go())
    assert seen == ["hello w0 0", "hello w0 1", "hello w0 2"]
    assert sent == [0, 1, 2, 3, 0, 1, 2, 3]


def test_batches_and_replies_come_back_as_they_went(tmp_path):
    one = batch("w0", 3, session_end=True, durable=2, heard=1)
    assert unpack_batch(pack_batch(one)) == one

    async def go():
        host = host_of(tmp_path, ("w0",))
        await host.exchange(batch("w0", 0))
        return await host.exchange(batch("w0", 1))

    reply = asyncio.run(go())
    assert unpack_reply(pack_reply(reply)) == reply
    with pytest.raises(CorruptFile):
        unpack_batch(b"\x93\x01\x02\x03")


def test_manage_is_called_at_its_ticks_and_at_session_ends_after_the_writes(tmp_path):
    calls = []

    class Managed(ToyMemory):
        async def manage(self, ctx):
            calls.append((ctx.tick, ctx.cause, len(self.records())))

    async def go():
        setup = SpaceSetup("s", frozenset(), frozenset({("w0", "a")}), {"w0": 0}, Managed, manage_every=2)
        host = SpaceHost([setup], 1, Services(), TraceWriter(tmp_path, "m", 1))
        for tick in range(5):
            await host.exchange(replace(batch("w0", tick), reads=(), session_end=tick == 2))

    asyncio.run(go())
    assert calls == [(1, "session_end", 2), (1, "tick", 2), (3, "tick", 4)]
    assert Trace(tmp_path).rows == []  # nothing was flushed: the writer is open


def test_a_synced_log_is_on_the_disk_before_its_batch_is_answered(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    log = BatchLog(tmp_path / "m.log", 1, sync=True)
    log.append(pack_batch(batch("w0", 0)))
    assert len(synced) == 1
    assert [kept.id for kept in log.batches()] == [("w0", 0, 0, "")]
    log.close()


@pytest.mark.parametrize("budget", [0, 1000])
def test_a_packed_space_stays_packed_through_ticks_in_which_nothing_happens(tmp_path, budget):
    async def go():
        host = host_of(tmp_path, ("w0",), budget=Budget(budget, tmp_path / "spill"))
        packed = []
        for tick in range(4):
            await host.exchange(replace(batch("w0", tick), reads=(), writes=()))
            packed.append(host.spaces["s"].packed)
        return packed, texts(await host.exchange(batch("w0", 4)))

    packed, found = asyncio.run(go())
    assert all(packed)
    assert found == ["hello w0 3"]
