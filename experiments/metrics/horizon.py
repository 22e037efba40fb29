"""Metrics over long horizons: functions of a trial's tables, found by name in the registry of metrics.

Each says its formula; what does not apply to a trial has no value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from simonides.experiments.metrics.tables import TrialTables

Values = dict[str, float]
NAN = float("nan")
AGAIN = ("world", "agent", "subject", "attribute")
"""What makes two needs the same task, asked at two times."""


def dormancy_survival(tables: TrialTables) -> Values:
    """Return S(d), by d: the share of decisions and probes about a tainted item, d ends of sessions after it, that hit.

    `half-life` is the first d at which S is at most half of its first value; absent while it stays above.
    """
    by_since = tables.dormancy.filter("tainted").group_by("since").agg(pl.col("hit").mean()).sort("since")
    curve = {int(since): float(share) for since, share in by_since.iter_rows()}
    return {f"d={since}": share for since, share in curve.items()} | _half_life(curve)


def _half_life(curve: Mapping[int, float]) -> Values:
    first = next(iter(curve.values()), 0.0)
    fallen = [since for since, share in curve.items() if share <= first / 2]
    return {"half-life": float(fallen[0])} if first > 0 and fallen else {}


def success_by_session(tables: TrialTables) -> Values:
    """Return the least-squares slope of task success over the session's index, a session, and the last quartile's mean.

    The last quartile are the last ceil(n / 4) of the n sessions that decided anything.
    """
    by_session = tables.needs.group_by("session").agg(pl.col("success").mean()).sort("session")
    shares = by_session["success"].to_list()
    if not shares:
        return {}
    last = shares[-math.ceil(len(shares) / 4) :]
    return {"slope": slope(by_session["session"].to_list(), shares), "last quartile": sum(last) / len(last)}


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the least-squares slope of y over x; nan with fewer than two different x."""
    return float(np.polyfit(x, y, 1)[0]) if len(set(x)) > 1 else NAN


def retention(tables: TrialTables) -> Values:
    """Return task success by the number of facts of its kind (distractors and the fact itself), and interference.

    `interference` is success at the fewest facts less success at the most; absent where their number never varies.
    """
    facts = tables.needs.group_by("distractors").agg(pl.col("success").mean()).sort("distractors")
    shares = {int(count) + 1: float(share) for count, share in facts.iter_rows()}
    found = {f"{count} facts": share for count, share in shares.items()}
    few, many = min(shares, default=0), max(shares, default=0)
    return found | ({"interference": shares[few] - shares[many]} if len(shares) > 1 else {})


def experience_following(tables: TrialTables) -> Values:
    """Return the correlation of input and output similarity between tasks and the first records recalled for them.

    It is Pearson's, similarity the cosine of word counts (`metrics/reads.py`). Input: the query and the record. Output:
    what the agent does and what the record's experience did or, where it holds no action, the record. nan below three
    tasks, or where one of the two does not vary.
    """
    first = (
        tables.reads.filter(pl.col("rank") == 1).group_by("world", "agent", "need", "tick", maintain_order=True).last()
    )
    x, y = first["input_similarity"].to_list(), first["output_similarity"].to_list()
    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return {}
    return {"": float(np.corrcoef(x, y)[0, 1]), "tasks": float(len(x))}


def error_propagation(tables: TrialTables) -> Values:
    """Return P(error | the record was wrong) - P(error | it was right), with both shares and how many tasks each has.

    The record is the best ranked that gives a value for what is needed, when the need is last decided on.
    """
    judged = _first_saying(tables.reads)
    shares: Values = {}
    for name, wrong in (("after wrong", True), ("after right", False)):
        rows = judged.filter(pl.col("wrong") == wrong)
        if rows.height:
            shares |= {name: 1.0 - float(rows["success"].mean()), f"{name}, tasks": float(rows.height)}  # type: ignore[arg-type]
    if "after wrong" in shares and "after right" in shares:
        shares[""] = shares["after wrong"] - shares["after right"]
    return shares


def _first_saying(reads: pl.DataFrame) -> pl.DataFrame:
    """Return for each need the best ranked record that says something, of the last tick that recalled any."""
    saying = reads.filter(pl.col("wrong").is_not_null()).sort("tick", "rank", descending=[True, False])
    return saying.unique(["world", "agent", "need"], keep="first", maintain_order=True)


def backward_transfer(tables: TrialTables) -> Values:
    """Return mean_i(R_T,i - R_i,i): task i decided rightly when it is asked for the last time, less when for the first.

    Right is the true value, whatever came of it. Only tasks that are asked more than once count; `tasks` is how many.
    """
    asked = tables.needs.sort("needed", maintain_order=True).group_by(AGAIN, maintain_order=True)
    right = (pl.col("chosen") == pl.col("truth")).cast(pl.Float64)
    again = asked.agg(pl.len(), (right.last() - right.first()).alias("change")).filter(pl.col("len") > 1)
    if not again.height:
        return {}
    return {"": float(again["change"].mean()), "tasks": float(again.height)}  # type: ignore[arg-type]


def progress(tables: TrialTables) -> Values:
    """Return the mean share of a world's subtasks that reached their goal, and the share of worlds in which all did.

    Subtasks are the decisions of tasks whose stages need each other's outcomes; earlier ones asked again are none.
    """
    stages = tables.needs.filter(pl.col("task").str.starts_with("chain"))
    if not stages.height:
        return {}
    worlds = stages.group_by("world", maintain_order=True).agg(pl.col("success").mean())["success"]
    return {"subtasks": float(worlds.mean()), "full task": float((worlds == 1.0).mean())}  # type: ignore[arg-type]


def sharing(tables: TrialTables) -> Values:
    """Return cross-agent reuse (records of others recalled / records recalled), staleness and the conflict rate.

    Staleness is the mean number of versions that a space was behind at a read; the conflict rate the share of writes
    that changed a record which another write of the same tick had changed: with compare-and-swap, those that fail.
    """
    found: Values = {}
    if tables.reads.height:
        reads = tables.reads
        found = {"reuse": float(reads["others"].mean()), "staleness": float(reads["behind"].mean())}  # type: ignore[arg-type]
    writes = int(tables.writes["writes"].sum())
    return found | ({"conflict rate": float(tables.writes["conflicts"].sum()) / writes} if writes else {})


def contamination_by_descent(tables: TrialTables) -> Values:
    """Return how many records descend from an item at the end, on average: all items, tainted ones and benign ones.

    `peak` is the most that any tainted one had at the end of a session, `telling` those of the end that name its value.
    """
    if not tables.descent.height:
        return {}
    ends = tables.descent.group_by("item", maintain_order=True).last()
    bad = tables.descent.filter("tainted")
    parts = {"": ends, "tainted": ends.filter("tainted"), "benign": ends.filter(~pl.col("tainted"))}
    found = {name: float(rows["copies"].mean()) for name, rows in parts.items() if rows.height}  # type: ignore[arg-type]
    if bad.height:
        found |= {"peak": float(bad["copies"].max()), "telling": float(parts["tainted"]["telling"].mean())}  # type: ignore[arg-type]
    return found
