"""Measure what a trigger does to a store of real keys: who finds the poison, with the trigger and without it.

The searches and plain sentences are the attack's (`agentpoison`); this file has the store, the controls, the counts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from simonides.experiments.elsewhere import attribute
from simonides.sim.checks.desk import Desk, experience
from simonides.sim.errors import DataError
from simonides.sim.protocols import Embedder
from simonides.sim.registry import registry
from simonides.sim.types import FloatArray

SEARCH = "simonides.agents.attacks.trigger_search"
GRADIENT = "simonides.agents.attacks.gradients:MiniLMGradient"
KEYS, QUESTIONS = "strategyqa_train_filtered.json", "strategyqa_dev.json"
"""Files of AgentPoison's release: the keys of the agent's memory, and questions that are not among them."""
AT = (1, 5)
"""The places among which poison is looked for."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is searched and measured; the defaults are those of the criterion."""

    records: tuple[int, ...] = (1, 5, 20)
    seeds: int = 5
    candidates: int = 1500
    queries: int = 8
    """Questions that a search sees; they and others up to the most records are the attacker's, the rest is held out."""
    length: int = 10
    held: int = 0
    """Questions held out that are asked; 0 for all."""
    searches: tuple[str, ...] = ("random", "coordinate", "hotflip")


@dataclass(frozen=True, slots=True)
class Row:
    """Raw counts of one trigger with so many poisoned records, in one retriever, at one k."""

    way: str
    seed: int
    trigger: str
    records: int
    retriever: str
    k: int
    triggered: int
    """Held-out questions with the trigger that have poison among their top k."""
    untriggered: int
    """... of the same questions without the trigger."""
    questions: int
    benign_kept: float
    """Share of the clean store's top k, for questions without the trigger, that is still among the top k."""


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, and what each search cost in forward passes of the embedder."""

    rows: list[Row]
    passes: dict[str, list[int]]
    fitness: dict[str, list[float]]
    notes: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


def read_questions(folder: Path) -> tuple[list[str], list[str]]:
    """Return the stored keys and the questions that are asked. Raises DataError when a file is not as released."""
    return _asked(folder / KEYS), _asked(folder / QUESTIONS)


def _asked(path: Path) -> list[str]:
    try:
        return [str(one["question"]) for one in json.loads(path.read_text(encoding="utf-8"))]
    except OSError:
        raise DataError(f"--data: there is no {path}; name the folder with {KEYS} and {QUESTIONS}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"--data: {path} should be a list of maps with a question ({error}).") from None


class Retriever(Protocol):
    """Finds, for each question, how many of some poisoned keys are among its top k."""

    name: str

    def poisoned(self, questions: Sequence[str], poison: Sequence[str]) -> dict[int, np.ndarray]:
        """Return for each k of AT int[q], the number of poisoned keys among each question's top k."""


class Dense:
    """Keys ranked by dot product of unit vectors; equal scores go to the older key, which is the benign one."""

    def __init__(self, name: str, embedder: Embedder, keys: Sequence[str]) -> None:
        self.name, self.keys = name, embedder.embed(keys)
        self._embedder = embedder
        self._known: dict[str, FloatArray] = {}

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors, each computed once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def poisoned(self, questions: Sequence[str], poison: Sequence[str]) -> dict[int, np.ndarray]:
        """Return the numbers of poisoned keys; see `Retriever`."""
        asked, most = self.embed(questions), max(AT)
        benign = np.sort(asked @ self.keys.T, axis=1)[:, ::-1][:, :most]
        scores = np.concatenate([benign, asked @ self.embed(poison).T], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")
        return {k: (order[:, :k] >= most).sum(axis=1) for k in AT}


class Words:
    """Keys in the memory system `bm25`, with the poisoned ones written after the others."""

    name = "bm25"

    def __init__(self, keys: Sequence[str]) -> None:
        self._desk = Desk(registry("memory").build("bm25", {"k": max(AT)}))
        self._keys = len(keys)
        asyncio.run(self._write(keys, 0))

    async def _write(self, texts: Sequence[str], first: int) -> list[str]:
        written = [experience(first + n, text) for n, text in enumerate(texts)]
        for one in written:
            await self._desk.write(one)
        return [one.id for one in written]

    def poisoned(self, questions: Sequence[str], poison: Sequence[str]) -> dict[int, np.ndarray]:
        """Return the numbers of poisoned keys; see `Retriever`. The keys are forgotten afterwards."""
        return asyncio.run(self._poisoned(questions, poison))

    async def _poisoned(self, questions: Sequence[str], poison: Sequence[str]) -> dict[int, np.ndarray]:
        first = self._keys + self._desk.tick
        written = await self._write(poison, first)
        bad = {id for id, record in self._desk.known.items() if not set(record.origins).isdisjoint(written)}
        found = [[item.record_id in bad for item in (await self._desk.read(q, max(AT))).items] for q in questions]
        await self._desk.forget(written)
        return {k: np.array([sum(row[:k]) for row in found]) for k in AT}


def measure(folder: Path, embedder: str, second: str, effort: Effort, tell: Callable[[str], None]) -> Table:
    """Search triggers on one embedder, measure them on it, on a second and on BM25, beside their controls.

    Raises DataError for files that are not as released, MissingExtra for hotflip without its libraries.
    """
    keys, questions = read_questions(folder)
    tell("Embedding the keys")
    dense = [Dense(name, registry("embedder").build(name, {}), keys) for name in (embedder, second)]
    table = Table([], {}, {}, _notes(effort))
    stores: list[Retriever] = [*dense, Words(keys)]
    for way, seed, trigger in _triggers(keys, questions, dense[0], effort, table, tell):
        tell(f"Measuring {way}, seed {seed}")
        table.rows.extend(_rows(way, seed, trigger, questions, stores, effort))
    return table


def _notes(effort: Effort) -> list[str]:
    exploratory = "" if effort.seeds >= 20 else f"{effort.seeds} search seeds: exploratory"
    skipped = "target-action filter skipped: no surrogate model; ASR-a and ASR-t not measured"
    return [note for note in (exploratory, skipped, "trigger perplexity not measured") if note]


def _split(questions: Sequence[str], seed: int, effort: Effort) -> tuple[list[str], list[str]]:
    """Return the attacker's questions and those held out."""
    mixed = [questions[n] for n in np.random.default_rng([seed, 0]).permutation(len(questions)).tolist()]
    own = max(*effort.records, effort.queries)
    return mixed[:own], mixed[own : own + effort.held] if effort.held else mixed[own:]


def _triggers(
    keys: Sequence[str],
    questions: Sequence[str],
    dense: Dense,
    effort: Effort,
    table: Table,
    tell: Callable[[str], None],
) -> Iterator[tuple[str, int, str]]:
    """Yield (way, seed, trigger): no trigger, every plain sentence, words drawn unsearched, and each search."""
    words = attribute(f"{SEARCH}:vocabulary_of")(keys)
    gradient = attribute(GRADIENT)(words) if "hotflip" in effort.searches else None
    attack: Any = registry("attack").load("agentpoison")
    yield from (("no trigger", seed, "") for seed in range(effort.seeds))
    yield from (("plain sentence", number, text) for number, text in enumerate(attack.PLAIN))
    for seed in range(effort.seeds):
        drawn = np.random.default_rng([seed, 2]).choice(words, effort.length)
        yield "drawn words", seed, " ".join(drawn.tolist())
    for way in effort.searches:
        for seed in range(effort.seeds):
            tell(f"Searching: {way}, seed {seed}")
            found = _found(way, seed, questions, dense, words, effort, gradient)
            table.passes.setdefault(way, []).append(found.passes)
            table.fitness.setdefault(way, []).append(found.fitness)
            yield way, seed, found.trigger


def _found(
    way: str, seed: int, questions: Sequence[str], dense: Dense, words: Sequence[str], effort: Effort, gradient: Any
) -> Any:
    own, _ = _split(questions, seed, effort)
    rng = np.random.default_rng([seed, 1])
    params = {"length": effort.length, "candidates": effort.candidates}
    attack = registry("attack").build("agentpoison", params)
    return attack.find(way, own[: effort.queries], dense.keys, dense.embed, words, rng, gradient)


def _rows(
    way: str, seed: int, trigger: str, questions: Sequence[str], stores: Sequence[Retriever], effort: Effort
) -> Iterator[Row]:
    """Yield the counts of one trigger in every store, by number of records and k."""
    own, held = _split(questions, seed, effort)
    with_trigger = attribute(f"{SEARCH}:triggered") if trigger else (lambda query, _: query)
    asked = [with_trigger(question, trigger) for question in held]
    for store in stores:
        for count in effort.records:
            poison = [with_trigger(question, trigger) for question in own[:count]]
            hit, plain = store.poisoned(asked, poison), store.poisoned(held, poison)
            for k in AT:
                yield Row(
                    way, seed, trigger, count, store.name, k, int((hit[k] > 0).sum()), int((plain[k] > 0).sum()),
                    len(held), float(1.0 - plain[k].mean() / k),
                )  # fmt: skip
