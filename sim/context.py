"""The context that a memory system is given for one operation: time, randomness, services, and records with lineage.

It knows nothing of how records are stored: it makes them, and notes what was made, revised and retired.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from simonides.sim.errors import ContractBroken, UserError
from simonides.sim.gathering import Gathering
from simonides.sim.protocols import Embedder, Model, Prompts
from simonides.sim.seeds import generator, identity, place_seed, seed_of
from simonides.sim.types import Asked, Completion, Experience, FloatArray, Message, Place, Plain, Record, Request

Reply = TypeVar("Reply", bound=BaseModel)


def count_tokens(text: str) -> int:
    """Return the default token count: characters / 4, rounded up (the usual rule of thumb for English text)."""
    return math.ceil(len(text) / 4)


LONGEST = 300
"""Characters of what is said about a mistake: enough to mend it."""


@cache
def json_schema(schema: type[BaseModel]) -> Mapping[str, Plain]:
    """Return a pydantic model's JSON schema, made once: it takes longer than a scripted model's reply."""
    return schema.model_json_schema()


def mistake_of(error: ValidationError) -> str:
    """Return in one line what is wrong with a reply, so that a model can mend it.

    Where a reply may have several forms, what is wrong with a value counts before what another form would need.
    """
    found = error.errors(include_url=False)
    told = min(found, key=lambda one: one["type"] in ("missing", "extra_forbidden"))
    where = ".".join(str(part) for part in told["loc"])
    return " ".join(f"{where + ': ' if where else ''}{told['msg']}"[:LONGEST].split())


@dataclass(slots=True)
class Usage:
    """What an operation or a tick cost: model calls, their tokens, unusable replies, texts embedded.

    `truncated` counts tokens that were cut from prompts to fit the model's context.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    malformed: int = 0
    embedded: int = 0
    truncated: int = 0

    def plain(self) -> list[int]:
        """Return the counts in declaration order, for a trace row."""
        tokens = (self.prompt_tokens, self.completion_tokens)
        return [self.calls, *tokens, self.malformed, self.embedded, self.truncated]

    def add(self, completion: Completion) -> None:
        """Count one call."""
        self.calls += 1
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        self.truncated += completion.truncated

    def merge(self, other: Usage) -> None:
        """Add what another operation cost."""
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.malformed += other.malformed
        self.embedded += other.embedded
        self.truncated += other.truncated

    def reset(self) -> None:
        """Start counting from zero."""
        self.calls = self.prompt_tokens = self.completion_tokens = 0
        self.malformed = self.embedded = self.truncated = 0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How replies are drawn where a part does not say: temperature, nucleus, most tokens of a reply."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256


@dataclass(frozen=True)
class Services:
    """The services that contexts hand on. A part that needs one which the study did not name gets a clear error."""

    embedder: Embedder | None = None
    model: Model | None = None
    prompts: Prompts | None = None
    sampling: Sampling = Sampling()
    muted: bool = False
    """True for whom the budget is used up: every question is answered by nothing."""

    @cached_property
    def without_model(self) -> Services:
        """The same services for parts whose budget is used up."""
        return replace(self, muted=True)

    @cached_property
    def gathering(self) -> Gathering | None:
        """The way to the embedder, which calls of the same moment share."""
        return None if self.embedder is None else Gathering(self.embedder)

    async def embed(self, texts: Sequence[str], usage: Usage) -> FloatArray:
        """Return float32[n, d] unit vectors. Raises UserError when the study names no embedder."""
        if self.gathering is None:
            raise UserError("This part embeds texts, but the study names no embedder: add embedder: {name: hashing}.")
        usage.embedded += len(texts)
        return await self.gathering.embed(texts)

    async def ask(
        self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply], seed: int, caller: str, usage: Usage
    ) -> Asked[Reply]:
        """Return the model's reply, parsed by the schema if it fits. Raises UserError when the study names no model."""
        if self.muted:
            return Asked(None, "the budget is used up", Completion("", finish="budget"), self.version(purpose))
        s = self.sampling
        request = Request(purpose, inputs, json_schema(schema), seed, s.max_tokens, s.temperature, s.top_p)
        (completion,) = await self.complete([request], [seed], caller, usage)
        try:
            return Asked(schema.model_validate_json(completion.text), "", completion, self.version(purpose))
        except ValidationError as error:
            usage.malformed += 1
            return Asked(None, mistake_of(error), completion, self.version(purpose))

    def version(self, purpose: str) -> str:
        """Return the version of a purpose's wording; "" where the model is asked without words."""
        if self.prompts is None or self.model is None or self.model.card.pure:
            return ""
        return self.prompts.version(purpose)

    async def complete(
        self, requests: Sequence[Request], seeds: Sequence[int], caller: str, usage: Usage
    ) -> list[Completion]:
        """Return the model's completions, after rendering what is to be read as text.

        Raises UserError when the study names no model.
        """
        if self.model is None:
            raise UserError(
                f"{requests[0].purpose} asks a model, but the study names none: add model: {{name: scripted}}."
            )
        if self.muted:
            return [Completion("", finish="budget") for _ in requests]
        pure = self.model.card.pure
        asked = [
            replace(request, seed=seed, caller=caller, messages=request.messages if pure else self._messages(request))
            for request, seed in zip(requests, seeds, strict=True)
        ]
        completions = list(await self.model.complete(asked))
        for completion in completions:
            usage.add(completion)
        return completions

    def _messages(self, request: Request) -> tuple[Message, ...]:
        if request.messages or request.prompt or self.prompts is None:
            return request.messages
        return self.prompts.render(request)


class Changes:
    """What one operation did to the records of its space."""

    __slots__ = ("made", "retired", "revised")

    def __init__(self) -> None:
        self.made: list[Record] = []
        self.revised: list[Record] = []
        self.retired: list[tuple[str, str]] = []


def _union(groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({item for group in groups for item in group}))


class Context:
    """One operation's view of its space; implements `MemoryContext`."""

    __slots__ = ("_ordinal", "_rng", "_seed", "_services", "cause", "changes", "place", "space", "time", "usage")

    def __init__(
        self,
        space: str,
        place: Place,
        time: float,
        cause: str,
        seed: int,
        services: Services,
        usage: Usage | None = None,
    ) -> None:
        self.space = space
        self.place = place
        self.time = time
        self.cause = cause
        self.changes = Changes()
        self.usage = usage if usage is not None else Usage()
        self._seed = seed
        self._services = services
        self._rng: np.random.Generator | None = None
        self._ordinal = 0

    @property
    def tick(self) -> int:
        """The tick that is being applied or read."""
        return self.place.tick

    @property
    def rng(self) -> np.random.Generator:
        """A generator for this operation alone, made from (trial seed, space, operation, place)."""
        if self._rng is None:
            self._rng = generator(place_seed(self._seed, "memory", self.space, self.cause, self.place))
        return self._rng

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors."""
        return await self._services.embed(texts, self.usage)

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply]) -> Reply | None:
        """Return the model's reply parsed by `schema`, or None when it is unusable."""
        asked = await self._services.ask(purpose, inputs, schema, self._drawn(purpose), self.space, self.usage)
        return asked.value

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order."""
        seeds = [self._drawn(request.purpose) for request in requests]
        return await self._services.complete(requests, seeds, self.space, self.usage)

    def _drawn(self, purpose: str) -> int:
        """Return the seed of the next call of this operation."""
        self._ordinal += 1
        return seed_of(place_seed(self._seed, purpose, self.space, self.cause, self.place), self._ordinal)

    def tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return count_tokens(text)

    def record(
        self,
        experience: Experience,
        text: str | None = None,
        *,
        vector: FloatArray | None = None,
        data: Mapping[str, Plain] | None = None,
        channel: str | None = None,
    ) -> Record:
        """Make a record from an experience: origin and writer are the experience's."""
        return self._make(
            experience.agent,
            experience.text if text is None else text,
            (experience.id,),
            (),
            channel or experience.channel,
            experience.time,
            vector,
            data,
        )

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
        """Make a record from others: origins are the union of the parents' origins and the experiences.

        Raises ContractBroken when it is derived from nothing.
        """
        if not parents and not experiences:
            raise ContractBroken(f"{self.space}: a derived record names no parents and no experiences.")
        origins = _union([*(parent.origins for parent in parents), [e.id for e in experiences]])
        ids = tuple(sorted({parent.id for parent in parents}))
        return self._make(self.place.agent or self.space, text, origins, ids, channel, self.time, vector, data)

    def _make(
        self,
        writer: str,
        text: str,
        origins: tuple[str, ...],
        parents: tuple[str, ...],
        channel: str,
        time: float,
        vector: FloatArray | None,
        data: Mapping[str, Plain] | None,
    ) -> Record:
        # The cause is part of the identity: a manage at a tick and a write at it may share a place.
        ordinal = len(self.changes.made)
        made = Record(
            identity(self._seed, self.cause, self.space, self.place, ordinal),
            self.space,
            writer,
            self.place.tick,
            time,
            text,
            origins,
            parents,
            channel,
            "active",
            1,
            vector,
            data if data is not None else {},
        )
        self.changes.made.append(made)
        return made

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
        """Return the record's next version; its origins grow by those of parents and experiences."""
        revised = Record(
            record.id,
            record.space,
            record.writer,
            record.tick,
            record.time,
            record.text if text is None else text,
            _union([record.origins, *(p.origins for p in parents), [e.id for e in experiences]]),
            _union([record.parents, [p.id for p in parents if p.id != record.id]]),
            record.channel,
            record.status,
            record.version + 1,
            record.vector if vector is None else vector,
            record.data if data is None else data,
        )
        self.changes.revised.append(revised)
        return revised

    def retire(self, record: Record, reason: str) -> None:
        """Note that a record is gone, and why."""
        self.changes.retired.append((record.id, reason))
