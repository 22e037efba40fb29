"""Rank texts by the words that they share with a query (Okapi BM25), and fuse several rankings into one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from simonides.memory_actors.indexes.postings import Posting

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Return the lower-cased runs of word characters of a text."""
    return _WORD.findall(text.lower())


def split_words(text: str) -> list[str]:
    """Return a text split at single spaces: the tokens of published systems that call `split(" ")`."""
    return text.split(" ")


class BM25Index:
    """Okapi BM25 over texts that come and go.

    The score of a text of length L is the sum, over the query's words (repeated words count again), of

        idf(w) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * L / mean L)),  idf(w) = ln((N - n_w + 0.5) / (n_w + 0.5))

    (Robertson, Walker, Jones, Hancock-Beaulieu and Gatford, "Okapi at TREC-3", 1994), where a negative idf is
    replaced by `epsilon` times the mean idf of the vocabulary, as `BM25Okapi` of the package rank_bm25 does; its
    default k1 = 1.5, b = 0.75 and epsilon = 0.25 are ours. Equal contents give equal scores, to the last bit, whatever
    was added or removed before.

        index = BM25Index()
        index.add(["a", "b"], ["the red door", "a blue gate"])
        index.search("red", k=1)   # [("a", ...)]
    """

    def __init__(
        self, k1: float = 1.5, b: float = 0.75, epsilon: float = 0.25, compat: Literal["words", "split"] = "words"
    ) -> None:
        if compat not in ("words", "split"):
            raise ValueError(f"compat={compat!r} is not a tokeniser; use 'words' or 'split'.")
        self.k1, self.b, self.epsilon = k1, b, epsilon
        self._tokens = split_words if compat == "split" else words
        self._row: dict[str, int] = {}
        self._ids: list[str] = []
        self._counts: list[Counter[str]] = []
        self._lengths = np.zeros(16, np.float64)
        self._free: list[int] = []
        self._postings: dict[str, Posting] = {}
        self._words_by_documents: Counter[int] = Counter()
        self._total = 0
        self._mean_idf: float | None = None

    def __len__(self) -> int:
        return len(self._row)

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Add texts, or replace those whose id is present. Raises ValueError when the lengths differ."""
        if len(ids) != len(texts):
            raise ValueError(f"{len(ids)} ids came with {len(texts)} texts; give one text an id.")
        for item, text in zip(ids, texts, strict=True):
            self.remove([item])
            self._add(item, Counter(self._tokens(text)))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove texts; unknown ids are ignored."""
        for item in ids:
            row = self._row.pop(item, None)
            if row is not None:
                self._remove(row)

    def search(self, text: str, k: int, *, matching: bool = True) -> list[tuple[str, float]]:
        """Return at most k (id, score), sorted by (-score, id).

        With `matching` only texts that share a word with the query are ranked; without, all are, those that share
        none with score 0 (above texts whose score is negative), as rank_bm25's `get_top_n` does.
        """
        scores = np.zeros(len(self._ids))
        hit = np.zeros(len(self._ids), bool)
        for word in self._tokens(text):
            posting = self._postings.get(word)
            if posting is not None:
                scores[posting.rows] += self._idf(len(posting)) * self._saturation(posting)
                hit[posting.rows] = True
        rows = np.flatnonzero(hit) if matching else np.fromiter(self._row.values(), np.int64, len(self._row))
        return self._best(rows, scores[rows], k)

    def _best(self, rows: np.ndarray, scores: np.ndarray, k: int) -> list[tuple[str, float]]:
        if k <= 0 or not len(rows):
            return []
        if k < len(rows):
            keep = scores >= np.partition(scores, len(rows) - k)[len(rows) - k]
            rows, scores = rows[keep], scores[keep]
        ranked = sorted((-score, self._ids[row]) for row, score in zip(rows.tolist(), scores.tolist(), strict=True))
        return [(item, 0.0 - score) for score, item in ranked[:k]]

    def _saturation(self, posting: Posting) -> np.ndarray:
        counts = posting.counts
        relative = self._lengths[posting.rows] / (self._total / len(self))
        return counts * (self.k1 + 1) / (counts + self.k1 * (1 - self.b + self.b * relative))

    def _idf(self, documents: int) -> float:
        idf = self._raw_idf(documents)
        return idf if idf >= 0 else self.epsilon * self._floor()

    def _raw_idf(self, documents: int) -> float:
        return math.log(len(self) - documents + 0.5) - math.log(documents + 0.5)

    def _floor(self) -> float:
        """Return the mean idf of the vocabulary: words with equal document counts share one logarithm."""
        if self._mean_idf is None:
            total = math.fsum(n * self._raw_idf(documents) for documents, n in self._words_by_documents.items())
            self._mean_idf = total / len(self._postings)
        return self._mean_idf

    def _add(self, item: str, counts: Counter[str]) -> None:
        row = self._free.pop() if self._free else len(self._ids)
        if row == len(self._ids):
            self._ids.append(item)
            self._counts.append(counts)
            if row == len(self._lengths):
                self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        self._row[item], self._ids[row], self._counts[row] = row, item, counts
        self._lengths[row] = counts.total()
        self._total += counts.total()
        for word, count in counts.items():
            posting = self._postings.setdefault(word, Posting())
            self._recount(len(posting), len(posting) + 1)
            posting.add(row, count)
        self._mean_idf = None

    def _remove(self, row: int) -> None:
        for word in self._counts[row]:
            posting = self._postings[word]
            self._recount(len(posting), len(posting) - 1)
            posting.remove(row)
            if not posting:
                del self._postings[word]
        self._total -= self._counts[row].total()
        self._counts[row] = Counter()
        self._free.append(row)
        self._mean_idf = None

    def _recount(self, before: int, after: int) -> None:
        """Move one word from those found in `before` texts to those found in `after`."""
        for documents, step in ((before, -1), (after, 1)):
            if documents:
                self._words_by_documents[documents] += step
                if not self._words_by_documents[documents]:
                    del self._words_by_documents[documents]


def rrf(rankings: Sequence[Sequence[str]], c: float = 60.0) -> list[tuple[str, float]]:
    """Return ids with their fused scores, sorted by (-score, id), from several rankings, best first.

    Reciprocal rank fusion: score(r) = sum over the rankings that hold r of 1 / (c + rank), ranks from 1, c = 60
    (Cormack, Clarke and Buettcher, SIGIR 2009).
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (c + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
