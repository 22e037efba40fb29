"""A trial's tables say what its trace says: checked on a real small dialogue with a planted falsehood."""

import math
from pathlib import Path

import polars as pl
import pytest

from simonides.experiments.metrics.locomo import official_f1
from simonides.experiments.metrics.questions import holds, ndcg_at, recall_at
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.tables import METRICS, NAMES, measure, measured, metrics_of, tables_of
from simonides.experiments.metrics.timeline import timeline
from simonides.sim.config import parse_study
from simonides.sim.errors import ContractBroken, UnknownName, UserError
from simonides.sim.inline import run_inline
from simonides.sim.registry import registry

STUDY = {
    "name": "small",
    "environment": {"name": "dialogue", "speakers": 4, "teams": 2, "sessions": 6, "turns_per_session": 8,
                    "questions": 12},
    "policy": "extractive-reader",
    "memory": "bm25",
    "wiring": "team",
    "interventions": [{"kind": "plant", "tick": 30}],
    "seeds": 1,
}  # fmt: skip


def run(folder: Path, **changes: object) -> Path:
    (trial,) = parse_study({**STUDY, **changes}).trials()
    assert not run_inline(trial, folder).failed
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return run(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def reading(folder):
    return Reading(folder)


@pytest.fixture(scope="module")
def tables(reading):
    return tables_of(reading)


def test_every_question_is_a_row_scored_by_the_rule_of_its_category(tables):
    asked = tables.questions
    assert asked.height == 12 and asked["question"].n_unique() == 12
    for row in asked.iter_rows(named=True):
        rule = row["category"] if row["category"] != 6 else 4
        assert row["official_f1"] == official_f1(rule, row["answer"], row["response"])
    assert set(asked["kind"]) >= {"single-hop", "knowledge-update"}


def test_recall_counts_evidence_behind_the_first_records(tables):
    asked = tables.questions
    for row in asked.iter_rows(named=True):
        assert row["recall_1"] <= row["recall_5"] <= row["recall_10"]
        assert row["recall_10"] <= len(set(row["evidence"]) & set(row["recalled"])) / len(row["evidence"])
    assert asked["recall_10"].max() == 1.0
    assert asked["recall_25"].null_count() == 12, "the reader asked for 10, so that recall@25 is not known"


def test_a_record_of_several_turns_brings_them_all_and_gains_once():
    found = [("D1:1", "D1:2"), ("D1:2",), ("D2:1",)]
    assert recall_at(["D1:1", "D1:2", "D2:1"], found, 1) == pytest.approx(2 / 3)
    assert recall_at(["D1:1", "D1:2", "D2:1"], found, 5) == 1.0
    # gains 1, 0, 1 over three pieces of evidence: (1 + 1 / log2 3) / (1 + 1 + 1 / log2 3)
    assert ndcg_at(["D1:1", "D1:2", "D2:1"], found, 5) == pytest.approx((1 + 1 / math.log2(3)) / (2 + 1 / math.log2(3)))
    assert recall_at([], found, 5) is None and ndcg_at([], found, 5) is None


def test_a_false_value_is_found_as_words_and_not_within_words():
    assert holds("It was the Sailing, I think", "sailing")
    assert not holds("Boatsailing", "sailing")
    assert not holds("anything", "")


def test_targeted_questions_are_those_that_the_plant_names(reading, tables):
    (plant,) = [planted for row in reading.spaces for planted in row.planted]
    hit = tables.questions.filter("targeted")
    assert set(hit["question"]) == set(plant.notes["questions"])
    assert set(hit["false_value"]) == {plant.notes["value"]} and set(hit["answer"]) == {plant.notes["truth"]}
    assert hit["repeats_false"].null_count() == 0
    assert tables.questions.filter(~pl.col("targeted"))["repeats_false"].null_count() == 12 - hit.height


def test_contamination_starts_with_the_plant_and_sizes_agree_with_it(tables):
    changes = tables.contamination
    assert changes.filter(pl.col("tick") < 30)["tainted"].sum() == 0
    ends = changes.group_by("space", maintain_order=True).last()
    assert ends["tainted"].sum() == 1
    sizes = tables.memory.group_by("space", maintain_order=True).last()
    assert sizes.sort("space")["records"].to_list() == ends.sort("space")["held"].to_list()
    assert (tables.memory["tokens"] > 0).all() and (tables.memory["characters"] > tables.memory["tokens"]).all()


def test_ticks_and_latency_cover_each_tick_once_and_tell_telling_from_asking(tables):
    assert tables.ticks.height == tables.latency.height == tables.ticks["tick"].max() + 1
    assert tables.ticks.filter("asking")["tick"].min() == 6 * 8
    assert tables.ticks.filter(~pl.col("asking"))["session"].n_unique() == 6
    assert (tables.latency["seconds"] > 0).all()
    assert tables.cost.filter(pl.col("part") == "world")["ticks"].sum() == tables.ticks.height


def test_tables_are_kept_whole_and_made_again_when_missing_or_damaged(folder, tables):
    kept, values = measure(folder)
    assert sorted(path.stem for path in (folder / "tables").iterdir()) == sorted(NAMES)
    read, same = measured(folder)
    assert same.equals(values) and read.questions.equals(tables.questions)
    (folder / METRICS).unlink()
    (folder / "tables/questions.parquet").write_bytes(b"PAR1")
    assert measured(folder)[0].questions.equals(kept.questions)
    (folder / "tables/memory.parquet").write_bytes(b"no parquet")
    assert measured(folder)[1].equals(values)


def test_metrics_are_means_over_the_tables(tables):
    values = {(name, part): value for name, part, value in metrics_of(tables).rows()}
    assert values["answer-f1", ""] == pytest.approx(tables.questions["official_f1"].mean())
    assert values["evidence-recall", "@10"] == pytest.approx(tables.questions["recall_10"].mean())
    assert ("evidence-recall", "@25") not in values
    assert values["attack-success", ""] in (0.0, 0.5, 1.0)
    assert 0 < values["contamination", ""] < 0.1
    assert values["memory-size", "records"] == tables.contamination.group_by("space").last()["held"].sum()


def test_a_study_can_name_a_metric_of_its_own(tables, monkeypatch):
    own = registry("metric")
    monkeypatch.setattr(own, "_targets", dict(own._targets))
    monkeypatch.setattr(own, "_owners", dict(own._owners))
    own.register("longest-answer")(lambda given: float(given.questions["response"].str.len_chars().max()))
    own.register("broken")(lambda given: "many")
    found = metrics_of(tables, ["longest-answer"])
    assert found.filter(pl.col("metric") == "longest-answer")["value"].to_list() == [
        max(map(len, tables.questions["response"]))
    ]
    with pytest.raises(ContractBroken, match="'broken' returned 'many'"):
        metrics_of(tables, ["broken"])
    with pytest.raises(UnknownName, match="Did you mean 'answer-f1'"):
        metrics_of(tables, ["answer-f2"])


def test_a_timeline_keeps_attacks_first_and_stays_small(reading, tables):
    targeted = frozenset(tables.questions.filter("targeted").select("world", "tick", "agent").rows())
    full, small = timeline(reading, targeted, 10_000), timeline(reading, targeted, 20)
    assert full.events.height == full.total > small.events.height == 20
    assert full.events["tick"].is_sorted()
    assert small.events.filter(pl.col("kind") == "planted").height == 1
    assert {"asked", "answered"} <= set(full.events["kind"])


def test_worlds_whose_answer_keys_are_plainer_have_tables_too(tmp_path):
    folder = run(
        tmp_path, environment={"name": "claims", "ticks": 12}, policy="claim-holder", interventions=[],
        memory="window", wiring="private",
    )  # fmt: skip
    tables, values = measure(folder)
    assert tables.ticks.height == 12 and tables.questions["recall_10"].null_count() == tables.questions.height
    assert values.filter(pl.col("metric") == "reward").height == 1
    assert values.filter(pl.col("metric") == "attack-success").height == 0


def test_a_folder_without_a_trace_is_told(tmp_path):
    with pytest.raises(UserError, match="holds no trace yet"):
        Reading(tmp_path)
