"""Success on the decisions about what was planted, true or false, beside that on all others."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.questions import holds
from simonides.experiments.metrics.tables import TrialTables


def planted_success(tables: TrialTables) -> dict[str, float]:
    """Return the share of decisions that reached their goal: of those about what was planted or injected ("" over the
    whole trial, whether or not it ever got into a memory), and of the others ("others").

    Where anything is tainted, those that a tainted item is about; else those whose subject an honest text names, so
    that attacks and their controls are measured alike. {} where nothing was planted, or no decision is about it.
    """
    aimed = pl.col("targeted")
    if not tables.needs["targeted"].any():
        texts = tables.items["text"].to_list()
        subjects = [one for one in tables.needs["subject"].unique().to_list() if any(holds(t, one) for t in texts)]
        aimed = pl.col("subject").is_in(subjects)
    parts = {"": tables.needs.filter(aimed), "others": tables.needs.filter(~aimed)}
    if not parts[""].height:
        return {}
    return {name: float(rows["success"].mean()) for name, rows in parts.items() if rows.height}  # type: ignore[arg-type]
