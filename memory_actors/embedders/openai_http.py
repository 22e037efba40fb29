"""Turn texts into vectors at any OpenAI-compatible embeddings URL: a hosted one, vLLM's own, llama.cpp's.

What failures mean and how keys are kept is `sim/webapi`'s business; this file sends pages of texts, and repeats.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from ssl import SSLContext
from typing import Annotated, ClassVar

import httpx
import numpy as np
from pydantic import Field
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from simonides.sim.errors import ModelFailed
from simonides.sim.types import EMPTY, FloatArray, Plain
from simonides.sim.webapi import Api, Transient

CONNECT = 10.0
"""Seconds for a connection to be made."""

LONGEST_PAUSE = 30.0
"""Seconds that a pause between two attempts may last, unless the server asks for more."""

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]


class OpenAIEmbedder:
    """Unit vectors from a server's `/embeddings`.

        OpenAIEmbedder("toy-embed", "http://127.0.0.1:8000/v1", dimension=384)

    `dimension` is the length of its vectors, which must be known before anybody asks. The key is read from the
    environment variable `key_env` for each request and kept nowhere; without it none is sent. Texts go in pages of
    `batch_size`, at most `concurrency` of them at once. A page may take `timeout` seconds. It is tried `attempts`
    times, with random pauses that double from `backoff` up to 30 s, or as long as the server asks, up to `patience`.
    `extra` are further fields of the body ({"dimensions": 256}). The identity, by default made of name, dimension and
    `extra`, is the cache's key: say it when the weights behind a name change.
    """

    waits: ClassVar[bool] = True
    """It waits for a network: it is called in a thread, with all texts of a moment together."""

    def __init__(
        self,
        model: Annotated[str, Field(min_length=1)],
        url: str,
        dimension: Count,
        key_env: str = "OPENAI_API_KEY",
        identity: str = "",
        batch_size: Count = 64,
        concurrency: Count = 4,
        timeout: Positive = 60.0,
        attempts: Count = 6,
        backoff: Positive = 1.0,
        patience: Annotated[float, Field(ge=0)] = 120.0,
        extra: Mapping[str, Plain] = EMPTY,
    ) -> None:
        """Check the URL; connect to nothing. Raises UserError for what is no plain URL."""
        self._api = Api.at(url, key_env)
        self._asked = f"Embedder {model!r} at {self._api.url}"
        self._model, self._dimension, self._extra = model, dimension, extra
        self._identity = identity or _identity(model, dimension, extra)
        self._batch_size, self._concurrency = batch_size, concurrency
        self._timeout, self._attempts, self._patience = timeout, attempts, patience
        self._wait = wait_random_exponential(multiplier=backoff, max=LONGEST_PAUSE)

    @property
    def dimension(self) -> int:
        """Number of columns, as declared."""
        return self._dimension

    @property
    def identity(self) -> str:
        """Name of the vectors, whichever server computes them."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], rows of unit length (zero for an empty text).

        Raises ModelFailed when the server gives no vectors, or others than declared.
        """
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        pages = [rows[at : at + self._batch_size] for at in range(0, len(rows), self._batch_size)]
        # Connections are not kept between calls: an embedder is never closed.
        timeout = httpx.Timeout(self._timeout, connect=CONNECT)
        client = httpx.Client(timeout=timeout, verify=self._trust)
        with client, ThreadPoolExecutor(min(self._concurrency, max(1, len(pages)))) as pool:
            asked = [pool.submit(self._page, client, [texts[row] for row in page]) for page in pages]
            for page, answer in zip(pages, asked, strict=True):
                vectors[page] = answer.result()
        return vectors

    @cached_property
    def _trust(self) -> SSLContext | bool:
        """The certificates to trust, read once: that takes a quarter of a second. Plain http needs none."""
        return httpx.create_ssl_context() if self._api.url.startswith("https:") else False

    def _page(self, client: httpx.Client, texts: Sequence[str]) -> FloatArray:
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            retry=retry_if_exception_type(Transient),
            wait=self._pause,
            reraise=True,
        )
        body = json.dumps({"model": self._model, "input": list(texts), **self._extra}).encode()
        try:
            return self._vectors(retrying(self._send, client, body), len(texts))
        except Transient as error:
            tried = self._attempts
            raise ModelFailed(f"{error} Tried {tried} time{'s' * (tried > 1)}; resume when it can answer.") from None

    def _send(self, client: httpx.Client, body: bytes) -> Mapping[str, Plain]:
        headers = {**self._api.headers(), "Content-Type": "application/json"}
        deadline = time.monotonic() + self._timeout
        try:
            with client.stream("POST", f"{self._api.url}/embeddings", content=body, headers=headers) as answer:
                whole = bytearray()
                for chunk in answer.iter_bytes():
                    whole += chunk
                    if time.monotonic() > deadline:  # httpx counts from one chunk to the next
                        raise TimeoutError
        except (httpx.HTTPError, OSError) as error:
            raise self._api.unreachable(error, self._asked, self._timeout) from None
        if answer.status_code != httpx.codes.OK:
            raise self._bearable(self._api.refused(answer.status_code, bytes(whole), answer.headers, self._asked))
        return self._api.parsed(bytes(whole), answer.headers.get("content-type", ""), self._asked)

    def _bearable(self, error: ModelFailed) -> ModelFailed:
        """Return the error, final when the server asks to wait longer than anybody would."""
        if isinstance(error, Transient) and error.pause > self._patience:
            return ModelFailed(
                f"{error} The server asks to wait {error.pause:g} s, more than patience ({self._patience:g} s); "
                "resume later."
            )
        return error

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        return (error.pause if isinstance(error, Transient) else 0.0) + self._wait(state)

    def _vectors(self, answer: Mapping[str, Plain], count: int) -> FloatArray:
        """Return float32[count, dimension] of an answer, in the order of its texts."""
        try:
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            found = np.array([row["embedding"] for row in rows], np.float64)
        except (KeyError, TypeError, ValueError):
            raise ModelFailed(
                f"{self._asked}: the answer has no list of vectors under data (found {', '.join(sorted(answer))})."
            ) from None
        if found.shape != (count, self._dimension):
            raise ModelFailed(
                f"{self._asked}: asked for {count} vectors of {self._dimension} numbers, got an array of shape "
                f"{list(found.shape)}; set dimension to what the model gives."
            )
        lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
        if not np.isfinite(lengths).all():
            raise ModelFailed(f"{self._asked}: a vector holds numbers that are not finite.")
        unit: FloatArray = np.divide(found, lengths, out=found, where=lengths > 0).astype(np.float32)
        return unit


def _identity(model: str, dimension: int, extra: Mapping[str, Plain]) -> str:
    name = f"openai/{model}/{dimension}"
    options = json.dumps(extra, sort_keys=True) if extra else ""
    return f"{name}+{hashlib.sha256(options.encode()).hexdigest()[:12]}" if options else name
