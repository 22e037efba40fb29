"""Success on planted facts counts attacks and honest controls alike."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl

from simonides.experiments.metrics.planted import planted_success


def tables(texts, tainted):
    needs = pl.DataFrame(
        {
            "subject": ["tower 1", "tower 1", "tower 2", "tower 11"],
            "success": [True, False, True, False],
            "targeted": [tainted, tainted, False, False],
        }
    )
    return SimpleNamespace(items=pl.DataFrame({"text": texts}, schema={"text": pl.String}), needs=needs)


def test_an_honest_text_is_about_the_subjects_that_it_names():
    assert planted_success(tables(["The colour of tower 1 is red."], False)) == {"": 0.5, "others": 0.5}


def test_of_an_attack_only_what_its_falsehood_is_about_counts_and_not_its_cover():
    merged = ["The colour of tower 2 is red. The colour of tower 1 is blue."]
    assert planted_success(tables(merged, True)) == {"": 0.5, "others": 0.5}


def test_without_anything_planted_it_does_not_apply():
    assert planted_success(tables([], False)) == {}
