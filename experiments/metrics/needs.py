"""The tables of a trial's memory tasks: what was needed, what was chosen and what came of it; and illegal actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading
from simonides.sim.types import Plain

NEEDS: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "agent": pl.String, "session": pl.Int64, "need": pl.String,
    "task": pl.String, "subject": pl.String, "attribute": pl.String, "m": pl.Int64, "truth": pl.String,
    "place": pl.Int64, "chosen": pl.String, "success": pl.Boolean, "seen": pl.Int64, "needed": pl.Int64,
    "delay": pl.Int64, "distractors": pl.Int64, "sessions": pl.Int64, "verified": pl.Boolean,
    "targeted": pl.Boolean,
}  # fmt: skip
"""`tick` is when the verdict was told, `m` the number of options, `place` the truth's among them; `delay` counts ticks
from when the fact was seen last to when it was needed, null where it never was; `targeted` says that a tainted
item is about the same subject and attribute."""

ILLEGAL: Mapping[str, Any] = {"world": pl.String, "agent": pl.String, "count": pl.Int64}


def needs(reading: Reading) -> pl.DataFrame:
    """Return one row a verdict, by (world, tick, agent)."""
    rows = []
    aims = {
        (p.notes["subject"], p.notes.get("attribute"))
        for p in (item.planted for item in reading.lineage.items.values())
        if p.tainted and "subject" in p.notes
    }
    for world, tick, agent, key in _keys(reading):
        session = reading.moment(world, tick).session
        for one in key.get("verdicts", ()):
            rows.append((world, tick, agent, session, *_row(one), (one["subject"], one["attribute"]) in aims))
    return pl.DataFrame(rows, schema=NEEDS, orient="row")


def _row(one: Mapping[str, Plain]) -> tuple[Plain, ...]:
    options, seen, needed = list(one["options"]), int(one["seen"]), int(one["needed"])
    place = options.index(one["truth"]) if one["truth"] in options else None
    return (
        one["need"], one["task"], one["subject"], one["attribute"], len(options), one["truth"], place, one["chosen"],
        bool(one["success"]), seen, needed, needed - seen if seen >= 0 else None, int(one["distractors"]),
        int(one["sessions"]), bool(one["verified"]),
    )  # fmt: skip


def illegal(reading: Reading) -> pl.DataFrame:
    """Return how many illegal actions each agent had tried at the end, of those whose environment counts them."""
    last = {(world, agent): int(key["illegal"]) for world, _, agent, key in _keys(reading) if "illegal" in key}
    return pl.DataFrame([(*who, count) for who, count in sorted(last.items())], schema=ILLEGAL, orient="row")


def _keys(reading: Reading) -> Iterator[tuple[str, int, str, Mapping[str, Plain]]]:
    for row in reading.worlds:
        for agent, key in sorted(row.keys.items()):
            if isinstance(key, Mapping):
                yield row.world, row.tick, agent, key
