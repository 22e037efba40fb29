"""Read a data set's JSON files, and say in one line what is wrong with one that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simonides.sim.errors import DataError


def find(data: str, patterns: tuple[str, ...], what: str) -> Path:
    """Return the file that `data` names, or the first in that folder (by pattern, then name) that fits.

    Raises DataError when there is none.
    """
    path = Path(data).expanduser()
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(f"{what}: {path} does not exist; give data= a file or a folder with {' or '.join(patterns)}.")
    found = [hit for pattern in patterns for hit in sorted(path.glob(pattern))]
    if not found:
        raise DataError(f"{what}: the folder {path} has no {' or '.join(patterns)}; give data= the file itself.")
    return found[0]


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{what}: {path} cannot be read ({type(error).__name__}); check the file.") from None


def _parse(text: str, where: str, what: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{what}: {where} is not whole JSON ({error.msg} at line {error.lineno}, column {error.colno}); "
            "it may be truncated: fetch it again."
        ) from None


def read_json(path: Path, kind: type, what: str) -> Any:
    """Return a JSON file's value. Raises DataError if it is unreadable, truncated or not a `kind` at the top."""
    value = _parse(_text(path, what), str(path), what)
    if not isinstance(value, kind):
        names: dict[type, str] = {list: "a list", dict: "an object"}
        found = names.get(type(value), f"a {type(value).__name__}")
        raise DataError(f"{what}: {path} should hold {names[kind]} at the top, found {found}; is it another data set?")
    return value


def read_jsonl(path: Path, what: str) -> list[Any]:
    """Return the values of a file with one JSON object a line. Raises DataError with the line's number."""
    lines = _text(path, what).splitlines()
    values = [_parse(line, f"{path}, line {n}", what) for n, line in enumerate(lines, 1) if line.strip()]
    for n, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise DataError(f"{what}: {path}, entry {n} should be an object, found {type(value).__name__}.")
    return values


def field(entry: Mapping[str, Any], name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """Return a field of an entry. Raises DataError if it is missing or of another type."""
    if not isinstance(entry, Mapping) or name not in entry:
        raise DataError(f"{where}: the field {name!r} is missing; is this another data set or version?")
    if not isinstance(entry[name], kind):
        raise DataError(f"{where}: the field {name!r} has type {type(entry[name]).__name__}, which was not expected.")
    return entry[name]


def pick(count: int, index: int, path: Path, what: str) -> int:
    """Return `index` if it is one of `count` entries. Raises DataError otherwise."""
    if not 0 <= index < count:
        raise DataError(f"{what}: {path} has {count} entries (0 to {count - 1}), asked for {index}.")
    return index
