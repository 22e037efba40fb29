"""Word what a driver sees, may do and is asked, and what became of a leg."""

from __future__ import annotations

from typing import Any

from simonides.envs.driving.facts import GRAMMAR, Task
from simonides.envs.driving.ride import Order, Progress
from simonides.envs.driving.trips import Site, Trip
from simonides.sim.needs import Need

WAIT, ON, FIRST = 0, 1, 2
"""Actions: wait, drive on, and from there the choices at a junction, in the order of its roads."""
GO, GIVE_WAY = "go first", "give way"


def choices(site: Site, task: Task) -> dict[str, Order]:
    """Return the choices at a junction, by name, in the order of their actions."""
    if task.rival:
        return {GO: Order("take", 0), GIVE_WAY: Order("give way", 0)}
    return {f"take {road}": Order("take", branch) for branch, road in enumerate(site.roads)}


def acted_on(site: Site, task: Task, order: Order) -> str:
    """Return the value that one who gives this order acts on."""
    if task.rival:
        return site.roads[0] if order.kind == "take" else site.crossing
    return site.roads[order.branch]


def legal(site: Site, task: Task, at_line: bool) -> list[dict[str, Any]]:
    """Return the legal actions of who drives."""
    names = list(choices(site, task)) if at_line else []
    listed = [{"text": name, "value": FIRST + i} for i, name in enumerate(names)]
    return [*(listed or [{"text": "drive on", "value": ON}]), {"text": "wait", "value": WAIT}]


def need(site: Site, task: Task, name: str) -> Need:
    """Return the need of who stands before a junction."""
    named = {acted_on(site, task, order): text for text, order in choices(site, task).items()}
    plan = {value: named[value] for value in site.values}
    return Need(name, task.question.format(site.name), site.name, task.attribute, site.values, plan, GRAMMAR)


def approaching(site: Site, task: Task, trip: Trip, cross: bool, at_line: bool) -> str:
    """Return where a driver is, in words."""
    if cross:
        return f"You drive to {trip.goal}. On {site.crossing} you will pass {site.name}."
    if not at_line:
        return f"You drive to {trip.goal}, and come towards {site.name}."
    if task.rival:
        return (f"You stand on {site.roads[0]} before {site.name}. Snow lies on the signs. A car waits on "
                f"{site.crossing}. {task.question.format(site.name)}")  # fmt: skip
    roads = ", ".join(site.roads)
    return f"You stand before {site.name}. From here lead: {roads}. {task.question.format(site.name)}"


def ended(site: Site, task: Task, car: Progress, cross: bool, right: bool) -> str:
    """Return what became of a leg, in words."""
    if cross:
        return f"You passed {site.name}." if car.ending == "reached" else f"You did not get to {site.name}."
    road = site.roads[max(car.branch, 0)]
    if car.ending == "crash":
        return f"You crashed at {site.name}." if task.rival else f"You crashed on {road}."
    if car.ending == "blocked":
        return f"Something stood in the way on {road}, and you gave up."
    if car.ending == "late":
        return f"You came too late past {site.name}."
    if task.attribute == "way" and not right:
        return f"{road} led elsewhere, and you had to turn back."
    return f"You came through {site.name} by {road}."
