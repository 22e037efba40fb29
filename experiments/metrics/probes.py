"""The table of a trial's probes: what each copy was asked, recalled, and would have done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Reading
from simonides.sim.rows import probe_row
from simonides.sim.trace import PROBE

SCHEMA: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "session": pl.Int64, "probe": pl.Int64, "agent": pl.String,
    "space": pl.String, "question": pl.String, "recalled": pl.Int64, "tainted_recalled": pl.Int64,
    "control_recalled": pl.Int64, "said": pl.String, "why": pl.String, "error": pl.String,
}  # fmt: skip
"""`said` is the text of the action, or else its value; `why` what a scripted reader notes of its reason."""


def probes(reading: Reading) -> pl.DataFrame:
    """Return one row a probe and agent (or space), by (world, tick)."""
    rows = []
    for row in reading.trace.of(PROBE):
        for one in probe_row(row):
            said = one.text or ("" if one.value is None else str(one.value))
            bad = sum(reading.tainted(id, row.tick) for id in one.ids)
            fair = sum(reading.control(id, row.tick) for id in one.ids)
            session = reading.moment(row.name, row.tick).session
            why = str(one.notes.get("why", ""))
            rows.append(
                (row.name, row.tick, session, one.probe, one.agent, one.space, one.question, len(one.ids), bad, fair,
                 said, why, one.error)
            )  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
