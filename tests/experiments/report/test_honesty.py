"""What a report must say: declared contrasts, flips with rho, too few seeds, failures, what was never admitted."""

from dataclasses import replace

import polars as pl
import pytest

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import condition, factors, labeller
from simonides.experiments.metrics.contrasts import conclusion, contrasts
from simonides.experiments.metrics.states import ITEMS, SCHEMA
from simonides.experiments.metrics.stats import PairedTest
from simonides.experiments.metrics.tables import NAMES
from simonides.experiments.report.contrasts import primary
from simonides.experiments.report.limits import VICTIM, limits_of, used
from simonides.experiments.report.poisoning import poisoning
from simonides.sim.config import parse_study
from simonides.sim.errors import StudyError

ARMS = {"few": {"environment.claims": 4}, "many": {"environment.claims": 8}}
STUDY = {
    "name": "made up", "environment": "claims", "memory": "bm25", "policy": "believer", "seeds": 20,
    "factors": {"policy.rho": [0.25, 0.5, 1.0], "arm": ARMS},
    "primary": {"metric": "poisoning", "part": "ASR-t", "factor": "arm", "against": "few", "at": {"policy.rho": 1.0}},
}  # fmt: skip


def made_up(score=lambda *labels: 0.0, failed=(), **fields):
    """Return the tables of a run in which a trial's only metric is `score`."""
    study = parse_study({**STUDY, **fields})
    named, marks, metrics = labeller(study), [], []
    for trial in study.trials():
        labels = named(trial)
        mark = {"trial": trial.id, "seed": trial.seed, "condition": condition(labels), "unit": str(trial.seed)}
        mark |= dict(zip((one.name for one in factors(study)), labels, strict=True))
        marks.append(mark | {"status": "failed" if trial.seed in failed else "done"})
        value = float(score(*labels, trial.seed))
        metrics.append(mark | {"metric": "poisoning", "part": "ASR-t", "value": value})
    empty = {name: pl.DataFrame() for name in NAMES}
    trials, found = (pl.DataFrame(rows, infer_schema_length=None) for rows in (marks, metrics))
    return RunTables(
        study=study, factors=factors(study), unit="seed", trials=trials, metrics=found, **empty, missing=()
    )


def rises_with_rho(rho, arm, seed):
    return (0.5 + seed % 3 / 10) * (arm == "many" and rho != "0.25")


def test_the_declared_contrast_is_told_first_and_corrected_within_its_table():
    found = contrasts(made_up(rises_with_rho))
    assert [(one.cell, one.level, one.primary) for one in found] == [
        (("0.25",), "many", False), (("0.5",), "many", False), (("1.0",), "many", True),
    ]  # fmt: skip
    last = found[-1]
    assert last.test.n == 20 and not last.exploratory and last.test.low > 0
    assert last.adjusted == pytest.approx(3 * last.test.p), "three tests are one family"
    panel = primary(made_up(rises_with_rho))
    assert panel is not None and panel.answer.startswith("many against few: +0.5") and "20 seeds" in panel.answer


def test_a_conclusion_that_another_rho_does_not_bear_out_is_marked():
    assert all(one.flips for one in contrasts(made_up(rises_with_rho)))
    steady = made_up(lambda rho, arm, seed: (0.5 + seed % 3 / 10) * (arm == "many"))
    assert not any(one.flips for one in contrasts(steady))
    panel = primary(made_up(rises_with_rho))
    assert panel is not None and "It flips with rho" in panel.answer and "flips" in panel.table.columns
    tests = (PairedTest("", 20, 0.1, 0.01, low, high) for low, high in ((0.1, 0.3), (-0.3, -0.1), (-0.1, 0.2)))
    assert [conclusion(test) for test in tests] == [1, -1, 0] and conclusion(PairedTest("", 1, 0.1, 1.0)) == 0


def test_few_seeds_are_exploratory_and_one_has_no_interval():
    (few,) = (one for one in limits_of(made_up(seeds=3)) if "seeds" in one)
    assert "exploratory" in few and "20 or more" in few
    assert any("too few seeds for an interval" in one for one in limits_of(made_up(seeds=1)))
    assert not any("exploratory" in one for one in limits_of(made_up()))
    panel = primary(made_up(rises_with_rho, seeds=1))
    assert panel is not None and "too few seeds for an interval" in panel.answer and "exploratory" in panel.answer


def test_a_report_with_a_scripted_victim_says_what_it_is():
    assert VICTIM in list(limits_of(made_up()))
    arms = {"few": {}, "many": {"policy": {"name": "gossiper"}}}
    served = {"name": "openai", "url": "http://127.0.0.1:1/v1", "model": "any"}
    study = {"policy": "prompted", "model": served, "primary": None}
    assert VICTIM in list(limits_of(made_up(**study, factors={"arm": arms}))), "one cell is enough"
    assert VICTIM not in list(limits_of(made_up(**study, factors={})))
    assert VICTIM in list(limits_of(made_up(**{**study, "model": "scripted"}, factors={}))), "its model is one"
    assert used(parse_study({**STUDY, "primary": None, "factors": {"policy": ["prompted", "believer"]},
                             "model": "scripted"}), "policy") == {"believer", "prompted"}  # fmt: skip


def test_rho_without_a_declared_contrast_is_said():
    assert any("no primary contrast" in one for one in limits_of(made_up(primary=None)))
    assert not any("no primary contrast" in one for one in limits_of(made_up()))


def test_trials_that_failed_count_apart_and_what_was_not_admitted_is_nobodys_success():
    base = made_up(failed=(3,), primary=None, factors={}, seeds=4)
    assert any("1 of 4 trials failed. They count in no rate" in one for one in limits_of(base))
    mark = {"trial": "seed=0", "condition": "all trials", "seed": 0}
    item = dict.fromkeys(ITEMS) | {"item": "x", "tainted": True, "admitted": False, "furthest": "not admitted"}
    state = dict.fromkeys(SCHEMA) | {
        "item": "x", "world": "w", "agent": "a", "decision": "n", "targeted": True, "tainted": True,
        "selected": False, "state": "not admitted", "effect": False,
    }  # fmt: skip
    items, states = pl.DataFrame([item | mark]), pl.DataFrame([state | mark])
    panel = poisoning(replace(base, items=items, states=states))
    assert panel is not None
    assert "1 of 1 items never reached a memory: neither a success nor a defence's doing" in panel.answer
    (row,) = panel.table.iter_rows(named=True)
    assert (row["ISR"], row["ASR-t"], row["failed"], row["not admitted"]) == ("0/1", "0/1", 1, 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"factor": "colour"}, "'colour' is no factor"), ({"against": "none"}, "'none' is no level of arm: few, many"),
     ({"at": {"policy.rho": 0.7}}, "0.7 is no level of policy.rho")],
)  # fmt: skip
def test_a_contrast_that_the_study_does_not_have_is_refused(wrong, message):
    with pytest.raises(StudyError, match=message):
        parse_study({**STUDY, "primary": {**STUDY["primary"], **wrong}})
