"""A policy for the world of claims: it tells, and answers, the value that its memory gives for the topic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, Observation, Query, Recall, Recalled

_CLAIM = re.compile(r"The colour of (?P<subject>tower \d+) is (?P<value>\w+)\.")
Rule = Literal["newest", "top", "majority"]


def claims_in(text: str) -> list[tuple[str, str]]:
    """Return the (subject, value) of every claim in a text."""
    return [(found["subject"], found["value"]) for found in _CLAIM.finditer(text)]


class ClaimHolder:
    """Recalls the topic, and acts on what it finds: holds nothing itself, so that its memory is what is studied.

    `rule` decides among recalled claims about the topic: "newest" takes the latest by time, "top" the best ranked,
    "majority" the value of most items (ties go to the better ranked). Unreadable texts count for nothing; without a
    claim about the topic it says nothing (action 0).
    """

    waits = False
    """Its `act` never waits for anything, so that a world need not gather it."""
    by_rule = True
    """What it believes is decided by a rule, and reports say so."""

    def __init__(self, rule: Rule = "newest", k: Annotated[int, Field(ge=1)] = 5) -> None:
        self.rule, self.k = rule, k

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask for the topic; a question's recall leaves no effects."""
        question = observation.info.get("question", "")
        return (Query(question, k=self.k, probe=bool(observation.info.get("probe"))),) if question else ()

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the index of the value to tell, counted from 1, or 0."""
        options = list(observation.info.get("options", ()))
        items = [item for recall in recalls for item in recall.items]
        value = self.choose(str(observation.info.get("question", "")), items)
        return Action(value=options.index(value) + 1 if value in options else 0, text=value)

    def choose(self, question: str, items: Sequence[Recalled]) -> str:
        """Return the value that recalled items (best first) give to the topic of a question, or ""."""
        found = [
            (item.time, value)
            for item in items
            for subject, value in claims_in(item.text)
            if question.endswith(f"{subject}?")
        ]
        if not found:
            return ""
        if self.rule == "newest":
            return max(found, key=lambda claim: claim[0])[1]
        if self.rule == "majority":
            return Counter(value for _, value in found).most_common(1)[0][0]
        return found[0][1]

    def snapshot(self) -> bytes:
        """Return b"": there is no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """Do nothing: there is no state."""
