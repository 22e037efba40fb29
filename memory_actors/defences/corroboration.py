"""Show what is claimed only when enough independent identities claim it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from simonides.memory_actors.defences.ledger import Ledger
from simonides.memory_actors.defences.sources import OBSERVED, Told, behind, class_of
from simonides.memory_actors.defences.standing import Standing
from simonides.memory_actors.defences.statements import Forms, Statement, reader_of
from simonides.sim.defences import ADMIT, Admission, DefenceCard, DefenceContext, Screening
from simonides.sim.types import Effect, Experience, FloatArray, Plain, Query, Recalled, Record


class Corroboration(Standing):
    """An item passes when at least `identities` writers stand behind all that it states.

    Identities are the platform's, from stamps: a text may name any speaker, that counts for nothing. What an agent
    heard from another of its world counts for the teller. Anything else counts for the agent that wrote it, or, with
    `outside: channel`, all that came through one channel of a world counts as one identity, since nobody can tell its
    senders apart. Two texts make the same statement when they are read alike (see `statements`; `grammar` makes that
    exact), or, with `same`, when their sentences have at least that cosine; that needs an embedder.

    What the reader itself observed always passes, and so does what states nothing. With `conflicts` only those are left
    out that lack support and are contradicted. What an identity costs is the study's matter; each item that is left
    out says in an effect how many `identities` it had of those `needed`.
    """

    card: ClassVar[DefenceCard] = DefenceCard(
        "Corroboration by independent identities",
        "quorum of distinct principals; why identities must cost something: Douceur, The Sybil Attack, IPTPS 2002",
        ("admit", "screen"),
    )

    def __init__(
        self,
        identities: Annotated[int, Field(ge=1)] = 2,
        conflicts: bool = False,
        outside: Literal["writer", "channel"] = "writer",
        same: Annotated[float | None, Field(gt=0.0, le=1.0)] = None,
        grammar: Forms = "",
    ) -> None:
        """GUESS: two identities. A good `same` depends on the embedder; tune it on clean seeds."""
        self.identities, self.conflicts, self.outside, self.same = identities, conflicts, outside, same
        if same is not None:
            self.card = replace(self.card, needs_embedder=True)  # type: ignore[misc]
        self.read = reader_of(grammar)
        self._ledger, self._told = Ledger(), Told()
        self._vectors: dict[str, FloatArray] = {}
        """With `same`: the sentence of each statement that was ever made -> its vector."""
        self._sentences = Ledger()
        """With `same`: who stands behind which sentence."""

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Note who states what; everything is admitted."""
        self._told.note(experience)
        stated, who = self.read(experience.text), self._identities_of(experience)
        self._ledger.add(stated, who, experience.id)
        if self.same is not None and stated:
            new = sorted({one.text for one in stated} - self._vectors.keys())
            self._vectors.update(zip(new, await ctx.embed(new) if new else [], strict=True))
            self._sentences.add((_sentence(one.text, one.positive) for one in stated), who, experience.id)
        return ADMIT

    async def forgot(self, experiences: frozenset[str], ctx: DefenceContext) -> None:
        """Let nobody stand behind what was purged."""
        self._ledger.forget(experiences)
        self._sentences.forget(experiences)

    def _identities_of(self, experience: Experience) -> tuple[str, ...]:
        kind = class_of(experience)
        if self.outside == "channel" and not experience.heard and kind != OBSERVED:
            return (f"{experience.world}/#{kind}",)
        return behind(experience)

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Leave out what too few identities stand behind, and say how many they were."""
        near = await self._near(items, ctx)
        passed, effects = [], []
        for item in items:
            record, found = ctx.record(item.record_id), self._support(item, near)
            if found >= self.identities or self._passes(item, record, ctx):
                passed.append(item)
            else:
                effects.append(Effect("unsupported", item.record_id, {"identities": found, "needed": self.identities}))
        return Screening(tuple(passed), tuple(effects))

    def _passes(self, item: Recalled, record: Record | None, ctx: DefenceContext) -> bool:
        if record is not None and self._told.own(record, ctx):
            return True
        return self.conflicts and not any(self._ledger.against(one) for one in self.read(item.text))

    def _support(self, item: Recalled, near: Mapping[str, frozenset[str]]) -> int:
        """Return how many identities stand behind an item's least supported statement; enough where it has none."""
        return min((len(self._identities(one, near)) for one in self.read(item.text)), default=self.identities)

    def _identities(self, one: Statement, near: Mapping[str, frozenset[str]]) -> frozenset[str]:
        return self._ledger.behind(one) if self.same is None else near.get(_signed(one.positive, one.text), frozenset())

    async def _near(self, items: Sequence[Recalled], ctx: DefenceContext) -> dict[str, frozenset[str]]:
        """With `same`, return the identities behind each statement of the items and those that are near it."""
        stated = {_signed(one.positive, one.text): one for item in items for one in self.read(item.text)}
        if self.same is None or not stated or not self._vectors:
            return {}
        texts = sorted(self._vectors)
        asked = sorted(stated)
        cosines = await ctx.embed([stated[key].text for key in asked]) @ np.stack([self._vectors[t] for t in texts]).T
        return {
            key: frozenset(
                who
                for n in np.flatnonzero(row >= self.same - 1e-6).tolist()
                for who in self._sentences.behind(_sentence(texts[n], stated[key].positive))
            )
            for key, row in zip(asked, cosines, strict=True)
        }

    def _state(self) -> dict[str, Plain]:
        return {
            "ledger": self._ledger.plain(), "told": self._told.plain(), "vectors": self._vectors,
            "sentences": self._sentences.plain(),
        }  # fmt: skip

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._ledger.restore(state["ledger"])
        self._told.restore(state["told"])
        self._vectors = dict(state["vectors"])
        self._sentences.restore(state["sentences"])


def _sentence(text: str, positive: bool) -> Statement:
    """Return a sentence as a statement about itself, for the ledger of sentences."""
    return Statement(text, "", positive, text)


def _signed(positive: bool, text: str) -> str:
    return f"{'+' if positive else '-'}{text}"
