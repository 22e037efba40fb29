"""A process that runs many trials keeps no file of theirs open."""

import os

import pytest
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("private", ["colocated", "actors"])
def test_a_trial_leaves_no_file_open(tmp_path, private):
    (trial,) = parse_study(toy_study(wiring={"name": "global", "also_private": True})).trials()
    run_inline(trial, tmp_path / "first")
    before = open_files()
    for i in range(3):
        run_inline(trial, tmp_path / str(i), Layout(world_actors=2, memory_actors=2, private=private))
    assert open_files() == before
