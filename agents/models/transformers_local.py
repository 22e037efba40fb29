"""A language model in this process, on transformers: what is asked at the same time makes a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from simonides.agents.models.coalescing import Answer, Batches
from simonides.agents.models.fitting import Overflow
from simonides.agents.models.prepared import PACKAGED
from simonides.agents.models.weights import identity_of
from simonides.sim.errors import ModelFailed
from simonides.sim.registry import EXTRAS
from simonides.sim.types import Completion, ModelCard, Request

if TYPE_CHECKING:
    from simonides.agents.models.transformers_engine import Engine

LOGPROBS = 100
"""The most alternatives a token that are given: recorded replies keep them all."""


class TransformersModel:
    """A causal language model of Hugging Face's transformers, in this process.

    `model` is the name of a prepared model, a folder in Hugging Face's layout, or a hub id ("org/name", at `revision`).
    In float32, the default, a request gets the same reply alone and in a batch, and draws by its own seed alone; lower
    precisions round differently with the batch. `device` "auto" is the first GPU, else the processor. At most `batch`
    requests are answered together. `max_context` is in tokens, 0 the model's own. `overflow` says what becomes of a
    prompt that does not fit: see `fitting.cut_oldest`. `identity` replaces the name under which replies are recorded.

    JSON schemas, choices and regular expressions are enforced, token by token.

        model: {name: transformers, model: smollm2, batch: 16}
    """

    served = True
    """On Ray it runs in replica actors."""

    needs = ("torch", "transformers", "xgrammar")
    """Libraries that the first request imports."""

    def __init__(
        self,
        model: str,
        dtype: Literal["float32", "bfloat16", "float16", "auto"] = "float32",
        device: str = "auto",
        batch: Annotated[int, Field(ge=1)] = 8,
        max_context: Annotated[int, Field(ge=0)] = 0,
        overflow: Overflow = "refuse",
        revision: str | None = None,
        identity: str | None = None,
    ) -> None:
        """Load nothing."""
        cuts = f" cut-oldest/{max_context or 'own'}" if overflow == "cut-oldest" else ""
        self._card = ModelCard(
            identity or f"{identity_of(model, revision)} {dtype}{cuts}",
            context=max_context or (PACKAGED[model].context if model in PACKAGED else 0),
            structured=frozenset({"json", "choice", "regex"}),
            logprobs=LOGPROBS,
            prompt_logprobs=True,
        )
        self._model, self._dtype, self._device, self._revision = model, dtype, device, revision
        self._max_context = max_context
        self._overflow: Overflow = overflow
        self._batches = Batches(self._answer, batch)
        self._engine: Engine | None = None

    @property
    def card(self) -> ModelCard:
        """What it declares; `context` of a folder is known once it is loaded, or when the study gives it."""
        return self._card

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order.

        Raises ModelFailed when it cannot be loaded or cannot answer, ModelDied when the device has failed.
        """
        return await self._batches.ask(requests)

    async def close(self) -> None:
        """Give the weights' memory back, after the batch that is on its way."""
        await self._batches.idle()
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await asyncio.to_thread(engine.close)

    def counters(self) -> Mapping[str, float]:
        """Return how many requests, batches and tokens were answered since it was loaded."""
        return self._engine.counters() if self._engine is not None else {}

    def _answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        if self._engine is None:
            try:
                self._engine = self._load()
            except ModelFailed as error:
                return [error] * len(requests)
            self._card = replace(self._card, context=self._engine.context)
        return self._engine.answer(requests)

    def _load(self) -> Engine:
        try:
            from simonides.agents.models.transformers_engine import Engine
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            if missing not in EXTRAS:
                raise
            raise ModelFailed(
                f"The model 'transformers' needs {missing}, which is not installed: "
                "pip install 'simonides[transformers]'."
            ) from None
        return Engine(
            self._card.identity, self._model, self._dtype, self._device, self._max_context, self._overflow,
            self._revision,
        )  # fmt: skip
