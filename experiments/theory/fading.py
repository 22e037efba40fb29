"""MemoryBank's forgetting as it runs, against the exponential that it promises."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from simonides.experiments.metrics.stats import Interval, wilson
from simonides.experiments.theory.forgetting import retention
from simonides.sim.checks.desk import DAY, START, Desk, experience
from simonides.sim.registry import registry
from simonides.sim.types import Effect

DAYS = (0.25, 0.5, 1.0, 2.0, 4.0)
STRENGTHS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Faded:
    """The share of records kept by one session's end, `days` after they were last recalled, and what theory says."""

    strength: int
    days: float
    kept: Interval
    theory: float

    @property
    def holds(self) -> bool:
        """Whether theory lies in the interval."""
        return self.kept.low <= self.theory <= self.kept.high


def faded(records: int, seed: int, level: float = 0.99) -> list[Faded]:
    """Let MemoryBank forget records of each strength after each of some days, with intervals of a level."""
    found = []
    for strength in STRENGTHS:
        for days in DAYS:
            kept = wilson(asyncio.run(_kept(records, strength, days, seed)), records, level)
            found.append(Faded(strength, days, kept, retention(days, strength)))
    return found


async def _kept(records: int, strength: int, days: float, seed: int) -> int:
    """Write records, recall each often enough for its strength, end a session days later, and count what is left."""
    desk = Desk(registry("memory").build("memorybank", {"chunk": 0}), seed=seed)
    for number in range(records):
        await desk.write(experience(number))
    for _ in range(strength - 1):
        await desk.absorb([Effect("recalled", record) for record in desk.records()])
    desk.time = START + days * DAY
    await desk.manage("session_end")
    return sum(record.channel == "observation" for record in desk.records().values())
