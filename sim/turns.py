"""One agent's tick: what it sees, what it is given to decide with, and the ways from its queries to their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel

from simonides.sim.context import Services, Usage, count_tokens
from simonides.sim.errors import AccessRefused, SpaceFailed
from simonides.sim.exchange import PEEK, Batch, Read, Refusal, Reply
from simonides.sim.seeds import generator, place_seed, seed_of
from simonides.sim.types import (
    Action,
    Asked,
    Completion,
    Observation,
    Place,
    Plain,
    Query,
    Recall,
    Recalled,
    Request,
)

if TYPE_CHECKING:
    from simonides.sim.world import World

Parsed = TypeVar("Parsed", bound=BaseModel)


class Turn:
    """What one policy is given at one tick; implements `PolicyContext`."""

    __slots__ = ("_asked", "agent", "hops", "place", "refused", "world")

    def __init__(self, world: World, agent: str) -> None:
        self.world = world
        self.agent = agent
        self.place = Place(world.tick, world.name, agent)
        self.hops: list[tuple[int, Query, Recall]] = []
        self.refused: list[str] = []
        self._asked = 0

    @property
    def rng(self) -> np.random.Generator:
        """A generator for this agent at this tick."""
        return generator(place_seed(self.world.setup.seed, "policy", self.agent, "act", self.place))

    @property
    def peers(self) -> tuple[str, ...]:
        """The other agents that are in this world now, in its order."""
        return tuple(agent for agent in self.world.environment.agents if agent != self.agent)

    def tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return count_tokens(text)

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Parsed]) -> Parsed | None:
        """Return the model's parsed reply, or None when it is unusable."""
        return (await self.ask(purpose, inputs, schema)).value

    async def ask(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Parsed]) -> Asked[Parsed]:
        """Return the model's reply with its text and, when it is unusable, what is wrong with it."""
        usage = Usage()
        asked = await self._services.ask(purpose, inputs, schema, self._drawn(purpose), self._caller, usage)
        self.charge(usage)
        return asked

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order."""
        seeds, usage = [self._drawn(request.purpose) for request in requests], Usage()
        completions = await self._services.complete(requests, seeds, self._caller, usage)
        self.charge(usage)
        return completions

    def charge(self, usage: Usage) -> None:
        """Count what a call has cost."""
        self.world.charge(self.agent, usage)

    @property
    def _services(self) -> Services:
        account, services = self.world.account, self.world.services
        return services.without_model if account is not None and account.is_muted(self.agent) else services

    @property
    def _caller(self) -> str:
        return f"{self.world.name}/{self.agent}"

    def _drawn(self, purpose: str) -> int:
        """Return the seed of this turn's next call."""
        self._asked += 1
        return seed_of(place_seed(self.world.setup.seed, purpose, self.agent, "ask", self.place), self._asked)

    async def recall(self, query: Query) -> Recall:
        """Ask again within the same tick. Raises AccessRefused when a named space may not be read."""
        hop = len(self.hops) + 1
        recall = await recall_of(self.world, self.agent, hop, query)
        self.hops.append((hop, query, recall))
        if recall.refused and not recall.items:
            raise AccessRefused(recall.refused)
        return recall


async def recall_of(world: World, agent: str, hop: int, query: Query) -> Recall:
    """Ask one query in a further hop, from every space that it names or that the agent may read."""
    parts: list[Recall] = []
    reads: dict[int, list[Read]] = {}
    for read in reads_of(world, agent, [query]):
        port = world.port_of(read.space)
        if port is None:
            parts.append(no_way(world, agent, read.space))
        else:
            reads.setdefault(port.index, []).append(read)
    for index, some in reads.items():
        tick, reads_of_hop = world.tick, tuple(some)
        batch = Batch(
            world.name, tick, hop, agent, world.time, (), reads_of_hop, durable=world.durable, muted=world.muted
        )
        reply = answered(await world.ports[index].exchange(batch))
        for reader, counts in reply.used:
            world.charge(reader, Usage(*counts))
        parts.extend(reply.recalls)
    return merge(parts, query.k)


async def look(world: World, read: Read, usage: Usage) -> Recall:
    """Read a space as the platform: no effect and no row. Raises SpaceFailed."""
    port = world.port_of(read.space)
    if port is None:
        return Recall(refused=f"{world.name} is no member of {read.space}")
    hop = PEEK + world.peeks()
    batch = Batch(
        world.name, world.tick, hop, read.agent, world.time, (), (read,), durable=world.durable, muted=world.muted
    )
    reply = await port.exchange(batch)
    if reply.failure is not None:
        raise SpaceFailed(*reply.failure)
    for _, counts in reply.used:
        usage.merge(Usage(*counts))
    return reply.recalls[0]


def reads_of(world: World, agent: str, queries: Sequence[Query]) -> list[Read]:
    """Return the reads of one agent's queries: one for each space that a query names or that the agent may read."""
    routes = world.setup.routes if world.interference is None else world.routes(world.tick - world.setup.stride)
    return [
        Read(space, agent, n, query)
        for n, query in enumerate(queries)
        for space in ((query.space,) if query.space is not None else routes[agent].reads)
    ]


def no_way(world: World, agent: str, space: str) -> Recall:
    """Return the refusal of a space that this world is no member of, and note it for the trace."""
    world.refusals.append(Refusal(space, agent, "read"))
    return Recall(refused=f"{agent} may not read {space}")


def answered(reply: Reply) -> Reply:
    """Return a reply. Raises SpaceFailed(space, phase, class) when it tells of a failed space."""
    if reply.failure is not None:
        raise SpaceFailed(*reply.failure)
    return reply


def merge(parts: Sequence[Recall], k: int | None) -> Recall:
    """Return one recall from those of several spaces: best score first, newer before older, equal texts once.

    A single space's answer keeps its own order.
    """
    if len(parts) == 1:
        return parts[0]
    seen: set[str] = set()
    items: list[Recalled] = []
    for item in sorted((item for part in parts for item in part.items), key=lambda i: (-i.score, -i.time, i.record_id)):
        if item.text not in seen:
            seen.add(item.text)
            items.append(item)
    refused = "; ".join(part.refused for part in parts if part.refused)
    return Recall(tuple(items[:k] if k is not None else items), (), refused)


def observe(world: World, agent: str) -> tuple[Observation, Plain]:
    """Return what an agent sees now, and apart from it the environment's answer key, which policies never see."""
    raw, told = world.observations[agent], world.infos.get(agent)
    text = raw if isinstance(raw, str) else ""
    if not told:
        return Observation(agent, world.name, world.tick, float(world.time), text, raw, {}), None
    info = dict(told)
    key = info.pop("answer_key", None)
    text, time = info.get("text", text), float(info.get("time", world.time))
    return Observation(agent, world.name, world.tick, time, text, raw, info), key


async def gather_actions(
    world: World, seen: Mapping[str, Observation], recalls: Mapping[str, Sequence[Recall]], turns: Mapping[str, Turn]
) -> dict[str, Action]:
    """Return every agent's action, in agent order; policies that wait (for a model, for a hop) do so concurrently."""
    policies = world.policies
    if len(seen) > 1 and any(world.concurrent[agent] for agent in seen):
        jobs = [policies[agent].act(observation, recalls[agent], turns[agent]) for agent, observation in seen.items()]
        return dict(zip(seen, await asyncio.gather(*jobs), strict=True))
    actions = {}
    for agent, observation in seen.items():
        actions[agent] = await policies[agent].act(observation, recalls[agent], turns[agent])
    return actions
