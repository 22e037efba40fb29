"""Tables of what a trial's spaces held: tainted shares after each change, and sizes at the end of each session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading
from simonides.sim.context import count_tokens
from simonides.sim.lineage import Version

CONTAMINATION: Mapping[str, Any] = {
    "space": pl.String, "tick": pl.Int64, "held": pl.Int64, "tainted": pl.Int64,
}  # fmt: skip
MEMORY: Mapping[str, Any] = {
    "space": pl.String, "session": pl.Int64, "tick": pl.Int64, "records": pl.Int64, "characters": pl.Int64,
    "tokens": pl.Int64, "tainted": pl.Int64,
}  # fmt: skip
"""`tick` is the last one of the session at which the space changed; `tokens` by the trial's deterministic counter."""


def contamination(reading: Reading) -> pl.DataFrame:
    """Return (space, tick, records held, tainted ones among them) after each tick that changed a space."""
    return pl.DataFrame(list(reading.lineage.contamination()), schema=CONTAMINATION, orient="row")


def memory(reading: Reading) -> pl.DataFrame:
    """Return the size of each space at the end of each session in which it changed, by (space, session)."""
    by_space: dict[str, list[Version]] = {}
    for versions in reading.lineage.versions.values():
        for version in versions:
            by_space.setdefault(version.space, []).append(version)
    ends: dict[tuple[str, int], int] = {}
    for row in reading.spaces:
        ends[row.space, reading.moment_of(row).session] = row.tick
    rows = [row for space in sorted(by_space) for row in _sizes(reading, space, by_space[space], ends)]
    return pl.DataFrame(rows, schema=MEMORY, orient="row")


def _sizes(
    reading: Reading, space: str, versions: list[Version], ends: Mapping[tuple[str, int], int]
) -> Iterator[tuple[str | int, ...]]:
    changes: list[tuple[int, tuple[int, int, int, int]]] = []
    for version in versions:
        bad = not reading.lineage.tainted.isdisjoint(version.stored.origins)
        size = (1, len(version.text), count_tokens(version.text), int(bad))
        changes.append((version.tick, size))
        if version.until is not None:
            changes.append((version.until, (-size[0], -size[1], -size[2], -size[3])))
    changes.sort(key=lambda change: change[0], reverse=True)
    held = [0, 0, 0, 0]
    for (name, session), tick in sorted(ends.items(), key=lambda end: end[1]):
        if name == space:
            while changes and changes[-1][0] <= tick:
                held = [a + b for a, b in zip(held, changes.pop()[1], strict=True)]
            yield space, session, tick, *held
