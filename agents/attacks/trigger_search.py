"""Search for a few words that carry any question to a place in embedding space where nothing else is: a trigger.

Three searches share one measure and one budget: a candidate costs one forward pass of the embedder for each query, a
backward pass as much as two forward ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simonides.sim.types import FloatArray

Embed = Callable[[Sequence[str]], FloatArray]
"""Texts -> float32[n, d], unit rows."""

Words = tuple[str, ...]
Gradient = Callable[[Sequence[str], Words, FloatArray], tuple[FloatArray, Sequence[str]]]
"""(queries, trigger, direction float32[q, d]) -> (float32[len(trigger), v], the v words): how much each word in each
position would add, to first order, to the dot product of the queries' vectors with `direction`."""

Search = Literal["random", "coordinate", "hotflip"]

SPREAD = 0.1
"""Weight of the spread of triggered queries against their distance from what is stored, as in AgentPoison's code."""

CLUSTERS = 5
"""Centres of the stored keys, as in AgentPoison's code."""

_WORD = re.compile(r"[a-z]{3,}")


def vocabulary_of(texts: Sequence[str]) -> list[str]:
    """Return the words of three letters and more in texts, lower-cased and sorted."""
    return sorted({word for text in texts for word in _WORD.findall(text.lower())})


def triggered(query: str, trigger: str) -> str:
    """Return a query with a trigger after it."""
    return f"{query} {trigger}"


def centres_of(vectors: FloatArray, rng: np.random.Generator, clusters: int = CLUSTERS, rounds: int = 20) -> FloatArray:
    """Return float32[c, d], c <= clusters means of clusters of the rows (Lloyd's algorithm from drawn rows)."""
    centres = vectors[rng.choice(len(vectors), min(clusters, len(vectors)), replace=False)]
    for _ in range(rounds):
        nearest = (vectors @ centres.T - 0.5 * (centres * centres).sum(axis=1)).argmax(axis=1)
        groups = [vectors[nearest == n] for n in range(len(centres))]
        centres = np.stack([g.mean(axis=0) if len(g) else c for g, c in zip(groups, centres, strict=True)])
    return centres


@dataclass
class Landscape:
    """How good triggers are for some queries against some stored keys, and how many forward passes asking has cost.

    Fitness is the mean distance of the triggered queries from the centres minus SPREAD times their mean distance from
    their own mean: far from all that is stored, and together.
    """

    queries: Sequence[str]
    centres: FloatArray
    embed: Embed
    passes: int = 0

    def fitness(self, triggers: Sequence[Words]) -> list[float]:
        """Return the fitness of each trigger."""
        texts = [triggered(query, " ".join(words)) for words in triggers for query in self.queries]
        self.passes += len(texts)
        vectors = self.embed(texts).reshape(len(triggers), len(self.queries), -1)
        return [self._of(rows) for rows in vectors]

    def _of(self, rows: FloatArray) -> float:
        away = np.linalg.norm(rows[:, None] - self.centres[None], axis=2).mean()
        apart = np.linalg.norm(rows - rows.mean(axis=0), axis=1).mean()
        return float(away - SPREAD * apart)

    def direction(self, trigger: Words) -> FloatArray:
        """Return float32[q, d], the derivative of the fitness by each triggered query's vector."""
        self.passes += len(self.queries)
        rows = self.embed([triggered(query, " ".join(trigger)) for query in self.queries])
        gaps = rows[:, None] - self.centres[None]
        away = (gaps / np.linalg.norm(gaps, axis=2, keepdims=True)).mean(axis=1)
        off = rows - rows.mean(axis=0)
        units = off / np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-9)
        found: FloatArray = ((away - SPREAD * (units - units.mean(axis=0))) / len(rows)).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """A trigger, its fitness, what it cost in forward passes, and the best fitness after each step."""

    trigger: str
    fitness: float
    passes: int
    history: tuple[float, ...] = field(default=(), compare=False)


def search(
    kind: Search,
    land: Landscape,
    vocabulary: Sequence[str],
    rng: np.random.Generator,
    *,
    length: int = 10,
    candidates: int = 1500,
    batch: int = 50,
    gradient: Gradient | None = None,
) -> Found:
    """Return the best trigger of `length` words that `candidates` times the queries in forward passes find.

    random: fresh words each time. coordinate: from random words, one position after the other is tried with `batch`
    words of the vocabulary, and improvements are kept. hotflip: the same, with the words that a `gradient` puts
    highest (Ebrahimi et al., ACL 2018). Raises ValueError for hotflip without a gradient.
    """
    if kind == "hotflip" and gradient is None:
        raise ValueError("hotflip needs a gradient: install the extra `transformers` and name a float32 embedder.")
    budget = candidates * len(land.queries)
    best = _draw(vocabulary, rng, length)
    fitness = land.fitness([best])[0]
    history = [fitness]
    step = 0
    while (room := (budget - land.passes) // len(land.queries)) > 0:
        if kind == "random":
            tried = [_draw(vocabulary, rng, length) for _ in range(min(batch, room))]
        elif kind == "coordinate" or gradient is None:
            tried = _swapped(best, step % length, rng.choice(vocabulary, min(batch, room)).tolist())
        else:
            tried = _climbed(land, best, gradient, step, min(batch, room - 3))
        if not tried:
            break
        scores = land.fitness(tried)
        top = int(np.argmax(scores))
        if scores[top] > fitness:
            best, fitness = tried[top], scores[top]
        history.append(fitness)
        step += 1
    return Found(" ".join(best), fitness, land.passes, tuple(history))


def _draw(vocabulary: Sequence[str], rng: np.random.Generator, length: int) -> Words:
    return tuple(rng.choice(vocabulary, length).tolist())


def _swapped(words: Words, at: int, others: Sequence[str]) -> list[Words]:
    return [(*words[:at], other, *words[at + 1 :]) for other in others if other != words[at]]


def _climbed(land: Landscape, words: Words, gradient: Gradient, step: int, count: int) -> list[Words]:
    """Return the trigger with the `count` words in one position that the gradient puts highest."""
    if count < 1:
        return []
    scores, known = gradient(land.queries, words, land.direction(words))
    land.passes += 2 * len(land.queries)  # the backward pass; the forward one was counted for the direction
    at = step % len(words)
    order = np.argsort(-scores[at], kind="stable")[: count + 1]
    return _swapped(words, at, [known[n] for n in order.tolist()])[:count]
