"""Time alternatives in turns within one run, and hold what was found as figures with their aims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter, process_time


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a unit: by the clock, and of this process's processors."""

    wall: float
    cpu: float

    def each(self, units: float) -> Timing:
        """Return the seconds of one of so many units of work."""
        return Timing(self.wall / units, self.cpu / units)


Load = Callable[[], Timing]
"""Does some work and says how long a unit of it took, with what it had to prepare left out."""


def clocked(work: Callable[[], object]) -> Timing:
    """Return how long one call takes."""
    cpu, wall = process_time(), perf_counter()
    work()
    return Timing(perf_counter() - wall, process_time() - cpu)


def total(timings: Iterable[Timing]) -> Timing:
    """Return the sum of several timings."""
    found = list(timings)
    return Timing(sum(t.wall for t in found), sum(t.cpu for t in found))


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `met` says whether it meets its aim; None without an aim."""

    name: str
    value: float
    unit: str
    aim: str = ""
    met: bool | None = None

    @classmethod
    def at_least(cls, name: str, value: float, aim: float, unit: str = "x") -> Figure:
        """Return a figure whose aim is a lower bound."""
        return cls(name, value, unit, f">= {aim:g}", value >= aim)

    @classmethod
    def at_most(cls, name: str, value: float, aim: float, unit: str) -> Figure:
        """Return a figure whose aim is an upper bound."""
        return cls(name, value, unit, f"<= {aim:g}", value <= aim)


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found, or why it was skipped."""

    name: str
    figures: tuple[Figure, ...] = ()
    skipped: str = ""

    def plain(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much work a run does: `full` for figures that are reported, `quick` for a look that takes seconds."""

    repeats: int
    factor: float

    def of(self, amount: int, least: int = 1) -> int:
        """Return an amount of work at this scale."""
        return max(least, int(amount * self.factor))


FULL = Scale(5, 1.0)
QUICK = Scale(3, 0.1)


def in_turns(loads: Mapping[str, Load], repeats: int) -> dict[str, Timing]:
    """Run every load `repeats` times, one after another each time; return each one's median seconds a unit.

    Taking turns makes a busy machine slow them all alike, so that their ratios keep their meaning.
    """
    found: dict[str, list[Timing]] = {name: [] for name in loads}
    for _ in range(repeats):
        for name, load in loads.items():
            found[name].append(load())
    return {
        name: Timing(median(t.wall for t in timings), median(t.cpu for t in timings)) for name, timings in found.items()
    }
