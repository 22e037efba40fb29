"""One running environment with its agents: holds what the loop needs between ticks, saves it, and tells failures.

It knows neither where it runs nor where its spaces are: each port takes a batch and returns a reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from simonides.sim.budget import Account
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.codec import canonical, decode, pack
from simonides.sim.context import Services, Usage, count_tokens
from simonides.sim.errors import AccessRefused, CorruptFile, PartFailed, SpaceFailed
from simonides.sim.exchange import Batch, Read, Refusal, Reply, Write
from simonides.sim.host import SpaceHost
from simonides.sim.hung import TIMEOUT, InProgress
from simonides.sim.interfering import Interference, Schedule
from simonides.sim.protocols import Environment, Policy
from simonides.sim.seeds import generator, place_seed, seed_of
from simonides.sim.trace import WORLD, WORLD_CUT, WORLD_FAILED, TraceWriter
from simonides.sim.types import (
    Action,
    Asked,
    Completion,
    Experience,
    Failure,
    ModelCard,
    Observation,
    Place,
    Plain,
    Query,
    Recall,
    Recalled,
    Request,
)

Parsed = TypeVar("Parsed", bound=BaseModel)
Exchange = Callable[[Batch], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """The spaces of one agent, by name, in order: those it reads and those it writes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(slots=True)
class Port:
    """The way to one host of spaces, and what is to be sent there with the next exchange."""

    index: int
    exchange: Exchange
    spaces: frozenset[str]
    outbox: list[Write] = field(default_factory=list)
    sent: int = -1
    """The latest tick whose hop 0 was sent."""


@dataclass(frozen=True, slots=True)
class WorldSetup:
    """A world before it runs: its name, when it joins, how long it lives at most, and its parts.

    `stride` is the number of ticks from one of its steps to the next: 1, or `ticks_per_round` for a parallel world that
    shares a space with a turn-based one.
    """

    name: str
    environment: Callable[[], Environment]
    policies: Callable[[Sequence[str]], Mapping[str, Policy]]
    routes: Mapping[str, Route]
    seed: int
    join: int = 0
    ticks: int = 1 << 40
    checkpoint_every: int = 0
    stride: int = 1
    account: Callable[[ModelCard], Account] | None = None
    """Makes the world's account, where the study has a budget."""
    ledger: str | None = None
    """The space in which the trial's calls are counted, where worlds must know what others spend."""
    pause: int | None = None
    """The tick at which it saves itself and stops without leaving, so that another trial goes on from there."""
    schedule: Schedule = field(default_factory=Schedule)
    """What the study changes here while it runs."""


@dataclass(frozen=True, slots=True)
class WorldResult:
    """How a world ended: the ticks it lived, and its failure if any, with a line for people.

    `cut` says which budget ended it; `timed` that a limit in seconds was reached, as no other run will.
    """

    name: str
    ticks: int
    failure: Failure | None = None
    text: str = ""
    cut: str = ""
    timed: bool = False


class World:
    """An environment and its policies, between ticks."""

    def __init__(
        self,
        setup: WorldSetup,
        ports: Sequence[Port],
        services: Services,
        trace: TraceWriter,
        store: CheckpointStore | None = None,
        local: SpaceHost | None = None,
    ) -> None:
        self.setup = setup
        self.name = setup.name
        self.ports = ports
        self.services = services
        self.trace = trace
        self.store = store
        self.local = local
        self.own = ports[-1] if local is not None else None
        """The port to the co-located spaces, if there are any: always the last."""
        self.tick = setup.join
        self.durable = setup.join
        self.time = 0.0
        self.session_end = False
        self.done = False
        self.usage = Usage()
        self.actions: list[Plain] = []
        """Of an environment that cannot be saved: each step's actions, and [method, agent] for who came or went."""
        self.phase = "start"
        self.result: WorldResult | None = None
        self.refusals: list[Refusal] = []
        self.progress = InProgress()
        self.deciding = -1
        """Key of this tick's decisions in `progress`."""
        self._where = {space: port for port in ports for space in port.spaces}
        self.account: Account | None = None
        if setup.account is not None and services.model is not None:
            self.account = setup.account(services.model.card)
        self.interference = Interference(setup.schedule) if setup.schedule.any else None
        self._peeks = 0
        self.began = monotonic()
        self.timed = False
        """True when a limit in seconds was reached: another run may reach it elsewhere."""
        self.environment = setup.environment()
        self.saves = hasattr(self.environment, "snapshot") and hasattr(self.environment, "restore")
        self.policies = setup.policies(self.environment.possible_agents)
        self.concurrent = {agent: bool(getattr(p, "waits", True)) for agent, p in self.policies.items()}
        self.observations: dict[str, Any] = {}
        self.infos: dict[str, Any] = {}

    @property
    def lives(self) -> bool:
        """True while there is a tick to live."""
        return bool(self.environment.agents) and self.tick < self.setup.join + self.setup.ticks

    @property
    def paused(self) -> bool:
        """True from the tick on at which another trial is to go on in this one's place."""
        return self.setup.pause is not None and self.tick >= self.setup.pause

    def port_of(self, space: str) -> Port | None:
        """Return the port to a space, or None for one that this world is no member of."""
        return self._where.get(space)

    def routes(self, tick: int) -> Mapping[str, Route]:
        """Return which spaces each agent reads and writes by the wiring of a tick."""
        first = self.setup.routes
        return first if self.interference is None else self.interference.routes(first, tick)

    def peeks(self) -> int:
        """Return a number for the next look of the platform, unlike those before it."""
        self._peeks += 1
        return self._peeks

    def charge(self, agent: str, usage: Usage) -> None:
        """Add what an agent's policy or its reads have cost to the tick's total and to the agent's account."""
        self.usage.merge(usage)
        if self.account is not None:
            self.account.of(agent).add(usage.calls, usage.prompt_tokens, usage.completion_tokens)

    def hear(self, port: Port, reply: Reply) -> None:
        """Take what a reply says about costs."""
        for agent, counts in reply.used:
            self.charge(agent, Usage(*counts))
        if self.account is not None:
            self.account.hear(port.index, reply.spent)

    @property
    def begun(self) -> tuple[tuple[str, int], ...]:
        """What the world learned at its last step of interventions that begin."""
        return tuple(self.interference.news) if self.interference is not None else ()

    @property
    def muted(self) -> tuple[str, ...]:
        """The agents whose budget is used up."""
        return tuple(sorted(self.account.muted)) if self.account is not None else ()

    # --- life ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Reset the environment, or go on from the last checkpoint; mark in the trace from which tick rows follow.

        Raises CorruptFile when the last one is damaged and shared spaces cannot go back with this world to the one
        before it: they keep their replies only from the last one on.
        """
        saved = self.store.latest("world", self.name) if self.store is not None else None
        if self.store is not None and self.store.damaged and any(port is not self.own for port in self.ports):
            raise CorruptFile(f"{self.store.damaged[-1]} Shared spaces cannot go back to an earlier one.")
        self.observations, self.infos = self.environment.reset(seed=environment_seed(self.setup.seed, self.name))
        if saved is not None:
            self._restore(saved.data)
        if not self.done:
            self.trace.start(WORLD, self.name, self.tick)
            if self.local is not None:
                self.local.start()

    def fail(self, error: BaseException) -> None:
        """Write the failure of this tick to the trace, as data. Raises a cancellation that is none of ours."""
        if isinstance(error, asyncio.CancelledError):
            if not self.progress.timed_out(self.deciding, error):
                raise error
            error = TimeoutError(TIMEOUT)
        part = self.name
        if isinstance(error, SpaceFailed):
            part, phase, kind = error.args[:3]
            failure = Failure(str(part), str(phase), str(kind))
        else:
            cause = error.__cause__ if isinstance(error, PartFailed) and error.__cause__ is not None else error
            failure = Failure(part, self.phase, type(cause).__name__)
        text = f"World {self.name!r} failed at tick {self.tick} ({self.phase}): {type(error).__name__}: {error}"
        self.trace.row(WORLD_FAILED, self.name, self.tick, pack((failure.part, failure.phase, failure.error)))
        self.result = WorldResult(self.name, self.tick - self.setup.join, failure, text)

    def cut(self, reason: str) -> None:
        """End before acting at this tick, because a budget is used up: no failure, and a row of the trace."""
        self.trace.row(WORLD_CUT, self.name, self.tick, pack(reason))
        self.result = WorldResult(self.name, self.tick - self.setup.join, cut=reason, timed=self.timed)

    # --- checkpoints -----------------------------------------------------------------------------------------------

    def capture(self) -> dict[str, Plain]:
        """Return the state at the start of `self.tick`, with what is still to be sent, but without spaces."""
        live = not self.done
        result = self.result
        return {
            "tick": self.tick,
            "time": self.time,
            "session_end": self.session_end,
            "done": self.done,
            "outbox": [[(w.space, w.experience, w.n) for w in port.outbox] for port in self.ports],
            "interference": self.interference.plain() if self.interference is not None else None,
            "sent": [port.sent for port in self.ports],
            "environment": self.environment.snapshot() if self.saves and live else b"",  # type: ignore[attr-defined]
            "actions": list(self.actions) if live else [],
            "observations": canonical(self.observations) if self.saves and live else {},
            "infos": canonical(self.infos) if self.saves and live else {},
            "policies": {agent: policy.snapshot() for agent, policy in self.policies.items()},
            "failure": [result.failure.part, result.failure.phase, result.failure.error, result.text]
            if result and result.failure
            else None,
            "cut": [result.cut, result.timed] if result and result.cut else None,
            "account": self.account.plain() if self.account is not None else None,
        }

    def save(self, captured: Mapping[str, Plain]) -> None:
        """Save a captured state, durably, with the co-located spaces, which must by now stand at its tick.

        They do once the exchange of that tick is over: only then are the effects of the tick before it applied.
        """
        if self.store is None:
            return
        self.trace.flush()
        spaces = self.local.snapshots() if self.local is not None and not self.done else {}
        self.store.save("world", self.name, captured["tick"], pack({**captured, "spaces": spaces}))
        self.durable = captured["tick"]

    def _restore(self, data: bytes) -> None:
        state = decode(data)
        try:
            self.tick, self.time = state["tick"], state["time"]
            self.session_end, self.done = state["session_end"], state["done"]
            for port, writes, sent in zip(self.ports, state["outbox"], state["sent"], strict=True):
                port.sent = sent
                port.outbox = [Write(space, Experience(*row), n) for space, row, n in writes]
            for agent, policy in self.policies.items():
                policy.restore(state["policies"][agent])
        except (KeyError, ValueError) as error:
            raise CorruptFile(f"The checkpoint of world {self.name!r} does not fit this study: {error!r}.") from None
        if self.local is not None and not self.done:
            self.local.restore(state["spaces"])
        if state["failure"]:
            *failure, text = state["failure"]
            self.result = WorldResult(self.name, self.tick - self.setup.join, Failure(*failure), text)
        if state["cut"]:
            reason, timed = state["cut"]
            self.result = WorldResult(self.name, self.tick - self.setup.join, cut=reason, timed=timed)
        if self.account is not None and state["account"]:
            self.account.restore(state["account"])
        if self.interference is not None and state["interference"]:
            self.interference.restore(state["interference"])
        self.durable = self.tick
        if self.done:
            return
        if self.saves:
            self.environment.restore(state["environment"])  # type: ignore[attr-defined]
            self.observations, self.infos = state["observations"], state["infos"]
        else:
            for actions in state["actions"]:
                if isinstance(actions, dict):
                    self.observations, _, _, _, self.infos = self.environment.step(actions)
                else:
                    getattr(self.environment, actions[0])(actions[1])
            self.actions = state["actions"]


def environment_seed(trial_seed: int, world: str) -> int:
    """Return the 32-bit seed that a world's environment is reset with."""
    return seed_of(trial_seed, "environment", world) >> 32


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
        self.world.charge(self.agent, usage)
        return asked

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order."""
        seeds, usage = [self._drawn(request.purpose) for request in requests], Usage()
        completions = await self._services.complete(requests, seeds, self._caller, usage)
        self.world.charge(self.agent, usage)
        return completions

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
