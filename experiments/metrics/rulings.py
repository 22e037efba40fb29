"""What defences did: every ruling, and how many tainted and other things each door saw and stopped.

A ruling is about an experience (at the door, in quarantine, purged) or about a record that was left out of a recall.
What no defence stopped and no memory kept is `not admitted` in the table of items, and stands for nobody's success.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading
from simonides.sim.rows import SpaceRow
from simonides.sim.types import Plain

RULINGS: Mapping[str, Any] = {
    "space": pl.String, "tick": pl.Int64, "session": pl.Int64, "defence": pl.String, "door": pl.String,
    "verdict": pl.String, "subject": pl.String, "tainted": pl.Boolean, "reason": pl.String,
}  # fmt: skip
"""`subject` is the experience, or for the verdict "screen" the record, that it is about; "" for an audit's error."""

DOORS: Mapping[str, Any] = {
    "space": pl.String, "door": pl.String, "tainted_seen": pl.Int64, "tainted_stopped": pl.Int64,
    "benign_seen": pl.Int64, "benign_stopped": pl.Int64, "purged": pl.Int64, "errors": pl.Int64,
}  # fmt: skip
"""One row a space and door. Admit: experiences that came, and those that never got in (what quarantine released did).
Screen: recalled records, each time, those of probes left out. `purged` experiences had been in the store."""


def rulings(reading: Reading) -> pl.DataFrame:
    """Return one row a ruling, by (space, tick)."""
    rows = [one for row in reading.spaces for one in _rows(reading, row)]
    return pl.DataFrame(rows, schema=RULINGS, orient="row")


def _rows(reading: Reading, row: SpaceRow) -> Iterator[tuple[Plain, ...]]:
    session, tainted = reading.moment_of(row).session, reading.lineage.tainted
    for one in row.rulings:
        bad = one.experience in tainted
        yield (row.space, row.tick, session, one.defence, one.door, one.verdict, one.experience, bad, one.reason)
    for *_, effects in row.effects:
        for effect in effects:
            told = effect.data
            if effect.kind == "defence::screened":
                bad = reading.tainted(effect.record_id, row.tick)
                yield (row.space, row.tick, session, told["defence"], "screen", "screen", effect.record_id, bad, "")
            elif effect.kind == "defence::error":
                yield (row.space, row.tick, session, told["defence"], "screen", "error", "", False, told["error"])


def doors(reading: Reading, found: pl.DataFrame) -> pl.DataFrame:
    """Return what each door saw and stopped (`found` are the rows of `rulings`); nothing where no defence ruled."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    if found.height:
        _admissions(reading, found, counts)
        _screenings(reading, found, counts)
        for space, door, verdict in found.select("space", "door", "verdict").iter_rows():
            counts.setdefault((space, door), Counter())["purged"] += verdict == "purge"
            counts[space, door]["errors"] += verdict == "error"
    names = [name for name in DOORS if name not in ("space", "door")]
    rows = [(*key, *(count[name] for name in names)) for key, count in sorted(counts.items())]
    return pl.DataFrame(rows, schema=DOORS, orient="row")


def _admissions(reading: Reading, found: pl.DataFrame, counts: dict[tuple[str, str], Counter[str]]) -> None:
    stopped = found.filter(pl.col("door") == "admit", pl.col("verdict").is_in(["refuse", "hold", "error"]))
    out = set(stopped.select("space", "subject").iter_rows())
    for row in reading.spaces:
        got_in = {op.experience for op in row.operations if op.kind in ("write", "plant", "release")}
        out -= {(row.space, one) for one in got_in}
        for one in got_in:
            _count(counts, row.space, "admit", "seen", one in reading.lineage.tainted)
    for space, one in out:
        _count(counts, space, "admit", "seen", one in reading.lineage.tainted)
        _count(counts, space, "admit", "stopped", one in reading.lineage.tainted)


def _screenings(reading: Reading, found: pl.DataFrame, counts: dict[tuple[str, str], Counter[str]]) -> None:
    for space, bad in found.filter(verdict="screen").select("space", "tainted").iter_rows():
        _count(counts, space, "screen", "seen", bad)
        _count(counts, space, "screen", "stopped", bad)
    for row in reading.worlds:
        for query in row.asked:
            for id in () if query.probe else query.ids:
                version = reading.version(id, row.tick)
                if version is not None:
                    _count(counts, version.space, "screen", "seen", reading.tainted(id, row.tick))


def _count(counts: dict[tuple[str, str], Counter[str]], space: str, door: str, what: str, bad: bool) -> None:
    counts.setdefault((space, door), Counter())[f"{'tainted' if bad else 'benign'}_{what}"] += 1
