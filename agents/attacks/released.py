"""Read targets and adversarial texts from files of the form in which PoisonedRAG's authors released theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simonides.sim.errors import DataError


@dataclass(frozen=True, slots=True)
class Target:
    """A question, its answer, the false one to be given, and the texts that are to bring that about."""

    id: str
    question: str
    correct: str
    incorrect: str
    texts: tuple[str, ...]


def read_released(path: str | Path) -> list[Target]:
    """Return the targets of a file, in its order. Raises DataError when there is none, or one of another form."""
    file = Path(path)
    found = parsed(file, json.loads)
    if not isinstance(found, dict) or not found:
        raise DataError(f"released: {file} should map ids to targets, found {type(found).__name__}.")
    return [_target(file, id, one) for id, one in found.items()]


def parsed(file: Path, parse: Callable[[str], Any]) -> Any:
    """Return what a parser of JSON or YAML makes of a file. Raises DataError for one that it cannot read."""
    try:
        return parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"released: {file} cannot be read ({error.strerror}); give the path of a released file."
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        line = str(error).splitlines()[0]
        kind = "JSON" if parse is json.loads else "YAML"
        raise DataError(f"released: {file} is not {kind} ({line}); give a released file as it is.") from None


def _target(file: Path, id: str, one: Any) -> Target:
    try:
        texts = tuple(str(text) for text in one["adv_texts"])
        target = Target(id, str(one["question"]), str(one["correct answer"]), str(one["incorrect answer"]), texts)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"released: target {id!r} of {file} lacks {error}; it should have question, correct answer, "
            "incorrect answer, adv_texts."
        ) from None
    if not texts:
        raise DataError(f"released: target {id!r} of {file} has no adv_texts.")
    return target
