"""The commands that look at parts and runs."""

import importlib
import io
import json
import subprocess
import sys

import pytest
from command import COMMAND, environment, simonides, write_study

from simonides.experiments.cli import main
from simonides.experiments.runs import Run
from simonides.sim.lineage import Lineage
from simonides.sim.registry import registry
from simonides.sim.trace import Trace


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    plant = {"text": "the moon is cheese", "tick": 3, "agent": "w0000/player_0"}
    write_study(folder, seeds=2, interventions=[plant])
    assert simonides("run", "study.yaml", "--out", "out", cwd=folder).returncode == 0
    return Run(folder / "out")


@pytest.fixture
def lineage(run):
    return Lineage.of(Trace(run.folder_of(run.trials()[1])))


def shown(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def test_a_run_is_shown_with_a_row_for_each_trial(run, capsys):
    out = shown(capsys, "show", run.folder)
    for trial, outcome in run.outcomes():
        (line,) = [line for line in out.splitlines() if f" {trial.id} " in line]
        assert "done" in line and outcome.digest[:12] in line


def test_a_trial_is_shown_with_what_its_spaces_hold(run, lineage, capsys):
    out = shown(capsys, "show", run.folder, "--trial", "seed=1")
    assert f"{len(lineage.content('global', 12))} records" in out
    assert "world w0002" in out


@pytest.mark.parametrize("tick", [0, 1, 4, 5, 12])
def test_a_space_is_shown_as_it_stood_before_a_tick(run, lineage, capsys, tick):
    out = shown(capsys, "show", run.folder, "--trial", 1, "--space", "global", "--at", tick)
    held = lineage.content("global", tick)
    assert f"Space global at tick {tick}: {len(held)} records" in out
    assert [line.split("│")[-2].strip() for line in out.splitlines() if line.startswith("│")] == [
        version.stored.id for version in held
    ]
    assert ("tainted" in out) == any(not lineage.tainted.isdisjoint(v.stored.origins) for v in held)


def test_a_record_is_shown_with_every_version_and_what_it_descends_from(run, lineage, capsys):
    record = next(key for key, versions in lineage.versions.items() if lineage.is_tainted(key))
    out = shown(capsys, "show", run.folder, "--trial", 1, "--record", record)
    assert record in out and "tainted" in out and "the moon is cheese" in out


def test_a_wrong_name_in_a_run_gives_the_near_one(run, capsys):
    for words, told in (
        (["--trial", "1", "--space", "glbal"], "Did you mean 'global'?"),
        (["--trial", "sed=1"], "Did you mean 'seed=1'?"),
        (["--space", "global"], "This run has 2 trials; say which"),
        (["--trial", "1", "--record", "zz"], "0 records have an id that begins with 'zz'"),
    ):
        assert main(["show", str(run.folder), *words]) == 2
        assert told in capsys.readouterr().err


def test_the_debugger_stops_at_a_tick_with_the_world_in_hand(tmp_path):
    write_study(tmp_path)
    script = "p 'at', world.name, world.tick, sorted(world.observations), batch.tick\nc\nc\nc\n"
    done = simonides("debug", "study.yaml", "--at", "4", cwd=tmp_path, input=script)
    assert done.returncode == 0, done.stderr
    stops = [line for line in done.stdout.splitlines() if "('at'" in line]
    assert len(stops) == 1 and "4, ['player_0', 'player_1'], 4)" in stops[0]
    assert done.stdout.count("In hand:") == 3
    assert "ended: w0000 12 ticks, w0001 12 ticks, w0002 12 ticks." in done.stdout


def test_quitting_the_debugger_ends_quietly(tmp_path):
    write_study(tmp_path)
    done = simonides("debug", "study.yaml", cwd=tmp_path, input="q\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("In hand:") == 1


def test_debugging_at_a_tick_that_is_never_reached_says_how_long_the_worlds_live(tmp_path):
    write_study(tmp_path)
    done = simonides("debug", "study.yaml", "--at", "12", cwd=tmp_path)
    assert done.returncode == 2
    assert "No world of trial 'seed=0' reaches tick 12; the longest lives 12 ticks." in done.stderr


@pytest.mark.parametrize("kind", ["memory", "environment", "policy", "wiring"])
def test_listing_names_every_part_and_its_owner(kind, capsys):
    out = shown(capsys, "list", kind)
    for name, owner in registry(kind).names().items():
        assert any(line.split()[:1] == [name] and owner in line for line in out.splitlines())


def test_listing_and_help_import_nothing_heavy():
    heavy = "('ray', 'torch', 'onnxruntime', 'polars', 'plotly', 'qdrant_client', 'scipy', 'networkx', 'pettingzoo')"
    code = (
        "import sys; from simonides.experiments.cli import main; main(['--help']); main(['list', 'memory']); "
        f"main(['list', 'index']); sys.exit(str([m for m in {heavy} if m in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert done.stderr.strip() == ""


def test_a_name_registered_twice_names_both_owners(tmp_path):
    package = tmp_path / "twice-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: twice\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[simonides.memory]\nwindow = toys:ToyMemory\n")
    env = environment()
    env["PYTHONPATH"] += f":{tmp_path}"
    done = subprocess.run([*COMMAND, "list", "memory"], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Two owners register the memory 'window'" in line
    assert "simonides.memory_actors.systems.baselines.window" in line and "twice (toys:ToyMemory)" in line


def test_checking_a_memory_reports_each_check_and_fails_with_status_1(capsys):
    assert main(["check", "memory", "window"]) == 0
    assert "checks passed" in capsys.readouterr().out
    assert main(["check", "memory", "toys:ToyMemory", "capacity=none"]) == 2
    assert "params.capacity: input should be a valid integer" in capsys.readouterr().err
    assert main(["check", "memory", "rogues:Raises"]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_scoring_adds_the_f1_to_each_row_and_ends_with_the_means(tmp_path, capsys):
    rows = [
        {"category": 4, "answer": "a red kite", "response": "a red kite", "id": 7},
        {"category": 4, "answer": "a red kite", "response": "nothing"},
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    *scored, mean = map(json.loads, shown(capsys, "score", "locomo-f1", tmp_path / "answers.jsonl").splitlines())
    assert [row["official_f1"] for row in scored] == [1.0, 0.0]
    assert scored[0]["id"] == 7
    assert mean["mean"]["overall"]["official_f1"] == 0.5


def test_data_sets_are_listed_with_licences_and_never_fetched_unasked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SIMONIDES_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    out = shown(capsys, "data", "list")
    for data in importlib.import_module("simonides.envs.datasets").list_datasets():
        assert data.name in out and data.licence in out
    assert main(["data", "path", "locomo"]) == 2
    assert "simonides data fetch locomo" in capsys.readouterr().err
    assert main(["data", "fetch", "locomo"]) == 2
    assert "accept it" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.json"))
