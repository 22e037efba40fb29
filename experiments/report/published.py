"""Published results that are shown beside a run of the same benchmark, marked with what differs from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from simonides.experiments.metrics.cells import RunTables, means
from simonides.experiments.report.context import Panel

KINDS = ("single-hop", "multi-hop", "temporal", "open-domain", "adversarial")
CUTOFFS = (5, 10, 25)

LOCOMO_RAG = {
    5: ((53.3, 31.2, 35.4, 25.0, 21.5, 38.8), (68.0, 35.4, 70.4, 33.1, 43.9, 56.7)),
    10: ((56.9, 34.6, 34.5, 23.9, 17.5, 39.7), (77.7, 46.6, 77.3, 40.8, 54.7, 66.2)),
    25: ((59.9, 38.7, 37.2, 25.0, 12.8, 41.0), (87.1, 62.5, 83.5, 52.6, 66.3, 76.7)),
}
"""k -> (F1, recall@k) in percent by `KINDS` and overall: the rows "dialog" of the retrieval-augmented table of Maharana
et al. 2024, *Evaluating Very Long-Term Conversational Memory of LLM Agents*, release of ten conversations."""
LOCOMO_NAME = "LoCoMo paper, RAG"
LOCOMO_MARK = "other retriever (Dragon), other reader (gpt-3.5-turbo), all 10 conversations"


def published_beside(tables: RunTables) -> tuple[Panel, ...]:
    """Return the panels of published results that belong to a run's benchmark, if there are any."""
    if tables.study.environment.name != "locomo" or not tables.questions.height:
        return ()
    return (_recall(tables), _f1(tables))


def _recall(tables: RunTables) -> Panel:
    rows = [row for k in CUTOFFS for row in _ours(tables, f"recall_{k}", k)]
    rows += [(LOCOMO_NAME, k, *(value / 100 for value in LOCOMO_RAG[k][1])) for k in CUTOFFS]
    note = f"The paper's rows: {LOCOMO_MARK}; its recall counts a question without evidence as 1, ours leaves it out."
    return Panel(
        "published-recall", "How does evidence recall compare with the LoCoMo paper's?", note, None, _table(rows)
    )


def _f1(tables: RunTables) -> Panel:
    k = int(tables.study.policy.params.get("k", 10))
    rows = list(_ours(tables, "official_f1", k))
    rows += [(LOCOMO_NAME, cut, *(value / 100 for value in LOCOMO_RAG[cut][0])) for cut in CUTOFFS]
    note = (
        f"The paper's rows: {LOCOMO_MARK}. Its reader is a language model and ours cuts words out of what it recalled, "
        "so that only the differences between our own rows say something about memory."
    )
    return Panel("published-f1", "How do answers compare with the LoCoMo paper's?", note, None, _table(rows))


def _ours(tables: RunTables, column: str, k: int) -> Iterator[tuple[str | int | float | None, ...]]:
    overall = means(tables.questions, ["condition"], column)
    by_kind = means(tables.questions, ["condition", "kind"], column)
    known = {(row["condition"], row["kind"]): row["estimate"] for row in by_kind.iter_rows(named=True)}
    for row in overall.iter_rows(named=True):
        yield row["condition"], k, *(known.get((row["condition"], kind)) for kind in KINDS), row["estimate"]


def _table(rows: list[tuple[str | int | float | None, ...]]) -> pl.DataFrame:
    schema: dict[str, Any] = {"system": pl.String, "k": pl.Int64, **dict.fromkeys((*KINDS, "overall"), pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")
