"""Keep the list of packages in pyproject.toml equal to the tree: `--check` says what differs, `--write` mends it.

The list is written out because the folders are mapped into `simonides.*`, which setuptools' own discovery cannot do.
Run from anywhere with Python >= 3.11; needs no installed package.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("agents", "cluster", "envs", "experiments", "memory_actors", "sim")
DATA = ("bddl", "css", "html", "j2", "js", "json", "md", "svg", "txt", "xml", "yaml")
"""Endings of the data files that a wheel carries, beside py.typed. Data sets are never shipped."""


def files(root: Path) -> list[Path]:
    """Return the files below the six folders, relative to the root, sorted; without compiled ones."""
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(root) for path in found if "__pycache__" not in path.parts)


def packages(tree: list[Path]) -> list[str]:
    """Return the dotted names of the folders that hold an `__init__.py`."""
    return sorted(".".join(("simonides", *path.parent.parts)) for path in tree if path.name == "__init__.py")


def package_data() -> list[str]:
    """Return the patterns of data files; `**` reaches folders that are no packages, such as templates."""
    return ["py.typed", *(f"**/*.{ending}" for ending in DATA)]


def strays(tree: list[Path]) -> list[str]:
    """Return what a wheel would leave out: modules outside a package, and files of an unknown kind."""
    inside = {path.parent for path in tree if path.name == "__init__.py"}
    homeless = [f"{p}: its folder has no __init__.py" for p in tree if p.suffix == ".py" and p.parent not in inside]
    known = {".py", *(f".{ending}" for ending in DATA)}
    odd = [
        f"{path}: files of this kind are not shipped; add its ending to DATA in .ci/packages.py, or move it"
        for path in tree
        if path.suffix not in known and path.name != "py.typed"
    ]
    return homeless + odd


def written(text: str, names: list[str], patterns: list[str]) -> str:
    """Return the text of pyproject.toml with both lists replaced. Raises ValueError when it has no such list."""
    text = _replaced(text, "packages", names)
    return _replaced(text, '"*"', patterns)


def _replaced(text: str, key: str, values: list[str]) -> str:
    block = f"{key} = [\n" + "".join(f'    "{value}",\n' for value in values) + "]"
    new, count = re.subn(rf"^{re.escape(key)} = \[[^\]]*\]", lambda _: block, text, flags=re.M)
    if count != 1:
        raise ValueError(f"pyproject.toml has {count} lists called {key}; one is needed.")
    return new


def differences(root: Path) -> list[str]:
    """Return one line for each way in which pyproject.toml and the tree differ."""
    tree = files(root)
    setup = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed, found = set(setup["packages"]), set(packages(tree))
    lines = [f"{name}: a package that pyproject.toml does not list" for name in sorted(found - listed)]
    lines += [f"{name}: listed in pyproject.toml, but not in the tree" for name in sorted(listed - found)]
    if setup.get("package-data", {}).get("*") != package_data():
        lines.append("package-data: the patterns in pyproject.toml are not those of .ci/packages.py")
    return lines + strays(tree)


def main() -> int:
    """Check or write; return 1 when the tree and the list differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="say what differs")
    choice.add_argument("--write", action="store_true", help="mend pyproject.toml")
    if parser.parse_args().write:
        path = ROOT / "pyproject.toml"
        path.write_text(written(path.read_text(), packages(files(ROOT)), package_data()))
    lines = differences(ROOT)
    if lines:
        print("\n".join(lines), "Lists are mended by: python .ci/packages.py --write", sep="\n", file=sys.stderr)
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
