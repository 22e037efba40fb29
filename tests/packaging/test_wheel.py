"""The wheel: it carries exactly the tree, harms no neighbour called `agents`, and works from an empty directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.install

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agents", "cluster", "envs", "experiments", "memory_actors", "sim")
NEIGHBOUR = "openai-agents"
"""The distribution whose top-level package is `agents`: plain top-level folders would overwrite it."""

STUDY = ("-m", "simonides.experiments", "run", "shared_dialogue", "factors={}", "memory=bm25", "seeds=1", "--out=out")
"""What is run by the installed interpreter in an empty directory: one cell of a study that the wheel carries."""


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path, cwd: Path) -> str:
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of what is needed to build, so that building leaves nothing in the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, tree, cwd=target)
    (built,) = target.glob("simonides-*.whl")
    return built


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """A fresh environment that sees the installed dependencies, but not the checkout (nor its editable finder).

    A plain line in a .pth file puts a folder on the path without reading the .pth files inside that folder.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=True)
    shared = [path for path in sys.path if Path(path).name == "site-packages"]
    (site_packages(folder) / "dependencies.pth").write_text("\n".join(shared) + "\n")
    return folder


def site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def contents(folder: Path) -> dict[str, str]:
    """Return path -> sha256 of the files below a folder, without compiled ones."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_exactly_the_files_of_the_tree(wheel, tree):
    built = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    ours = {name for name in built if ".dist-info/" not in name}
    assert ours == {f"simonides/{folder}/{name}" for folder in FOLDERS for name in contents(tree / folder)}
    assert {f"simonides/{folder}/py.typed" for folder in FOLDERS} <= ours
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in built)


def test_installed_beside_the_package_that_owns_agents_it_changes_none_of_its_files(wheel, clean, tmp_path):
    target = site_packages(clean)
    downloaded = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path, NEIGHBOUR],
        capture_output=True,
        text=True,
    )
    if downloaded.returncode and not os.environ.get("CI"):
        pytest.skip(f"{NEIGHBOUR} cannot be downloaded: {downloaded.stderr.strip().splitlines()[-1]}")
    (neighbour,) = tmp_path.glob("openai_agents-*.whl")
    python = clean / "bin" / "python"
    pip("--python", python, "install", "--no-deps", neighbour, cwd=tmp_path)
    before = contents(target)
    assert "agents/__init__.py" in before
    pip("--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    after = contents(target)
    assert {name: after.get(name) for name in before} == before
    assert {name.split("/")[0] for name in after.keys() - before.keys()} == {
        "simonides",
        wheel.name.split("-py3")[0] + ".dist-info",
    }


def test_from_an_empty_directory_the_installed_wheel_runs_a_study(wheel, clean, tmp_path):
    python = clean / "bin" / "python"
    pip("--python", python, "install", "--no-deps", "--force-reinstall", wheel, cwd=tmp_path)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    where = run(python, "-c", "import simonides.sim; print(simonides.sim.__path__[0])", cwd=tmp_path, env=bare)
    assert Path(where.strip()).is_relative_to(clean)
    told = run(python, *STUDY, cwd=tmp_path, env=bare)
    assert "1 trial" in told
    assert list((tmp_path / "out" / "trials").glob("*/trace-*.msgpack"))
