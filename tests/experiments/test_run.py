"""`simonides run` from the outside: its folder, its exit status, and trials that fail, hang or die beside others."""

import json
import os
import signal
import time

import pytest
import yaml
from command import simonides, start, write_study

from simonides.experiments.runs import Run
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace, run_digest

pytestmark = pytest.mark.slow

PAIR = {"worlds": 2, "seeds": 1, "checkpoint_every": 4}


def outcomes(folder):
    return {trial.id: outcome for trial, outcome in Run(folder).outcomes()}


def test_a_run_leaves_a_folder_with_all_that_is_needed_to_repeat_it(tmp_path):
    write_study(tmp_path, factors={"memory.capacity": [4, 6]}, seeds=2, worlds=2)
    done = simonides("run", "study.yaml", "environment.length=9", "--out", "out", "--jobs", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "[4/4]" in done.stdout
    resolved = yaml.safe_load((tmp_path / "out/study.yaml").read_text())
    assert resolved["environment"] == {"name": "toys:ToyWorld", "length": 9}
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["seeds"] == [0, 1] and manifest["versions"]["simonides"] and manifest["started"]
    digests = {}
    for trial in parse_study(resolved).trials():
        assert not run_inline(trial, tmp_path / "alone" / trial.id).failed
        digests[trial.id] = Trace(tmp_path / "alone" / trial.id).digest()
    assert {key: outcome.digest for key, outcome in outcomes(tmp_path / "out").items()} == digests
    told = simonides("digest", "out", cwd=tmp_path)
    assert told.returncode == 0
    assert told.stdout.splitlines()[-1] == f"{run_digest(digests)}  toy"
    assert [line.split()[0] for line in told.stdout.splitlines()[:-1]] == list(digests.values())


def test_the_layout_does_not_show_in_the_digest(tmp_path):
    write_study(tmp_path, **PAIR, wiring={"name": "global", "also_private": True})
    layouts = {
        "one": [],
        "other": ["--world-actors", 2, "--memory-actors", 2, "--private", "actors", "--memory-budget", 0],
    }
    for name, options in layouts.items():
        assert simonides("run", "study.yaml", "--out", name, *options, cwd=tmp_path).returncode == 0
    assert Run(tmp_path / "other").layout == Layout(world_actors=2, memory_actors=2, private="actors", memory_budget=0)
    one, other = (outcomes(tmp_path / name)["seed=0"] for name in layouts)
    assert one.digest == other.digest != ""


def test_a_trial_whose_memory_raises_is_a_row_and_the_others_finish(tmp_path):
    write_study(tmp_path, **PAIR, memory="rogues:Raises", factors={"memory.raises": [False, True]})
    done = simonides("run", "study.yaml", "--out", "out", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 1
    found = outcomes(tmp_path / "out")
    assert [outcome.status for outcome in found.values()] == ["done", "failed"]
    failed = found["memory.raises=True,seed=0"]
    assert failed.settled and failed.reproducible and failed.digest
    assert any("ZeroDivisionError: the toy memory breaks here" in error for error in failed.errors)
    assert "Space 'global' failed at tick 2: ZeroDivisionError" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    again = simonides("resume", "out", cwd=tmp_path)
    assert again.returncode == 1
    assert "[1/2]" not in again.stdout


def test_a_memory_that_cannot_be_built_is_a_row(tmp_path):
    write_study(
        tmp_path,
        **PAIR,
        memory="toys:ToyMemory",
        factors={"memory.name": ["rogues:broken_constructor", "toys:ToyMemory"]},
    )
    done = simonides("run", "study.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert [outcome.status for outcome in outcomes(tmp_path / "out").values()] == ["failed", "done"]
    assert "AttributeError: the toy memory cannot be built" in done.stdout


def test_a_memory_that_spins_for_ever_is_ended_and_the_others_go_on(tmp_path):
    write_study(tmp_path, **PAIR, memory="rogues:Spins", factors={"memory.spins": [True, False]}, time_limit=1.0)
    done = simonides("run", "study.yaml", "--out", "out", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 1
    hung, well = outcomes(tmp_path / "out").values()
    assert (well.status, hung.status, hung.reproducible, hung.settled) == ("done", "failed", False, False)
    assert "hung: no tick ended after tick" in hung.errors[0]
    where = next((tmp_path / "out/trials").glob("memory.spins_True*/output.log")).read_text()
    assert "rogues.py" in where and "in write" in where


def test_a_memory_that_waits_for_ever_meets_its_timeout(tmp_path):
    write_study(tmp_path, **PAIR, memory="rogues:Waits", time_limit=0.5)
    done = simonides("run", "study.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    (row,) = outcomes(tmp_path / "out").values()
    assert row.settled and not row.reproducible
    assert any("TimeoutError: it waited longer than the study's time limit" in error for error in row.errors)


def test_a_worker_that_dies_is_replaced_and_its_trial_goes_on_from_its_checkpoints(tmp_path):
    write_study(tmp_path, **PAIR, memory={"name": "rogues:Dies", "once": str(tmp_path / "died")})
    done = simonides("run", "study.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "died").exists()
    write_study(tmp_path, **PAIR)
    assert simonides("run", "study.yaml", "--out", "undisturbed", cwd=tmp_path).returncode == 0
    (one,), (other,) = (outcomes(tmp_path / name).values() for name in ("out", "undisturbed"))
    assert one.digest == other.digest


def test_a_trial_that_kills_its_worker_each_time_is_a_row(tmp_path):
    write_study(tmp_path, **PAIR, memory="rogues:Dies", factors={"memory.name": ["rogues:Dies", "toys:ToyMemory"]})
    done = simonides("run", "study.yaml", "--out", "out", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 1
    assert [outcome.status for outcome in outcomes(tmp_path / "out").values()] == ["failed", "done"]
    assert "its process ended by signal 9 (SIGKILL), 2 times" in done.stdout


def test_what_parts_print_is_kept_apart_from_what_the_run_says(tmp_path):
    write_study(tmp_path, **PAIR, memory="rogues:Prints")
    done = simonides("run", "study.yaml", "--out", "out", cwd=tmp_path)
    assert "talks" not in done.stdout
    assert "the toy memory talks" in next((tmp_path / "out/trials").glob("*/output.log")).read_text()


def test_a_metric_that_raises_costs_the_report_and_not_the_trials(tmp_path):
    write_study(tmp_path, **PAIR, metrics=["rogues:broken_metric"])
    done = simonides("run", "study.yaml", "--out", "out", cwd=tmp_path, report=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "ArithmeticError: the toy metric breaks here" in done.stdout
    assert [outcome.status for outcome in outcomes(tmp_path / "out").values()] == ["done"]
    assert simonides("digest", "out", cwd=tmp_path).returncode == 0


def test_interrupting_ends_the_workers_and_the_run_can_be_resumed(tmp_path):
    write_study(tmp_path, worlds=2, seeds=2, environment={"name": "rogues:Slow", "length": 30, "pause": 0.02})
    process = start("run", "study.yaml", "--out", "out", "--jobs", 2, cwd=tmp_path)
    until(lambda: list((tmp_path / "out").glob("trials/*/checkpoints/*")))
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.strip() == "Stopped. Go on with: simonides resume out"
    with pytest.raises(ProcessLookupError):
        until(lambda: os.killpg(process.pid, 0), 5.0)
    assert simonides("digest", "out", cwd=tmp_path).returncode == 1
    assert simonides("resume", "out", cwd=tmp_path).returncode == 0
    assert all(outcome.status == "done" for outcome in outcomes(tmp_path / "out").values())


def until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_workers_do_not_outlive_a_run_that_was_killed(tmp_path):
    write_study(tmp_path, worlds=2, seeds=2, environment={"name": "rogues:Slow", "length": 2000, "pause": 0.02})
    process = start("run", "study.yaml", "--out", "out", "--jobs", 2, cwd=tmp_path)
    until(lambda: list((tmp_path / "out").glob("trials/*/checkpoints/*")))
    process.kill()
    process.communicate()
    with pytest.raises(ProcessLookupError):
        until(lambda: os.killpg(process.pid, 0), 10.0)


def test_names_from_a_study_never_lead_out_of_the_run(tmp_path):
    (tmp_path / "here").mkdir()
    write_study(
        tmp_path / "here", name="../../out", worlds=1, environment={"name": "rogues:Named", "label": "x"},
        factors={"environment.label": ["../../../up", "/tmp/up"]},
    )  # fmt: skip
    done = simonides("run", "study.yaml", cwd=tmp_path / "here")
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]
    (run,) = (tmp_path / "here/runs").iterdir()
    assert len(list((run / "trials").iterdir())) == 2


def test_two_processes_never_work_in_one_run(tmp_path):
    write_study(tmp_path, worlds=2, environment={"name": "rogues:Slow", "length": 200, "pause": 0.02})
    process = start("run", "study.yaml", "--out", "out", cwd=tmp_path)
    try:
        until(lambda: list((tmp_path / "out").glob("trials/*/checkpoints/*")))
        second = simonides("resume", "out", cwd=tmp_path)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert second.returncode == 2
    assert second.stderr.strip() == "simonides: Another process is working in out; wait for it, or stop it."


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "none.yaml"], "No study file or shipped study 'none.yaml'."),
        (["run", "study.yaml", "worlds=none"], "worlds: input should be a valid integer"),
        (["run", "study.yaml", "--world-actors", "0"], "--world-actors: input should be greater than or equal to 1"),
        (["run", "study.yaml", "--runtime", "cloud"], "Invalid value for '--runtime'"),
        (["run", "study.yaml", "memory.capacity=3", "--out", "study.yaml"], "study.yaml exists already"),
        (["run", "study.yaml", "interventions=[{text: x, tick: 1, agent: w0/no}]"], "interventions.0.agent: no agent"),
        (["run", "study.yaml", "factors.memory.capacity=[1, '1']"], "two trials are both called 'memory.capacity=1,"),
        (["resume", "."], "is not the folder of a run"),
        (["show", "study.yaml"], "is not the folder of a run"),
        (["list", "memry"], "No kind of part is called 'memry'. Did you mean 'memory'?"),
        (["debug", "study.yaml", "--trial", "7"], "No trial is called '7'."),
        (["rnu"], "No such command 'rnu'"),
    ],
)  # fmt: skip
def test_a_users_mistake_is_one_line_and_status_2(tmp_path, words, told):
    write_study(tmp_path)
    done = simonides(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
