"""Damaged files of a run are each told in one clear line; what is finished stays, and the rest goes on."""

import subprocess
import sys

import pytest
from command import environment, simonides, write_study

from simonides.experiments.runs import Run

pytestmark = pytest.mark.slow

SMALL = {"worlds": 2, "seeds": 2, "checkpoint_every": 4}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    write_study(folder, **SMALL)
    assert simonides("run", "study.yaml", "--out", "out", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    subprocess.run(["cp", "-a", f"{finished}/.", str(tmp_path)], check=True)
    return tmp_path


def trial_folder(folder, seed=0):
    run = Run(folder / "out")
    return run.folder_of(run.trials()[seed])


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def one_line(done, status):
    assert done.returncode == status, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def test_a_damaged_trace_is_named_with_the_place(folder):
    path = next(trial_folder(folder).glob("trace-worlds-*"))
    flip(path, 30)
    for words in (["digest", "out"], ["show", "out", "--trial", "0"]):
        line = one_line(simonides(*words, cwd=folder), 1)
        assert path.name in line and "fails its checksum" in line


def test_a_damaged_outcome_is_told_and_the_trial_finished_again_from_its_checkpoints(folder):
    before = simonides("digest", "out", cwd=folder).stdout
    path = trial_folder(folder) / "outcome.json"
    path.write_text(path.read_text()[:40])
    line = one_line(simonides("digest", "out", cwd=folder), 1)
    assert "outcome.json: not JSON any more" in line
    done = simonides("resume", "out", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert "outcome.json: not JSON any more" in done.stdout
    assert simonides("digest", "out", cwd=folder).stdout == before


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("manifest.json", "{", "manifest.json: not JSON any more"),
        ("manifest.json", "{}", "manifest.json: layout: input should be"),
        ("study.yaml", "a: [", "study.yaml: not YAML any more"),
        ("study.yaml", "", "study.yaml: found no map of fields"),
    ],
)
def test_a_damaged_file_of_the_run_is_named(folder, name, text, told):
    (folder / "out" / name).write_text(text)
    assert told in one_line(simonides("resume", "out", cwd=folder), 1)


def test_a_study_changed_after_the_run_began_is_refused(folder):
    path = folder / "out/study.yaml"
    path.write_text(path.read_text().replace("manage_every: 5", "manage_every: 6"))
    assert "is not the study that this run began with" in one_line(simonides("resume", "out", cwd=folder), 1)


@pytest.mark.parametrize("pattern", ["checkpoints/world-*", "checkpoints/space-*", "logs/*.log"])
def test_a_damaged_checkpoint_or_log_of_shared_spaces_is_told_with_what_to_do(folder, pattern):
    before = simonides("digest", "out", cwd=folder).stdout
    trial = trial_folder(folder)
    (trial / "outcome.json").unlink()
    path = max(trial.glob(pattern))
    flip(path, 20)
    done = simonides("resume", "out", cwd=folder)
    assert done.returncode == 1
    assert path.name in done.stdout and f"remove {trial}, then resume" in done.stdout
    subprocess.run(["rm", "-r", str(trial)], check=True)
    assert simonides("resume", "out", cwd=folder).returncode == 0
    assert simonides("digest", "out", cwd=folder).stdout == before


def test_a_damaged_checkpoint_of_a_private_world_is_passed_over_for_an_earlier_one(tmp_path):
    write_study(tmp_path, **SMALL, wiring="private")
    assert simonides("run", "study.yaml", "--out", "out", cwd=tmp_path).returncode == 0
    before = simonides("digest", "out", cwd=tmp_path).stdout
    trial = trial_folder(tmp_path)
    (trial / "outcome.json").unlink()
    path = max(trial.glob("checkpoints/world-*"))
    flip(path, 20)
    done = simonides("resume", "out", cwd=tmp_path)
    assert done.returncode == 0
    assert path.name in done.stdout and "An earlier checkpoint was used." in done.stdout
    assert simonides("digest", "out", cwd=tmp_path).stdout == before


def test_a_full_disk_is_one_clear_line_and_what_is_finished_stays(folder):
    kept = trial_folder(folder, 1) / "outcome.json"
    whole = simonides("digest", "out", cwd=folder).stdout
    written = kept.stat().st_mtime_ns
    subprocess.run(["rm", "-r", str(trial_folder(folder))], check=True)
    limited = ["bash", "-c", 'ulimit -f 2; exec "$@"', "-", sys.executable, "-m", "simonides.experiments"]
    done = subprocess.run(
        [*limited, "resume", "out"], cwd=folder, env=environment(), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "cannot be written: File too large. Make room or give access, then resume." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert kept.stat().st_mtime_ns == written
    assert simonides("resume", "out", cwd=folder).returncode == 0
    assert simonides("digest", "out", cwd=folder).stdout == whole
