"""The table of a trial's questions: what was answered, what was recalled for it, and what a planted falsehood did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from simonides.experiments.metrics.locomo import CATEGORIES, evidence_recall, normalise, official_f1, set_f1
from simonides.experiments.metrics.longmemeval import dcg
from simonides.experiments.metrics.reading import Reading, asked
from simonides.sim.rows import Asked, WorldRow
from simonides.sim.types import Plain

CUTOFFS = (1, 5, 10, 25)
PLAIN_RULE = 4
"""LoCoMo's single-hop rule, which also scores what LoCoMo does not have: knowledge updates, and other worlds."""

SCHEMA: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "agent": pl.String, "question": pl.String, "category": pl.Int64,
    "kind": pl.String, "heard": pl.Boolean, "reach": pl.String, "text": pl.String, "answer": pl.String,
    "response": pl.String, "official_f1": pl.Float64, "set_f1": pl.Float64, "evidence": pl.List(pl.String),
    "recalled": pl.List(pl.String), "records": pl.Int64,
    **{f"recall_{k}": pl.Float64 for k in CUTOFFS}, **{f"ndcg_{k}": pl.Float64 for k in CUTOFFS},
    "targeted": pl.Boolean, "false_value": pl.String, "repeats_false": pl.Boolean, "tainted_recalled": pl.Boolean,
}  # fmt: skip
"""`recalled` are the references behind the recalled records, each at its best rank; `records` counts the records.
`recall_k` and `ndcg_k` look at the first k records and are null when fewer than k were asked for, or when a question
has no evidence (which LoCoMo's rule counts as 1). `targeted`: a planted falsehood is about this question; only then
is `repeats_false` known."""


def questions(reading: Reading) -> pl.DataFrame:
    """Return one row a question, by (world, tick, agent), with the columns of `SCHEMA`.

    Scores are LoCoMo's: `official_f1` by the rule of the question's category, with the single-hop rule for categories
    that LoCoMo does not have; `evidence_recall` at k records; NDCG with LongMemEval's weights.
    """
    targets = list(_targets(reading))
    rows = [
        _row(reading, world, agent, key, targets) for world in reading.worlds for agent, key in asked(world).items()
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _targets(reading: Reading) -> Iterator[Mapping[str, Plain]]:
    """Yield the notes of every tainted item that says which questions it is about."""
    told = (item.planted for item in reading.lineage.items.values())
    yield from (p.notes for p in told if p.tainted and p.notes.get("questions"))


def _row(
    reading: Reading, world: WorldRow, agent: str, key: Mapping[str, Plain], targets: Sequence[Mapping[str, Plain]]
) -> tuple[Plain, ...]:
    category, answer = int(key.get("category", 0)), str(key.get("answer", ""))
    question = str(key.get("id", f"{world.world}/{agent}/{world.tick}"))
    response = world.actions[agent].text or str(world.actions[agent].value)
    evidence = [str(ref) for ref in key.get("evidence", ())]
    reads = [one for one in world.asked if one.agent == agent]
    records = [record for one in reads for record in one.ids]
    found = [reading.refs(record, world.tick) for record in records]
    false = next((str(t["value"]) for t in targets if _is_about(t, question, answer)), None)
    return (
        world.world, world.tick, agent, question, category, str(key.get("kind", "")), bool(key.get("heard", True)),
        str(key.get("reach", "")), str(key.get("text", "")), answer, response,
        official_f1(category if category in CATEGORIES else PLAIN_RULE, answer, response),
        set_f1(answer, response) if answer else None, evidence,
        list(dict.fromkeys(ref for refs in found for ref in refs)), len(records),
        *(recall_at(evidence, found, k) if _measured(reads, k) else None for k in CUTOFFS),
        *(ndcg_at(evidence, found, k) if _measured(reads, k) else None for k in CUTOFFS),
        false is not None, false, None if false is None else holds(response, false),
        any(reading.tainted(record, world.tick) for record in records),
    )  # fmt: skip


def _is_about(notes: Mapping[str, Plain], question: str, answer: str) -> bool:
    # Worlds number their questions alike, so that the id alone could be another world's.
    return question in notes["questions"] and str(notes.get("truth", answer)) == answer


def _measured(reads: Sequence[Asked], k: int) -> bool:
    return any(one.k is None or one.k >= k for one in reads)


def recall_at(evidence: Sequence[str], found: Sequence[Sequence[str]], k: int) -> float | None:
    """Return the share of the evidence behind the first k records, `found[i]` being the references behind record i.

    For memories of single turns this is LoCoMo's recall@k; a record made of several turns brings all of them. None
    without evidence.
    """
    if not evidence:
        return None
    return evidence_recall(evidence, [ref for refs in found[:k] for ref in refs])


def ndcg_at(evidence: Sequence[str], found: Sequence[Sequence[str]], k: int) -> float | None:
    """Return binary NDCG of the first k records: one gains 1 if it brings evidence that none before it brought.

    Weights are LongMemEval's (ranks 1 and 2 alike); the ideal brings one new piece of evidence a record. None without
    evidence.
    """
    if not evidence:
        return None
    missing, gains = set(evidence), []
    for refs in found[:k]:
        gains.append(float(not missing.isdisjoint(refs)))
        missing.difference_update(refs)
    return dcg(gains) / dcg([1.0] * min(len(set(evidence)), k))


def holds(response: str, value: str) -> bool:
    """Return True when a response has the words of `value` in a row, both normalised as LoCoMo's scorer does."""
    wanted = normalise(value)
    return bool(wanted) and f" {wanted} " in f" {normalise(response)} "
