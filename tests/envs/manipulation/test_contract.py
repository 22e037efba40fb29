"""Every task passes the suite for environments."""

from __future__ import annotations

import pytest

pytest.importorskip("mujoco", reason="needs the extra manipulation")

from simonides.sim.checks import check_environment, render


@pytest.mark.parametrize(
    "parameters",
    [
        {"delay": 2},
        {"task": "shell-game", "arms": 2, "seer": "other", "delay": 2, "distractors": 1, "sessions": 1},
        {"control": "raw", "task": "remember-colour", "delay": 20},
    ],
    ids=["skills", "two arms", "raw"],
)
def test_it_passes_the_suite_for_environments(parameters):
    report = check_environment("manipulation", parameters)
    assert report.passed, render(report)
