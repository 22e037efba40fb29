"""The names that tables and figures use for columns, which no factor's column may have."""

from __future__ import annotations

from simonides.experiments.metrics import (
    aims,
    holdings,
    needs,
    persistence,
    probes,
    questions,
    reads,
    rulings,
    sessions,
    spending,
    spread,
    states,
)

OF_TABLES = frozenset().union(
    aims.AIMS, holdings.CONTAMINATION, holdings.MEMORY, needs.ILLEGAL, needs.NEEDS, persistence.DESCENT,
    persistence.DORMANCY, probes.SCHEMA, questions.SCHEMA, reads.READS, rulings.DOORS, rulings.RULINGS,
    sessions.SESSIONS, sessions.WRITES, spending.COST, spending.LATENCY, spending.TICKS, spread.CASCADE,
    spread.OUTBREAKS, spread.SPREAD, states.ITEMS, states.SCHEMA,
)  # fmt: skip
OF_RUNS = frozenset({"seed", "trial", "condition", "unit", "status", "digest", "metric", "part", "value"})
"""What stands beside them in the tables of a run, and its table of metrics."""
OF_FIGURES = frozenset({
    "estimate", "low", "high", "n", "series", "score", "share", "choice", "instead_of", "difference", "pairs", "weight",
    "copies", "category", "recall", "column",
})  # fmt: skip
"""What panels and figures name their own."""
RESERVED = OF_TABLES | OF_RUNS | OF_FIGURES
