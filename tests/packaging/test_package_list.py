"""The script that keeps the list of packages: it finds what is missing, what is gone, and what would be left out."""

from __future__ import annotations

import importlib.util
import shutil
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("package_list", ROOT / ".ci" / "packages.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout: every folder a package, and a pyproject.toml that lists them."""
    for folder in script.FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    empty = '[tool.setuptools]\npackages = []\n\n[tool.setuptools.package-data]\n"*" = []\n'
    mend(tmp_path, empty)
    return tmp_path


def mend(root: Path, text: str) -> None:
    names = script.packages(script.files(root))
    (root / "pyproject.toml").write_text(script.written(text, names, script.package_data()))


def test_the_projects_own_list_is_right():
    assert script.differences(ROOT) == []


def test_a_written_list_has_no_differences_and_is_valid_toml(checkout):
    assert script.differences(checkout) == []
    listed = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert listed == sorted(f"simonides.{folder}" for folder in script.FOLDERS)


def test_a_new_package_and_a_vanished_one_are_named_and_mended(checkout):
    (checkout / "envs" / "new" / "inner").mkdir(parents=True)
    for folder in ("new", "new/inner"):
        (checkout / "envs" / folder / "__init__.py").touch()
    shutil.rmtree(checkout / "cluster")
    assert script.differences(checkout) == [
        "simonides.envs.new: a package that pyproject.toml does not list",
        "simonides.envs.new.inner: a package that pyproject.toml does not list",
        "simonides.cluster: listed in pyproject.toml, but not in the tree",
    ]
    mend(checkout, (checkout / "pyproject.toml").read_text())
    assert script.differences(checkout) == []


def test_a_file_that_no_wheel_would_carry_is_named(checkout):
    (checkout / "envs" / "scenes").mkdir()
    (checkout / "envs" / "scenes" / "arm.py").touch()
    (checkout / "envs" / "scenes" / "arm.stl").touch()
    (checkout / "envs" / "scenes" / "arm.yaml").touch()
    first, second = script.differences(checkout)
    assert first == "envs/scenes/arm.py: its folder has no __init__.py"
    assert second.startswith("envs/scenes/arm.stl: files of this kind are not shipped")


def test_changed_patterns_are_a_difference(checkout):
    path = checkout / "pyproject.toml"
    path.write_text(path.read_text().replace('    "**/*.yaml",\n', ""))
    assert script.differences(checkout) == [
        "package-data: the patterns in pyproject.toml are not those of .ci/packages.py"
    ]
