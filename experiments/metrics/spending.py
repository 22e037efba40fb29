"""Tables of what a trial cost by session: model calls, tokens, texts embedded, rewards, and seconds a tick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simonides.experiments.metrics.reading import Moment, Reading
from simonides.sim.context import Usage

COST: Mapping[str, Any] = {
    "part": pl.String, "name": pl.String, "session": pl.Int64, "asking": pl.Boolean, "ticks": pl.Int64,
    "calls": pl.Int64, "prompt_tokens": pl.Int64, "completion_tokens": pl.Int64, "malformed": pl.Int64,
    "embedded": pl.Int64,
}  # fmt: skip
"""`part` is "world" (its policies asked) or "space" (its memory system asked); `asking` tells the ticks of questions
from those before."""
TICKS: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "session": pl.Int64, "asking": pl.Boolean, "agents": pl.Int64,
    "reward": pl.Float64,
}  # fmt: skip
"""`reward` is the sum over the world's agents."""
LATENCY: Mapping[str, Any] = {
    "world": pl.String, "tick": pl.Int64, "session": pl.Int64, "asking": pl.Boolean, "seconds": pl.Float64,
    "recall": pl.Float64, "act": pl.Float64, "step": pl.Float64,
}  # fmt: skip
"""Wall seconds of a tick and of its three parts as measured where it ran; not part of the trace's digest."""


def cost(reading: Reading) -> pl.DataFrame:
    """Return usage by (part, name, session, asking), sums over ticks."""
    rows = [
        (part, name, moment.session, moment.asking, 1, use.calls, use.prompt_tokens, use.completion_tokens,
         use.malformed, use.embedded)
        for part, name, moment, use in _used(reading)
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=COST, orient="row")
    keys = ["part", "name", "session", "asking"]
    return table.group_by(keys).sum().sort(keys).select(list(COST))


def _used(reading: Reading) -> Iterator[tuple[str, str, Moment, Usage]]:
    for world in reading.worlds:
        yield "world", world.world, reading.moment(world.world, world.tick), world.usage
    for space in reading.spaces:
        yield "space", space.space, reading.moment_of(space), space.usage


def ticks(reading: Reading) -> pl.DataFrame:
    """Return one row a tick of a world, with its reward."""
    rows = []
    for world in reading.worlds:
        moment = reading.moment(world.world, world.tick)
        reward = sum(acted.reward for acted in world.actions.values())
        rows.append((world.world, world.tick, moment.session, moment.asking, len(world.actions), reward))
    return pl.DataFrame(rows, schema=TICKS, orient="row")


def latency(reading: Reading) -> pl.DataFrame:
    """Return wall times by (world, tick); of a tick that was lived again after a restart, the last."""
    last = {(world, tick): seconds for world, tick, seconds in reading.trace.timings()}
    rows = []
    for (world, tick), seconds in sorted(last.items()):
        moment = reading.moment(world, tick)
        rows.append((world, tick, moment.session, moment.asking, *seconds))
    return pl.DataFrame(rows, schema=LATENCY, orient="row")
