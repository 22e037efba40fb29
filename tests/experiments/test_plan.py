"""Planning a study's model calls before it starts, and a study's budget while it runs."""

from __future__ import annotations

import json

import pytest
import yaml
from command import simonides

STUDY = {
    "name": "asking",
    "environment": {
        "name": "dialogue", "speakers": 2, "teams": 1, "sessions": 2, "turns_per_session": 8, "questions": 6,
    },
    "memory": "window", "policy": "prompted", "wiring": "private", "model": "scripted", "seeds": 4,
}  # fmt: skip


@pytest.fixture
def study(tmp_path):
    def write(**fields):
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump(STUDY | fields))
        return str(path)

    return write


def outcomes(folder):
    found = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("trials/*/outcome.json")}
    return [found[name] for name in sorted(found)]


def test_a_plan_counts_what_a_study_then_asks(study, tmp_path):
    path = study(seeds=1)
    planned = simonides("plan", path, cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    simonides("run", path, "--out", str(tmp_path / "run"), "--no-report", cwd=tmp_path)
    (outcome,) = outcomes(tmp_path / "run")
    calls = outcome["spent"][0]
    assert calls > 0
    assert f"1 trials: about {calls} calls" in planned.stdout
    assert "reader.answer" in planned.stdout


def test_a_plan_says_which_budget_would_be_reached(study, tmp_path):
    path = study(budget={"study": {"calls": 7}, "trial": {"calls": 3}})
    planned = simonides("plan", path, cwd=tmp_path)
    assert "The study's budget of 7 calls would be reached: about 24 are asked for." in planned.stdout
    assert "all: a trial would reach its budget (6 of 3 calls)." in planned.stdout


def test_a_studys_budget_is_spent_in_the_order_of_its_trials_however_many_jobs_were_asked_for(study, tmp_path):
    path = study(budget={"study": {"calls": 15}})
    done = simonides("run", path, "--out", str(tmp_path / "run"), "--no-report", "--jobs", "2", cwd=tmp_path)
    rows = outcomes(tmp_path / "run")
    assert [row["spent"][0] for row in rows] == [6, 6, 3, 0]
    assert [row["status"] for row in rows] == ["done", "done", "done", "failed"]
    assert "3 of 3 calls" in rows[2]["cut"]
    assert "not begun, the study's budget is used up: 15 of 15 calls" in done.stdout
    assert done.returncode == 1


def test_recorded_calls_are_shown_by_purpose_one_by_one_and_whole(study, tmp_path):
    assert simonides("calls", tmp_path, cwd=tmp_path).returncode == 2
    path = study(model="rehearsal", seeds=1)
    simonides("run", path, "--out", str(tmp_path / "run"), cwd=tmp_path)
    whole = simonides("calls", tmp_path / "run", cwd=tmp_path).stdout
    assert "6 recorded calls" in whole
    listed = simonides("calls", tmp_path / "run", "--purpose", "reader.answer", cwd=tmp_path).stdout
    key = next(word for word in listed.split() if len(word) == 12 and all(c in "0123456789abcdef" for c in word))
    one = simonides("calls", tmp_path / "run", "--key", key, cwd=tmp_path).stdout
    assert "--- system" in one
    assert "--- reply (stop" in one
    wrong = simonides("calls", tmp_path / "run", "--purpose", "reader.anser", cwd=tmp_path)
    assert "Did you mean 'reader.answer'?" in wrong.stderr
