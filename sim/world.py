"""One running environment with its agents: holds what the loop needs between ticks, saves it, and tells failures.

It knows neither where it runs nor where its spaces are: each port takes a batch and returns a reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from pydantic import BaseModel

from simonides.sim.budget import Account
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.codec import canonical, decode, pack
from simonides.sim.context import Services, Usage
from simonides.sim.errors import CorruptFile, PartFailed, SpaceFailed
from simonides.sim.exchange import Batch, Refusal, Reply, Write
from simonides.sim.host import SpaceHost
from simonides.sim.hung import TIMEOUT, InProgress
from simonides.sim.interfering import Interference, Schedule
from simonides.sim.passing import Passing
from simonides.sim.probing import Probe
from simonides.sim.protocols import Environment, Policy
from simonides.sim.seeds import seed_of
from simonides.sim.trace import WORLD, WORLD_CUT, WORLD_FAILED, TraceWriter
from simonides.sim.types import (
    Experience,
    Failure,
    ModelCard,
    Plain,
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
    probes: tuple[tuple[int, Probe, tuple[str, ...] | None], ...] = ()
    """What is asked of copies: each probe's number, itself, and the agents it asks; None where it reads a space."""
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
        """Of an environment that cannot be saved: each step's actions, and [method, argument, ...] for who came or went
        and for what was put into a channel."""
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
        self.passing = Passing()
        self.looks = 0
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
        """Return a number for the next look of the platform, unlike those before it in this tick."""
        self.looks += 1
        return self.looks

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
            "passing": self.passing.plain(),
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
        self.passing.restore(state["passing"])
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
                    getattr(self.environment, actions[0])(*actions[1:])
            self.actions = state["actions"]


def environment_seed(trial_seed: int, world: str) -> int:
    """Return the 32-bit seed that a world's environment is reset with."""
    return seed_of(trial_seed, "environment", world) >> 32
