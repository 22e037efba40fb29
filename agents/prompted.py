"""Decide by asking a model: recall about what is observed, show what fits the token budget, parse the reply strictly.

Knows no prompt wording and no model: a request names its purpose and inputs, the model renders them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from simonides.sim.errors import CorruptFile
from simonides.sim.protocols import PolicyContext, Reply
from simonides.sim.types import Action, Observation, Plain, Query, Recall, Recalled

NO_ANSWER = "No information available"
"""What is answered when the model gave no usable reply: LoCoMo's wording for a question without an answer."""

STRICT = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """The reply to a question: one text, not empty."""

    model_config = STRICT
    answer: Annotated[str, Field(min_length=1)]


@lru_cache(maxsize=256)
def choice_of(actions: tuple[str, ...]) -> type[BaseModel]:
    """Return the schema of a reply that names one of these actions."""
    choice: Any = Literal[actions]
    return create_model("Choice", __config__=STRICT, action=(choice, ...))


@dataclass(frozen=True, slots=True)
class Shown:
    """The recalled records that fit the budget, as lines, and their tokens."""

    lines: tuple[str, ...]
    tokens: int


class PromptedPolicy:
    """Answers questions and chooses among legal actions by asking the trial's model.

    Something is asked when `info["legal_actions"]` lists actions (purpose "policy.action", inputs `situation`,
    `context`, `actions`), or when `info["phase"]` is "question" (purpose "reader.answer", inputs `question`,
    `context`). Otherwise it recalls nothing, asks nothing and does "".

    `k` is how many records to recall (None: the memory's own default), `budget` how many tokens of them the model
    sees: records are shown whole, best first, until the next one does not fit. A reply that does not fit the schema is
    drawn once more; after that the fallback is taken: "No information available", or the first legal action. The notes
    of the action say `purpose`, `shown` (records), `context_tokens`, `retries` and `fallback`.
    """

    def __init__(
        self, k: Annotated[int, Field(ge=1)] | None = None, budget: Annotated[int, Field(ge=0)] = 2000
    ) -> None:
        self.k = k
        self.budget = budget

    def queries(self, observation: Observation, ctx: PolicyContext) -> tuple[Query, ...]:
        """Return one query, the observation's text, when something is asked."""
        return (Query(observation.text, k=self.k),) if _asked(observation) else ()

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the model's answer or choice, or the fallback."""
        if not _asked(observation):
            return Action("")
        shown = show(recalls, self.budget, ctx)
        legal = {str(action): action for action in observation.info.get("legal_actions", ())}
        return await (_choose(observation, legal, shown, ctx) if legal else _answer(observation, shown, ctx))

    def snapshot(self) -> bytes:
        """Return no bytes: the policy has no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """Accept the snapshot of a policy without state. Raises CorruptFile for any other."""
        if data:
            raise CorruptFile(f"A prompted policy has no state, but its snapshot has {len(data)} bytes.")


def show(recalls: Sequence[Recall], budget: int, ctx: PolicyContext) -> Shown:
    """Return the distinct recalled records as lines, in the order recalled, up to `budget` tokens."""
    distinct = {item.record_id: item for recall in recalls for item in recall.items}
    lines: list[str] = []
    used = 0
    for item in distinct.values():
        line = _line(item)
        cost = ctx.tokens(line)
        if used + cost > budget:
            break
        lines.append(line)
        used += cost
    return Shown(tuple(lines), used)


def _line(item: Recalled) -> str:
    """Return a record's text after its simulated date; time 0 means that the world tells no dates."""
    date = f"[{datetime.fromtimestamp(item.time, UTC):%Y-%m-%d %H:%M}] " if item.time else ""
    return date + item.text


def _asked(observation: Observation) -> bool:
    info = observation.info
    return bool(info.get("legal_actions")) or (info.get("phase") == "question" and bool(observation.text))


async def _answer(observation: Observation, shown: Shown, ctx: PolicyContext) -> Action:
    inputs = {"question": observation.text, "context": list(shown.lines)}
    reply, retries = await _ask("reader.answer", inputs, Answer, ctx)
    text = reply.answer if reply else NO_ANSWER
    return Action(text, text, _notes("reader.answer", shown, retries, reply is None))


async def _choose(observation: Observation, legal: Mapping[str, Plain], shown: Shown, ctx: PolicyContext) -> Action:
    inputs = {"situation": observation.text, "context": list(shown.lines), "actions": list(legal)}
    reply, retries = await _ask("policy.action", inputs, choice_of(tuple(legal)), ctx)
    name = reply.model_dump()["action"] if reply else next(iter(legal))
    return Action(legal[name], name, _notes("policy.action", shown, retries, reply is None))


async def _ask(
    purpose: str, inputs: Mapping[str, Plain], schema: type[Reply], ctx: PolicyContext
) -> tuple[Reply | None, int]:
    """Return the model's reply and the number of retries: one more draw when the first does not fit."""
    reply = await ctx.model(purpose, inputs, schema)
    if reply is not None:
        return reply, 0
    return await ctx.model(purpose, inputs, schema), 1


def _notes(purpose: str, shown: Shown, retries: int, fallback: bool) -> dict[str, Plain]:
    return {
        "purpose": purpose,
        "shown": len(shown.lines),
        "context_tokens": shown.tokens,
        "retries": retries,
        "fallback": fallback,
    }
