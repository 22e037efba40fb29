"""What is embedded at the same moment goes to the embedder in one call, with the vectors of single calls."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from counting import Batching, Plain, Waiting

from simonides.memory_actors.embedders.cache import CachedEmbedder
from simonides.memory_actors.embedders.hashing import HashingEmbedder
from simonides.memory_actors.embedders.minilm import MiniLMInt8
from simonides.sim.config import Layout, parse_study
from simonides.sim.context import Services, Usage
from simonides.sim.errors import ModelFailed
from simonides.sim.gathering import Gathering
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace


def gather(gathering, *asked):
    async def all_at_once():
        return await asyncio.gather(*(gathering.embed(texts) for texts in asked), return_exceptions=True)

    return asyncio.run(all_at_once())


ASKED = (["red", "blue"], ["blue"], [], ["green", "red", "red"])


@pytest.mark.parametrize("kind", [Batching, Waiting])
def test_calls_of_one_moment_are_one_call_of_distinct_texts(kind):
    embedder = kind()
    found = gather(Gathering(embedder), *ASKED)
    assert embedder.calls == [["red", "blue", "green"]]
    for texts, vectors in zip(ASKED, found, strict=True):
        assert vectors.shape == (len(texts), 8)
        assert (vectors == HashingEmbedder(8).embed(texts)).all()


def test_an_embedder_that_declares_nothing_is_called_at_once():
    embedder = Plain()
    gather(Gathering(embedder), *ASKED)
    assert embedder.calls == [list(texts) for texts in ASKED]


def test_one_that_waits_is_called_in_threads_and_the_loop_goes_on():
    embedder = Waiting(pause=0.2)

    async def beside():
        gathering, beats = Gathering(embedder), 0
        first = asyncio.ensure_future(gathering.embed(["red"]))
        await asyncio.sleep(0.02)
        second = asyncio.ensure_future(gathering.embed(["blue"]))
        while not (first.done() and second.done()):
            await asyncio.sleep(0.01)
            beats += 1
        return beats

    assert asyncio.run(beside()) > 3
    assert embedder.most_active == 2
    assert threading.get_ident() not in embedder.threads and len(embedder.calls) == 2


def test_vectors_in_memory_are_given_without_a_call(tmp_path):
    embedder = Batching()
    cached = CachedEmbedder(embedder, tmp_path)
    cached.embed(["red", "blue"])
    gathering = Gathering(cached)
    assert gathering.gathers
    (found,) = gather(gathering, ["blue", "red"])
    assert (found == HashingEmbedder(8).embed(["blue", "red"])).all()
    assert cached.held(["red", "new"]) is None
    gather(gathering, ["red", "new"], ["new"])
    assert embedder.calls == [["red", "blue"], ["new"]]
    cached.close()


def test_several_threads_share_a_cache_over_an_embedder_that_waits(tmp_path):
    embedder = Waiting(pause=0.05)
    cached = CachedEmbedder(embedder, tmp_path)
    texts = [[f"text {(7 * i + j) % 30}" for j in range(10)] for i in range(12)]
    found: dict[int, np.ndarray] = {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: cached.embed(texts[i])})) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert embedder.most_active > 1
    assert all((found[i] == HashingEmbedder(8).embed(texts[i])).all() for i in range(12))
    cached.close()


@pytest.mark.parametrize("kind", [Batching, Waiting])
def test_a_failure_is_told_to_all_that_asked_and_the_next_call_is_new(kind):
    class Weak(kind):
        def embed(self, texts):
            if not self.calls:
                self.calls.append(list(texts))
                raise ModelFailed("the server is away")
            return super().embed(texts)

    gathering = Gathering(Weak())
    assert [str(error) for error in gather(gathering, ["red"], ["blue"])] == ["the server is away"] * 2
    (found,) = gather(gathering, ["red"])
    assert (found == HashingEmbedder(8).embed(["red"])).all()


def test_who_no_longer_waits_does_not_disturb_the_others():
    embedder = Batching()

    async def leave():
        gathering = Gathering(embedder)
        gone, stays = (asyncio.ensure_future(gathering.embed([text])) for text in ("red", "blue"))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert (asyncio.run(leave()) == HashingEmbedder(8).embed(["blue"])).all()
    assert embedder.calls == [["blue"]]


def test_the_default_embedder_gives_the_same_bits_together_and_alone():
    texts = [f"The {word} of {number} days" for word in ("storm", "market", "lamp that burns") for number in range(8)]
    embedder = MiniLMInt8()
    together = gather(Gathering(embedder), *([text] for text in texts))
    assert all((vectors == embedder.embed([text])).all() for text, vectors in zip(texts, together, strict=True))


def test_texts_are_counted_for_who_asked():
    services, usages = Services(Batching()), [Usage(), Usage()]

    async def both():
        await asyncio.gather(*(services.embed(["red"] * n, usage) for n, usage in enumerate(usages, 1)))

    asyncio.run(both())
    assert [usage.embedded for usage in usages] == [1, 2]


@pytest.mark.parametrize("layout", [Layout(), Layout(private="actors", memory_actors=2)])
def test_a_study_has_one_trace_however_its_texts_are_embedded_and_fewer_calls(tmp_path, layout):
    digests, calls = set(), {}
    for kind in (Plain, Batching, Waiting):
        kind.log.clear()
        fields = {
            "name": "embedded",
            "environment": {"name": "dialogue", "speakers": 4, "sessions": 2, "turns_per_session": 6, "questions": 4},
            "policy": "extractive-reader",
            "memory": "vector",
            "embedder": f"counting:{kind.__name__}",
            "worlds": 2,
            "seeds": 1,
        }
        (trial,) = parse_study(fields).trials()
        assert not run_inline(trial, tmp_path / kind.__name__, layout).failed
        digests.add(Trace(tmp_path / kind.__name__).digest())
        calls[kind.__name__] = len(kind.log)
    assert len(digests) == 1
    assert calls["Batching"] < calls["Plain"] / 2
    assert calls["Waiting"] < 0.8 * calls["Plain"]  # how many ask at a moment depends on threads here
