"""Drive every candidate map with an arm that is told the right road.

`python -m simonides.envs.driving.metadrive_check` prints the table from which docs/driving.md lists the maps that are
kept and those that are rejected.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from simonides.envs.driving import metadrive_world
from simonides.envs.driving.metadrive_maps import CANDIDATES
from simonides.envs.driving.ride import Order, Ride
from simonides.envs.driving.scene import Scene

NEEDED = 0.95
"""Share of drives that must reach the end of the road that they were told."""


@dataclass(frozen=True)
class Told:
    """How the drives on one map ended."""

    name: str
    reached: int
    drives: int
    reasons: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """That enough came through."""
        return self.drives > 0 and self.reached >= NEEDED * self.drives


def told(number: int, rides: int) -> Told:
    """Return how the told arm does on a candidate: `rides` to each of its roads, with one to four cars in turn."""
    chosen, reached, drives, reasons = CANDIDATES[number], 0, 0, set()
    for road in range(chosen.roads):
        others = tuple(other for other in range(chosen.roads) if other != road)
        for ride in range(rides):
            cars = tuple(f"car_{i}" for i in range(1 + ride % 4))
            scene = Scene(cars, "main", chosen.roads, "barrier", others, False, 0, 0, ride)
            driven = Ride(metadrive_world.MetaDriveWorld((number,)), scene)
            driven.drive(dict.fromkeys(cars, Order("on")))
            driven.drive(dict.fromkeys(cars, Order("take", road)))
            drives += len(cars)
            reached += sum(car.ending == "reached" for car in driven.cars.values())
            reasons |= {car.reason for car in driven.cars.values() if car.reason}
    return Told(chosen.name, reached, drives, tuple(sorted(reasons)))


def main(rides: int = 20) -> None:
    """Print the table in Markdown."""
    lines = ["| map | roads | reached | |", "|---|---|---|---|"]
    for number, chosen in enumerate(CANDIDATES):
        found = told(number, rides)
        verdict = "kept" if found.kept else f"rejected: {', '.join(found.reasons)}"
        lines.append(f"| {found.name} | {chosen.roads} | {found.reached} of {found.drives} | {verdict} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
