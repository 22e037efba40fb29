"""Play an environment without a kernel: actions by a rule that depends on a seed, and what was seen as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from simonides.sim.codec import encode
from simonides.sim.needs import Need
from simonides.sim.render import legal_actions
from simonides.sim.seeds import generator, seed_of

Env: TypeAlias = Any
"""A ParallelEnv, with what an environment here may add."""


@dataclass(slots=True)
class Seen:
    """What an environment showed after a reset or a step."""

    observations: Mapping[str, Any]
    infos: Mapping[str, Any]
    rewards: Mapping[str, float] = field(default_factory=dict)
    ended: Mapping[str, bool] = field(default_factory=dict)
    cut: Mapping[str, bool] = field(default_factory=dict)

    def digest(self) -> str:
        """Return the sha256 of all of it, as the trace would tell it."""
        shown = [self.observations, self.infos, self.rewards, self.ended, self.cut]
        return hashlib.sha256(encode([{key: _plain(one[key]) for key in sorted(one)} for one in shown])).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


class Player:
    """Chooses an action for each agent from a seed and the number of the step alone.

    It follows the environment's planner where there is a plan, believing the first of a need's values, and now and then
    (with probability `wander`) takes any legal action, or one of the space where none are listed.
    """

    def __init__(self, seed: int, wander: float = 0.3) -> None:
        self.seed, self.wander = seed, wander

    def actions(self, env: Env, seen: Seen, step: int) -> dict[str, Any]:
        """Return an action for each living agent."""
        return {agent: self.action(env, agent, seen.infos.get(agent, {}), step) for agent in env.agents}

    def action(self, env: Env, agent: str, info: Mapping[str, Any], step: int) -> Any:
        """Return an agent's action."""
        rng = generator(seed_of(self.seed, "player", agent, step))
        legal, need = legal_actions(info), Need.of(info)
        planned = need.plan[need.options[0]] if need is not None else str(info.get("plan", ""))
        if planned in legal and rng.random() >= self.wander:
            return legal[planned]
        if legal:
            return list(legal.values())[int(rng.integers(len(legal)))]
        if "noop" in info:
            return info["noop"]
        space = env.action_space(agent)
        space.seed(int(rng.integers(2**31)))
        return space.sample()


def start(env: Env, seed: int) -> Seen:
    """Reset an environment and return what it shows."""
    return Seen(*env.reset(seed=seed))


def play(env: Env, player: Player, seen: Seen, first: int, steps: int) -> Iterator[Seen]:
    """Step an environment that shows `seen` before step number `first`, at most `steps` times; yield what it shows."""
    for step in range(first, first + steps):
        if not env.agents:
            return
        observations, rewards, ended, cut, infos = env.step(player.actions(env, seen, step))
        seen = Seen(observations, infos, rewards, ended, cut)
        yield seen
