"""One decision on its way: asks the model and parses strictly, shows records within the budget, keeps what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simonides.sim.protocols import PolicyContext
from simonides.sim.render import fitting
from simonides.sim.types import Completion, Plain, Recall, Recalled

KEPT = 500
"""Characters of an unusable reply that the notes keep."""
BUDGET = "budget"
"""How a reply ends that was not asked for any more, since the study's budget is used up."""
VERSION = 16
"""Characters of a wording's sha256 that the notes keep."""


@dataclass(slots=True)
class Turn:
    """What the model is told in one decision, and what has happened so far."""

    ctx: PolicyContext
    budget: int
    persona: str = ""
    shown: dict[str, str] = field(default_factory=dict)
    """Lines by record id, in the order shown."""
    steps: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    recalls: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    mistake: str = ""
    calls: int = 0
    retries: int = 0
    prompt: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens: int = 0
    """Tokens of the lines shown."""

    def show(self, recalled: Sequence[Recall]) -> list[str]:
        """Show the records that were not shown yet, as many as the rest of the budget holds; return their lines."""
        fresh: dict[str, Recalled] = {}
        for recall in recalled:
            for item in recall.items:
                if item.record_id not in self.shown:
                    fresh.setdefault(item.record_id, item)
        lines = fitting(fresh.values(), self.budget - self.tokens, self.ctx.tokens)
        self.shown.update(zip(fresh, lines, strict=False))
        self.tokens += self.ctx.tokens("\n".join(lines))
        return lines

    async def ask(self, purpose: str, inputs: Mapping[str, Plain], schema: Any) -> Any:
        """Return the model's reply; a second one, told what was wrong, when the first does not fit; else None."""
        persona = {"persona": self.persona} if self.persona else {}
        mistake: dict[str, Plain] = {}
        for attempt in range(2):
            self.retries += attempt
            asked = await self.ctx.ask(purpose, {**persona, **inputs, **mistake}, schema)
            self.count(asked.completion)
            self.prompt = asked.prompt
            if asked.value is not None:
                return asked.value
            self.mistake = asked.mistake
            if asked.completion.finish == BUDGET:
                break
            self.malformed.append(asked.completion.text[:KEPT])
            mistake = {"mistake": asked.mistake}
        return None

    def count(self, completion: Completion) -> None:
        """Count one call, unless the model was not asked."""
        self.calls += completion.finish != BUDGET
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens

    def notes(self) -> dict[str, Plain]:
        """Return what the trace keeps of the decision."""
        stepped = {"thoughts": self.thoughts, "recalls": self.recalls} if self.thoughts else {}
        return {
            "prompt": self.prompt[:VERSION],
            "shown": len(self.shown),
            "context_tokens": self.tokens,
            "calls": self.calls,
            "retries": self.retries,
            "malformed": self.malformed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            **stepped,
        }
