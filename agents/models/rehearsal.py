"""Stand in for a model while a study is planned: scripted replies, counted as if a model had read the whole prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from simonides.agents.models.scripted import ScriptedModel
from simonides.sim.checks.stand_ins import SchemaReplies
from simonides.sim.context import count_tokens
from simonides.sim.errors import UserError
from simonides.sim.types import Completion, ModelCard, Request, TokenScore


class Rehearsal:
    """Replies as the scripted model does, or with whatever fits the schema for a purpose that it has no rule for.

    Tokens are characters / 4 of the rendered prompt and of the reply.
    """

    card = ModelCard("rehearsal", structured=frozenset({"json", "choice"}))

    def __init__(self) -> None:
        self._scripted = ScriptedModel()
        self._general = SchemaReplies()

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order."""
        return list(await asyncio.gather(*(self._one(request) for request in requests)))

    async def _one(self, request: Request) -> Completion:
        try:
            (reply,) = await self._scripted.complete([request])
        except UserError:
            (reply,) = await self._general.complete([request])
        read = sum(count_tokens(message.content) for message in request.messages) + count_tokens(request.prompt)
        scores = () if request.logprobs is None else (TokenScore(reply.text, 0.0),)
        return replace(reply, prompt_tokens=read, completion_tokens=count_tokens(reply.text), scores=scores)

    async def close(self) -> None:
        """Nothing was started."""
