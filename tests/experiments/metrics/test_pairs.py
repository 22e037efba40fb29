"""Paired differences are of trials that went on from the same state, over seeds, single outcomes beside them."""

import pytest

from simonides.experiments.metrics.cells import run_tables
from simonides.experiments.metrics.pairs import pairs
from simonides.experiments.runs import Run
from simonides.experiments.worker import begin, settle
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import Inline

LIE = {
    "kind": "plant", "tick": 3, "agent": "w0000/player_0", "text": "The colour of the bell of player_0 is red.",
    "about": {"subject": "bell of player_0", "attribute": "colour", "value": "red"},
}  # fmt: skip
STUDY = {
    "name": "bells", "environment": {"name": "towers:bell", "reveal": False}, "policy": "believer",
    "memory": "full-context", "pair": True, "interventions": [LIE], "factors": {"policy.recall": [True, False]},
    "seeds": 6, "checkpoint_every": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    run = Run.create(folder / "run", parse_study(STUDY), Layout(), folder / "cache")
    with Inline(run.cache) as inline:
        for trial in run.trials():
            ready = run.folder_of(trial)
            started = begin(trial, ready, run.layout, run.origin(trial), inline, None)
            assert settle(started, ready, inline.run).status == "done"
    return run_tables(run)


def test_a_lie_is_paired_with_the_same_trial_without_it(tables):
    found = {(one.condition, one.measure): one for one in pairs(tables)}
    assert {measure for _, measure in found} == {"task success", "ACC", "reward"}
    recall, none = found["True", "task success"], found["False", "task success"]
    assert recall.test.n == none.test.n == 6 and recall.exploratory
    assert none.test.difference == 0 and (none.lost, none.gained, none.mcnemar) == (0, 0, 1.0)
    needs = tables.needs.filter(tables.needs["targeted"])
    assert set(needs["agent"]) == {"player_0"}
    assert recall.test.difference == pytest.approx((recall.gained - recall.lost) / 12)
    assert recall.with_it - recall.without == pytest.approx(recall.test.difference)


def test_what_the_lie_is_not_about_is_the_same_with_it(tables):
    found = {(one.condition, one.measure): one for one in pairs(tables)}
    assert found["True", "ACC"].test.difference == 0
    assert all(one.adjusted >= one.test.p or one.test.p != one.test.p for one in found.values())


def test_a_study_without_pairs_has_none(tables):
    from dataclasses import replace

    assert pairs(replace(tables, study=tables.study.model_copy(update={"pair": False}))) == []
