"""What an attack declares, what it is told before it begins, and what it plans: injections, each at a place and a time.

An attack plans everything before the trial starts, as a pure function of the trial, so that every process plans the
same. What becomes of a plan is the victim's doing, and is judged from the trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from simonides.sim.claims import Grammar
from simonides.sim.types import FloatArray, Plain

Access = Literal["query", "ingestion", "memory-write", "agent-control"]
"""What the attacker can do: only ask as a user does; place content where agents meet it; write to the store; act as an
agent."""
Knowledge = Literal["none", "schema", "embedder"]
"""What the attacker knows besides the falsehood: nothing, how agents word what they remember, or the vectors."""
Door = Literal["memory", "channel"]
"""Where false content enters: as a record's experience put into a space, or through a channel of the environment."""


@dataclass(frozen=True, slots=True)
class AttackCard:
    """What an attack declares about itself."""

    title: str
    source: str
    access: Access
    knowledge: Knowledge
    doors: tuple[Door, ...]
    """Those that it can use; the first is its default."""
    adaptive: str
    """What its adaptive form does, in a sentence."""
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """Environment by name -> why the attack has no meaning there."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A falsehood to be believed: about what, instead of what, and how the environment would word it.

    In environments that ask questions instead of posing needs, `questions` are the ids of those that it is about, and
    `subject` may be "".
    """

    agent: str
    """World and agent ("w0000/player_0") that will need it, or is asked first."""
    text: str
    """The false claim in the environment's words."""
    value: str
    truth: str
    subject: str = ""
    attribute: str = ""
    question: str = ""
    """In words, as the agent will ask its memory."""
    options: tuple[str, ...] = ()
    """The values that the fact may have."""
    channel: str = ""
    """The channel by which the environment would tell it."""
    tick: int = 0
    """The tick at which the environment would tell it."""
    questions: tuple[str, ...] = ()
    speaker: str = ""
    grammar: Grammar | None = None

    @property
    def about(self) -> dict[str, Plain]:
        """What an injection is about, for the trace."""
        told: dict[str, Plain] = {"value": self.value, "truth": self.truth}
        if self.subject:
            told |= {"subject": self.subject, "attribute": self.attribute}
        if self.questions:
            told["questions"] = list(self.questions)
        return told


@dataclass(frozen=True, slots=True)
class Injection:
    """One text that an attack puts somewhere, `after` ticks from the attack's beginning.

    By the door "memory" it becomes an experience of `agent` in `space` (default: the first that the agent may write),
    with `fields` of an experience beside the text (action, outcome, reward, metadata): by "channel" the environment
    shows it to `agent` through `channel`, and it becomes what the agent makes of it.
    """

    text: str
    agent: str
    after: int = 0
    door: Door = "memory"
    space: str = ""
    channel: str = ""
    speaker: str = ""
    tainted: bool = True
    """False for a benign control of the same form."""
    about: Mapping[str, Plain] = field(default_factory=dict)
    """What it is about (`Goal.about`), and whatever else a metric wants: for the trace alone."""
    fields: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """A space that exists: who may read and who may write it, as "world/agent", sorted."""

    readers: tuple[str, ...]
    writers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A defence that stands in the way, as an adaptive attacker knows it: its name and parameters."""

    name: str
    params: Mapping[str, Plain] = field(default_factory=dict)


class AttackContext(Protocol):
    """What an attack is given to plan with."""

    @property
    def environment(self) -> str:
        """Name of the environment that it attacks."""

    @property
    def agents(self) -> Sequence[str]:
        """Every agent of the trial, as "world/agent", in order."""

    @property
    def spaces(self) -> Mapping[str, Reach]:
        """Every space of the first wiring, by name."""

    @property
    def channels(self) -> Mapping[str, str]:
        """The environment's channels: name -> a sentence about it. Empty where it has none."""

    @property
    def defences(self) -> Sequence[Guarded]:
        """The defences of the trial: for adaptive forms only."""

    @property
    def rng(self) -> np.random.Generator:
        """A generator of this attack's own; the same wherever the trial runs."""

    def goals(self, count: int) -> list[Goal]:
        """Return at most `count` falsehoods about different facts of the first world that can tell one.

        Raises StudyError when no environment of the trial can say anything false of itself.
        """

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors by the trial's embedder. Raises StudyError when the study names none."""


@runtime_checkable
class Attack(Protocol):
    """A way of getting false content into memory. Its life: plan, inject, wait, probe, judge.

    The class plans; the platform injects; waiting is the study's (`after`, `dormancy`); probing and judging are done by
    queries and metrics. Parameters are those of the class, checked like every part's.
    """

    card: ClassVar[AttackCard]

    def plan(self, ctx: AttackContext) -> Sequence[Injection]:
        """Return all injections, in any order. A pure function of `ctx`."""
