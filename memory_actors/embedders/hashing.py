"""Turn texts into vectors by hashing their words and letter groups: no model, and the same on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from simonides.sim.types import FloatArray

_WORD = re.compile(r"\w+")
_VERSION = 1

WORD, PAIR, LETTERS = 4, 2, 1
"""Weights of a word, of two words in a row, and of three letters in a row. Whole numbers, so that every sum is exact
and the vectors are equal to the last bit on all machines, whatever the order of addition."""


@lru_cache(maxsize=1 << 18)
def _slot(feature: str) -> int:
    """Return 64 bits of blake2b: a place from the low ones, a sign from the top one."""
    return int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")


def _word_features(word: str) -> Iterator[tuple[str, int]]:
    yield f"w {word}", WORD
    framed = f"<{word}>"
    for start in range(len(framed) - 2):
        yield f"c {framed[start : start + 3]}", LETTERS


class HashingEmbedder:
    """Signed feature hashing (Weinberger, Dasgupta, Langford, Smola and Attenberg, ICML 2009) to unit vectors.

    The features are the lower-cased words, pairs of neighbouring words, and the letter triples of each word framed
    by < and > as in fastText (Bojanowski et al., TACL 2017), so that inflected forms stay near. It knows spelling,
    not meaning.

        HashingEmbedder(64).embed(["a red door", "red doors"])   # float32[2, 64]
    """

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 1:
            raise ValueError(f"A vector needs a dimension of at least 1, found {dimension}.")
        self._dimension = dimension
        self._words = lru_cache(maxsize=1 << 16)(self._word)

    @property
    def dimension(self) -> int:
        """Number of columns."""
        return self._dimension

    @property
    def identity(self) -> str:
        """Name and version of the vectors."""
        return f"hashing/{_VERSION}/{self._dimension}"

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], rows of unit length (zero for a text without words)."""
        counts = np.zeros((len(texts), self._dimension), np.float64)
        for row, text in enumerate(texts):
            self._count(text, counts[row])
        lengths = np.sqrt((counts * counts).sum(axis=1, keepdims=True))
        unit: FloatArray = np.divide(counts, lengths, out=counts, where=lengths > 0).astype(np.float32)
        unit += 0.0  # -0.0 becomes 0.0
        return unit

    def _count(self, text: str, counts: np.ndarray) -> None:
        words = _WORD.findall(text.lower())
        if not words:
            return
        pairs = [self._hashed(f"p {first} {second}", PAIR) for first, second in pairwise(words)]
        parts = [self._words(word) for word in words]
        places = np.concatenate([*(part[0] for part in parts), np.array([place for place, _ in pairs], np.int64)])
        weights = np.concatenate([*(part[1] for part in parts), np.array([weight for _, weight in pairs], np.float64)])
        counts += np.bincount(places, weights, minlength=self._dimension)

    def _word(self, word: str) -> tuple[np.ndarray, np.ndarray]:
        """Return int64[m] places and float64[m] signed weights of one word and its letters."""
        hashed = [self._hashed(feature, weight) for feature, weight in _word_features(word)]
        return np.array([place for place, _ in hashed], np.int64), np.array(
            [weight for _, weight in hashed], np.float64
        )

    def _hashed(self, feature: str, weight: int) -> tuple[int, int]:
        slot = _slot(feature)
        return (slot & (2**63 - 1)) % self._dimension, weight if slot >> 63 else -weight
