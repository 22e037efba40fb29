"""The values that pass between parts: frozen, slotted, plain data that encodes to msgpack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from simonides.sim.values import quick

Plain = Any
"""None, bool, int, float, str, bytes, a numpy array, or lists, tuples and string-keyed maps of these."""

FloatArray = npt.NDArray[np.float32]
EMPTY: Mapping[str, Plain] = {}
Tags = frozenset[str]
Deletion = Literal["exact", "approximate", "none"]


class Place(NamedTuple):
    """Where one operation stands in logical time. Operations are applied in this order, field by field.

    A tuple: places are made and compared more than anything else, and tuples do both in C.
    """

    tick: int
    world: str
    agent: str
    hop: int = 0
    n: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Experience:
    """What one agent lived through in one tick: the only thing that memory systems are given to remember.

    `time` is simulated time in seconds since the Unix epoch, as the world tells it. `metadata` carries what an
    environment family adds (a turn's reference such as "D3:7", an image, a trajectory) as plain values. `heard` has
    (agent, tick) of the same world for each saying or note of an agent that it holds, so that lineage can follow it to
    what that agent had recalled; () for what nobody of the world said.
    """

    id: str
    world: str
    agent: str
    tick: int
    time: float
    text: str
    speaker: str = ""
    session: int = 0
    channel: str = "observation"
    action: str = ""
    reward: float = 0.0
    outcome: str = ""
    metadata: Mapping[str, Plain] = field(default_factory=dict)
    heard: tuple[Plain, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Record:
    """What a memory system stores, with its lineage. Made by a context only, so that lineage cannot be forgotten.

    `parents` are the records it was derived from; `origins` the experiences it descends from, which for a derived
    record is the union over its parents (design section 3). `vector` is float32[d] or None. `data` holds what the
    system adds (importance, strength, ...).
    """

    id: str
    space: str
    writer: str
    tick: int
    time: float
    text: str
    origins: tuple[str, ...]
    parents: tuple[str, ...] = ()
    channel: str = "observation"
    status: str = "active"
    version: int = 1
    vector: FloatArray | None = field(default=None, compare=False)
    data: Mapping[str, Plain] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True)
class Query:
    """What an agent wants to recall. `space` None asks every space it may read; `k` None is the system's default.

    A probe's read discards its effects, so that measuring changes nothing.
    """

    text: str
    k: int | None = None
    space: str | None = None
    probe: bool = False
    filter: Mapping[str, Plain] = field(default_factory=dict)


class Recalled(NamedTuple):
    """One record as a reader gets it: never with lineage or taint. A tuple, as a batch of recalls has thousands.

    `trust`, 0 to 1, is a label that a defence may expose; 1 where none does.
    """

    record_id: str
    text: str
    score: float
    channel: str = "observation"
    time: float = 0.0
    trust: float = 1.0


@quick
@dataclass(frozen=True, slots=True)
class Effect:
    """What a mechanism wants to change because it was read (strength, access time, ...); applied by `absorb`."""

    kind: str
    record_id: str
    data: Mapping[str, Plain] = field(default_factory=dict)


class Recall(NamedTuple):
    """The answer to one query, best first. `refused` says why a space did not answer."""

    items: tuple[Recalled, ...] = ()
    effects: tuple[Effect, ...] = ()
    refused: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Prepared:
    """An experience and what could be computed from it alone (its vector, its importance, its keywords)."""

    experience: Experience
    vector: FloatArray | None = field(default=None, compare=False)
    data: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one write, manage or forget did: ids of records made, changed and retired, and what it could not do.

    `incomplete` lists experience ids that a forgetting request could not fully remove.
    """

    made: tuple[str, ...] = ()
    revised: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Observation:
    """What a policy sees at a tick: the text rendering, the raw observation, and the environment's info."""

    agent: str
    world: str
    tick: int
    time: float
    text: str
    raw: Plain = None
    info: Mapping[str, Plain] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True)
class Tell:
    """A text that an agent passes on beside acting: a note in the spaces it writes (`to` ""), or a message.

    A message goes to an agent of the same world through the environment's channel, and is seen with its next
    observation.
    """

    text: str
    to: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Action:
    """What a policy decided: the value given to the environment, the text it said, and notes for the trace.

    `spaces` names the spaces that what was lived goes to; None is every space that the agent may write. Among the
    `notes`, `used` (ids of recalled records) says what the decision rests on; lineage follows what is told to them.
    """

    value: Plain
    text: str = ""
    notes: Mapping[str, Plain] = field(default_factory=dict)
    spaces: tuple[str, ...] | None = None
    tells: tuple[Tell, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """What a memory system declares about itself.

    `attributable`: every record names its origins. `delete`: what `forget` can promise. `read_mutates`: reads carry
    effects. `needs_model`: purposes it asks a model. `channels`: the channels its records may have.
    """

    title: str
    source: str
    tags: Tags = frozenset()
    attributable: bool = True
    delete: Deletion = "exact"
    read_mutates: bool = False
    needs_model: tuple[str, ...] = ()
    needs_embedder: bool = False
    channels: tuple[str, ...] = ("observation",)
    reproducible: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model. `purpose` is its name in traces, budgets and stand-ins ("mb.day_summary").

    `inputs` are what the question is about. A model that reads text gets `messages` (a chat), or `prompt` (plain
    completion) when there are no messages; the platform renders `inputs` into messages when both are empty. At most one
    of `schema` (a JSON schema), `choices` (the reply is exactly one of them) and `regex` binds the reply.

    `logprobs` asks for the log-probability of every token of the reply with that many alternatives (0: none beside the
    token itself, None: nothing is asked), `prompt_logprobs` for that of every token of the prompt. `seed` is drawn from
    the place of the call, so that two agents get two samples and a replay gets the same one. `caller` (world/agent, or
    a space) says who asks: it chooses the replica, and is no part of what is asked.
    """

    purpose: str
    inputs: Mapping[str, Plain] = field(default_factory=dict)
    schema: Mapping[str, Plain] | None = None
    seed: int = 0
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    regex: str = ""
    messages: tuple[Message, ...] = ()
    prompt: str = ""
    logprobs: int | None = None
    prompt_logprobs: bool = False
    caller: str = ""


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token with its natural-log probability, and those of the most probable alternatives, itself included."""

    token: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply and what it cost in tokens. `finish` is "stop" or "length".

    `truncated` counts tokens that were cut from the prompt to fit the model's context. `scores` are those of the
    reply's tokens, `prompt_scores` those of the prompt's from the second on (the first has no probability).
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str = "stop"
    truncated: int = 0
    scores: tuple[TokenScore, ...] = ()
    prompt_scores: tuple[TokenScore, ...] = ()


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """A model's reply, parsed (`value`, or None and in one line the `mistake`), and how it came about.

    `prompt` is the version of the wording in which it was asked, "" where the model is asked without words.
    """

    value: T | None
    mistake: str
    completion: Completion
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model declares about itself.

    `identity` names what decides its replies (weights, precision, revision), never where it runs: it is part of the key
    under which replies are recorded. `context` is the most tokens of prompt and reply together (0: not known).
    `structured` holds those of "json", "choice" and "regex" that it enforces; the others are asked for in words and
    checked. `logprobs` is the most alternatives it gives for a token (-1: no log-probabilities). A `pure` model is a
    function of purpose and inputs: nothing is rendered for it and nothing recorded. `prompt_price` and
    `completion_price` are for a million tokens, in the currency of the study's budget.
    """

    identity: str
    context: int = 0
    chat: bool = True
    structured: frozenset[str] = frozenset()
    logprobs: int = -1
    prompt_logprobs: bool = False
    pure: bool = False
    prompt_price: float = 0.0
    completion_price: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that failed, as data: which part, in which phase, with which class of error. Texts are kept elsewhere."""

    part: str
    phase: str
    error: str
