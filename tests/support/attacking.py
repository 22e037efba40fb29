"""A context for the plans of attacks: a world of agents and spaces, goals worded by a small grammar, and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simonides.sim.attacks import Goal, Injection, Reach
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.registry import registry
from simonides.sim.types import FloatArray

AGENTS = ("w0000/ann", "w0000/ben", "w0000/cat", "w0000/dan")
VICTIM = AGENTS[0]
PLACES = ("attic", "barn", "cellar", "den")
GRAMMAR = Grammar([Form("place", "The {subject} is in the {value}.", "The {subject} is not in the {value}.")])
SHARED = {"global": Reach(AGENTS, AGENTS)}
PRIVATE = {agent: Reach((agent,), (agent,)) for agent in AGENTS}
KEYS = ("blue key", "red key", "old lamp", "new lamp", "long rope", "iron box", "glass jar", "green coat")


def goal(number: int, worded: bool = True) -> Goal:
    """Return the n-th falsehood. Not `worded`: about a question, as dialogues have it, without a grammar."""
    subject, value, truth = KEYS[number], PLACES[number % 4], PLACES[(number + 1) % 4]
    text = GRAMMAR.say(Claim(subject, "place", value, "Ben"))
    question = f"Where is the {subject}?"
    if not worded:
        return Goal(VICTIM, text, value, truth, question=question, questions=(f"q{number}",), speaker="Ben")
    return Goal(
        VICTIM, text, value, truth, subject, "place", question, PLACES, "message", 5, speaker="Ben", grammar=GRAMMAR
    )


@dataclass
class Planning:
    """An `AttackContext` of four agents; all that a test wants to be otherwise is a field."""

    environment: str = "toys"
    agents: Sequence[str] = AGENTS
    spaces: Mapping[str, Reach] = field(default_factory=lambda: SHARED)
    channels: Mapping[str, str] = field(default_factory=lambda: {"message": "What others write to an agent."})
    defences: Sequence[object] = ()
    seed: int = 0
    worded: bool = True
    asked: int = 0
    """Texts that were embedded."""

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def goals(self, count: int) -> list[Goal]:
        """Return at most eight falsehoods."""
        return [goal(number, self.worded) for number in range(min(count, len(KEYS)))]

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return hashed vectors."""
        self.asked += len(texts)
        return registry("embedder").build("hashing", {}).embed(list(texts))


def planning(**changes: object) -> Planning:
    """Return a context in which these fields are otherwise."""
    return replace(Planning(), **changes)


def read_by(injection: Injection, context: Planning) -> bool:
    """Return True when what is put into the writer's first space reaches the victim."""
    written = [reach for reach in context.spaces.values() if injection.agent in reach.writers]
    return injection.door == "channel" or any(VICTIM in reach.readers for reach in written)
