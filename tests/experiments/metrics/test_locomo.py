"""LoCoMo's scores equal the authors', and the traps in their definitions are kept."""

import json
import math

import pytest

from simonides.experiments.metrics.locomo import (
    CATEGORIES,
    REPORT_ORDER,
    category_means,
    evidence_recall,
    normalise,
    official_f1,
    session_recall,
    set_f1,
    token_f1,
)


def vectors(folder, name):
    return [json.loads(line) for line in (folder / "results_locomo" / name).read_text().splitlines()]


@pytest.mark.data
@pytest.mark.parametrize("name", ["official_f1_vectors.jsonl", "official_f1_edge_vectors.jsonl"])
def test_every_row_equals_the_authors_values(data_folder, name):
    rows = vectors(data_folder, name)
    assert len(rows) in (1040, 13)
    for row in rows:
        assert official_f1(row["category"], row["answer"], row["response"]) == row["official_f1"], row
        if "set_f1" in row:
            assert set_f1(row["answer"], row["response"]) == row["set_f1"], row


def test_normalising_joins_hyphens_and_drops_articles_and_the_word_and():
    assert normalise("The sea-side, AND  a Kite!") == "seaside kite"


def test_words_are_compared_by_their_stems():
    assert token_f1("she sails boats", "sailing a boat") == pytest.approx(0.8)


def test_an_empty_prediction_or_answer_scores_zero():
    assert token_f1("", "kite") == token_f1("kite", "") == token_f1("the", "a") == 0.0


def test_a_multi_hop_answer_is_scored_part_by_part_and_further_parts_cost_nothing():
    assert official_f1(1, "kite, drum", "a red drum") == pytest.approx((0 + 2 / 3) / 2)
    assert official_f1(1, "kite", "kite, drum, harp") == 1.0


def test_an_open_domain_answer_counts_up_to_its_semicolon_and_only_there():
    assert official_f1(3, "Likely no; he fears water", "likely no") == 1.0
    assert official_f1(4, "Likely no; he fears water", "likely no") < 1.0


def test_an_adversarial_question_wants_a_refusal_and_needs_no_answer():
    assert official_f1(5, None, "That is Not Mentioned anywhere") == 1.0
    assert official_f1(5, "drum", "drum") == 0.0


def test_a_numeric_answer_is_read_as_text():
    assert official_f1(2, 2019, "2019") == 1.0


def test_an_unknown_category_is_refused():
    with pytest.raises(ValueError, match="no category 6"):
        official_f1(6, "kite", "kite")


def test_set_f1_differs_where_words_repeat_or_inflect():
    assert set_f1("drums", "drum") == 0.0
    assert set_f1("drum drum", "Drum!") == 1.0
    assert set_f1("well-known", "well known") == 0.0


def test_evidence_recall_counts_found_turns_among_the_first_k():
    retrieved = ["D1:4", "D2:1", "D3:9"]
    assert evidence_recall(["D3:9", "D1:4"], retrieved, k=2) == 0.5
    assert evidence_recall(["D3:9", "D1:4"], retrieved) == 1.0
    assert evidence_recall([], retrieved, k=1) == 1.0
    assert evidence_recall(["D3:9; D1:4"], retrieved) == 0.0
    with pytest.raises(ValueError, match="at least 1"):
        evidence_recall(["D1:4"], retrieved, k=0)


def test_a_retrieved_session_counts_for_each_of_its_turns():
    assert session_recall(["D3:9", "D12:1"], ["S12", "S4"], k=1) == 0.5


def test_means_come_in_the_authors_order_and_round_each_item_first():
    means = category_means([(1, 1 / 3), (1, 1 / 3), (4, 1.0)])
    assert list(means.by_category) == [4, 1]
    assert means.by_category[1] == pytest.approx(0.333)
    assert means.overall == pytest.approx((0.333 * 2 + 1) / 3)
    assert means.counts == {4: 1, 1: 2}
    assert category_means([(1, 1 / 3)], rounded=False).overall == 1 / 3
    assert math.isnan(category_means([]).overall)


def test_the_report_order_names_every_category_once():
    assert sorted(REPORT_ORDER) == sorted(CATEGORIES)
