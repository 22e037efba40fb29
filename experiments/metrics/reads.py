"""The table of what was recalled for each decision and question: whose it was, how old, how alike, and whether true."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from simonides.experiments.metrics.questions import holds
from simonides.experiments.metrics.reading import Reading, asked
from simonides.sim.lineage import Version
from simonides.sim.rows import Acted, Asked, WorldRow
from simonides.sim.types import Plain

READS: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "session": pl.Int64, "agent": pl.String, "need": pl.String,
    "space": pl.String, "rank": pl.Int64, "record": pl.String, "others": pl.Boolean, "behind": pl.Int64,
    "tainted": pl.Boolean, "says": pl.String, "wrong": pl.Boolean, "success": pl.Boolean,
    "input_similarity": pl.Float64, "output_similarity": pl.Float64,
}  # fmt: skip
"""One row a recalled record. `rank` counts from 1 within what the agent recalled at that tick. `others`: nothing that
the record descends from was lived by the agent that recalls it. `behind`: versions of the space's records that were
lived before this tick and reached the space with it or later. `says` is the value that the record gives for what is
needed (`said`), `wrong` that it is not the truth; both are null where it says nothing, or many things. Similarities
are known for the first record alone."""

_SENTENCE = re.compile(r"(?<=[.!?])[\"']?\s+")
_WORD = re.compile(r"\w+")


def similarity(first: str, second: str) -> float:
    """Return the cosine of two texts' counts of lower-cased words: 0 without a word in common, 1 for the same words."""
    one, two = (Counter(_WORD.findall(text.lower())) for text in (first, second))
    shared = sum(count * two[word] for word, count in one.items())
    return shared / math.sqrt(_square(one) * _square(two)) if shared else 0.0


def _square(words: Mapping[str, int]) -> int:
    return sum(count * count for count in words.values())


def said(text: str, subject: str, options: Sequence[str]) -> str | None:
    """Return the one option that a text's sentences about a subject name; None for none, several, or a negation."""
    about = [sentence for sentence in _SENTENCE.split(text) if holds(sentence, subject)]
    named = {option for sentence in about for option in options if not _denies(sentence) and holds(sentence, option)}
    return named.pop() if len(named) == 1 else None


def _denies(sentence: str) -> bool:
    return "not" in _WORD.findall(sentence.lower())


def reads(reading: Reading) -> pl.DataFrame:
    """Return one row a record recalled for a need or a question, by (world, tick, agent, rank)."""
    return pl.DataFrame(list(_rows(reading)), schema=READS, orient="row")


def _rows(reading: Reading) -> Iterator[tuple[Plain, ...]]:
    verdicts, late = verdicts_of(reading), _late(reading)
    lived = {one.id: f"{row.world}/{one.agent}" for row in reading.worlds for one in row.experiences}
    for row in reading.worlds:
        questions = asked(row)
        for agent, act in sorted(row.actions.items()):
            verdict = verdicts.get((row.world, agent, str(act.notes.get("need", ""))))
            if verdict is not None or agent in questions:
                yield from _of_agent(reading, row, agent, act, verdict, late, lived)


def _of_agent(
    reading: Reading, row: WorldRow, agent: str, act: Acted, verdict: Mapping[str, Plain] | None,
    late: Mapping[str, tuple[list[int], list[int]]], lived: Mapping[str, str],
) -> Iterator[tuple[Plain, ...]]:  # fmt: skip
    session, who, rank = reading.moment(row.world, row.tick).session, f"{row.world}/{agent}", 0
    for query in (one for one in row.asked if one.agent == agent):
        for record in query.ids:
            version = reading.version(record, row.tick)
            if version is None:
                continue
            rank += 1
            value, wrong, success = _judged(version.text, verdict)
            alike = _alike(reading, query, version, act) if rank == 1 else (None, None)
            yield (
                row.world, row.tick, session, agent, str(verdict["need"]) if verdict else "", version.space, rank,
                record, _foreign(version, who, lived), _behind(late, version.space, row.tick),
                not reading.lineage.tainted.isdisjoint(version.stored.origins), value, wrong, success, *alike,
            )  # fmt: skip


def _judged(text: str, verdict: Mapping[str, Plain] | None) -> tuple[str | None, bool | None, bool | None]:
    if verdict is None:
        return None, None, None
    value = said(text, str(verdict["subject"]), [str(one) for one in verdict["options"]])
    return value, None if value is None else value != verdict["truth"], bool(verdict["success"])


def _alike(reading: Reading, query: Asked, version: Version, act: Acted) -> tuple[float, float]:
    """Return how alike are the task and the record, and what was done and what the record tells of having done."""
    lived = [reading.lineage.experiences.get(origin) for origin in version.stored.origins]
    done = next((one.action for one in lived if one is not None and one.action), version.text)
    return similarity(query.text, version.text), similarity(act.text or str(act.value), done)


def _foreign(version: Version, agent: str, lived: Mapping[str, str]) -> bool:
    """Return whether others alone lived what a record descends from; what was planted nobody lived."""
    who = {lived[origin] for origin in version.stored.origins if origin in lived}
    return bool(who) and agent not in who


def _late(reading: Reading) -> dict[str, tuple[list[int], list[int]]]:
    """Return for each space when its writes were lived and when they were applied, both sorted."""
    when = {lived.id: row.tick for row in reading.worlds for lived in row.experiences}
    found: dict[str, tuple[list[int], list[int]]] = {}
    for space in reading.spaces:
        lived, applied = found.setdefault(space.space, ([], []))
        for done in space.operations:
            if done.kind == "write" and done.experience in when:
                lived.append(when[done.experience])
                applied.append(space.tick)
    return {space: (sorted(lived), sorted(applied)) for space, (lived, applied) in found.items()}


def _behind(late: Mapping[str, tuple[list[int], list[int]]], space: str, tick: int) -> int:
    lived, applied = late.get(space, ([], []))
    return bisect_left(lived, tick) - bisect_left(applied, tick)


def verdicts_of(reading: Reading) -> dict[tuple[str, str, str], Mapping[str, Plain]]:
    """Return (world, agent, need) -> its verdict."""
    return {
        (row.world, agent, str(one["need"])): one
        for row in reading.worlds
        for agent, key in row.keys.items()
        if isinstance(key, Mapping)
        for one in key.get("verdicts", ())
    }
