"""The panel on memory tasks: what a reader that recalls gains over one that does not."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.gap import FULL, NONE, REMOVED, Gap, gaps
from simonides.experiments.report import figures
from simonides.experiments.report.context import Panel

NOTE = (
    "Two readers that differ only in recall, and one that recalls but was never told the fact. Memory decides a task "
    "when the lower end of full memory's 95 % interval is at least 0.85, and no memory is at most 0.10 above chance, "
    "no better than the best constant guess, and no worse than the reader whose fact was removed."
)


def memory_gap(tables: RunTables) -> Panel | None:
    """Return the memory gap of each task, for runs that have arms with full memory and without."""
    found = gaps(tables)
    if not found:
        return None
    decided = sum(not one.faults for one in found)
    answer = f"Memory decides {decided} of {len(found)} tasks; the mean gap is {_mean_gap(found):+.2f}."
    bars = [row for one in found for row in _bars(one)]
    figure = figures.score_by_condition(pl.DataFrame(bars), "decisions that succeeded")
    return Panel("memory-gap", "Does memory decide?", answer, figure, pl.DataFrame(map(_row, found)), NOTE)


def _mean_gap(found: list[Gap]) -> float:
    return sum(one.gap for one in found) / len(found)


def _bars(one: Gap) -> list[dict[str, object]]:
    shares = {name: one.arms[name].share for name in (FULL, NONE, REMOVED) if name in one.arms}
    return [
        {"condition": " · ".join(one.labels), "series": name, "score": share.estimate, "low": share.low,
         "high": share.high, "needs": share.n}
        for name, share in shares.items()
    ]  # fmt: skip


def _row(one: Gap) -> dict[str, object]:
    shares = {name: one.arms[name].share.estimate if name in one.arms else None for name in (FULL, NONE, REMOVED)}
    return {
        "task": " · ".join(one.labels), "needs": one.arms[FULL].needs, "seeds": one.seeds, "chance": one.chance,
        "constant guess": one.constant, **shares, "gap": one.gap, "memory decides": "; ".join(one.faults) or "yes",
    }  # fmt: skip
