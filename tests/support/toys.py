"""Small true parts for tests of the kernel: a world that talks, a policy that remembers, a memory that changes."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np

from simonides.sim.codec import decode, encode, records_from_columns, records_to_columns
from simonides.sim.seeds import generator
from simonides.sim.types import Action, Card, Effect, Prepared, Query, Recall, Recalled, Record, Tell


def die_once(marker: str) -> None:
    """Kill this process as a crash would, the first time that it gets here."""
    if marker and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)


class ToyMemory:
    """Keeps records; merges the two oldest when full; counts how often each was recalled; forgets at random."""

    card: ClassVar[Card] = Card("Toy", "tests", read_mutates=True)

    def __init__(
        self, capacity: int = 6, slow: bool = False, forgets: bool = True, die_at: int = -1, marker: str = ""
    ) -> None:
        self.die_at, self.marker = die_at, marker
        self.capacity = capacity
        self.slow = slow
        self.forgets = forgets
        self._records: dict[str, Record] = {}

    async def prepare(self, experience, ctx):
        if self.slow:
            await asyncio.sleep(0)
        return Prepared(experience)

    async def write(self, prepared, ctx):
        if self.slow:
            await asyncio.sleep(0)
        if ctx.tick == self.die_at:
            die_once(self.marker)
        record = ctx.record(prepared.experience, data={"count": 0, "luck": float(ctx.rng.random())})
        self._records[record.id] = record
        while len(self._records) > self.capacity:
            first, second = sorted(self._records.values(), key=lambda r: (r.tick, r.id))[:2]
            merged = ctx.derive(
                [first, second], f"{first.text[:20]}+{second.text[:20]}", data={"count": 0, "luck": 0.5}
            )
            for old in (first, second):
                ctx.retire(old, "merged")
                del self._records[old.id]
            self._records[merged.id] = merged

    async def read(self, query, ctx):
        if self.slow:
            await asyncio.sleep(0)
        words = set(query.text.split())
        scored = [
            (len(words & set(r.text.split())) + r.data["count"] / 100 + r.data["luck"] / 1000, r)
            for r in self._records.values()
        ]
        best = sorted(scored, key=lambda pair: (-pair[0], pair[1].id))[: query.k or 3]
        return Recall(
            tuple(Recalled(r.id, r.text, score, r.channel, r.time) for score, r in best),
            tuple(Effect("count", r.id) for _, r in best),
        )

    async def absorb(self, effects, ctx):
        for effect in effects:
            if effect.record_id in self._records:
                old = self._records[effect.record_id]
                new = ctx.revise(old, data={**old.data, "count": old.data["count"] + 1})
                self._records[new.id] = new

    async def manage(self, ctx):
        if self.forgets and self._records and ctx.rng.random() < 0.3:
            oldest = min(self._records.values(), key=lambda r: (r.tick, r.id))
            ctx.retire(oldest, "forgotten")
            del self._records[oldest.id]

    async def forget(self, experience_ids, ctx):
        for record in self.records():
            if experience_ids & set(record.origins):
                ctx.retire(record, "asked to forget")
                del self._records[record.id]
        return ()

    def records(self):
        return sorted(self._records.values(), key=lambda r: r.id)

    def snapshot(self):
        return encode(records_to_columns(self.records()))

    def restore(self, data):
        self._records = {r.id: r for r in records_from_columns(decode(data))}


class ToyWorld:
    """`n` agents in a ring; each says a seeded word a tick and hears its neighbour. A ParallelEnv by shape."""

    metadata: ClassVar[dict[str, Any]] = {"name": "toy_v0"}
    channels: ClassVar[dict[str, str]] = {"paper": "a paper plane"}

    def __init__(
        self,
        seed: int,
        world: int = 0,
        n: int = 2,
        length: int = 12,
        saves: bool = True,
        fail_at: int = -1,
        die_at: int = -1,
        marker: str = "",
    ) -> None:
        self.die_at, self.marker = die_at, marker
        self.seed, self.world, self.length, self.fail_at = seed, world, length, fail_at
        self.possible_agents = [f"player_{i}" for i in range(n)]
        self.agents: list[str] = []
        self.said: dict[str, str] = {}
        self.now = 0
        self.waiting: dict[str, list[str]] = {}
        if saves:
            self.snapshot, self.restore = self._snapshot, self._restore

    def observation_space(self, agent):
        return gymnasium.spaces.Text(100)

    def action_space(self, agent):
        return gymnasium.spaces.Discrete(5)

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.now, self.said, self.waiting = 0, dict.fromkeys(self.agents, ""), {}
        self._seed = seed if seed is not None else 0
        return self._observe()

    def _observe(self):
        observations, infos = {}, {}
        for i, agent in enumerate(self.agents):
            heard = self.said.get(self.possible_agents[i - 1], "")
            word = int(generator(self._seed + 1000 * self.now + i).integers(20))
            came = "".join(f" | {text}" for text in self.waiting.pop(agent, ()))
            observations[agent] = f"w{self.world} heard {heard} saw word{word} at {self.now}{came}"
            infos[agent] = {
                "text": observations[agent],
                "time": 86400.0 * self.now / 4,
                "session": self.now // 4,
                "session_end": self.now % 4 == 3,
                "probe": self.now % 7 == 6,
                "answer_key": {"word": word},
            }
        return observations, infos

    def step(self, actions):
        if self.now == self.fail_at:
            raise ValueError("the toy world breaks here")
        if self.now == self.die_at and self.world == 0:
            die_once(self.marker)
        self.said = {agent: f"said{value}" for agent, value in actions.items()}
        self.now += 1
        rewards = {agent: float(value) for agent, value in actions.items()}
        over = self.now >= self.length
        if over:
            self.agents = []
        done = dict.fromkeys(actions, over)
        observations, infos = self._observe()
        return observations, rewards, done, dict.fromkeys(actions, False), infos

    def inject(self, agent, channel, text):
        assert agent in self.possible_agents and channel in self.channels
        self.waiting.setdefault(agent, []).append(text)

    def falsehood(self, rng):
        word = int(rng.integers(20))
        return {"text": f"word{word} is a lie", "agent": "player_1", "tick": 1, "subject": f"word{word}",
                "attribute": "truth", "value": "lie", "truth": "word"}  # fmt: skip

    def remove_agent(self, agent):
        self.agents.remove(agent)

    def add_agent(self, agent):
        self.agents = [one for one in self.possible_agents if one in {*self.agents, agent}]

    def _snapshot(self):
        return encode([self.agents, self.said, self.now, self._seed, self.waiting])

    def _restore(self, data):
        self.agents, self.said, self.now, self._seed, self.waiting = decode(data)

    def close(self):
        pass


class ToyPolicy:
    """Asks about what it sees; acts on what it recalls; sometimes asks again within the tick. Counts its turns."""

    def __init__(self, hops: bool = True, waits: bool = True, fail_at: int = -1, tells: bool = False) -> None:
        self.hops, self.waits, self.fail_at, self.turns, self.tells = hops, waits, fail_at, 0, tells

    def queries(self, observation, ctx):
        return [Query(observation.text, k=2, probe=bool(observation.info.get("probe")))] if observation.tick % 3 else []

    async def act(self, observation, recalls, ctx):
        assert "answer_key" not in observation.info
        self.turns += 1
        if observation.tick == self.fail_at:
            raise RuntimeError("the toy policy breaks here")
        seen = [item.record_id for recall in recalls for item in recall.items]
        if self.hops and ctx.rng.random() < 0.5:
            more = await ctx.recall(Query("said1 heard", k=1))
            seen += [item.record_id for item in more.items]
        value = (sum(int(i[:4], 16) for i in seen) + self.turns) % 5
        if not self.tells:
            return Action(value, f"act {value}", {"seen": len(seen)})
        told = [Tell(f"{observation.agent} noted said{value} of {observation.tick}")] if value % 2 else []
        to = ctx.peers[int(ctx.rng.integers(len(ctx.peers)))] if ctx.peers and value > 2 else ""
        told += [Tell(f"{observation.agent} wrote said{value} of {observation.tick}", to)] if to else []
        return Action(value, f"act {value}", {"seen": len(seen), "used": seen}, tells=tuple(told))

    def snapshot(self):
        return encode(self.turns)

    def restore(self, data):
        self.turns = decode(data)


def toy_study(**fields: Any) -> dict[str, Any]:
    """Return a small study over the toys, as plain fields."""
    base = {
        "name": "toy",
        "environment": {"name": "toys:ToyWorld"},
        "memory": {"name": "toys:ToyMemory"},
        "policy": {"name": "toys:ToyPolicy"},
        "wiring": {"name": "global"},
        "worlds": 3,
        "seeds": 1,
        "manage_every": 5,
        "checkpoint_every": 5,
    }
    return {**base, **fields}


def unit(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Return n random unit vectors, float32[n, d]."""
    x = rng.normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


RAY_ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "OMP_NUM_THREADS": "1",
}
"""What every process of a test's Ray is started with."""
