"""What each kind of plug-in must offer. Structural: a class fits by having the methods, not by importing this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
from pydantic import BaseModel

from simonides.sim.types import (
    Action,
    Asked,
    Card,
    Completion,
    Effect,
    Experience,
    FloatArray,
    Message,
    ModelCard,
    Observation,
    Place,
    Plain,
    Prepared,
    Query,
    Recall,
    Record,
    Request,
)

Reply = TypeVar("Reply", bound=BaseModel)


class MemoryContext(Protocol):
    """What a memory system is given for one operation: time, randomness, services, and the only way to make records.

    A memory system knows no other clock, generator, file or network.
    """

    @property
    def space(self) -> str:
        """Name of the space that this operation belongs to."""

    @property
    def place(self) -> Place:
        """Where the operation stands in logical time."""

    @property
    def tick(self) -> int:
        """Logical time: the tick that is being applied (write, manage) or read."""

    @property
    def time(self) -> float:
        """Simulated time of the space, in seconds since the Unix epoch; never decreases."""

    @property
    def cause(self) -> str:
        """Why this operation runs: "write", "read", "effects", "forget", and for manage "tick" or "session_end"."""

    @property
    def rng(self) -> np.random.Generator:
        """A generator made for this operation alone; the same wherever the trial runs."""

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors."""

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply]) -> Reply | None:
        """Ask the model one named question. None means that its reply was unusable: follow your stated fallback."""

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Ask the model what a schema cannot say: choices, free text, log-probabilities. One completion a request.

        Seeds and callers are filled in; what was asked for beyond the model's card raises ModelFailed.
        """

    def tokens(self, text: str) -> int:
        """Return the number of tokens of a text, by the trial's deterministic counter."""

    def record(
        self,
        experience: Experience,
        text: str | None = None,
        *,
        vector: FloatArray | None = None,
        data: Mapping[str, Plain] | None = None,
        channel: str | None = None,
    ) -> Record:
        """Make a record straight from an experience; `text` defaults to the experience's."""

    def derive(
        self,
        parents: Sequence[Record],
        text: str,
        *,
        experiences: Sequence[Experience] = (),
        vector: FloatArray | None = None,
        data: Mapping[str, Plain] | None = None,
        channel: str = "derived",
    ) -> Record:
        """Make a record from other records (summary, reflection, merge): its origins are the union of theirs."""

    def revise(
        self,
        record: Record,
        *,
        text: str | None = None,
        parents: Sequence[Record] = (),
        experiences: Sequence[Experience] = (),
        vector: FloatArray | None = None,
        data: Mapping[str, Plain] | None = None,
    ) -> Record:
        """Return the next version of a record: same id, origins enlarged by those of `parents`."""

    def retire(self, record: Record, reason: str) -> None:
        """Say that a record is gone: forgotten, evicted, merged, purged."""


@runtime_checkable
class MemorySystem(Protocol):
    """A published mechanism for remembering. Knows no Ray, no wall clock, no file.

    Life of an experience: `prepare` sees it alone, concurrently with others of its tick; `write` is called in order.
    `read` must change nothing: what being read does to a record is returned as effects, which come back through
    `absorb` when the tick is applied. See docs/write-a-memory-system.md for one in twenty lines.
    """

    card: ClassVar[Card]

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Compute what depends on the experience alone (its vector, its importance)."""

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Remember. Records are made through `ctx`."""

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return what the query recalls, best first, ties by record id. Changes nothing."""

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Apply the effects of one earlier read. Ids that are gone meanwhile are skipped."""

    async def manage(self, ctx: MemoryContext) -> None:
        """Consolidate, forget, reflect: called at session ends and every `manage_every` ticks."""

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """Remove or rewrite what descends from these experiences; return the ids that could not be fully removed."""

    def records(self) -> Sequence[Record]:
        """Return all records that are stored now, in a fixed order."""

    def snapshot(self) -> bytes:
        """Return the whole state as bytes, without pickle (see `simonides.sim.codec`)."""

    def restore(self, data: bytes) -> None:
        """Replace the whole state by that of a snapshot. Raises CorruptFile if it cannot."""


class PolicyContext(Protocol):
    """What a policy is given at a tick."""

    @property
    def place(self) -> Place: ...
    @property
    def rng(self) -> np.random.Generator: ...
    @property
    def refused(self) -> Sequence[str]:
        """One line for each access that was refused to this agent since its last turn."""

    @property
    def peers(self) -> Sequence[str]:
        """The other agents that are in this world now, by name: to whom a message can go (`Action.tells`)."""

    async def recall(self, query: Query) -> Recall:
        """Ask again within the same tick (a further hop). Raises AccessRefused."""

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply]) -> Reply | None:
        """Ask the model one named question; None means that its reply was unusable."""

    async def ask(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply]) -> Asked[Reply]:
        """Ask as `model` does, and be told the reply's text and, when it is unusable, what is wrong with it."""

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Ask the model what a schema cannot say; see `MemoryContext.complete`."""

    def tokens(self, text: str) -> int: ...


@runtime_checkable
class Policy(Protocol):
    """What decides for an agent: scripted, prompted or adversarial.

    A class may say `waits = False`, if its `act` never waits for anything, so that a world need not gather it, and
    `by_rule = True`, if what it believes is decided by a rule, so that reports say that no model was persuaded.
    """

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Say what to recall before acting."""

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Decide, given one recall a query, in the order asked."""

    def snapshot(self) -> bytes:
        """Return the whole state as bytes; b"" for a policy without state."""

    def restore(self, data: bytes) -> None: ...


@runtime_checkable
class Model(Protocol):
    """Answers batches of requests. Building one costs nothing: what is heavy starts with the first request."""

    @property
    def card(self) -> ModelCard: ...

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Return one completion a request, in order. Raises ModelFailed when it cannot."""

    async def close(self) -> None:
        """End what the first request started."""


@runtime_checkable
class Prompts(Protocol):
    """The wording of named questions, for models that read text."""

    def render(self, request: Request) -> tuple[Message, ...]:
        """Return the chat that asks a request whose inputs are plain data. A pure function."""

    def version(self, purpose: str) -> str:
        """Return the hash of the wording of one purpose."""


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into unit vectors of one dimension.

    It may declare two class attributes. `waits`: it blocks on a network or a device, so it is called in threads, from
    several at once. `batches`: many texts in one call cost less than one by one, and give the same vectors to the last
    bit. With either, the texts of one turn of the event loop come in one call.
    """

    @property
    def dimension(self) -> int: ...
    @property
    def identity(self) -> str:
        """Name and version of the vectors: the cache's key."""

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], rows of unit length (zero for an empty text)."""


@runtime_checkable
class VectorIndex(Protocol):
    """Exact or approximate nearest vectors by dot product, for rows that carry an id and plain fields."""

    reproducible: bool
    """True when equal contents give equal answers, to the last bit, in every process."""

    def __len__(self) -> int: ...
    def add(self, ids: Sequence[str], vectors: FloatArray, fields: Sequence[Mapping[str, Plain]] | None = None) -> None:
        """Add rows, or replace those whose id is present."""

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows; unknown ids are ignored."""

    def search(
        self, queries: FloatArray, k: int, filter: Mapping[str, Plain] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return, a query, at most k (id, score), sorted by (-score, id). `filter` demands equal fields."""

    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...


@runtime_checkable
class Environment(Protocol):
    """A PettingZoo ParallelEnv. What the loop uses of it, and what it may add.

    `infos[agent]` may hold `text` (the observation in words), `time` (simulated seconds since the Unix epoch),
    `session` (int), `session_end` (bool: a session ends with this tick), `probe` (bool: queries of this tick leave
    no effects and nothing is remembered), `experiences` (a list of maps with the fields of `Experience` that the
    environment wants to fix: text, speaker, channel, outcome, metadata, and `heard`, (agent, tick), for what an agent
    of this world said then; [] for nothing to remember), and anything else for policies and metrics.
    `state()`/`set_state(bytes)` under the names `snapshot`/`restore`, when present, are used for checkpoints; otherwise
    the actions are replayed from the reset. Where agents may come and go it offers `remove_agent(agent)` and
    `add_agent(agent)`, called between an observation and the step that follows it. False content, and messages between
    agents, reach it by `inject(agent, channel, text)`, shown with the agent's next observation: `channels` maps each
    channel to a sentence about it, `message_channel` names the one by which its agents reach each other (default: the
    first).
    """

    possible_agents: list[str]
    agents: list[str]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]: ...
    def observation_space(self, agent: str) -> Any: ...
    def action_space(self, agent: str) -> Any: ...
    def close(self) -> None: ...
