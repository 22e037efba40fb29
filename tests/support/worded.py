"""Things in words for tests: a CartPole told as text, one with free actions, and a model that reads and writes text."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from simonides.envs.adapters import SingleAgent
from simonides.envs.words import InWords
from simonides.sim.types import Completion, ModelCard, Request, TokenScore

OBSERVED = ("position", "speed", "angle", "turning")


def cartpole() -> InWords:
    """Return Gymnasium's CartPole with its observations and actions in words."""
    make = lambda: gymnasium.make("CartPole-v1", max_episode_steps=12)  # noqa: E731
    return InWords(SingleAgent(make), OBSERVED, ("push left", "push right"))


class Throttle(gymnasium.Env):
    """Adds the action, from -1 to 1, to its only number, six times."""

    observation_space = Box(-10.0, 10.0, (1,), np.float64)
    action_space = Box(-1.0, 1.0, (1,), np.float64)

    def reset(self, seed=None, options=None):
        self.at, self.left = 0.0, 6
        return np.array([self.at]), {"noop": [0.0]}

    def step(self, action):
        self.at, self.left = self.at + float(action[0]), self.left - 1
        return np.array([self.at]), self.at, self.left == 0, False, {"noop": [0.0]}


def throttle() -> InWords:
    """Return an environment of free actions in words."""
    return InWords(SingleAgent(Throttle))


class Clerk:
    """A model that reads text: gives the smallest value of the form asked for, nonsense, or mends its nonsense."""

    def __init__(self, manner: str = "good", logprobs: int = 5) -> None:
        self.manner = manner
        self.card = ModelCard(f"clerk-{manner}", logprobs=logprobs)
        self.asked: list[Request] = []

    async def complete(self, requests):
        self.asked.extend(requests)
        return [self._reply(request) for request in requests]

    async def close(self):
        pass

    def _reply(self, request: Request) -> Completion:
        told = "\n".join(message.content for message in request.messages)
        good = self.manner == "good" or (self.manner == "mend" and "could not be used" in told)
        text = _smallest(request) if good else "nonsense"
        scores = ()
        if request.logprobs is not None and self.card.logprobs >= 0:
            scores = (TokenScore(" B", -0.2, {" B": -0.2, "A": -1.8, "The": -4.0}),)
        return Completion(text, len(told.split()), len(text.split()), scores=scores)


class ServedClerk(Clerk):
    """The same in replicas on Ray."""

    served = True


def _smallest(request: Request) -> str:
    if request.choices:
        return request.choices[0]
    schema = dict(request.schema or {"type": "string"})
    return json.dumps(_value(schema, schema.get("$defs", {})))


def _value(schema: dict[str, Any], defs: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], defs)
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    if schema.get("type") == "object":
        return {name: _value(one, defs) for name, one in schema["properties"].items()}
    if schema.get("type") == "array":
        return [_value(schema["items"], defs)] * schema.get("minItems", 1)
    return {"number": 0.5, "integer": schema.get("minimum", 1)}.get(schema.get("type"), "more")
