"""Post JSON to a web API from an event loop: with pauses between attempts, within limits of rates and of requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from simonides.sim.errors import ModelFailed
from simonides.sim.types import Plain
from simonides.sim.webapi import Api, Transient

CONNECT = 10.0
"""Seconds for a connection to be made: a server that is there accepts at once, even one that answers late."""

LONGEST_PAUSE = 30.0
"""Seconds that a pause of ours may last; a server may ask for more."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server is asked: seconds, attempts, requests at once, requests and tokens a minute (None: no limit)."""

    timeout: float
    attempts: int
    backoff: float
    patience: float
    concurrency: int
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(slots=True)
class _Session:
    """What belongs to one event loop: the connections and the limits."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    slots: asyncio.Semaphore
    requests: AsyncLimiter | None
    tokens: AsyncLimiter | None
    resume_at: float = 0.0
    """Loop time before which the server wants no request at all, as one of its answers said."""


class Transport:
    """The way to one web API. Connects with the first request; one connection pool for each event loop."""

    def __init__(self, api: Api, manners: Manners) -> None:
        self._api = api
        self._manners = manners
        self._wait = wait_random_exponential(multiplier=manners.backoff, max=LONGEST_PAUSE)
        # Full jitter: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
        self._session: _Session | None = None

    async def post(self, path: str, body: Mapping[str, Plain], tokens: int, asked: str) -> Mapping[str, Plain]:
        """Return the JSON object that the server answers; `tokens` is the request's weight for the rate.

        Raises Refused for an answer that no repetition changes, ModelFailed when all attempts failed.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._manners.attempts),
            retry=retry_if_exception_type(Transient),
            wait=self._pause,
            reraise=True,
        )
        try:
            return await retrying(self._once, path, json.dumps(body).encode(), tokens, asked)
        except Transient as error:
            tried = self._manners.attempts
            raise ModelFailed(f"{error} Tried {tried} time{'s' * (tried > 1)}; resume when it can answer.") from None

    async def get(self, path: str, asked: str) -> Mapping[str, Plain]:
        """Return the JSON object at a path, asked for once. Raises ModelFailed."""
        return await self._send("GET", path, None, asked)

    async def close(self) -> None:
        """Close the connections; those of an event loop that has ended are gone with it."""
        session, self._session = self._session, None
        if session is not None and session.loop is asyncio.get_running_loop():
            await session.client.aclose()

    async def _once(self, path: str, body: bytes, tokens: int, asked: str) -> Mapping[str, Plain]:
        session = self._here()
        await asyncio.sleep(max(0.0, session.resume_at - session.loop.time()))
        async with session.slots:
            if session.requests is not None:
                await session.requests.acquire()
            if session.tokens is not None:
                await _acquire(session.tokens, tokens)
            try:
                return await self._send("POST", path, body, asked)
            except Transient as error:
                session.resume_at = max(session.resume_at, session.loop.time() + self._bearable(error))
                raise

    def _bearable(self, error: Transient) -> float:
        """Return the pause that the server asks for. Raises ModelFailed when nobody would wait so long."""
        patience = self._manners.patience
        if error.pause > patience:
            raise ModelFailed(
                f"{error} The server asks to wait {error.pause:g} s, more than patience ({patience:g} s); resume later."
            ) from None
        return error.pause

    async def _send(self, method: str, path: str, body: bytes | None, asked: str) -> Mapping[str, Plain]:
        headers = {**self._api.headers(), "Content-Type": "application/json"}
        timeout = self._manners.timeout
        try:
            async with asyncio.timeout(timeout):
                answer = await self._here().client.request(method, self._api.url + path, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._api.unreachable(error, asked, timeout) from None
        if answer.status_code != httpx.codes.OK:
            raise self._api.refused(answer.status_code, answer.content, answer.headers, asked)
        return self._api.parsed(answer.content, answer.headers.get("content-type", ""), asked)

    def _here(self) -> _Session:
        """Return the session of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.loop is not loop:
            self._session = self._opened(loop)
        return self._session

    def _opened(self, loop: asyncio.AbstractEventLoop) -> _Session:
        m = self._manners
        limits = httpx.Limits(max_connections=m.concurrency, max_keepalive_connections=m.concurrency)
        client = httpx.AsyncClient(timeout=httpx.Timeout(m.timeout, connect=CONNECT), limits=limits)
        slots = asyncio.Semaphore(m.concurrency)
        return _Session(loop, client, slots, _limiter(m.requests_per_minute), _limiter(m.tokens_per_minute))

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        return (error.pause if isinstance(error, Transient) else 0.0) + self._wait(state)


def _limiter(a_minute: float | None) -> AsyncLimiter | None:
    """Return a limiter that lets pass what a second allows, or one: a minute's worth at once would meet the next's."""
    if a_minute is None:
        return None
    burst = max(1.0, a_minute / 60)
    return AsyncLimiter(burst, burst * 60 / a_minute)


async def _acquire(limiter: AsyncLimiter, amount: float) -> None:
    """Wait until an amount has passed, which may be more than passes at once."""
    while amount > 0:
        part = min(amount, limiter.max_rate)
        await limiter.acquire(part)
        amount -= part
