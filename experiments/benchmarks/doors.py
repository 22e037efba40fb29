"""What each defence that asks no model costs at its doors: processor seconds a write and a read, without the memory's.

python -m simonides.experiments.benchmarks.doors
"""

from __future__ import annotations

import asyncio
import sys
from statistics import median
from time import process_time
from typing import Any

from simonides.sim.checks.post import Post, lived
from simonides.sim.registry import registry
from simonides.sim.types import Query

FACTS, WRITES, READS, K = 20, 400, 200, 10


async def cost_of(name: str) -> tuple[float, float]:
    """Return the median processor seconds of one `admit` and of one `screen` of `K` items, with `WRITES` records."""
    embedder = registry("embedder").build("hashing", {"dimension": 256})
    post = Post(registry("defence").build(name, {}), embedder=embedder)
    await post.write(lived(0, "The colour of tower 0 is red."))
    await post.read("What is the colour of tower 0?")
    await post.apply()  # a question was asked: some compare what is written with it
    admits, screens = [], []
    for n in range(WRITES):
        text = f"The colour of tower {n % FACTS} is {'red' if n % 3 else 'blue'}."
        one = lived(n, text, f"agent {n % 7}", channel="message" if n % 5 == 0 else "observation")
        begun = process_time()
        await post.defence.admit(one, post.seat("admit"))
        admits.append(process_time() - begun)
        await post.write(lived(n, text, f"other {n % 7}"))
    for n in range(READS):
        query = Query(f"What is the colour of tower {n % FACTS}?", k=K)
        items = post.recall(query.text, K)
        begun = process_time()
        await post.defence.screen(query, items, post.seat("read", "agent 1"))
        screens.append(process_time() - begun)
    return median(admits), median(screens)


def main() -> None:
    """Print a line a defence, in microseconds."""
    for name in registry("defence").names():
        part: Any = registry("defence").load(name)
        if not part.card.needs_model:
            write, read = asyncio.run(cost_of(name))
            sys.stdout.write(f"{name:24} {write * 1e6:8.0f} us a write {read * 1e6:8.0f} us a read of {K}\n")


if __name__ == "__main__":
    main()
