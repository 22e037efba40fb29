"""A true small policy context: asks a scripted model with seeds that count the calls, parses as the kernel does."""

from __future__ import annotations

import asyncio
import math

import numpy as np
from pydantic import ValidationError

from simonides.agents.models.scripted import ScriptedModel
from simonides.sim.context import mistake_of
from simonides.sim.errors import AccessRefused
from simonides.sim.types import Asked, Observation, Place, Recall, Recalled, Request


class Asking:
    """`rules` replace those of the scripted model; `hops` is what further recalls find, in turn (None: refused)."""

    place = Place(3, "w", "ana")
    rng = np.random.Generator(np.random.PCG64(0))

    def __init__(self, rules=None, hops=(), model=None):
        self.model_ = model or ScriptedModel(rules)
        self.requests: list[Request] = []
        self.queries = []
        self._hops = iter(hops)

    async def recall(self, query):
        self.queries.append(query)
        found = next(self._hops)
        if found is None:
            raise AccessRefused("ana may not read team")
        return found

    async def ask(self, purpose, inputs, schema):
        self.requests.append(Request(purpose, inputs, schema.model_json_schema(), seed=len(self.requests)))
        (completion,) = await self.model_.complete(self.requests[-1:])
        try:
            return Asked(schema.model_validate_json(completion.text), "", completion, "f" * 64)
        except ValidationError as error:
            return Asked(None, mistake_of(error), completion, "f" * 64)

    async def complete(self, requests):
        self.requests.extend(requests)
        return await self.model_.complete(requests)

    def tokens(self, text):
        return math.ceil(len(text) / 4)


def seen(text: str, raw=None, **info) -> Observation:
    """Return what the agent observes."""
    return Observation("ana", "w", 3, 0.0, text, raw, info)


QUESTION = seen("Where does Rui work?", phase="question", answer_key={"answer": "secret"})
FOUND = Recall(
    (
        Recalled("1", "Rui: I work at the bakery now.", 0.9, time=1_620_000_000.0),
        Recalled("2", "Ana: Lovely weather.", 0.2),
    )
)


def act(policy, observation, *recalls, ctx=None):
    """Return what a policy does."""
    return asyncio.run(policy.act(observation, recalls, ctx or Asking()))
