"""A third-party memory package, installed with pip, is found by its entry point and passes the shipped suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "plugin"

CHECK = """
from simonides.sim.checks import check_memory, render
from simonides.sim.registry import registry
print(registry("memory").names()["keyword-diary"])
report = check_memory("keyword-diary", {"k": 3})
print(render(report))
raise SystemExit(not report.passed)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, work / "source")  # building writes beside the source
    target = work / "target"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, timeout=200)
    return target


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=path, capture_output=True, text=True, timeout=100)


@pytest.mark.install
def test_an_installed_memory_is_found_by_its_entry_point_and_passes_the_suite(installed):
    done = run(CHECK, installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("keyword-diary (keyword_diary:KeywordDiary)\n")
    assert "Memory keyword-diary k=3" in done.stdout
    assert "ok    contents" in done.stdout
    assert "15 of 15 checks passed." in done.stdout


@pytest.mark.install
def test_a_package_that_fails_to_import_says_so_in_one_line(installed):
    (installed / "keyword_diary" / "__init__.py").write_text("import not_there\n")
    code = (
        "from simonides.sim.checks import check_memory\n"
        "from simonides.sim.errors import UnknownName\n"
        "try: check_memory('keyword-diary')\n"
        "except UnknownName as error: print(error)\n"
    )
    assert "not_there" in run(code, installed).stdout
