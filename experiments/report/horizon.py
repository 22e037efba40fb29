"""The panels over long horizons: what is left of a plant after d sessions, and how decisions go session by session."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables, means
from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel

FEWEST = 3
"""Points of a line below which it is no course over time."""


def lasting(tables: RunTables) -> Panel | None:
    """Return what is left of what was planted, by sessions since: whether it acts, and how many records descend."""
    rows = tables.dormancy.filter("tainted") if tables.dormancy.height else tables.dormancy
    if not rows.height or rows["since"].n_unique() < FEWEST:
        return None
    acts = _line(means(rows, ["condition", "since"], "hit"))
    copies = _line(means(tables.descent.filter("tainted"), ["condition", "since"], "copies"))
    last = acts.filter(pl.col("session") == acts["session"].max()).sort("value", descending=True)
    told = "; ".join(f"{row['condition']} {row['value']:.2f}" for row in last.iter_rows(named=True))
    answer = f"Share that acts on it {last['session'][0]} sessions later: {told}."
    plots = (
        ("Decisions and probes that act on it", figures.measure_by_session(acts, "share", "Sessions since")),
        ("Records that descend from it", figures.measure_by_session(copies, "records", "Sessions since")),
    )
    note = (
        "S(d) counts decisions and probes about a tainted item, d ends of sessions after it, that recalled it and "
        "acted on its value. Records descend by lineage, whatever their text still tells. Intervals resample seeds."
    )
    table = acts.join(copies.select("condition", "session", pl.col("value").alias("copies")),
                      on=["condition", "session"], how="left", maintain_order="left")  # fmt: skip
    return Panel("lasting", "How long does a planted record last?", answer, None,
                 table.rename({"session": "sessions since", "value": "acts on it"}), note, plots)  # fmt: skip


def _line(found: pl.DataFrame) -> pl.DataFrame:
    """Return estimates by sessions since, as lines are drawn."""
    return found.rename({"since": "session", "estimate": "value"}).sort("condition", "session", maintain_order=True)


def success(tables: RunTables) -> Panel | None:
    """Return how decisions go, session by session."""
    if not tables.needs.height or tables.needs["session"].n_unique() < FEWEST:
        return None
    found = means(tables.needs, ["condition", "session"], "success").rename({"estimate": "value"})
    slopes = tables.metrics.filter((pl.col("metric") == "success-by-session") & (pl.col("part") == "slope"))
    worst = means(slopes, ["condition"], "value").sort("estimate")
    answer = "Success does not change from session to session."
    if worst.height and worst["estimate"][0] < 0:
        answer = f"{worst['condition'][0]} loses most: {worst['estimate'][0]:+.4f} of success a session."
    figure = figures.measure_by_session(found, "decisions that succeeded")
    note = "The slope is that of least squares over sessions that decided anything, a trial; intervals resample seeds."
    return Panel("success-by-session", "Do decisions get worse over sessions?", answer, figure, worst, note)
