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


def beginnings(folder):
    """Return a file for every time that a trial was begun or gone on with."""
    return list((folder / "out").glob("trials/*/trace-worlds-0-*"))


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_has_the_digest_of_an_undisturbed_one(tmp_path):
    write_study(
        tmp_path, wiring={"name": "global", "also_private": True}, worlds=2, seeds=8, checkpoint_every=7,
        environment={"name": "rogues:Slow", "length": 150, "pause": 0.005},
    )  # fmt: skip
    longest, random, kept = min(start_up(tmp_path) + 1.0, 2.0), np.random.default_rng(20), {}
    for kill in range(KILLS):
        words = ["resume", "out"] if run_of(tmp_path / "out") else ["run", "study.yaml", "--out", "out"]
        before = len(beginnings(tmp_path))
        process = start(*words, "--jobs", 1, cwd=tmp_path)
        if kill % 2:  # every other one at any moment from the first import on, the rest within a trial
            time.sleep(random.uniform(0.1, longest))
        else:
            while len(beginnings(tmp_path)) == before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(random.uniform(0.0, 0.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for path in (tmp_path / "out").glob("trials/*/outcome.json"):
            kept.setdefault(path, path.stat().st_mtime_ns)
    assert len(beginnings(tmp_path)) >= KILLS // 2
    assert simonides("resume", "out", "--jobs", 2, cwd=tmp_path).returncode == 0
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items()), "a finished trial was run again"
    digests = [
        {trial.id: Trace(run.folder_of(trial)).digest() for trial in run.trials()}
        for run in (Run(tmp_path / "undisturbed"), Run(tmp_path / "out"))
    ]
    assert digests[0] == digests[1]
    told = [simonides("digest", name, cwd=tmp_path).stdout for name in ("undisturbed", "out")]
    assert told[0] == told[1] != ""
