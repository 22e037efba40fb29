"""What the models of a run did, by the clock: calls, tokens a second, queues, cache hits, restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from simonides.sim.modeltimings import Sample, model_timings_by_process

SCHEMA: Mapping[str, Any] = {
    "model": pl.String, "where": pl.String, "asked": pl.Int64, "known": pl.Int64, "shared": pl.Int64,
    "prompt_tokens": pl.Int64, "reply_tokens": pl.Int64, "tokens_a_second": pl.Float64, "most_at_once": pl.Int64,
    "most_waiting": pl.Int64, "cache_hits": pl.Float64, "restarts": pl.Int64,
}  # fmt: skip
"""`where` is "process" (several are added up), "gate", or a replica. `known` requests were answered by the record,
`shared` ones waited for an identical one. `cache_hits` is the share of prompt tokens that the prefix cache held. What
a source does not tell is null."""

MOST = ("waiting", "most_at_once", "deaths")
"""Of these the highest counts; all others are counted anew by an engine that was started again, and add up."""

SAME = {
    "finished": "asked",
    "requests": "asked",
    "generated_tokens": "reply_tokens",
    "completion_tokens": "reply_tokens",
}
"""Engines' own names, told by a replica; beside the worlds the record counts the same itself."""


def serving(folder: Path) -> pl.DataFrame:
    """Return one row for each model and place of a run, with the columns of `SCHEMA`."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for samples in model_timings_by_process(folder):
        for place, own in _by_place(samples):
            found.setdefault(place, []).append(_summed(own))
    rows = [(model, where, *_columns(parts)) for (model, where), parts in sorted(found.items())]
    return pl.DataFrame(rows, schema=dict(SCHEMA), orient="row")


def _by_place(samples: Sequence[Sample]) -> Iterator[tuple[tuple[str, str], list[Sample]]]:
    places = dict.fromkeys((sample.identity, sample.source) for sample in samples)
    for place in places:
        yield place, [sample for sample in samples if (sample.identity, sample.source) == place]


def _summed(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what one source counted in one process's file, over its restarts: those who count less have begun anew."""
    totals: dict[str, float] = {}
    before: dict[str, float] = {}
    since, growing = 0.0, 0.0
    for sample in samples:
        told = {SAME.get(name, name): value for name, value in sample.counters.items()}
        most = {name: max(told[name], totals.get(name, 0.0)) for name in MOST if name in told}
        counters = {name: value for name, value in told.items() if name not in MOST}
        if any(value < before.get(name, 0.0) for name, value in counters.items()):
            before = {}
        grown = {name: value - before.get(name, 0.0) for name, value in counters.items()}
        if grown.get("reply_tokens"):
            growing += sample.seconds - since
        totals |= most | {name: totals.get(name, 0.0) + value for name, value in grown.items()}
        before, since = before | counters, sample.seconds
    return {"busy_seconds": growing, **totals}


def _columns(parts: Sequence[Mapping[str, float]]) -> tuple[float | int | None, ...]:
    def most(name: str) -> int | None:
        return max((int(part[name]) for part in parts if name in part), default=None)

    def total(*names: str) -> int | None:
        told = [part[name] for part in parts for name in names if name in part]
        return round(sum(told)) if told else None

    seconds, replies = sum(part["busy_seconds"] for part in parts), total("reply_tokens")
    hits, queries = total("prefix_hits"), total("prefix_queries")
    return (
        total("asked"), total("known"), total("shared"), total("asked_tokens") or total("prompt_tokens"), replies,
        replies / seconds if replies and seconds > 0 else None, most("most_at_once"), most("waiting"),
        hits / queries if hits is not None and queries else None, total("deaths"),
    )  # fmt: skip
