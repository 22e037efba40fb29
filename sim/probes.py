"""Questions asked of a copy: a policy as it stands at a tick, and what it would recall, and nothing is left behind.

A copy of the agent's policy is made from its snapshot and asked; its reads are the platform's own looks, which leave
neither effect nor row, its draws are made apart from all others, and its model calls count for nobody's budget. What it
says goes to rows of their own, which are no part of the trial's digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simonides.sim.codec import canonical, pack
from simonides.sim.context import Usage
from simonides.sim.errors import AccessRefused, Interrupted
from simonides.sim.exchange import PEEK, Read
from simonides.sim.probing import Probe
from simonides.sim.trace import PROBE
from simonides.sim.turns import Turn, look, merge, reads_of
from simonides.sim.types import Observation, Place, Plain, Query, Recall

if TYPE_CHECKING:
    from simonides.sim.world import World


class ProbeTurn(Turn):
    """What a copy of a policy is given: as a turn, but what it costs is its own, and it only looks."""

    __slots__ = ("usage", "within")

    def __init__(self, world: World, agent: str, n: int, within: str | None) -> None:
        super().__init__(world, agent)
        self.place = Place(world.tick, world.name, agent, PEEK + n)
        self.usage = Usage()
        self.within = within

    def charge(self, usage: Usage) -> None:
        """Count for the probe alone."""
        self.usage.merge(usage)

    async def recall(self, query: Query) -> Recall:
        """Look again. Raises AccessRefused when a named space may not be read."""
        (found,) = await self.look([query])
        if found.refused and not found.items:
            raise AccessRefused(found.refused)
        return found

    async def look(self, queries: Sequence[Query]) -> list[Recall]:
        """Return what each query would recall. Raises SpaceFailed."""
        asked = [replace(query, probe=True, space=self.within or query.space) for query in queries]
        parts: list[list[Recall]] = [[] for _ in queries]
        for read in reads_of(self.world, self.agent, asked):
            parts[read.n].append(await look(self.world, read, self.usage))
        return [merge(part, query.k) for part, query in zip(parts, queries, strict=True)]


class Probing:
    """The probes that are due in a world at its tick, with the policies as they stood when it began."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.due = [(n, probe, agents) for n, probe, agents in world.setup.probes if probe.due(world.tick)]
        asked = {agent for _, _, agents in self.due for agent in agents or ()} & set(world.environment.agents)
        self._policies = {agent: world.policies[agent].snapshot() for agent in sorted(asked)}

    async def ask(self, seen: Mapping[str, Observation]) -> None:
        """Ask them all, one after another, and write one row. Raises only what is no fault of a part."""
        rows = []
        for n, probe, agents in self.due:
            if agents is None:
                rows.append(await self._told(n, probe, "", None))
            else:
                rows += [await self._told(n, probe, a, seen[a]) for a in agents if a in self._policies and a in seen]
        if rows:
            self.world.trace.row(PROBE, self.world.name, self.world.tick, pack(rows))

    async def _told(self, n: int, probe: Probe, agent: str, seen: Observation | None) -> Plain:
        turn, key = ProbeTurn(self.world, agent, n, probe.space), self.world.progress.begin()
        found: list[Recall] = []
        value, text, notes, error = None, "", {}, ""
        try:
            if seen is None:
                found.append(await look(self.world, Read(str(probe.space), "", 0, _query(probe)), turn.usage))
            else:
                action = await self._decided(n, probe, agent, seen, turn, found)
                value, text, notes = action.value, action.text, dict(action.notes)
        except Interrupted:
            raise
        except (Exception, asyncio.CancelledError) as raised:
            if not isinstance(raised, Exception) and not self.world.progress.timed_out(key, raised):
                raise
            error = type(raised).__name__ if isinstance(raised, Exception) else TimeoutError.__name__
        finally:
            self.world.progress.end(key)
        items = [item for recall in found for item in recall.items]
        return (
            n, agent, probe.space or "", probe.text,
            [item.record_id for item in items], [float(item.score) + 0.0 for item in items],
            canonical(value), text, canonical(notes), error, turn.usage.plain(),
        )  # fmt: skip

    async def _decided(
        self, n: int, probe: Probe, agent: str, seen: Observation, turn: ProbeTurn, found: list[Recall]
    ) -> Any:
        """Return what a copy of an agent's policy does; `found` takes what it recalls."""
        (policy,) = self.world.setup.policies([agent]).values()
        policy.restore(self._policies[agent])
        kept = {name: seen.info[name] for name in ("session", "time") if name in seen.info}
        info = {**kept, **probe.told(f"probe-{n}")}
        shown = Observation(agent, self.world.name, self.world.tick, seen.time, probe.text, probe.text, info)
        found.extend(await turn.look(tuple(policy.queries(shown, turn))))
        return await policy.act(shown, list(found), turn)


def _query(probe: Probe) -> Query:
    return Query(probe.text, k=probe.k, probe=True)
