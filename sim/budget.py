"""What a trial may ask of its models, counted in logical order: every layout reaches a limit at the same tick.

An agent's calls are its policy's, those of its reads, and those that its writes cause; its world counts them. The
trial's are counted in a space of their own, the ledger, whose members are all worlds: what was spent before tick t is
known to all of them at t, wherever they run. Worlds of a trial with such a limit therefore wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from simonides.sim.codec import decode, pack
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import (
    Card,
    Completion,
    Effect,
    Experience,
    ModelCard,
    Plain,
    Prepared,
    Query,
    Recall,
    Recalled,
    Record,
)

LEDGER = "ledger"
"""Name of the space in which a trial's calls are counted."""
EVERYBODY = "*"
"""Stands for all agents of a world among those whose budget is used up."""


class Limits(BaseModel):
    """The most model calls, tokens (prompt and reply) and money (by the prices of the model's card)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    calls: Annotated[int, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    money: Annotated[float, Field(ge=0)] | None = None

    @property
    def any(self) -> bool:
        """True when something is limited."""
        return any(value is not None for _, value in self)


class TrialLimits(Limits):
    """The limits of a trial; one in seconds of wall time marks a trial that reaches it as not reproducible."""

    seconds: Annotated[float, Field(gt=0)] | None = None


class BudgetConfig(BaseModel):
    """What may be spent by an agent, a trial and the whole study, and what happens then.

    A trial ends with its reason ("end"), or its parts go on without the model, each by its stated fallback
    ("fallback"). A study's budget is spent in the order of its trials, which then run one after another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    agent: Limits = Limits()
    trial: TrialLimits = TrialLimits()
    study: Limits = Limits()
    reached: Literal["end", "fallback"] = "end"

    @property
    def ledger(self) -> bool:
        """True when worlds must know what others spend."""
        return self.trial.any or (self.agent.any and self.reached == "end")


@dataclass(slots=True)
class Spent:
    """Model calls and their tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, calls: int, prompt_tokens: int, completion_tokens: int) -> None:
        """Count more."""
        self.calls += calls
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens

    def count(self, completions: Sequence[Completion]) -> None:
        """Count replies."""
        for completion in completions:
            self.add(1, completion.prompt_tokens, completion.completion_tokens)

    def plain(self) -> list[int]:
        """Return the three counts."""
        return [self.calls, self.prompt_tokens, self.completion_tokens]

    def money(self, card: ModelCard) -> float:
        """Return what they cost."""
        return (self.prompt_tokens * card.prompt_price + self.completion_tokens * card.completion_price) / 1e6

    def reaches(self, limits: Limits, card: ModelCard) -> str:
        """Return which limit is reached, as "12 of 10 calls"; "" for none."""
        used = {"calls": self.calls, "tokens": self.prompt_tokens + self.completion_tokens, "money": self.money(card)}
        for name, value in used.items():
            limit = getattr(limits, name)
            if limit is not None and value >= limit:
                return f"{value:g} of {limit:g} {name}" if name == "money" else f"{value:,} of {limit:,} {name}"
        return ""


def left_of(limits: Limits, spent: Spent, card: ModelCard) -> Limits | None:
    """Return what is left of limits; None when nothing is."""
    if spent.reaches(limits, card):
        return None
    tokens = spent.prompt_tokens + spent.completion_tokens
    return Limits(
        calls=None if limits.calls is None else limits.calls - spent.calls,
        tokens=None if limits.tokens is None else limits.tokens - tokens,
        money=None if limits.money is None else limits.money - spent.money(card),
    )


def tightest(limits: TrialLimits, allowance: Limits | None) -> TrialLimits:
    """Return a trial's limits narrowed by what its study has left for it."""
    if allowance is None:
        return limits
    narrowed = {
        name: min(value for value in (getattr(limits, name), getattr(allowance, name)) if value is not None)
        for name in ("calls", "tokens", "money")
        if getattr(limits, name) is not None or getattr(allowance, name) is not None
    }
    return limits.model_copy(update=narrowed)


@dataclass(slots=True)
class Account:
    """What the agents of one world have spent, what the trial has, and who must do without the model."""

    config: BudgetConfig
    limits: TrialLimits
    card: ModelCard
    own: dict[str, Spent] = field(default_factory=dict)
    """By agent: calls of its policy and its reads."""
    memories: dict[int, dict[str, Spent]] = field(default_factory=dict)
    """By port and agent: calls that its writes have caused there, as last told."""
    told: Spent = field(default_factory=Spent)
    """What the ledger knows of this world."""
    muted: dict[str, str] = field(default_factory=dict)
    """Agents (or everybody) whose budget is used up -> how much of it."""

    def of(self, agent: str) -> Spent:
        """Return the account of an agent's own calls, to be added to."""
        return self.own.setdefault(agent, Spent())

    def hear(self, port: int, spent: Sequence[tuple[str, int, int, int]]) -> None:
        """Take what a host says that this world's writes have cost there so far."""
        self.memories[port] = {agent: Spent(*counts) for agent, *counts in spent}

    def is_muted(self, agent: str) -> bool:
        """True when an agent must do without the model."""
        return bool(self.muted) and (agent in self.muted or EVERYBODY in self.muted)

    def review(self, ledger: Recall | None) -> str:
        """Note whose budget is used up, given what the ledger says; return why the trial ends now, or ""."""
        total, over = Spent(), ""
        if ledger is not None and ledger.items:
            counts, over = decode(ledger.items[0].text.encode("latin-1"))
            total = Spent(*counts)
        reason = total.reaches(self.limits, self.card)
        if reason:
            self.muted.setdefault(EVERYBODY, f"the trial's budget: {reason}")
        for agent in sorted({*self.own, *(a for spent in self.memories.values() for a in spent)}):
            if agent not in self.muted and (why := self._total(agent).reaches(self.config.agent, self.card)):
                self.muted[agent] = f"the budget of {agent}: {why}"
        if self.config.reached != "end":
            return ""
        return self.muted.get(EVERYBODY, over)

    def owed(self) -> dict[str, Plain] | None:
        """Return what the ledger has to be told at the end of a tick, or None when it knows everything."""
        now = Spent()
        for spent in (self.own, *self.memories.values()):
            for one in spent.values():
                now.add(*one.plain())
        more = [a - b for a, b in zip(now.plain(), self.told.plain(), strict=True)]
        over = next(iter(self.muted.values()), "") if self.config.reached == "end" else ""
        if not any(more) and not over:
            return None
        self.told = now
        return {"spent": more, "over": over}

    def _total(self, agent: str) -> Spent:
        total = Spent(*self.of(agent).plain())
        for spent in self.memories.values():
            if agent in spent:
                total.add(*spent[agent].plain())
        return total

    def plain(self) -> dict[str, Plain]:
        """Return the state for a checkpoint; what hosts tell is told again."""
        own = {agent: spent.plain() for agent, spent in self.own.items()}
        return {"own": own, "told": self.told.plain(), "muted": dict(self.muted)}

    def restore(self, state: Mapping[str, Plain]) -> None:
        """Go on from a checkpoint."""
        self.own = {agent: Spent(*counts) for agent, counts in state["own"].items()}
        self.told, self.muted = Spent(*state["told"]), dict(state["muted"])


class Ledger:
    """Adds up what worlds tell it; the memory system of the ledger's space."""

    card: ClassVar[Card] = Card("Ledger of model calls", "simonides.sim.budget")

    def __init__(self) -> None:
        self._spent = [0, 0, 0]
        self._over = ""

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Nothing is to be computed."""
        return Prepared(experience)

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Add what one world has spent in one tick."""
        told = prepared.experience.metadata
        self._spent = [a + b for a, b in zip(self._spent, told["spent"], strict=True)]
        self._over = self._over or told["over"]

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the sum, and why the trial is over, packed into one text."""
        text = pack([self._spent, self._over]).decode("latin-1")
        return Recall((Recalled(LEDGER, text, 0.0),))

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Reads have no effects."""

    async def manage(self, ctx: MemoryContext) -> None:
        """Nothing is consolidated."""

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """What was spent stays spent; no text is kept of it."""
        return ()

    def records(self) -> Sequence[Record]:
        """There are none."""
        return ()

    def snapshot(self) -> bytes:
        """Return the sum."""
        return pack([self._spent, self._over])

    def restore(self, data: bytes) -> None:
        """Go on from a sum."""
        self._spent, self._over = decode(data)
