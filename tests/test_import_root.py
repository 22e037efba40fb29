"""A folder imported under its bare name would make a second copy of the registries: it says so in one line instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("folder", ["agents", "cluster", "envs", "experiments", "memory_actors", "sim"])
def test_with_the_checkout_on_the_path_a_bare_folder_says_what_to_import(folder):
    done = subprocess.run([sys.executable, "-c", f"import {folder}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: This folder was imported as {folder!r}")
    assert f"simonides.{folder}" in last


def test_the_checkouts_root_on_the_path_does_no_harm_to_the_right_name():
    done = subprocess.run([sys.executable, "-c", "import simonides.sim"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
