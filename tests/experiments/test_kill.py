"""What was finished is never lost: killed at any moment, a run resumes to the digest of an undisturbed one."""

import os
import signal
import time

import numpy as np
import pytest
from command import simonides, start, write_study

from simonides.experiments.runs import Run
from simonides.sim.trace import Trace

KILLS = 20


def run_of(folder):
    return Run(folder) if (folder / "manifest.json").exists() else None


def start_up(folder):
    """Run the study undisturbed; return the seconds that pass before its first tick."""
    began = time.monotonic()
    process = start("run", "study.yaml", "--out", "undisturbed", "--jobs", 2, cwd=folder)
    while not list(folder.glob("undisturbed/trials/*/checkpoints/*")):
        assert process.poll() is None and time.monotonic() < began + 60
        time.sleep(0.02)
    seconds = time.monotonic() - began
    process.communicate(timeout=120)
    assert process.returncode == 0
    return seconds


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_has_the_digest_of_an_undisturbed_one(tmp_path):
    write_study(
        tmp_path, wiring={"name": "global", "also_private": True}, worlds=2, seeds=6, checkpoint_every=7,
        environment={"name": "rogues:Slow", "length": 150, "pause": 0.005},
    )  # fmt: skip
    longest = start_up(tmp_path) + 1.0
    kept = {}
    for moment in np.random.default_rng(20).uniform(0.1, 1.0, KILLS) * longest:
        words = ["resume", "out"] if run_of(tmp_path / "out") else ["run", "study.yaml", "--out", "out"]
        process = start(*words, "--jobs", 1, cwd=tmp_path)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for path in (tmp_path / "out").glob("trials/*/outcome.json"):
            kept.setdefault(path, path.stat().st_mtime_ns)
    assert simonides("resume", "out", "--jobs", 2, cwd=tmp_path).returncode == 0
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items()), "a finished trial was run again"
    assert len(list((tmp_path / "out").glob("trials/*/trace-worlds-0-*"))) >= 6 + 4, (
        "too few were killed within a trial"
    )
    digests = [
        {trial.id: Trace(run.folder_of(trial)).digest() for trial in run.trials()}
        for run in (Run(tmp_path / "undisturbed"), Run(tmp_path / "out"))
    ]
    assert digests[0] == digests[1]
    told = [simonides("digest", name, cwd=tmp_path).stdout for name in ("undisturbed", "out")]
    assert told[0] == told[1] != ""
