"""An embeddings URL is asked in pages and with patience, and whatever it does wrong is one clear line."""

from __future__ import annotations

import time

import numpy as np
import pytest
from api_server import Answer, ApiServer, WellBehaved, answer, error, vector_of

from simonides.memory_actors.embedders.cache import CachedEmbedder
from simonides.sim.errors import ModelFailed, UserError
from simonides.sim.protocols import Embedder
from simonides.sim.registry import registry

KEY = "sk-a-key-that-nobody-may-see-1234567890"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def embedder(url, **more):
    return registry("embedder").build("openai", {"model": "toy", "url": url, "dimension": 4, "backoff": 0.01, **more})


def refusal(script, **more):
    with ApiServer(script) as server, pytest.raises(ModelFailed) as caught:
        embedder(server.url, **{"attempts": 3, "timeout": 5.0, **more}).embed(["red", "blue"])
    line = str(caught.value)
    assert "\n" not in line and KEY not in line and line.startswith("Embedder 'toy' at http://127.0.0.1")
    return line, len(server.asked)


def test_rows_are_of_unit_length_in_the_order_of_their_texts_and_empty_ones_are_not_sent():
    texts = ["red", "", "blue", "  ", "green"]
    with ApiServer() as server:
        one = embedder(server.url)
        vectors = one.embed(texts)
        assert one.embed([]).shape == (0, 4)
    assert isinstance(one, Embedder)
    (asked,) = server.asked
    assert (asked.path, asked.body) == ("/v1/embeddings", {"model": "toy", "input": ["red", "blue", "green"]})
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    expected = np.array([vector_of(text) if text.strip() else [0.0] * 4 for text in texts])
    expected[[0, 2, 4]] /= np.linalg.norm(expected[[0, 2, 4]], axis=1, keepdims=True)
    assert vectors.dtype == np.float32 and vectors == pytest.approx(expected, abs=1e-6)


def test_many_texts_go_in_pages_a_few_at_once():
    well = WellBehaved()

    def slow(asked):
        return Answer(body=well(asked).body, delay=0.05)

    texts = [f"text {number}" for number in range(50)]
    with ApiServer(slow) as server:
        paged = embedder(server.url, batch_size=8, concurrency=3).embed(texts)
        whole = embedder(server.url).embed(texts)
    assert (paged == whole).all()
    assert len(server.asked) == 8 and server.most_active == 3
    assert sorted(len(asked.body["input"]) for asked in server.asked[:-1]) == [2, *[8] * 6]


def test_busy_and_broken_servers_are_asked_again():
    script = [
        error(429, "slow down", headers={"retry-after": "0.2"}),
        error(503, "loading"),
        Answer(200, b'{"a', cut=2),
    ]
    with ApiServer(script) as server:
        started = time.monotonic()
        assert embedder(server.url).embed(["red"]).shape == (1, 4)
    assert len(server.asked) == 4
    assert time.monotonic() - started >= 0.2


def vectors(*rows):
    return answer(200, {"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)]})


@pytest.mark.parametrize(
    "broken, words, times",
    [
        (error(500, "oops"), "HTTP 500 (oops). Tried 3 times", 3),
        (error(401, f"bad key {KEY}"), "OPENAI_API_KEY is set, but its key is not accepted", 1),
        (error(404, "The model `toy` does not exist."), "HTTP 404 (The model `toy` does not exist.)", 1),
        (error(429, "quota", headers={"retry-after": "999"}), "more than patience (120 s); resume later", 1),
        (Answer(200, b"{nothing"), "not valid JSON", 3),
        (Answer(200, b'{"data": "\xff"}'), "not valid UTF-8", 3),
        (Answer(never=True), "no answer within 0.2 s", 3),
        (Answer(200, b" " * 1000, drip=0.05), "no answer within 0.2 s", 3),
        (answer(200, {"vectors": []}), "no list of vectors under data (found vectors)", 1),
        (answer(200, {"data": [{"index": 0, "embedding": "AAAA"}]}), "no list of vectors under data", 1),
        (vectors([1.0] * 4), "asked for 2 vectors of 4 numbers, got an array of shape [1, 4]", 1),
        (vectors([1.0] * 5, [1.0] * 5), "shape [2, 5]; set dimension to what the model gives", 1),
        (vectors([1.0] * 4, [1.0] * 5), "no list of vectors under data", 1),
        (vectors([1.0] * 4, [float("nan")] * 4), "not finite", 1),
    ],
)
def test_what_a_server_does_wrong_is_one_line(broken, words, times):
    line, asked = refusal(lambda _: broken, timeout=0.2 if broken.never or broken.drip else 5.0)
    assert words in line
    assert asked == times


def test_a_server_that_is_away_is_told_as_such():
    with pytest.raises(ModelFailed, match=r"nothing listens there .*Tried 1 time;"):
        embedder("http://127.0.0.1:1/v1", attempts=1).embed(["red"])
    with pytest.raises(UserError, match="plain URL"):
        embedder("http://user:secret@x/v1")


def test_the_identity_says_what_makes_the_vectors_and_not_where():
    assert embedder("http://one/v1").identity == embedder("https://two/v1").identity == "openai/toy/4"
    others = [embedder("http://one/v1", **more).identity for more in ({"dimension": 8}, {"extra": {"dimensions": 4}})]
    assert len({"openai/toy/4", *others}) == 3
    assert embedder("http://one/v1", identity="toy of August").identity == "toy of August"


def test_what_is_cached_needs_no_server(tmp_path):
    with ApiServer() as server:
        cached = CachedEmbedder(embedder(server.url), tmp_path)
        first = cached.embed(["red", "blue"])
        cached.close()
    again = CachedEmbedder(embedder("http://127.0.0.1:1/v1"), tmp_path)
    assert again.waits
    assert (again.embed(["blue", "red"]) == first[::-1]).all()
    again.close()
