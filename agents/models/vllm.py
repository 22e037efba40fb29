"""A language model on vLLM's asynchronous engine, in this process's event loop; the first request starts it."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from simonides.agents.models.fitting import Overflow
from simonides.sim.errors import MissingExtra, ModelDied, ModelFailed, UserError, near
from simonides.sim.types import Completion, ModelCard, Plain, Request

if TYPE_CHECKING:
    from simonides.agents.models.vllm_engine import Engine

LOGPROBS = 20
"""The most alternatives a token that vLLM gives by default (`max_logprobs`)."""


class VLLMModel:
    """A model that vLLM serves: all requests that are under way together make one continuous batch.

    `model` is a folder in Hugging Face's layout, a hub id ("org/name"), or the name of a prepared model. `adapters`
    maps names to folders of LoRA weights, `adapter` is the one to use. `overflow` says what becomes of a prompt that
    exceeds the context together with `max_tokens`: "refuse" fails the call; "cut-oldest" cuts it (see
    `fitting.cut_oldest`) and counts the tokens that it lost in `Completion.truncated`. `engine` holds further arguments
    of vLLM's `AsyncEngineArgs`. `identity` replaces the name under which replies are recorded, where the model's path
    would tell two machines apart.

        model: {name: vllm, model: smollm2, max_model_len: 2048}
    """

    served = True
    """On Ray it runs in replica actors."""

    def __init__(
        self,
        model: str,
        dtype: str = "auto",
        max_model_len: Annotated[int, Field(ge=1)] | None = None,
        revision: str | None = None,
        tensor_parallel_size: Annotated[int, Field(ge=1)] = 1,
        pipeline_parallel_size: Annotated[int, Field(ge=1)] = 1,
        adapters: Mapping[str, str] | None = None,
        adapter: str | None = None,
        overflow: Overflow = "refuse",
        identity: str | None = None,
        engine: Mapping[str, Plain] | None = None,
    ) -> None:
        """Start nothing. Raises UserError for an adapter that has no folder."""
        self.model = model
        self.adapter = (adapter, _adapter(adapter, adapters or {})) if adapter is not None else None
        self.overflow: Overflow = overflow
        self.arguments: dict[str, Plain] = {
            "dtype": dtype,
            "max_model_len": max_model_len,
            "revision": revision,
            "tensor_parallel_size": tensor_parallel_size,
            "pipeline_parallel_size": pipeline_parallel_size,
            **(engine or {}),
        }
        self._card = ModelCard(
            identity or self._identity(),
            context=max_model_len or 0,
            structured=frozenset({"json", "choice", "regex"}),
            logprobs=LOGPROBS,
            prompt_logprobs=True,
        )
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Lock | None = None

    @property
    def card(self) -> ModelCard:
        """What it declares; `context` is known once it has started, or when the study gives it."""
        return self._card

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order.

        Raises ModelFailed when the engine cannot start or refuses a request, ModelDied when it is gone. A later call
        starts a new engine.
        """
        engine = await self._started()
        tasks = [asyncio.ensure_future(engine.answer(request)) for request in requests]
        try:
            return list(await asyncio.gather(*tasks))
        except ModelDied:
            await self._end(engine)
            raise
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """End the engine's processes."""
        if self._engine is not None:
            await self._end(self._engine)

    def counters(self) -> Mapping[str, float]:
        """Return the engine's counters by name: requests running and waiting, tokens, prefix cache."""
        return self._engine.counters() if self._engine is not None else {}

    async def _started(self) -> Engine:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._engine is not None:
                raise ModelFailed(
                    f"{self._card.identity}: its vLLM engine lives in another event loop; close it there first."
                )
            self._loop, self._starting = loop, asyncio.Lock()
        assert self._starting is not None
        async with self._starting:
            if self._engine is None:
                # In a thread: starting takes half a minute or more, and the event loop has others to serve.
                self._engine = await asyncio.to_thread(self._start)
                self._card = replace(self._card, context=self._engine.context)
        return self._engine

    def _start(self) -> Engine:
        if importlib.util.find_spec("vllm") is None:
            raise MissingExtra("The model 'vllm' needs vllm, which is not installed: pip install 'simonides[vllm]'.")
        from simonides.agents.models.vllm_engine import Engine

        return Engine(self._card.identity, self.model, self.adapter, self.overflow, self.arguments)

    async def _end(self, engine: Engine) -> None:
        if self._engine is engine:
            self._engine = None
            await asyncio.to_thread(engine.close)

    def _identity(self) -> str:
        """Return what decides the replies as one line."""
        given = self.arguments
        named = {key: given.get(key) for key in ("revision", "quantization", "kv_cache_dtype", "seed")}
        named["adapter"] = self.adapter[0] if self.adapter is not None else None
        if self.overflow != "refuse":
            named["overflow"] = f"{self.overflow}/{given['max_model_len']}"
        details = [f"{key}={value}" for key, value in named.items() if value is not None]
        return " ".join([self.model, str(given["dtype"]), *details])


def _adapter(name: str, adapters: Mapping[str, str]) -> str:
    if name not in adapters:
        raise UserError(
            f"model.adapter: no adapter is called {name!r}.{near(name, adapters)} "
            f"Known: {', '.join(adapters) or 'none'}; name its folder in model.adapters."
        )
    return adapters[name]
