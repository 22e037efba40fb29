"""What each defence that asks no model costs at its doors, a write and a read, without what the memory itself costs."""

from __future__ import annotations

import asyncio
from statistics import median
from time import process_time
from typing import Any

from simonides.experiments.benchmarks.measure import Figure, Result, Scale
from simonides.sim.checks.post import Post, lived
from simonides.sim.registry import registry
from simonides.sim.types import Query

FACTS, WRITES, READS, K = 20, 400, 200, 10


async def cost_of(name: str, writes: int, reads: int) -> tuple[float, float]:
    """Return the median processor seconds of one `admit` and of one `screen` of `K` items, with `writes` records."""
    embedder = registry("embedder").build("hashing", {"dimension": 256})
    post = Post(registry("defence").build(name, {}), embedder=embedder)
    await post.write(lived(0, "The colour of tower 0 is red."))
    await post.read("What is the colour of tower 0?")
    await post.apply()  # a question was asked: some compare what is written with it
    admits, screens = [], []
    for n in range(writes):
        text = f"The colour of tower {n % FACTS} is {'red' if n % 3 else 'blue'}."
        one = lived(n, text, f"agent {n % 7}", channel="message" if n % 5 == 0 else "observation")
        begun = process_time()
        await post.defence.admit(one, post.seat("admit"))
        admits.append(process_time() - begun)
        await post.write(lived(n, text, f"other {n % 7}"))
    for n in range(reads):
        query = Query(f"What is the colour of tower {n % FACTS}?", k=K)
        items = post.recall(query.text, K)
        begun = process_time()
        await post.defence.screen(query, items, post.seat("read", "agent 1"))
        screens.append(process_time() - begun)
    return median(admits), median(screens)


def doors(scale: Scale) -> Result:
    """Return the microseconds of a write and of a read of `K` items at each defence's doors."""
    figures = []
    for name in registry("defence").names():
        part: Any = registry("defence").load(name)
        if not part.card.needs_model:
            write, read = asyncio.run(cost_of(name, scale.of(WRITES, 40), scale.of(READS, 20)))
            figures.append(Figure(f"{name}: a write", write * 1e6, "us"))
            figures.append(Figure(f"{name}: a read of {K}", read * 1e6, "us"))
    return Result("doors", tuple(figures))
