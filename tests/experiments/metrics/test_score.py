"""A file of answers is scored line by line, and a bad line is named."""

import json

import pytest

from simonides.experiments.metrics.score import locomo_f1_means, score_locomo_f1
from simonides.sim.errors import DataError

GOOD = {"category": 4, "answer": "a red kite", "response": "red kites", "note": "kept"}


def written(tmp_path, *lines):
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


def test_each_row_keeps_its_fields_and_gains_two_scores(tmp_path):
    (row,) = score_locomo_f1(written(tmp_path, GOOD))
    assert row == {**GOOD, "official_f1": 1.0, "set_f1": 0.4}


def test_blank_lines_are_skipped_and_line_numbers_still_count_them(tmp_path):
    path = written(tmp_path, GOOD, "", "[1]")
    with pytest.raises(DataError, match=r"answers\.jsonl, line 3: expected a JSON object, found \[1\]"):
        list(score_locomo_f1(path))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('{"category": 4, "answer": "x"', "not JSON"),
        ({"category": 4, "answer": "x"}, "no field 'response'"),
        ({**GOOD, "category": "4"}, r"field 'category' should be int, found str \('4'\)"),
        ({**GOOD, "category": True}, "field 'category' should be int, found bool"),
        ({**GOOD, "category": 9}, "category 9 is not one of"),
        ({**GOOD, "response": None}, "field 'response' should be str, found NoneType"),
        ({**GOOD, "answer": None}, "field 'answer' should be str or int or float"),
        ({**GOOD, "answer": ["x"]}, "found list"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found(tmp_path, bad, told):
    rows = score_locomo_f1(written(tmp_path, GOOD, bad))
    assert next(rows)["official_f1"] == 1.0
    with pytest.raises(DataError, match=r"answers\.jsonl, line 2: .*" + told):
        next(rows)


def test_a_missing_or_binary_file_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        list(score_locomo_f1(tmp_path / "none.jsonl"))
    (tmp_path / "x.gz").write_bytes(b"\x1f\x8b\x08\xff")
    with pytest.raises(DataError, match="not UTF-8"):
        list(score_locomo_f1(tmp_path / "x.gz"))
    with pytest.raises(DataError, match="cannot be read"):
        list(score_locomo_f1(tmp_path))


def test_an_adversarial_row_may_lack_an_answer(tmp_path):
    refusal = {"category": 5, "response": "Not mentioned."}
    rows = list(score_locomo_f1(written(tmp_path, refusal, GOOD)))
    assert rows[0]["official_f1"] == 1.0
    assert rows[0]["set_f1"] is None
    means = locomo_f1_means(rows)
    assert means["overall"] == {"n": 2, "official_f1": 1.0, "official_f1_printed": 1.0, "set_f1": 0.4}
    assert means["by_category"]["adversarial"]["set_f1"] is None


def test_the_means_of_nothing_are_plain_json(tmp_path):
    means = locomo_f1_means(score_locomo_f1(written(tmp_path, "")))
    assert json.loads(json.dumps(means, allow_nan=False))["overall"] == {
        "n": 0, "official_f1": None, "official_f1_printed": None, "set_f1": None,
    }  # fmt: skip


@pytest.mark.data
def test_the_published_run_has_its_means(data_folder):
    rows = list(score_locomo_f1(data_folder / "results_locomo" / "official_f1_vectors.jsonl"))
    means = locomo_f1_means(rows)
    assert len(rows) == means["overall"]["n"] == 1040
    assert list(means["by_category"]) == ["single-hop", "multi-hop", "temporal", "open-domain"]
    assert means["overall"]["official_f1"] == pytest.approx(sum(row["official_f1"] for row in rows) / 1040)
