"""The guide's app runs as it is written, and the environment passes the checks that are shipped."""

import re
from pathlib import Path

import pytest
from phones import click, words

from simonides.envs.android.simulated.apps import phone
from simonides.sim.checks import check_environment, render

ROOT = Path(__file__).resolve().parents[3]


def test_the_app_of_the_guide_is_installed_used_and_saved():
    found = re.search(r"^```python\n(.*?)^```", (ROOT / "docs/write-an-android-app.md").read_text(), re.M | re.S)
    names = {"__name__": "chores"}
    exec(compile(found.group(1), "write-an-android-app.md", "exec"), names)
    device = phone(1)
    device.install(names["ChoresApp"])
    device.start("org.example.chores")
    click(device, resource_id="new")
    device.type("Sweep the hall")
    device.key(66)
    click(device, text="Sweep the hall")
    assert device.find(resource_id="org.example.chores:id/chore").checked
    other = phone(None)
    other.install(names["ChoresApp"])
    other.restore(device.snapshot())
    assert words(other) == words(device)


@pytest.mark.slow
@pytest.mark.parametrize("params", [{}, {"seer": "other", "needs": 4, "sessions": 1, "distractors": 0}])
def test_the_shipped_checks_pass(params):
    report = check_environment("android", params)
    assert report.passed, render(report)
