"""Ask a model Book-SORT's questions with the excerpt before it, and read its answers off the first token.

The wording is our own (`reader.order`); what is scored, and how, is the benchmark's (`sort.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simonides.experiments.metrics.books import Book
from simonides.experiments.metrics.sort import Choice, SortItem, choose
from simonides.sim.context import Services, Usage
from simonides.sim.errors import UserError
from simonides.sim.labels import first_token
from simonides.sim.seeds import seed_of
from simonides.sim.types import ModelCard, Request

PURPOSE = "reader.order"
LABELS = ("A", "B")
MOST_ALTERNATIVES = 20
"""Alternatives that are asked for, or as many as the model gives: what hosted servers give at most."""
BATCH = 256


def alternatives(card: ModelCard) -> int:
    """Return how many alternatives for a token to ask a model for. Raises UserError for one that gives too few."""
    if card.logprobs < len(LABELS):
        raise UserError(
            f"{card.identity} gives {'no' if card.logprobs < 0 else card.logprobs} alternatives for a token with their "
            f"log-probabilities, and SORT needs {len(LABELS)} or more; choose a model whose card has logprobs."
        )
    return min(card.logprobs, MOST_ALTERNATIVES)


def request_of(item: SortItem, book: Book, logprobs: int) -> Request:
    """Return the request that asks one question: the excerpt, then the two segments as A and B."""
    excerpt = " ".join(book.words[item.excerpt_start : item.excerpt_start + item.excerpt_words])
    first, second = item.shown
    question = f"A: {first}\n\nB: {second}\n\nWhich of these two passages came first in what you remember?"
    inputs = {"context": [excerpt], "question": question, "labels": list(LABELS)}
    return Request(PURPOSE, inputs, max_tokens=1, logprobs=logprobs)


async def answers(
    items: Sequence[SortItem], books: Mapping[str, Book], services: Services, usage: Usage
) -> list[tuple[SortItem, Choice]]:
    """Return each item with the model's answer, "X" where neither label is among its likeliest first tokens.

    Raises UserError for a model without log-probabilities, ModelFailed.
    """
    if services.model is None:
        raise UserError("SORT asks a model, but none is named.")
    logprobs, found = alternatives(services.model.card), []
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        requests = [request_of(item, books[item.book], logprobs) for item in some]
        seeds = [seed_of(0, PURPOSE)] * len(requests)
        for item, completion in zip(some, await services.complete(requests, seeds, "sort", usage), strict=True):
            found.append((item, choose(first_token(completion))))
    return found
