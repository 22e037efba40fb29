"""`simonides fork`, and studies with pairs, from the outside: runs that go on from a tick, and what may not change."""

import json

import pytest
import yaml
from command import simonides, write_study

from simonides.experiments.runs import Run
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace

pytestmark = pytest.mark.slow

PLANT = {"kind": "plant", "tick": 7, "space": "global", "text": "a lie"}


def digests(folder):
    return {trial.id: outcome.digest for trial, outcome in Run(folder).outcomes()}


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forks")
    write_study(folder, factors={"memory.capacity": [4, 6]}, seeds=2, worlds=2)
    assert simonides("run", "study.yaml", "--out", "parent", "--jobs", 2, cwd=folder).returncode == 0
    return folder


def test_an_unchanged_fork_of_a_run_has_its_digests_and_names_it(parent):
    done = simonides("fork", "parent", "--at", 7, "--out", "same", "--no-report", cwd=parent)
    assert done.returncode == 0, done.stderr
    assert digests(parent / "same") == digests(parent / "parent")
    told = json.loads((parent / "same/manifest.json").read_text())["parent"]
    assert told["run"] == str((parent / "parent").resolve()) and told["at"] == 7


def test_a_fork_changes_what_it_is_told_to_and_shares_the_trace_before(parent):
    words = ("fork", "parent", "--at", 7, f"interventions=[{json.dumps(PLANT)}]", "policy.hops=false", "--out", "other")
    done = simonides(*words, "--no-report", cwd=parent)
    assert done.returncode == 0, done.stderr
    for trial in Run(parent / "other").trials():
        before, after = (Trace(Run(parent / name).folder_of(trial)).rows for name in ("parent", "other"))
        assert [row for row in before if row.tick < 7] == [row for row in after if row.tick < 7]
        assert before != after


def test_one_trial_is_forked_into_several(parent):
    words = ("fork", "parent", "--at", 5, "--trial", 1, "factors.policy.hops=[true, false]", "--out", "several")
    assert simonides(*words, "--no-report", cwd=parent).returncode == 0
    found = digests(parent / "several")
    assert found["policy.hops=True,seed=1"] == digests(parent / "parent")["memory.capacity=4,seed=1"]
    assert found["policy.hops=False,seed=1"] != found["policy.hops=True,seed=1"]


def test_a_tick_after_the_end_is_a_mistake(parent):
    done = simonides("fork", "parent", "--at", 99, "--out", "late", "--no-report", cwd=parent)
    assert (done.returncode, "ended at tick 12; fork at an earlier one" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("environment.length=20", "environment: a fork keeps it"),
        ("policy={name: believer}", "policy.name: a fork keeps 'toys:ToyPolicy'"),
        ("memory.capacity=3", "memory.capacity: the study varies 'memory.capacity'; to set it for one trial: --trial."),
        ("seeds=[7]", "a fork keeps seeds"),
        ("interventions=[{kind: wipe, tick: 2, space: global}]", "the wipe of tick 2 begins before the fork at tick 7"),
    ],
)
def test_what_may_not_change_is_said_in_one_line(parent, change, message):
    done = simonides("fork", "parent", "--at", 7, change, "--out", "wrong", "--no-report", cwd=parent)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (parent / "wrong").exists()


def test_a_pair_runs_the_clean_part_once_and_the_other_ends_as_if_it_had_run_alone(tmp_path):
    levels = [[PLANT], [{"kind": "wipe", "session": 2, "space": "global"}]]
    write_study(tmp_path, factors={"interventions": levels}, seeds=2, worlds=2, pair=True)
    assert simonides("run", "study.yaml", "--out", "out", "--jobs", 2, cwd=tmp_path).returncode == 0
    run = Run(tmp_path / "out")
    assert len(run.trials()) == 6
    for trial in run.trials():
        alone = tmp_path / "alone" / trial.id
        run_inline(trial.model_copy(update={"forked": None}), alone)
        assert Trace(alone).digest() == run.outcome(trial).digest
    assert [(run.folder_of(t) / "forked").read_text() for t in run.trials() if t.forked] == ["7", "7", "0", "0"]


def test_a_pair_without_interventions_is_a_mistake(tmp_path):
    write_study(tmp_path, pair=True)
    done = simonides("run", "study.yaml", cwd=tmp_path)
    assert (done.returncode, "pair: there is no intervention" in done.stderr) == (2, True)


def test_a_pair_adds_the_level_without_interventions():
    fields = yaml.safe_load(yaml.safe_dump({"interventions": [PLANT], "pair": {"at": 5}, "seeds": 1}))
    from toys import toy_study

    study = parse_study(toy_study(**fields))
    clean, attacked = study.trials()
    assert (clean.study.interventions, clean.forked) == ((), None)
    assert (attacked.forked.trial, attacked.forked.tick) == (clean.id, 5)
    assert list(parse_study(study.model_dump(mode="json")).trials()) == [clean, attacked]
