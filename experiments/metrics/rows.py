"""Read JSON lines one object at a time, naming the file, the line and what was found when a line is bad."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simonides.sim.errors import DataError


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a JSON-lines file and where it stood (`line` counts from 1)."""

    path: Path
    line: int
    fields: Mapping[str, Any]

    def fail(self, found: str) -> DataError:
        """Return the error that says where this row stands and what was found there."""
        return DataError(f"{self.path}, line {self.line}: {found}")

    def need(self, name: str, *kinds: type) -> Any:
        """Return a field of one of these types, or raise DataError. True and False never pass for numbers."""
        if name not in self.fields:
            known = ", ".join(sorted(self.fields)) or "none"
            raise self.fail(f"no field {name!r} (fields found: {known}).")
        value = self.fields[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise self.fail(f"field {name!r} should be {wanted}, found {type(value).__name__} ({short(value)}).")
        return value


def short(value: object, width: int = 60) -> str:
    """Return a value's repr, cut so that an error stays one readable line."""
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text without a byte order mark; DataError if it is missing, a folder or not text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Give the path of an existing file.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); is it compressed or binary?") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from None


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSON-lines file in order, skipping blank lines.

    Raises DataError, naming file and line, for a missing file, bytes that are not UTF-8, text that is not JSON
    (a truncated last line included) and JSON that is not an object.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield Row(path, number, _parse(path, number, line))


def _parse(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}, line {number}: not JSON ({error.msg} at column {error.colno}), found {short(line)}."
        ) from None
    except RecursionError:
        raise DataError(f"{path}, line {number}: JSON nested too deeply to read.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}, line {number}: expected a JSON object, found {short(value)}.")
    return value
