"""Book-SORT: which of two segments of a book came first? Items are drawn from books; answers are scored.

Source: the Sequence Order Recall Task (Pink et al. 2024, https://github.com/bridge-ai-neuro/SORT). The rules are
theirs: excerpts of L_E words, two segments of L_S words that start with sentences, four distance bins, presentation
counterbalanced, seed 100. The draws are ours, so items are comparable with the published ones, not the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.stats import kstest  # type: ignore[import-untyped]

from simonides.experiments.metrics.books import Book, Ints, sentence_starts
from simonides.experiments.metrics.stats import Interval, wilson
from simonides.sim.errors import DataError
from simonides.sim.labels import likeliest
from simonides.sim.seeds import generator

EXCERPT_WORDS = (250, 1000, 2500, 10_000, 20_000)
SEGMENT_WORDS = (20, 50)
EXCERPTS = 110
"""Excerpts a book and setting: the first 100 are for testing, the last 10 for choosing a prompt."""
TEST_EXCERPTS = 100
SEED = 100
UNIFORM_P = 0.05
"""Excerpt positions that a Kolmogorov-Smirnov test tells from uniform at this level are drawn again."""
ATTEMPTS = 1_000

Label = Literal["A", "B"]
Choice = Literal["A", "B", "X"]

_LABELS: Mapping[str, Label] = {"A": "A", "B": "B"}


@dataclass(frozen=True, slots=True)
class SortItem:
    """One question. `first` comes before `second` in the book; `shown` is the order that the reader sees as A and B.

    Positions are words: `excerpt_start` in the book, `first_at` and `second_at` in the excerpt. `upper` is the upper
    edge of the distance bin. `correct` labels the segment that came first.
    """

    book: str
    index: int
    excerpt_words: int
    segment_words: int
    upper: float
    excerpt_start: int
    first_at: int
    second_at: int
    first: str
    second: str
    correct: Label

    @property
    def shown(self) -> tuple[str, str]:
        """Return the two segments in the order A, B."""
        return (self.first, self.second) if self.correct == "A" else (self.second, self.first)

    @property
    def distance(self) -> int:
        """Return the words from the start of one segment to the start of the other."""
        return self.second_at - self.first_at

    @property
    def for_test(self) -> bool:
        """Say whether this item is for testing; the others are for choosing a prompt."""
        return self.index < TEST_EXCERPTS


def bin_edges(excerpt_words: int, segment_words: int) -> tuple[float, ...]:
    """Return the five edges of the four distance bins (lower < distance <= upper), in words."""
    short = excerpt_words < EXCERPT_WORDS[3]
    middle = (excerpt_words / 4, excerpt_words / 3) if short else (1000.0, excerpt_words / 4)
    return (float(segment_words), *middle, excerpt_words / 2, excerpt_words / 0.8)


def make_items(
    book: Book, excerpt_words: int, segment_words: int, excerpts: int = EXCERPTS, seed: int = SEED
) -> list[SortItem]:
    """Draw one item a distance bin from each of `excerpts` excerpts of a book: 440 for the published 110.

    Excerpts start anywhere, uniformly (tested, and drawn again if they do not look so); one without a pair in some bin
    is replaced. Within an excerpt and a bin every pair of sentence starts is equally likely. In each bin half of the
    items show the earlier segment as A. DataError if the book is too short or has too few sentences.
    """
    room = len(book.words) - excerpt_words
    if room < 0:
        raise DataError(
            f"Book {book.id} ({book.title}) has {len(book.words)} words, fewer than an excerpt of {excerpt_words}."
        )
    rng = generator(seed)
    starts = sentence_starts(book.words)
    edges = bin_edges(excerpt_words, segment_words)
    places = _excerpts(book, starts, (excerpt_words, segment_words), excerpts, rng)
    items: list[SortItem] = []
    for lower, upper in pairwise(edges):
        labels = rng.permutation(np.arange(excerpts) % 2)
        for index, (place, label) in enumerate(zip(places, labels, strict=True)):
            inside = _inside(starts, place, excerpt_words, segment_words)
            pair = _draw(inside, lower, upper, rng)
            items.append(_item(book, index, (excerpt_words, segment_words), upper, place, pair, "AB"[label]))
    return items


def _inside(starts: Ints, place: int, excerpt_words: int, segment_words: int) -> Ints:
    """Return the sentence starts of an excerpt, from its first word, that leave room for a segment."""
    last = place + excerpt_words - segment_words
    found: Ints = starts[np.searchsorted(starts, place) : np.searchsorted(starts, last, side="right")] - place
    return found


def _choices(inside: Ints, lower: float, upper: float) -> tuple[Ints, Ints]:
    """Return for each start the position of its first partner in the bin, and how many partners it has."""
    begin = np.searchsorted(inside, inside + lower, side="right")
    stop = np.searchsorted(inside, inside + upper, side="right")
    return begin.astype(np.int64), np.maximum(stop - begin, 0).astype(np.int64)


def _draw(inside: Ints, lower: float, upper: float, rng: np.random.Generator) -> tuple[int, int]:
    begin, counts = _choices(inside, lower, upper)
    nth = int(rng.integers(counts.sum()))
    row = int(np.searchsorted(counts.cumsum(), nth, side="right"))
    return int(inside[row]), int(inside[begin[row] + nth - (counts[:row].sum())])


def _excerpts(book: Book, starts: Ints, lengths: tuple[int, int], count: int, rng: np.random.Generator) -> list[int]:
    """Draw excerpt positions until all have a pair in every bin and together look uniform over the book."""
    room = len(book.words) - lengths[0]
    for _ in range(ATTEMPTS):
        places = [_usable(book, starts, lengths, room, rng) for _ in range(count)]
        if room == 0 or count < 2 or kstest(np.array(places) / room, "uniform").pvalue >= UNIFORM_P:
            return places
    raise DataError(f"Book {book.id} ({book.title}): usable excerpts of {lengths[0]} words cluster in parts of it.")


def _usable(book: Book, starts: Ints, lengths: tuple[int, int], room: int, rng: np.random.Generator) -> int:
    edges = bin_edges(*lengths)
    for _ in range(ATTEMPTS):
        place = int(rng.integers(room + 1))
        inside = _inside(starts, place, *lengths)
        if all(_choices(inside, low, high)[1].any() for low, high in pairwise(edges)):
            return place
    raise DataError(
        f"Book {book.id} ({book.title}): no excerpt of {lengths[0]} words has segments of {lengths[1]} words in every "
        "distance bin; its sentences are too long or too few."
    )


def _item(
    book: Book, index: int, lengths: tuple[int, int], upper: float, place: int, pair: tuple[int, int], label: str
) -> SortItem:
    first, second = (" ".join(book.words[place + at : place + at + lengths[1]]) for at in pair)
    correct: Label = "A" if label == "A" else "B"
    return SortItem(book.id, index, *lengths, upper, place, *pair, first, second, correct)


def choose(log_probabilities: Mapping[str, float]) -> Choice:
    """Return the likelier of A and B among a model's first-token log-probabilities, X if neither is there.

    A token counts with or without a leading space, however a tokenizer spells that space. A tie goes to A.
    """
    label = likeliest(log_probabilities, tuple(_LABELS))
    return "X" if label is None else _LABELS[label]


@dataclass(frozen=True, slots=True)
class SortScore:
    """Shares of correct answers with Wilson intervals, over all and by upper bin edge; chance is 0.5.

    `said_a` is the share of answers that were A (0.5 without a position bias), `unanswered` the share of X.
    """

    accuracy: Interval
    by_bin: Mapping[float, Interval]
    said_a: float
    unanswered: float


def sort_score(answered: Iterable[tuple[SortItem, Choice]]) -> SortScore:
    """Score answers to items; X is wrong. Without answers the shares are nan."""
    rows = list(answered)
    bins = sorted({item.upper for item, _ in rows})
    return SortScore(
        accuracy=_accuracy(rows),
        by_bin={upper: _accuracy([row for row in rows if row[0].upper == upper]) for upper in bins},
        said_a=_share(rows, "A"),
        unanswered=_share(rows, "X"),
    )


def _accuracy(rows: Sequence[tuple[SortItem, Choice]]) -> Interval:
    return wilson(sum(choice == item.correct for item, choice in rows), len(rows))


def _share(rows: Sequence[tuple[SortItem, Choice]], choice: Choice) -> float:
    return sum(said == choice for _, said in rows) / len(rows) if rows else float("nan")
