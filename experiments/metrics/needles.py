"""Needle tests: BABILong's answer rule, and RULER's needle sentences, configurations and scores.

Sources: BABILong (Kuratov et al. 2024, https://github.com/booydar/babilong), RULER (Hsieh et al. 2024,
https://github.com/NVIDIA/RULER).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Content = Literal["numbers", "words", "uuids"]
Haystack = Literal["noise", "essay", "needle"]


def babilong_correct(response: str, target: str, question: str, labels: Iterable[str]) -> bool:
    """Say whether a response names the target and no other label of the task.

    Only the response's first sentence counts, in lower case; labels that the question itself contains are ignored.
    A target that is not a label itself is split at commas, and then exactly its parts must be named. `labels` are the
    task's possible answers.
    """
    known = {label.lower() for label in labels}
    sentence = response.lower().split(".")[0]
    asked = question.lower()
    named = {label for label in known if label in sentence and label not in asked}
    wanted = target.lower()
    parts = {wanted} if wanted in known else {part.strip() for part in wanted.split(",")}
    return named == parts


@dataclass(frozen=True, slots=True)
class NeedleConfig:
    """One of RULER's eight retrieval tasks: what hides where, and how many of it are hidden and asked for.

    `keys` needles carry different keys, each with `values` values; `queries` of the keys are asked.
    """

    haystack: Haystack
    key: Content
    value: Content
    keys: int = 1
    values: int = 1
    queries: int = 1


RULER_NIAH: Mapping[str, NeedleConfig] = MappingProxyType(
    {
        "niah_single_1": NeedleConfig("noise", "words", "numbers"),
        "niah_single_2": NeedleConfig("essay", "words", "numbers"),
        "niah_single_3": NeedleConfig("essay", "words", "uuids"),
        "niah_multikey_1": NeedleConfig("essay", "words", "numbers", keys=4),
        "niah_multikey_2": NeedleConfig("needle", "words", "numbers"),
        "niah_multikey_3": NeedleConfig("needle", "uuids", "uuids"),
        "niah_multivalue": NeedleConfig("essay", "words", "numbers", values=4),
        "niah_multiquery": NeedleConfig("essay", "words", "numbers", keys=4, queries=4),
    }
)
"""RULER's synthetic.yaml. With the "needle" haystack the whole context consists of needles with other keys."""


def needle_sentence(content: Content, key: str, value: str) -> str:
    """Return the sentence that hides a value under a key."""
    return f"One of the special magic {content} for {key} is: {value}."


def ruler_score(response: str, references: Sequence[str], any_suffices: bool = False) -> float:
    """Return the share of reference strings that the response contains, whatever their case.

    `any_suffices`, RULER's rule for its question answering tasks, gives 1 if at least one is there. A task's score is
    the mean over responses. ValueError without references.
    """
    if not references:
        raise ValueError("A needle task needs at least one reference string.")
    text = response.lower()
    found = [reference.lower() in text for reference in references]
    return float(any(found)) if any_suffices else sum(found) / len(found)
