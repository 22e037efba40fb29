"""Whatever the network does, the state is the same and nothing hangs: random schedules on plain classes, no Ray.

Clients with jittered arrival, duplicated and lost batches, hosts that crash and recover from their log, worlds that end
early, raise, join late or hop several times; compared with the same clients on a network that does nothing of the kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import ToyMemory

from simonides.sim.batchlog import BatchLog
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.context import Services
from simonides.sim.exchange import Batch, Read, Write, pack_reply
from simonides.sim.host import SpaceHost
from simonides.sim.line import Line
from simonides.sim.spacesetup import SpaceSetup
from simonides.sim.trace import Trace, TraceWriter, next_epoch
from simonides.sim.types import Experience, Query


class Plan:
    """What every client says at every tick: drawn once, so that only the network differs between two runs."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.seed = seed
        worlds = [f"w{i}" for i in range(draw.randint(1, 4))]
        self.join = {w: draw.choice([0, 0, 0, draw.randint(1, 3)]) for w in worlds}
        self.stride = {w: draw.choice([1, 1, 1, 2, 3]) for w in worlds}
        self.stop = {w: self.join[w] + self.stride[w] * draw.randint(1, 5) for w in worlds}
        self.raises = {w: draw.random() < 0.2 for w in worlds}
        self.hops = {(w, t): draw.choice([0, 0, 1, 2]) for w in worlds for t in range(self.join[w], self.stop[w])}
        self.spaces = {}
        for i in range(draw.randint(1, 3)):
            members = draw.sample(worlds, draw.randint(1, len(worlds)))
            self.spaces[f"s{i}"] = sorted(members)
        self.spaces |= {f"own-{w}": [w] for w in worlds}
        sharing = {w for members in self.spaces.values() if len(members) > 1 for w in members}
        self.alone = next((w for w in worlds if w not in sharing), None)
        self.worlds = worlds
        self.slow = draw.random() < 0.5
        self.manage_every = draw.choice([0, 2])

    def setups(self) -> list[SpaceSetup]:
        return [
            SpaceSetup(
                name,
                frozenset((w, "a") for w in members) if name != "s0" else frozenset((w, "a") for w in members[:1]),
                frozenset((w, "a") for w in members),
                {w: self.join[w] for w in members},
                lambda: ToyMemory(3, self.slow),
                manage_every=self.manage_every,
                strides=self.stride,
            )
            for name, members in self.spaces.items()
        ]

    def mine(self, world: str) -> list[str]:
        return [name for name, members in self.spaces.items() if world in members]

    def experience(self, world: str, tick: int) -> Experience:
        return Experience(
            f"{hash_of(world, tick):032x}",
            world,
            "a",
            tick,
            float(tick * 10 + len(world)),
            f"{world} said{tick % 3} {tick}",
        )

    def batch(self, world: str, tick: int, durable: int) -> Batch:
        first = tick == self.join[world]
        writes = (
            ()
            if first
            else tuple(Write(s, self.experience(world, tick - self.stride[world]), 0) for s in self.mine(world))
        )
        reads = tuple(
            Read(s, "a", n, Query(f"said{tick % 3}", k=2, probe=tick % 4 == 3)) for n, s in enumerate(self.mine(world))
        )
        return Batch(world, tick, 0, "", float(tick), writes, reads, not first and tick % 3 == 0, False, durable)


def hash_of(*parts: object) -> int:
    return random.Random(repr(parts)).getrandbits(128)


class Network:
    """Delivers batches to a host, badly: late, twice, not at all, or to one that has just crashed."""

    def __init__(self, plan: Plan, folder, draw: random.Random | None, every: int = 0, crash: float = 0.0) -> None:
        self.plan, self.folder, self.draw, self.every, self.crash = plan, folder, draw, every, crash
        self.ahead: list[asyncio.Task[None]] = []
        self.dead: list[SpaceHost] = []
        self.host = self.open()

    def open(self) -> SpaceHost:
        epoch = next_epoch(self.folder, "m")
        host = SpaceHost(
            self.plan.setups(),
            self.plan.seed,
            Services(),
            TraceWriter(self.folder, "m", epoch),
            log=BatchLog(self.folder / "m.log", epoch),
            store=CheckpointStore(self.folder / "checkpoints"),
            checkpoint_every=self.every,
        )
        host.start()
        return host

    async def send(self, batch: Batch):
        if self.draw is None:
            return await self.host.exchange(batch)
        while True:
            for _ in range(self.draw.choice([0, 0, 1, 3])):
                await asyncio.sleep(0)
            if self.draw.random() < self.crash:
                self.host._log.close()  # an orphan may go on for a while, but acknowledges nothing more
                self.host._trace.flush()
                self.dead.append(self.host)
                self.host = self.open()
            if self.draw.random() < 0.1:
                continue  # the request is lost
            if self.draw.random() < 0.1:
                self.ahead.append(asyncio.ensure_future(swallow(self.host.exchange(batch))))  # a duplicate
            host = self.host
            answer = asyncio.ensure_future(host.exchange(batch))
            while not answer.done() and host is self.host:
                await asyncio.sleep(0)
            if host is not self.host:
                answer.cancel()  # the host died while we waited
                continue
            if self.draw.random() < 0.1:
                answer.exception()
                continue  # the reply is lost
            return answer.result()


async def swallow(job) -> None:
    with contextlib.suppress(Exception):
        await job


async def client(plan: Plan, network: Network, world: str, replies: dict) -> None:
    line = Line(network.send)
    join, stop = plan.join[world], plan.stop[world]
    for tick in range(join, stop, plan.stride[world]):
        steps = (tick - join) // plan.stride[world]
        durable = join + (steps - steps % network.every) * plan.stride[world] if network.every else join
        reply = await line.exchange(plan.batch(world, tick, min(durable, tick)))
        replies[world, tick, 0] = pack_reply(replace(reply, epoch=0))
        for hop in range(1, plan.hops[world, tick] + 1):
            space = plan.mine(world)[hop % len(plan.mine(world))]
            more = await line.exchange(
                Batch(world, tick, hop, "a", float(tick), (), (Read(space, "a", 0, Query("w0")),))
            )
            replies[world, tick, hop] = pack_reply(replace(more, epoch=0))
    if plan.raises[world]:  # its last tick's writes are discarded
        await line.exchange(Batch(world, stop, leave=True, time=float(stop)))
    else:
        await line.exchange(replace(plan.batch(world, stop, join), reads=(), leave=True))


async def run(plan: Plan, network: Network) -> dict:
    replies: dict = {}
    await asyncio.wait_for(asyncio.gather(*(client(plan, network, w, replies) for w in plan.worlds)), 20)
    for _ in range(200):
        if not any(space.ready or space.applying for space in network.host.spaces.values()):
            break
        await asyncio.sleep(0)
    return replies


def outcome(plan: Plan, folder, draw, every=0, crash=0.0):
    async def go():
        network = Network(plan, folder, draw, every, crash)
        replies = await run(plan, network)
        states = {name: space.snapshot() for name, space in network.host.spaces.items()}
        waits = network.host.waits(plan.alone) if plan.alone else 0
        for host in (network.host, *network.dead):
            host.close()
        return replies, states, waits

    folder.mkdir(parents=True)
    replies, states, waits = asyncio.run(go())
    return (replies, states, Trace(folder).digest()), waits


MEMORY = Path("/dev/shm")
"""Files in memory, where there are such: a checkpoint is synced, and a disk takes longer for that than all the rest."""


def same(seed: int, *networks: str) -> None:
    """Compare what comes of a plan on bad networks with what comes of it, once, on a good one."""
    plan = Plan(seed)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        calm, waits = outcome(plan, Path(name) / "calm", None)
        for number, network in enumerate(networks):
            every, crash = NETWORKS[network]
            wild, wild_waits = outcome(plan, Path(name) / f"wild{number}", random.Random(seed + 1), every, crash)
            assert wild == calm, network
            if crash == 0.0:
                assert wild_waits == waits == 0  # a world that shares nothing never waits


def schedules(n: int):
    """Return a decorator that tries n schedules, the same ones every time."""
    quiet = settings(
        max_examples=n, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    return lambda test: quiet(given(seed=st.integers(0, 1 << 40))(test))


# (checkpoint every, share of sends at which the host crashes)
NETWORKS = {"jitter, duplicates, losses": (0, 0.0), "crashes": (0, 0.08), "crashes and checkpoints": (2, 0.08)}


@pytest.mark.parametrize("network", NETWORKS)
@schedules(40)
def test_the_network_changes_nothing(network, seed):
    same(seed, network)


@pytest.mark.slow
@pytest.mark.timeout(900)
@schedules(800)
def test_the_network_changes_nothing_in_thousands_of_schedules(seed):
    same(seed, *NETWORKS)
