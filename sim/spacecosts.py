"""What the operations of one space have cost, by the world and agent that caused them."""

from __future__ import annotations

from collections.abc import Mapping

from simonides.sim.budget import Spent
from simonides.sim.context import Usage
from simonides.sim.types import Place, Plain


class SpaceCosts:
    """Accounts of a space. Made when a model is first asked: most spaces never have any."""

    __slots__ = ("_spent",)

    def __init__(self, spent: Plain = ()) -> None:
        """`spent` is that of `plain`."""
        self._spent = {(world, agent): Spent(*counts) for world, agent, *counts in spent}

    def charge(self, place: Place, usage: Usage, joined: Mapping[str, int], left: Mapping[str, int]) -> None:
        """Add what an operation cost to the account of the agent that caused it.

        What no agent causes is charged to the first world, by name, that lived the tick: of the members in `joined`,
        those that are not in `left` with an earlier last tick.
        """
        world, agent = place.world, place.agent if place.agent != AFTER_AGENTS else ""
        if world not in joined:
            there = (m for m in sorted(joined) if left.get(m, place.tick) >= place.tick)
            world, agent = next((m for m in there if joined[m] <= place.tick), ""), ""
        spent = self._spent.setdefault((world, agent), Spent())
        spent.add(usage.calls, usage.prompt_tokens, usage.completion_tokens)

    def by(self, world: str) -> list[tuple[str, int, int, int]]:
        """Return (agent, calls, prompt tokens, completion tokens) that a world's operations have cost so far."""
        mine = [(agent, self._spent[name, agent]) for name, agent in sorted(self._spent) if name == world]
        return [(agent, one.calls, one.prompt_tokens, one.completion_tokens) for agent, one in mine]

    def plain(self) -> list[Plain]:
        """Return the accounts for a snapshot."""
        return [(*who, *one.plain()) for who, one in sorted(self._spent.items())]


AFTER_AGENTS = "\U0010ffff"
"""Stands for the world itself in an operation's place: sorts after every agent, so that a session's end comes last."""
