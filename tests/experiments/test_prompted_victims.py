"""The shipped studies of scripted victims run with a prompted one by two overrides, where they make sense for it."""

from __future__ import annotations

import pytest

from simonides.experiments.studyfile import load_study
from simonides.sim.errors import StudyError
from simonides.sim.inline import run_inline

PROMPTED = ["policy=prompted", "model=scripted", "seeds=1"]


@pytest.mark.parametrize(
    "name", ["four_families", "sharing_wiring", "prompt_infection", "minja", "defences", "defences_by_attack"]
)
def test_the_studies_files_run_with_a_prompted_victim(name, tmp_path):
    study = load_study(name, [*PROMPTED, "ticks=8"])
    assert study.policy.name == "prompted" and not any(path.startswith("policy.") for path in study.factors)
    trial = next(one for one in study.trials() if any(i.kind == "attack" for i in one.study.interventions))
    outcome = run_inline(trial, tmp_path / trial.id)
    assert not outcome.failed and not outcome.errors, outcome.errors


def test_what_is_varied_no_more_stands_in_the_description():
    study = load_study("prompt_infection", PROMPTED)
    assert "policy.contacts, policy.kappa not varied" in study.description and study.primary is None
    assert {len(study.factors), len(study.factors["arm"])} == {1, 6}
    minja = load_study("minja", PROMPTED)
    assert minja.primary is not None and minja.primary.at == {}


def test_a_study_whose_arms_are_the_rules_own_is_refused():
    with pytest.raises(StudyError, match=r"factors.arm: prompted has no parameter 'recall'"):
        load_study("memory_gap", PROMPTED)


def test_the_same_policy_changes_nothing():
    assert load_study("minja", ["seeds=1"]).factors == load_study("minja", ["policy.name=believer", "seeds=1"]).factors
