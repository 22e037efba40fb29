"""The Episodic Memory Benchmark's two scores, and its book: chapters with true date, place, entity and content.

Source: Huet et al. 2025 (https://github.com/ahstat/episodic-memory-benchmark). A judge says for each gold item
whether it was told (1), told in part (0.5) or not (0); what is here starts from those marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from scipy.stats import kendalltau  # type: ignore[import-untyped]

from simonides.experiments.metrics.rows import Row, read_rows
from simonides.sim.errors import DataError

BINS = ("0", "1", "2", "3-5", "6+")
"""Questions are grouped by how many events of the book match their cue."""

MARKS = (0.0, 0.5, 1.0)
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter of the book: an event with its truth, and the text that tells it. Latitude, longitude in degrees."""

    number: int
    date: date
    location: str
    entity: str
    content: str
    detail: str
    latitude: float
    longitude: float
    text: str


def load_chapters(path: str | Path) -> list[Chapter]:
    """Read a book kept as JSON lines, one chapter a line, in order.

    Raises DataError, naming file and line, for a bad line, a wrong or missing field, a date that is not like
    "September 13, 2025", a chapter number that repeats, and a file without chapters.
    """
    chapters = [_chapter(row) for row in read_rows(Path(path))]
    numbers = [chapter.number for chapter in chapters]
    if not chapters:
        raise DataError(f"{path}: no chapters in this file; expected one JSON object a line.")
    if len(set(numbers)) < len(numbers):
        raise DataError(f"{path}: chapter {_repeated(numbers)} is there twice.")
    return sorted(chapters, key=lambda chapter: chapter.number)


def _repeated(numbers: Sequence[int]) -> int:
    return min(number for number in numbers if numbers.count(number) > 1)


def _chapter(row: Row) -> Chapter:
    texts = {name: row.need(name, str) for name in ("location", "entity", "content", "content_detail", "text")}
    return Chapter(
        number=row.need("chapter", int), date=_date(row), location=texts["location"], entity=texts["entity"],
        content=texts["content"], detail=texts["content_detail"], latitude=float(row.need("lat", int, float)),
        longitude=float(row.need("lon", int, float)), text=texts["text"],
    )  # fmt: skip


def _date(row: Row) -> date:
    told = row.need("date", str)
    try:
        return datetime.strptime(told, "%B %d, %Y").date()
    except ValueError:
        raise row.fail(f"field 'date' should look like 'September 13, 2025', found {told!r}.") from None


@dataclass(frozen=True, slots=True)
class ItemScore:
    """One answer against its gold items, each part in [0, 1]."""

    precision: float
    recall: float
    f1: float


def item_score(marks: Sequence[float], predicted: int) -> ItemScore:
    """Score one answer from its gold items' marks (0, 0.5 or 1 each) and the number of items that it named.

    recall = sum / gold; precision = sum / min(predicted, gold), lenient towards long answers. Where there is no gold
    item, all three are 1 if nothing was named, otherwise 0. ValueError for another mark or a negative count.
    """
    if predicted < 0 or any(mark not in MARKS for mark in marks):
        raise ValueError(f"Marks are 0, 0.5 or 1 and counts at least 0, got {list(marks)} and {predicted}.")
    if not marks:
        right = float(predicted == 0)
        return ItemScore(right, right, right)
    total = sum(marks)
    recall = total / len(marks)
    # A judge may credit an answer that the counter took for empty; precision then stays within [0, 1].
    precision = min(1.0, total / min(predicted, len(marks))) if predicted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ItemScore(precision, recall, f1)


def bin_of(matching_events: int) -> str:
    """Return the bin of a question by the number of matching events: 0, 1, 2, 3-5 or 6+."""
    if matching_events < 0:
        raise ValueError(f"A number of events is at least 0, got {matching_events}.")
    if matching_events <= 2:
        return str(matching_events)
    return "3-5" if matching_events <= 5 else "6+"


@dataclass(frozen=True, slots=True)
class SimpleRecall:
    """The mean over bins of each bin's mean F1, so that rare bins weigh as much as common ones.

    Bins without questions are left out of the mean and of `by_bin`; without any the score is nan.
    """

    score: float
    by_bin: Mapping[str, float]
    counts: Mapping[str, int]


def simple_recall(scored: Iterable[tuple[int, float]]) -> SimpleRecall:
    """Return the Simple Recall Score of (matching events, F1) pairs."""
    groups: dict[str, list[float]] = {name: [] for name in BINS}
    for matching, f1 in scored:
        groups[bin_of(matching)].append(f1)
    means = {name: _mean(scores) for name, scores in groups.items() if scores}
    counts = {name: len(scores) for name, scores in groups.items() if scores}
    return SimpleRecall(_mean(list(means.values())), means, counts)


def order_score(gold: Sequence[str], told: Sequence[str]) -> float:
    """Return Kendall's tau between the true order of events and the order told; 0 unless exactly all were told.

    Ranges from -1 (reversed) to 1. ValueError for fewer than two or repeated gold events: they have no order.
    """
    if len(gold) < 2 or len(set(gold)) < len(gold):
        raise ValueError(f"An order needs at least two different events, got {list(gold)}.")
    if sorted(told) != sorted(gold):
        return 0.0
    return float(kendalltau(range(len(gold)), [told.index(event) for event in gold]).statistic)


@dataclass(frozen=True, slots=True)
class ChronologicalAwareness:
    """The mean of two means: knowing the latest state of a thing, and telling events in order (Kendall's tau)."""

    score: float
    latest: float
    order: float


def chronological_awareness(latest: Sequence[float], orders: Sequence[float]) -> ChronologicalAwareness:
    """Combine latest-state scores (in [0, 1]) and `order_score`s; nan where either kind has no question."""
    state, tau = _mean(latest), _mean(orders)
    return ChronologicalAwareness((state + tau) / 2, state, tau)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else NAN
