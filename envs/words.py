"""Put any environment into words: observations as text, actions as a list or a JSON schema, made from its spaces.

With it a policy that reads and writes text plays what PettingZoo and Gymnasium offer, through the adapters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Text, Tuple
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper

from simonides.sim.errors import ContractBroken, StudyError
from simonides.sim.render import words_of
from simonides.sim.types import Plain

Infos = dict[str, dict[str, Any]]

MOST_ACTIONS = 256
"""Actions of a discrete space that are listed; a larger space is described by a schema."""

LONGEST = 1_000
"""Characters up to which the bound of a text is part of its schema; the space itself checks any."""


class InWords(BaseParallelWrapper[str, Any, Any]):  # type: ignore[misc]
    """A ParallelEnv whose infos say everything in words; what the environment's infos say already is kept.

    `text` is the observation with four digits a number, named by `observed` where that names the elements of a vector.
    A discrete action space gives `legal_actions`, each with its number as value and the name from `actions` (or the
    number) as text; only those that `action_mask`, in the infos or in a map observation, allows. Every other space
    gives `action_schema`, a JSON schema; the action that fits it is turned into the space's type.
    """

    def __init__(
        self, env: ParallelEnv[str, Any, Any], observed: Sequence[str] = (), actions: Sequence[str] = ()
    ) -> None:
        super().__init__(env)
        self._observed, self._names = tuple(observed), tuple(actions)
        for agent in env.possible_agents:
            space = env.action_space(agent)
            if actions and not (isinstance(space, Discrete) and space.n == len(actions)):
                raise StudyError(f"actions: {len(actions)} names were given, but {agent} acts in {space}.")

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], Infos]:
        """Reset the environment."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return observations, self._told(observations, infos)

    def step(self, actions: dict[str, Any]) -> Any:
        """Step the environment with actions of its own types. Raises ContractBroken for an action of another form."""
        typed = {agent: typed_action(self.env.action_space(agent), action) for agent, action in actions.items()}
        observations, rewards, ended, cut, infos = self.env.step(typed)
        return observations, rewards, ended, cut, self._told(observations, infos)

    def __getattr__(self, name: str) -> Any:
        """Offer what the environment beneath offers (snapshot, restore, teams, turn_based, falsehood)."""
        if name.startswith("_") or name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    def _told(self, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> Infos:
        return {agent: self._info(agent, seen, infos.get(agent, {})) for agent, seen in observations.items()}

    def _info(self, agent: str, observation: Any, info: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {} if isinstance(observation, str) else {"text": self._words(observation)}
        space = self.env.action_space(agent)
        if isinstance(space, Discrete) and space.n <= MOST_ACTIONS:
            told["legal_actions"] = self._legal(space, _mask(observation, info))
        else:
            told["action_schema"] = schema_of(space)
        return {**told, **info}

    def _words(self, observation: Any) -> str:
        if isinstance(observation, Mapping):
            observation = {name: one for name, one in observation.items() if name != "action_mask"}
        elif self._observed and len(self._observed) == np.size(observation):
            observation = dict(zip(self._observed, np.ravel(observation).tolist(), strict=True))
        return words_of(observation)

    def _legal(self, space: Any, mask: Any) -> list[dict[str, Plain]]:
        allowed = [i for i in range(int(space.n)) if mask is None or mask[i]]
        start = int(space.start)
        return [{"text": self._names[i] if self._names else str(start + i), "value": start + i} for i in allowed]


def _mask(observation: Any, info: Mapping[str, Any]) -> Any:
    if info.get("action_mask") is not None:
        return info["action_mask"]
    return observation.get("action_mask") if isinstance(observation, Mapping) else None


def schema_of(space: Space[Any]) -> dict[str, Plain]:
    """Return the JSON schema of a space's values as plain data. Raises ContractBroken for a space that has none."""
    if isinstance(space, Discrete):
        return {"type": "integer", "minimum": int(space.start), "maximum": int(space.start + space.n - 1)}
    if isinstance(space, Text):
        return {"type": "string", "minLength": space.min_length} | _longest(space.max_length)
    if isinstance(space, Dict):
        parts = {name: schema_of(one) for name, one in space.spaces.items()}
        return {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}
    if isinstance(space, Tuple):
        return _fixed([schema_of(one) for one in space.spaces])
    if isinstance(space, Box | MultiDiscrete | MultiBinary):
        return _nested(_bounds(space), space.shape)
    raise ContractBroken(f"Actions in {space} cannot be told in words; wrap the environment in one of plain actions.")


def _longest(most: int) -> dict[str, Plain]:
    # Engines that enforce a schema unroll a bound into as many states.
    return {"maxLength": most} if most <= LONGEST else {}


def _bounds(space: Any) -> list[dict[str, Plain]]:
    """Return the schema of each element of an array's space, in the order of its flat form."""
    if isinstance(space, MultiBinary):
        return [{"type": "integer", "minimum": 0, "maximum": 1}] * math.prod(space.shape)
    if isinstance(space, MultiDiscrete):
        pairs = zip(space.start.ravel().tolist(), space.nvec.ravel().tolist(), strict=True)
        return [{"type": "integer", "minimum": low, "maximum": low + n - 1} for low, n in pairs]
    kind = "number" if np.issubdtype(space.dtype, np.floating) else "integer"
    found = []
    for low, high in zip(space.low.ravel().tolist(), space.high.ravel().tolist(), strict=True):
        bounds = {"minimum": low, "maximum": high}
        found.append({"type": kind} | {name: value for name, value in bounds.items() if math.isfinite(value)})
    return found


def _nested(elements: list[dict[str, Plain]], shape: tuple[int, ...]) -> dict[str, Plain]:
    if not shape:
        return elements[0]
    each = len(elements) // shape[0] if shape[0] else 0
    return _fixed([_nested(elements[i * each : (i + 1) * each], shape[1:]) for i in range(shape[0])])


def _fixed(parts: list[dict[str, Plain]]) -> dict[str, Plain]:
    """Return the schema of a list of fixed length; `items` alone where all are alike, which more servers enforce."""
    size: dict[str, Plain] = {"type": "array", "minItems": len(parts), "maxItems": len(parts)}
    if all(part == parts[0] for part in parts):
        return size | ({"items": parts[0]} if parts else {})
    return size | {"prefixItems": parts, "items": False}


def typed_action(space: Space[Any], value: Any) -> Any:
    """Return a plain value in the type that a space has. Raises ContractBroken when it is none of the space's.

    "" is what a policy does that has nothing to do, such as one that is not to move: it passes as it is.
    """
    if isinstance(value, str) and value == "":
        return value
    try:
        typed = _typed(space, value)
        fits = bool(space.contains(typed))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        fits = False
    if not fits:
        raise ContractBroken(f"The action {value!r:.80} is not in {space}.")
    return typed


def _typed(space: Space[Any], value: Any) -> Any:
    if isinstance(space, Dict):
        return {name: _typed(space.spaces[name], one) for name, one in value.items()}
    if isinstance(space, Tuple):
        return tuple(_typed(one, part) for one, part in zip(space.spaces, value, strict=True))
    if isinstance(space, Box | MultiDiscrete | MultiBinary):
        return np.asarray(value, space.dtype)
    return value
