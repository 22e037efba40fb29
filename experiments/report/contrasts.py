"""The panel of the outcome and contrast that a study declared before it ran."""

from __future__ import annotations

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.contrasts import Contrast, contrasts
from simonides.experiments.metrics.stats import CLAIM_SEEDS
from simonides.experiments.report.context import Panel

NOTE = (
    "The study file names outcome and contrast (`primary`), so before it ran. Differences are paired over seeds with a "
    "95 % bootstrap interval; p is corrected by Holm over this whole table. Rows that are not the declared contrast "
    "stand beside it. flips: the same contrast concludes otherwise (sign, or an interval with 0) at another rho."
)


def primary(tables: RunTables) -> Panel | None:
    """Return the declared contrasts; None where a study declares none."""
    found = contrasts(tables)
    declared = tables.study.primary
    if not found or declared is None:
        return None
    outcome = f"{declared.metric} {declared.part}".strip()
    mine = [one for one in found if one.primary]
    answer = " ".join(_told(one) for one in mine) or "The declared contrast was not measured in any seed."
    question = f"What does the declared outcome, {outcome}, say?"
    return Panel("primary", question, answer, None, _table(tables, found), NOTE)


def _told(one: Contrast) -> str:
    t = one.test
    interval = "too few seeds for an interval" if t.n < 2 else f"[{t.low:+.3f}, {t.high:+.3f}]"
    text = f"{one.level} against {one.against}: {t.difference:+.3f} {interval}"
    text += f" ({' · '.join(one.cell)})" if one.cell else ""
    text += f", {t.n} seeds exploratory ({CLAIM_SEEDS} make a claim)" if one.exploratory else f", {t.n} seeds"
    return text + (". It flips with rho." if one.flips else ".")


def _table(tables: RunTables, found: list[Contrast]) -> pl.DataFrame:
    varies = any(one.flips for one in found)
    rows = [
        {
            "condition": " · ".join(one.cell) or "all trials", "level": one.level, "against": one.against,
            "at level": one.means[0], "at the other": one.means[1], "difference": one.test.difference,
            "low": one.test.low, "high": one.test.high, "pairs": one.test.n, "p (Holm)": one.adjusted,
            "declared": "declared" if one.primary else "",
            **({"flips": "flips" if one.flips else ""} if varies else {}),
        }
        for one in found
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)
