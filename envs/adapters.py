"""Make a ParallelEnv, which is what a world runs, of a PettingZoo AEC or a single-agent Gymnasium env; and back.

Neither kind can be saved in general, so both adapters snapshot the actions since the reset and replay them. `OneAgent`
goes the other way: any ParallelEnv as the Gymnasium env of one of its agents.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from pettingzoo import AECEnv, ParallelEnv

from simonides.sim.codec import decode, encode
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.render import legal_actions
from simonides.sim.types import Plain

Views = tuple[dict[str, Any], dict[str, dict[str, Any]]]
Stepped = tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]


class _Replayed(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """A ParallelEnv that is saved as its seed, its options and the actions since the reset."""

    metadata: dict[str, Any] = {"name": "adapted_v0", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012 (PettingZoo's form)
    render_mode: str | None = None

    def __init__(self) -> None:
        self.agents: list[str] = []
        self._seed: int | None = None
        self._options: dict[str, Any] | None = None
        self._actions: list[dict[str, Plain]] = []

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Views:
        """Reset the env beneath. Without a seed the first one is used again, so that a snapshot can replay."""
        self._seed = seed if seed is not None else self._seed if self._seed is not None else 0
        self._options, self._actions = options, []
        return self._reset(self._seed, options)

    def step(self, actions: dict[str, Any]) -> Stepped:
        """Note the actions, and step the env beneath."""
        self._actions.append(dict(actions))
        return self._step(actions)

    def snapshot(self) -> bytes:
        """Return the seed, the options and all actions since the reset."""
        return encode({"seed": self._seed, "options": self._options, "actions": self._actions})

    def restore(self, data: bytes) -> None:
        """Reset with the snapshot's seed and replay its actions. Raises CorruptFile for other bytes."""
        state = decode(data)
        if not isinstance(state, dict) or set(state) != {"seed", "options", "actions"}:
            raise CorruptFile("This is not a snapshot of an adapted environment.")
        self.reset(state["seed"], state["options"])
        for actions in state["actions"]:
            self.step({agent: self._typed(agent, action) for agent, action in actions.items()})

    def _typed(self, agent: str, action: Plain) -> Any:
        """Return a decoded action in the type that its space has (a tuple comes back as a list)."""
        space = self.action_space(agent)
        return tuple(action) if isinstance(space, gymnasium.spaces.Tuple) else action

    @abstractmethod
    def _reset(self, seed: int, options: dict[str, Any] | None) -> Views:
        """Reset the env beneath."""

    @abstractmethod
    def _step(self, actions: dict[str, Any]) -> Stepped:
        """Step the env beneath."""


class TurnBased(_Replayed):
    """An AEC env as a ParallelEnv: one turn is one tick, and only the agent to move acts.

    Everybody is given an observation each tick; `infos[agent]["to_move"]` says whose turn it is, and the actions of
    the others are ignored. `experiences` is [] for the others unless the env says otherwise, so that an agent
    remembers its own turns. Rewards are what the turn brought each agent.
    """

    turn_based = True
    """What the assembler asks: turns and rounds share a space only with `ticks_per_round`."""

    def __init__(self, env: AECEnv) -> None:
        super().__init__()
        self.env = env
        self.metadata = self.metadata | {"name": f"{env.metadata.get('name', 'aec')}"}
        self.possible_agents = list(env.possible_agents)

    def observation_space(self, agent: str) -> Any:
        """Return the env's own space of an agent."""
        return self.env.observation_space(agent)

    def action_space(self, agent: str) -> Any:
        """Return the env's own space of an agent."""
        return self.env.action_space(agent)

    def close(self) -> None:
        """Close the env beneath."""
        self.env.close()

    def _reset(self, seed: int, options: dict[str, Any] | None) -> Views:
        self.env.reset(seed=seed, options=options)
        self.agents = list(self.env.agents)
        return self._views(self.agents)

    def _step(self, actions: dict[str, Any]) -> Stepped:
        env, present = self.env, list(self.agents)
        mover = env.agent_selection
        if mover not in actions:
            raise ContractBroken(f"It is {mover}'s turn, but actions were given for {sorted(actions)} only.")
        env.step(actions[mover])
        earned = {agent: float(env.rewards.get(agent, 0.0)) for agent in present}
        ended = {agent: bool(env.terminations.get(agent, False)) for agent in present}
        cut = {agent: bool(env.truncations.get(agent, False)) for agent in present}
        while env.agents and (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
            env.step(None)  # AEC's way of letting the dead leave: no turn, and no tick
        self.agents = [agent for agent in present if agent in env.agents and not (ended[agent] or cut[agent])]
        observations, infos = self._views(present)
        return observations, earned, ended, cut, infos

    def _views(self, present: list[str]) -> Views:
        mover = self.env.agent_selection if self.env.agents else ""
        infos: dict[str, dict[str, Any]] = {}
        for agent in present:
            infos[agent] = dict(self.env.infos.get(agent, {})) | {"to_move": agent == mover}
            if agent != mover:
                infos[agent].setdefault("experiences", [])
        return {agent: self.env.observe(agent) for agent in present}, infos


class SingleAgent(_Replayed):
    """A Gymnasium env as a ParallelEnv with the one agent "player_0"."""

    def __init__(self, make: Callable[[], gymnasium.Env[Any, Any]]) -> None:
        super().__init__()
        self.env = make()
        self.possible_agents = ["player_0"]

    def observation_space(self, agent: str) -> Any:
        """Return the env's observation space."""
        return self.env.observation_space

    def action_space(self, agent: str) -> Any:
        """Return the env's action space."""
        return self.env.action_space

    def close(self) -> None:
        """Close the env beneath."""
        self.env.close()

    def _reset(self, seed: int, options: dict[str, Any] | None) -> Views:
        observation, info = self.env.reset(seed=seed, options=options)
        self.agents = ["player_0"]
        return {"player_0": observation}, {"player_0": dict(info)}

    def _step(self, actions: dict[str, Any]) -> Stepped:
        observation, reward, ended, cut, info = self.env.step(actions["player_0"])
        if ended or cut:
            self.agents = []
        return (
            {"player_0": observation},
            {"player_0": float(np.asarray(reward).item())},
            {"player_0": bool(ended)},
            {"player_0": bool(cut)},
            {"player_0": dict(info)},
        )


class OneAgent(gymnasium.Env[Any, Any]):
    """A ParallelEnv as a Gymnasium env of one of its agents, the first by default.

    The others do what the environment's planner says (`infos[agent]["plan"]`), or else nothing (`noop`), or else the
    first legal action, or else an action drawn from their space by the env's own generator.
    """

    def __init__(self, env: ParallelEnv[str, Any, Any], agent: str | None = None) -> None:
        self.env = env
        self.agent = agent if agent is not None else env.possible_agents[0]
        self.observation_space = env.observation_space(self.agent)
        self.action_space = env.action_space(self.agent)
        self.metadata = {**env.metadata}
        self.render_mode = env.render_mode
        self._infos: dict[str, dict[str, Any]] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset the env beneath."""
        super().reset(seed=seed)
        observations, self._infos = self.env.reset(seed=seed, options=options)
        return observations[self.agent], dict(self._infos[self.agent])

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step the env beneath with this agent's action and the others' own."""
        others = [agent for agent in self.env.agents if agent != self.agent]
        actions = {self.agent: action} | {agent: self._other(agent) for agent in others}
        observations, rewards, ended, cut, self._infos = self.env.step(actions)
        mine = self.agent
        return observations[mine], float(rewards[mine]), bool(ended[mine]), bool(cut[mine]), dict(self._infos[mine])

    def render(self) -> Any:
        """Return what the env beneath draws."""
        return self.env.render()

    def close(self) -> None:
        """Close the env beneath."""
        self.env.close()

    def _other(self, agent: str) -> Any:
        info = self._infos.get(agent, {})
        legal = legal_actions(info)
        if info.get("plan") in legal:
            return legal[info["plan"]]
        if "noop" in info:
            return info["noop"]
        if legal:
            return next(iter(legal.values()))
        space = self.env.action_space(agent)
        space.seed(int(self.np_random.integers(2**31)))
        return space.sample()
