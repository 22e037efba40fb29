"""Ask any OpenAI-compatible server by its URL: vLLM's own, llama.cpp's, a hosted one.

How requests look on the wire is `openai_wire`'s business, sending and waiting `transport`'s; this file knows what a
server may refuse, and what then.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from simonides.agents.models.fitting import Overflow, characters, cut_oldest
from simonides.agents.models.openai_wire import ENFORCED, Structured, body_of, completion_of, path_of
from simonides.agents.models.transport import Manners, Transport
from simonides.sim.errors import ModelFailed, near
from simonides.sim.types import EMPTY, Completion, ModelCard, Plain, Request
from simonides.sim.webapi import Api, Refused

CUTS = 6
"""How often a request that does not fit is cut again: how many tokens a text has is a guess until the server counts."""

MARGIN = 1.05
"""How much more is cut than needed, for the same reason."""

BLIND = 0.75
"""What is kept of a prompt when the server does not say how long it may be."""

CHARACTERS = 4
"""Characters of a token, as the platform counts where no tokenizer is at hand."""

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

_TOO_LONG = re.compile(
    r"context[_ ]length|context[_ ]size|context[_ ]window|prompt is too long|too many (input )?tokens", re.I
)
_CONTEXT = re.compile(r"(?:context length is|context size \(|context window of|tokens >) ?(\d+)", re.I)
_FOUND = re.compile(
    r"(\d+) (?:in the messages|in the prompt|input tokens)|resulted in (\d+)|request \((\d+)|too long: (\d+)", re.I
)
_SCHEMA = re.compile(r"schema|response_format|structured|guided|grammar|regex", re.I)


class OpenAIModel:
    """A model behind an OpenAI-compatible API.

        OpenAIModel("toy", "http://127.0.0.1:8000/v1", structured="vllm", prompt_logprobs=True)

    `model` is its name at the server and `url` where the API begins. The key is read from the environment variable
    `key_env` for each request and kept nowhere; without it none is sent. A request may take `timeout` seconds. It is
    tried `attempts` times when the server is away, busy or broken, with random pauses that double from `backoff` up to
    30 s, or as long as the server asks, if that is no more than `patience`. At most `concurrency` requests are under
    way; `requests_per_minute` and `tokens_per_minute` (those of the prompt, at four characters each, and the most of
    the reply) keep below a server's limits.

    `structured` says how the server is told the form of a reply, `logprobs` how many alternatives it gives for a token
    (-1: no log-probabilities at all), `prompt_logprobs` whether it scores prompts as vLLM does. `overflow` is what
    happens to a prompt that does not fit: it is refused, or loses its oldest text, which completions count as
    `truncated`. `omit` are fields that the server does not take ("seed", "temperature"), `extra` ones that it needs.

    `identity` names what decides the replies. By default it is "openai/" and the model's name, with a hash of
    `structured`, `overflow`, `omit` and `extra` where they are given. Say it when the weights behind a name change. The
    URL is no part of it: a study that moves to another server goes on from its records.
    """

    def __init__(
        self,
        model: Annotated[str, Field(min_length=1)],
        url: str,
        key_env: str = "OPENAI_API_KEY",
        identity: str = "",
        timeout: Positive = 120.0,
        attempts: Count = 6,
        backoff: Positive = 1.0,
        patience: NotNegative = 120.0,
        concurrency: Count = 64,
        requests_per_minute: Positive | None = None,
        tokens_per_minute: Positive | None = None,
        structured: Structured = "openai",
        logprobs: Annotated[int, Field(ge=-1)] = -1,
        prompt_logprobs: bool = False,
        context: Annotated[int, Field(ge=0)] = 0,
        overflow: Overflow = "refuse",
        omit: tuple[str, ...] = (),
        extra: Mapping[str, Plain] = EMPTY,
        prompt_price: NotNegative = 0.0,
        completion_price: NotNegative = 0.0,
    ) -> None:
        """Check the URL; connect to nothing. Raises UserError for what is no plain URL."""
        api = Api.at(url, key_env)
        self.card = ModelCard(
            identity or _identity(model, structured, overflow, omit, extra), context, True, ENFORCED[structured],
            logprobs, prompt_logprobs, False, prompt_price, completion_price,
        )  # fmt: skip
        self._model = model
        self._asked = f"Model {model!r} at {api.url}"
        self._structured: Structured = structured
        self._cuts = overflow == "cut-oldest"
        self._omit, self._extra = omit, extra
        self._limit = "max_tokens"
        self._transport = Transport(
            api,
            Manners(timeout, attempts, backoff, patience, concurrency, requests_per_minute, tokens_per_minute),
        )

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order. Raises ModelFailed when one of them cannot be had."""
        for request in requests:
            self._check(request)
        return await _all([self._fitted(request) for request in requests])

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    def _check(self, request: Request) -> None:
        """Raise ModelFailed for what goes beyond the card."""
        path_of(request)
        if request.logprobs is not None and request.logprobs > self.card.logprobs:
            raise ModelFailed(
                f"{request.purpose} asks for log-probabilities with {request.logprobs} alternatives, but the model "
                f"gives {max(self.card.logprobs, 0) if self.card.logprobs >= 0 else 'none'}: say logprobs: "
                f"{request.logprobs} if the server gives them."
            )
        if request.prompt_logprobs and not self.card.prompt_logprobs:
            raise ModelFailed(
                f"{request.purpose} asks for log-probabilities of its prompt, which the model does not give: say "
                "prompt_logprobs: true if the server does (vLLM's own)."
            )

    async def _fitted(self, request: Request) -> Completion:
        """Return the completion of a request that is cut until it fits, if that is the policy."""
        sent, tokens = request, 0
        for _ in range(CUTS):
            try:
                completion = await self._answered(sent)
            except Refused as error:
                if not (_TOO_LONG.search(error.said) and error.status in (400, 413, 422)):
                    raise
                found, keep = _lengths(error.said, sent, self.card.context)
                tokens = tokens or found
                shorter = _cut(sent, keep) if self._cuts else None
                if shorter is None:
                    raise self._too_long(request, error) from None
                sent = shorter
                continue
            if sent is request:
                return completion
            return replace(completion, truncated=max(1, tokens - completion.prompt_tokens))
        raise ModelFailed(f"{self._asked}: {request.purpose} does not fit the context after {CUTS} cuts; shorten it.")

    def _too_long(self, request: Request, error: Refused) -> ModelFailed:
        if self._cuts:
            return ModelFailed(f"{error} Nothing more of {request.purpose} can be cut; ask for less than max_tokens.")
        return ModelFailed(
            f"{error} {request.purpose} does not fit the context: shorten it, or say overflow: cut-oldest."
        )

    async def _answered(self, request: Request) -> Completion:
        body = body_of(request, self._model, self._structured, self._limit) | dict(self._extra)
        body = {key: value for key, value in body.items() if key not in self._omit}
        tokens = -(-characters(request) // CHARACTERS) + request.max_tokens
        try:
            answer = await self._transport.post(path_of(request), body, tokens, self._asked)
        except Refused as error:
            if "max_tokens" in body and "max_completion_tokens" in error.said:
                self._limit = "max_completion_tokens"  # newer hosted models take no other
                return await self._answered(request)
            raise await self._explained(error, request) from None
        return completion_of(answer, request, self._asked)

    async def _explained(self, error: Refused, request: Request) -> ModelFailed:
        """Return a refusal with what can be done about it."""
        if error.status == 404:
            return await self._unknown(error)
        bound = request.schema or request.choices or request.regex
        if bound and error.status in (400, 422) and _SCHEMA.search(error.said):
            return ModelFailed(
                f"{error} The server refuses how {request.purpose} binds its reply (structured: {self._structured}); "
                "structured: none asks in words."
            )
        return error

    async def _unknown(self, error: Refused) -> ModelFailed:
        """Return the error of a wrong name, with those that the server has."""
        try:
            listed = (await self._transport.get("/models", self._asked)).get("data")
            names = sorted(str(item["id"]) for item in listed or ())
        except (ModelFailed, TypeError, KeyError):
            return ModelFailed(f"{error} Is this the URL of the API (usually ending in /v1)?")
        if self._model in names:
            return error
        return ModelFailed(
            f"{self._asked}: the server has no such model.{near(self._model, names)} It has: {', '.join(names)}."
        )


def _identity(model: str, structured: str, overflow: str, omit: Sequence[str], extra: Mapping[str, Plain]) -> str:
    if (structured, overflow) == ("openai", "refuse") and not omit and not extra:
        return f"openai/{model}"
    options = json.dumps([structured, overflow, sorted(omit), extra], sort_keys=True)
    return f"openai/{model}+{hashlib.sha256(options.encode()).hexdigest()[:12]}"


def _lengths(said: str, request: Request, context: int) -> tuple[int, int]:
    """Return the tokens that a prompt has, and the characters of it to keep, from what the server said of both."""
    told = _CONTEXT.search(said)
    context = int(told[1]) if told else context
    size = characters(request)
    counts = _FOUND.search(said)
    found = next(int(group) for group in counts.groups() if group) if counts else 0
    if not counts or "at least" in said:
        found = max(found, -(-size // CHARACTERS))
    if not context:
        return found, int(size * BLIND)
    share = (context - request.max_tokens) / max(found, 1) / MARGIN
    return found, int(size * min(share, 1 / MARGIN))


def _cut(request: Request, keep: int) -> Request | None:
    return cut_oldest(request, lambda shorter: characters(shorter) - keep)


async def _all(jobs: Sequence[Coroutine[Any, Any, Completion]]) -> list[Completion]:
    """Return the results of all jobs; when one fails, the others are ended first."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
