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
LONGEST = 1.6
"""Seconds after its start in which a process is killed: from before its first import to within its last trial."""


def run_of(folder):
    return Run(folder) if (folder / "manifest.json").exists() else None


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_has_the_digest_of_an_undisturbed_one(tmp_path):
    write_study(
        tmp_path, wiring={"name": "global", "also_private": True}, worlds=2, seeds=3, checkpoint_every=7,
        environment={"name": "rogues:Slow", "length": 150, "pause": 0.005},
    )  # fmt: skip
    undisturbed = simonides("run", "study.yaml", "--out", "undisturbed", "--jobs", 2, cwd=tmp_path)
    assert undisturbed.returncode == 0
    moments = np.random.default_rng(20).uniform(0.05, LONGEST, KILLS)
    midway, kept = 0, {}
    for moment in moments:
        words = ["resume", "out"] if run_of(tmp_path / "out") else ["run", "study.yaml", "--out", "out"]
        process = start(*words, "--jobs", 1, cwd=tmp_path)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        midway += process.returncode == -signal.SIGKILL
        for path in (tmp_path / "out").glob("trials/*/outcome.json"):
            kept.setdefault(path, path.stat().st_mtime_ns)
    assert midway >= KILLS // 2, "too few were killed before they had ended by themselves"
    assert simonides("resume", "out", "--jobs", 2, cwd=tmp_path).returncode == 0
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items()), "a finished trial was run again"
    digests = [
        {trial.id: Trace(run.folder_of(trial)).digest() for trial in run.trials()}
        for run in (Run(tmp_path / "undisturbed"), Run(tmp_path / "out"))
    ]
    assert digests[0] == digests[1]
    told = [simonides("digest", name, cwd=tmp_path).stdout for name in ("undisturbed", "out")]
    assert told[0] == told[1] != ""
