"""Book-SORT items keep every published rule, and answers are scored against chance."""

import math
from collections import Counter

import numpy as np
import pytest

from simonides.experiments.metrics.books import load_book, sentence_starts
from simonides.experiments.metrics.sort import bin_edges, choose, make_items, sort_score
from simonides.sim.errors import DataError

HEAD = "*** START OF THE PROJECT GUTENBERG EBOOK THE KITE ***\n"
TAIL = "*** END OF THE PROJECT GUTENBERG EBOOK THE KITE ***\n"


def gutenberg(tmp_path, body, head=HEAD, tail=TAIL):
    path = tmp_path / "123-0.txt"
    path.write_text(head + body + tail, encoding="utf-8")
    return path


def chapters(sentences):
    prose = "\n".join(f"Word{n} flies over hill {n} and comes back home." for n in range(sentences))
    front = "CONTENTS\n\n  CHAPTER   PAGE\n\n     CHAPTER I\n\n     THE START\n\n"
    return f"{front}{prose}\n\n     THE END\n\nAdverts here.\n"


@pytest.fixture
def book(tmp_path):
    return load_book(gutenberg(tmp_path, chapters(400)))


def test_a_book_loses_its_front_back_and_headings(tmp_path):
    body = (
        "THE KITE\n\nCONTENTS\n\n     CHAPTER I\n     A TITLE\n\nIt flew. [Illustration: a\nkite] High.\n\n"
        "     CHAPTER II\n\n     MORE\n\nIt fell.\n\n     *   *   *\n\n     THE END\n\nBuy more books.\n"
    )
    book = load_book(gutenberg(tmp_path, body))
    assert " ".join(book.words) == "It flew. High. It fell."
    assert (book.id, book.title) == ("123", "The Kite")


def test_a_book_without_chapters_starts_with_its_first_paragraph(tmp_path):
    body = "   THE KITE\n\n   by Nobody\n\nOne line\nof three\nof prose.\n"
    assert load_book(gutenberg(tmp_path, body)).words[:2] == ("One", "line")


@pytest.mark.parametrize(
    ("head", "body", "tail", "told"),
    [
        ("", "x\n", TAIL, "no '.*START OF"),
        (HEAD, "x\n", "", "has no '.*END OF"),
        (HEAD, "\n", TAIL, "no prose"),
    ],
)
def test_a_bad_book_file_says_what_is_wrong(tmp_path, head, body, tail, told):
    with pytest.raises(DataError, match=told):
        load_book(gutenberg(tmp_path, body, head, tail))


def test_titles_and_initials_do_not_end_sentences():
    words = ["He", "met", "Mr.", "Ox", "and", "J.", "Doe.", "“Yes!”", "She", "left.", "the", "end"]
    assert [words[n] for n in sentence_starts(words)] == ["He", "“Yes!”", "She"]


def test_bins_follow_the_excerpt_length():
    assert bin_edges(1000, 20) == (20, 250, 1000 / 3, 500, 1250)
    assert bin_edges(10_000, 50) == (50, 1000, 2500, 5000, 12_500)


@pytest.mark.parametrize(("excerpt", "segment"), [(250, 20), (1000, 50)])
def test_items_keep_the_rules(book, excerpt, segment):
    items = make_items(book, excerpt, segment)
    edges = bin_edges(excerpt, segment)
    starts = set(sentence_starts(book.words).tolist())
    assert len(items) == 440
    assert set(Counter((item.upper, item.correct) for item in items).values()) == {55}
    for item in items:
        assert edges[edges.index(item.upper) - 1] < item.distance <= item.upper
        assert item.second_at + segment <= excerpt
        assert {item.excerpt_start + item.first_at, item.excerpt_start + item.second_at} <= starts
        assert len(item.first.split()) == len(item.second.split()) == segment
        assert item.first == " ".join(book.words[item.excerpt_start + item.first_at :][:segment])
        assert item.shown["AB".index(item.correct)] == item.first
    assert sum(item.for_test for item in items) == 400


def test_the_same_seed_draws_the_same_items_and_another_others(book):
    assert make_items(book, 250, 20, excerpts=4) == make_items(book, 250, 20, excerpts=4)
    assert make_items(book, 250, 20, excerpts=4) != make_items(book, 250, 20, excerpts=4, seed=1)


def test_a_short_book_and_one_endless_sentence_are_errors(tmp_path, book):
    with pytest.raises(DataError, match=r"has 3600 words, fewer than an excerpt of 10000"):
        make_items(book, 10_000, 20)
    endless = load_book(gutenberg(tmp_path, "and on\nand on\n" + "and on\n" * 400))
    with pytest.raises(DataError, match="every distance bin"):
        make_items(endless, 250, 20)


def test_the_likelier_label_is_chosen_however_its_space_is_spelt():
    assert choose({"A": -2.0, " B": -1.0, "The": -0.1}) == "B"
    assert choose({"▁A": -1.0, "ĠB": -1.5, "A": -9.0}) == "A"
    assert choose({"The": -0.1}) == "X"
    assert choose({}) == "X"


def test_scores_count_missing_answers_as_wrong_and_show_a_position_bias(book):
    items = make_items(book, 250, 20, excerpts=10)
    always_a = sort_score((item, "A") for item in items)
    assert always_a.accuracy.estimate == 0.5
    assert always_a.said_a == 1.0
    assert sort_score((item, item.correct) for item in items).accuracy.estimate == 1.0
    silent = sort_score((item, "X") for item in items)
    assert (silent.accuracy.estimate, silent.unanswered) == (0.0, 1.0)
    assert list(silent.by_bin) == sorted(bin_edges(250, 20)[1:])
    assert math.isnan(sort_score([]).accuracy.estimate)


@pytest.mark.data
def test_the_published_books_give_items_spread_over_each_book(data_folder):
    for path in sorted((data_folder / "booksort").glob("*-0.txt")):
        book = load_book(path)
        assert len(book.words) > 9_000
        assert not {"CHAPTER", "GUTENBERG"} & set(book.words)
        places = {item.index: item.excerpt_start for item in make_items(book, 1000, 20)}
        assert 0.35 < np.mean(list(places.values())) / (len(book.words) - 1000) < 0.65
