"""Small true environments and policies to be timed: a ring of numbers, Gymnasium's CartPole, a crowd of claims."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from time import thread_time
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from pettingzoo import ParallelEnv

from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, FloatArray, Observation, Query, Recall

Dict = dict[str, Any]
Step = tuple[Dict, dict[str, float], dict[str, bool], dict[str, bool], Dict]


class Ring(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """`n` agents, each with a float32[4] state that its own and its neighbour's action move; PettingZoo's ParallelEnv.

    A step takes `work` seconds of its processor, as a simulator that computes would.
    """

    metadata: ClassVar[Dict] = {"name": "ring_v0", "is_parallelizable": True}
    render_mode = None

    def __init__(self, n: int = 1, length: int = 1000, work: float = 0.0) -> None:
        self.possible_agents = [f"agent_{i}" for i in range(n)]
        self.agents: list[str] = []
        self.length, self.work, self.now = length, work, 0
        self._state = np.zeros((n, 4), np.float32)
        self._seen: gymnasium.Space[Any] = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
        self._moves = gymnasium.spaces.Discrete(2)

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """Return the box of one agent's state."""
        return self._seen

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """Return the two moves: down and up."""
        return self._moves

    def reset(self, seed: int | None = None, options: Dict | None = None) -> tuple[Dict, Dict]:
        """Start over from a seeded state."""
        self.agents, self.now = list(self.possible_agents), 0
        self._state = np.random.default_rng(seed).normal(size=self._state.shape).astype(np.float32)
        return self._observe()

    def _observe(self) -> tuple[Dict, Dict]:
        rows = self._state.copy()
        return dict(zip(self.agents, rows, strict=False)), {agent: {} for agent in self.agents}

    def step(self, actions: Dict) -> Step:
        """Move every agent, and its neighbour half as much."""
        began = thread_time()
        moves = np.fromiter(actions.values(), np.float32, len(actions))[:, None] - 0.5
        self._state += moves + 0.5 * np.roll(moves, 1, axis=0)
        while thread_time() - began < self.work:
            pass
        self.now += 1
        observations, infos = self._observe()
        over = self.now >= self.length
        if over:
            self.agents = []
        return (
            observations,
            dict.fromkeys(actions, 1.0),
            dict.fromkeys(actions, over),
            dict.fromkeys(actions, False),
            infos,
        )

    def close(self) -> None:
        """Nothing is held."""


class CartPole(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """`n` of Gymnasium's CartPole-v1, each an agent's own, reset at once when its pole has fallen or after 500 steps.

    It is the class itself, with the 500 steps counted here: without the wrappers that `gymnasium.make` adds.
    """

    metadata: ClassVar[Dict] = {"name": "cartpole_v1", "is_parallelizable": True}
    render_mode = None

    def __init__(self, n: int = 1, length: int = 1000) -> None:
        self.possible_agents = [f"agent_{i}" for i in range(n)]
        self.agents: list[str] = []
        self.length, self.now = length, 0
        self._carts: dict[str, Any] = {agent: CartPoleEnv() for agent in self.possible_agents}
        self._alive: dict[str, int] = {}

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """Return CartPole's observation space."""
        space: gymnasium.Space[Any] = self._carts[agent].observation_space
        return space

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """Return CartPole's action space."""
        space: gymnasium.Space[Any] = self._carts[agent].action_space
        return space

    def reset(self, seed: int | None = None, options: Dict | None = None) -> tuple[Dict, Dict]:
        """Start all of them over, each from a seed of its own."""
        self.agents, self.now = list(self.possible_agents), 0
        self._alive = dict.fromkeys(self.agents, 0)
        carts = enumerate(self._carts.items())
        seen = {agent: cart.reset(seed=None if seed is None else seed + i)[0] for i, (agent, cart) in carts}
        return seen, {agent: {} for agent in self.agents}

    def step(self, actions: Dict) -> Step:
        """Push the carts."""
        observations, rewards = {}, {}
        for agent, action in actions.items():
            cart = self._carts[agent]
            observation, rewards[agent], fallen, _, _ = cart.step(action)
            self._alive[agent] += 1
            if fallen or self._alive[agent] >= 500:
                observation, _ = cart.reset()
                self._alive[agent] = 0
            observations[agent] = observation
        self.now += 1
        over = self.now >= self.length
        if over:
            self.agents = []
        infos: Dict = {agent: {} for agent in actions}
        return observations, rewards, dict.fromkeys(actions, over), dict.fromkeys(actions, False), infos

    def close(self) -> None:
        """Release the environments."""
        for cart in self._carts.values():
            cart.close()


class Alternating:
    """Moves down and up in turn. `asks`: recalls its last three experiences before. Without `keeps` none is written."""

    waits = False
    __slots__ = ("_queries", "_spaces")

    def __init__(self, asks: bool = False, keeps: bool = True) -> None:
        self._queries = (Query("what happened?", k=3),) if asks else ()
        self._spaces = None if keeps else ()

    def queries(self, observation: Observation, ctx: PolicyContext) -> tuple[Query, ...]:
        """Ask the same question every tick, or nothing."""
        return self._queries

    async def act(self, observation: Observation, recalls: tuple[Recall, ...], ctx: PolicyContext) -> Action:
        """Return the move of this tick."""
        return Action(observation.tick % 2, spaces=self._spaces)

    def snapshot(self) -> bytes:
        """There is no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """There is no state."""


class FakeEmbedder:
    """Vectors from shake_128 of the text: as cheap as can be, so that stores are compared and not models.

    No value is negative, and so no score: Mem0 returns only what scores above a threshold.
    """

    def __init__(self, dimension: int = 384) -> None:
        self.dimension = dimension

    @property
    def identity(self) -> str:
        """Name of the vectors."""
        return f"shake-{self.dimension}"

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension] unit vectors."""
        raw = b"".join(hashlib.shake_128(text.encode()).digest(self.dimension) for text in texts)
        rows = np.frombuffer(raw, np.uint8).reshape(len(texts), self.dimension).astype(np.float32)
        unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


class Crowd(Ring):
    """A ring in which each agent holds one of eight claims and hears its neighbour's: one numpy step for all.

    It hears it in ten of 512 made-up words, about 80 characters, so that turns differ as real ones do when packed.
    """

    metadata: ClassVar[Dict] = {"name": "crowd_v0", "is_parallelizable": True}

    def __init__(self, n: int = 1000, length: int = 10) -> None:
        super().__init__(n, length)
        self._claims = np.zeros(n, np.int64)
        self._rng = np.random.default_rng(n)
        letters = self._rng.integers(26, size=(512, 8)) + ord("a")
        self._words = [bytes(word[: 3 + i % 5].tolist()).decode() for i, word in enumerate(letters)]
        self._seen = gymnasium.spaces.Text(100, charset=string.printable)

    def reset(self, seed: int | None = None, options: Dict | None = None) -> tuple[Dict, Dict]:
        """Give every agent a seeded claim."""
        self._claims = np.random.default_rng(seed).integers(8, size=len(self.possible_agents))
        return super().reset(seed, options)

    def _observe(self) -> tuple[Dict, Dict]:
        heard = np.roll(self._claims, 1).tolist()
        said = self._rng.integers(512, size=(len(heard), 10)).tolist()
        texts = [
            f"at {self.now} I heard of claim {claim}: {' '.join([self._words[i] for i in row])}"
            for claim, row in zip(heard, said, strict=True)
        ]
        return dict(zip(self.agents, texts, strict=True)), {agent: {} for agent in self.agents}

    def step(self, actions: Dict) -> Step:
        """Let every agent that acts 1 take over its neighbour's claim."""
        acted = np.fromiter(actions.values(), np.int64, len(actions))
        self._claims = np.where(acted == 1, np.roll(self._claims, 1), self._claims)
        return super().step(actions)
