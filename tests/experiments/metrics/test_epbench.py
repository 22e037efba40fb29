"""The Episodic Memory Benchmark's scores and its book."""

import json
import math
from datetime import date

import pytest

from simonides.experiments.metrics.epbench import (
    chronological_awareness,
    item_score,
    load_chapters,
    order_score,
    simple_recall,
)
from simonides.sim.errors import DataError

CHAPTER = {
    "chapter": 2, "date": "March 5, 2027", "location": "Harbour", "entity": "Ida Moe", "content": "Kite Day",
    "content_detail": "Flew a kite", "lat": 1, "lon": -2.5, "text": "Ida flew a kite.",
}  # fmt: skip


def book(tmp_path, *chapters):
    path = tmp_path / "book.jsonl"
    path.write_text("".join(json.dumps(chapter) + "\n" for chapter in chapters))
    return path


def test_an_answer_is_scored_from_its_marks():
    score = item_score([1, 0.5, 0], predicted=2)
    assert (score.recall, score.precision) == (0.5, 0.75)
    assert score.f1 == pytest.approx(0.6)


def test_precision_forgives_long_answers_and_stays_within_one():
    assert item_score([1, 1], predicted=9).precision == 1.0
    assert item_score([1, 1, 1], predicted=1).precision == 1.0
    assert item_score([0, 0], predicted=0).f1 == 0.0


def test_where_nothing_is_to_be_named_only_silence_is_right():
    assert item_score([], predicted=0).f1 == 1.0
    assert item_score([], predicted=1).f1 == 0.0


def test_another_mark_is_refused():
    with pytest.raises(ValueError, match=r"0, 0\.5 or 1"):
        item_score([0.7], predicted=1)


def test_simple_recall_weighs_bins_equally_and_names_them():
    told = simple_recall([(0, 1.0), (0, 1.0), (0, 0.0), (4, 0.5), (6, 0.1), (40, 0.3)])
    assert told.by_bin == pytest.approx({"0": 2 / 3, "3-5": 0.5, "6+": 0.2})
    assert told.score == pytest.approx((2 / 3 + 0.5 + 0.2) / 3)
    assert told.counts == {"0": 3, "3-5": 1, "6+": 2}
    assert math.isnan(simple_recall([]).score)


def test_order_is_kendalls_tau_once_every_event_is_told():
    assert order_score("abcd", "abcd") == pytest.approx(1.0)
    assert order_score("abcd", "dcba") == pytest.approx(-1.0)
    assert order_score("abcd", "abdc") == pytest.approx(2 / 3)
    assert order_score("abcd", "abc") == order_score("abcd", "abcdd") == 0.0
    with pytest.raises(ValueError, match="two different"):
        order_score("a", "a")


def test_chronological_awareness_is_the_mean_of_its_halves():
    told = chronological_awareness([1.0, 0.0], [1.0])
    assert (told.latest, told.order, told.score) == (0.5, 1.0, 0.75)
    assert math.isnan(chronological_awareness([], [1.0]).score)


def test_chapters_come_in_order_with_their_dates(tmp_path):
    first, second = load_chapters(book(tmp_path, CHAPTER, {**CHAPTER, "chapter": 1}))
    assert (first.number, second.number) == (1, 2)
    assert second.date == date(2027, 3, 5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"date": "5.3.2027"}, r"line 2: field 'date' should look like"),
        ({"chapter": "2"}, r"line 2: field 'chapter' should be int"),
        ({"lat": None}, r"line 2: field 'lat' should be int or float"),
        ({}, "chapter 2 is there twice"),
    ],
)
def test_a_bad_chapter_is_named(tmp_path, change, told):
    with pytest.raises(DataError, match=told):
        load_chapters(book(tmp_path, CHAPTER, {**CHAPTER, **change}))


def test_a_book_without_chapters_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no chapters"):
        load_chapters(book(tmp_path))


@pytest.mark.data
def test_the_published_book_reads(data_folder):
    chapters = load_chapters(data_folder / "epbench" / "epbench_default_long_first98.jsonl")
    assert [chapter.number for chapter in chapters] == list(range(1, 99))
