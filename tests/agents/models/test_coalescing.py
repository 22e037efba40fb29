"""Calls that are under way at the same time share batches, and an error reaches only those who asked for it."""

from __future__ import annotations

import asyncio

import pytest

from simonides.agents.models.coalescing import Batches
from simonides.sim.errors import ModelFailed
from simonides.sim.types import Completion, Request


class Engine:
    """Answers with the purpose; a request for "bad" fails, one for "bug" raises."""

    def __init__(self):
        self.batches = []

    def __call__(self, requests):
        self.batches.append([request.purpose for request in requests])
        if any(request.purpose == "bug" for request in requests):
            raise ZeroDivisionError
        return [ModelFailed("no") if r.purpose == "bad" else Completion(r.purpose) for r in requests]


def ask(batches, *purposes):
    return batches.ask([Request(purpose) for purpose in purposes])


def test_concurrent_calls_make_batches_of_the_given_size_in_order():
    async def main():
        replies = await asyncio.gather(*(ask(batches, f"{n}a", f"{n}b") for n in range(3)))
        assert [[reply.text for reply in each] for each in replies] == [[f"{n}a", f"{n}b"] for n in range(3)]

    engine = Engine()
    batches = Batches(engine, 4)
    asyncio.run(main())
    assert engine.batches == [["0a", "0b", "1a", "1b"], ["2a", "2b"]]


def test_one_request_that_fails_does_not_fail_the_others():
    async def main():
        good, bad = await asyncio.gather(ask(batches, "x"), ask(batches, "y", "bad"), return_exceptions=True)
        assert good == [Completion("x")] and isinstance(bad, ModelFailed)

    batches = Batches(Engine(), 8)
    asyncio.run(main())


def test_an_engine_that_raises_fails_all_who_wait_and_can_be_asked_again():
    async def main():
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(ask(batches, "bug", "x", "y"), 10)
        assert await ask(batches, "x") == [Completion("x")]

    batches = Batches(Engine(), 2)
    asyncio.run(main())


def test_a_cancelled_call_is_not_asked():
    async def main():
        given_up, kept = asyncio.ensure_future(ask(batches, "a")), asyncio.ensure_future(ask(batches, "b"))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await kept == [Completion("b")]
        await batches.idle()

    engine = Engine()
    batches = Batches(engine, 1)
    asyncio.run(main())
    assert engine.batches in ([["b"]], [["a"], ["b"]])  # the first batch may have begun


def test_it_serves_one_event_loop_after_another():
    batches = Batches(Engine(), 2)
    for _ in range(2):
        assert asyncio.run(ask(batches, "x")) == [Completion("x")]
