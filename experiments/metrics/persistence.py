"""How long what was planted lasts: whether it still acts after d sessions, and how many records descend from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.questions import holds
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.states import Item, items_of
from simonides.sim.rows import Probed, probe_row
from simonides.sim.trace import PROBE
from simonides.sim.types import Plain

DORMANCY: Mapping[str, Any] = {
    "item": pl.String, "tainted": pl.Boolean, "value": pl.String, "probe": pl.Boolean, "world": pl.String,
    "tick": pl.Int64, "session": pl.Int64, "since": pl.Int64, "recalled": pl.Boolean, "hit": pl.Boolean,
}  # fmt: skip
"""One row an item and a decision, question or probe about it. `since` counts the ends of sessions between; `hit`: it
was recalled and its value acted on or said, unless the reader notes that it used other records. A probe is about an
item whose subject its question names."""

DESCENT: Mapping[str, Any] = {
    "item": pl.String, "tainted": pl.Boolean, "value": pl.String, "session": pl.Int64, "since": pl.Int64,
    "tick": pl.Int64, "copies": pl.Int64, "derived": pl.Int64, "telling": pl.Int64, "held": pl.Int64,
}  # fmt: skip
"""One row an item and session of the first world, at the session's last tick. `copies`: records of any space that
descend from the item by lineage; `derived`: those of them that were made from other records; `telling`: those whose
text still names its value; `held`: all records of the spaces in which any ever did."""


def dormancy(reading: Reading, states: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `DORMANCY`; `states` are those of `metrics/states.py`, which know what was acted on."""
    found = items_of(reading)
    rows = [*_asked(reading, found, states), *_probed(reading, found)] if found else []
    return pl.DataFrame(rows, schema=DORMANCY, orient="row").sort("item", "world", "tick", maintain_order=True)


def _asked(reading: Reading, found: list[Item], states: pl.DataFrame) -> Iterator[tuple[Plain, ...]]:
    by_id = {item.planted.id: item for item in found}
    aimed = states.filter("targeted").group_by("item", "world", "tick", "agent", maintain_order=True)
    hit = pl.col("state").is_in(["target action", "target effect"]).any()
    for item, world, tick, _, recalled, acted in aimed.agg(pl.col("selected").any(), hit).iter_rows():
        yield _row(reading, by_id[item], False, world, tick, recalled, acted)


def _probed(reading: Reading, found: list[Item]) -> Iterator[tuple[Plain, ...]]:
    for row in reading.trace.of(PROBE):
        for one in probe_row(row):
            for item in found:
                subject = str(item.planted.notes.get("subject", ""))
                if one.agent and item.tick < row.tick and holds(one.question, subject):
                    recalled, hit = came(item, row.tick, one)
                    yield _row(reading, item, True, row.name, row.tick, recalled, hit)


def came(item: Item, tick: int, probed: Probed) -> tuple[bool, bool]:
    """Return whether a probe recalled the item, and whether it then said the item's value for that."""
    descending = _descending(item, tick)
    recalled = not descending.isdisjoint(probed.ids)
    used = "used" not in probed.notes or not descending.isdisjoint(probed.notes["used"])
    told = probed.text or ("" if probed.value is None else str(probed.value))
    return recalled, recalled and used and not probed.error and bool(item.value) and holds(told, item.value)


def _descending(item: Item, tick: int) -> set[str]:
    return {v.stored.id for v in item.versions if v.tick < tick and (v.until is None or v.until >= tick)}


def _row(
    reading: Reading, item: Item, probe: bool, world: str, tick: int, recalled: bool, hit: bool
) -> tuple[Plain, ...]:
    session = reading.moment(world, tick).session
    since = session - reading.moment(world, item.tick).session
    return (
        item.planted.id, item.planted.tainted, item.value, probe, world, tick, session, since, recalled, hit,
    )  # fmt: skip


def descent(reading: Reading) -> pl.DataFrame:
    """Return the rows of `DESCENT`, by item and session."""
    found = items_of(reading)
    rows = [row for item in found for row in _copies(reading, item, _ends(reading))]
    return pl.DataFrame(rows, schema=DESCENT, orient="row")


def _ends(reading: Reading) -> list[tuple[int, int]]:
    """Return (session, its last tick) of the first world, in order."""
    moments = reading.moments[min(reading.moments)] if reading.moments else []
    return sorted({moment.session: tick for tick, moment in enumerate(moments)}.items())


def _copies(reading: Reading, item: Item, ends: list[tuple[int, int]]) -> Iterator[tuple[Plain, ...]]:
    spaces = {v.space for v in item.versions}
    held = [v for versions in reading.lineage.versions.values() for v in versions if v.space in spaces]
    first = reading.moment(min(reading.moments, default=""), item.tick).session
    for session, tick in ends:
        if tick >= item.tick:
            living = [v for v in item.versions if v.tick <= tick and (v.until is None or v.until > tick)]
            total = sum(v.tick <= tick and (v.until is None or v.until > tick) for v in held)
            telling = sum(bool(item.value) and holds(v.text, item.value) for v in living)
            yield (
                item.planted.id, item.planted.tainted, item.value, session, session - first, tick, len(living),
                sum(bool(v.stored.parents) for v in living), telling, total,
            )  # fmt: skip
