"""Decide by asking a model once: recall about what is due, show what fits the budget, parse strictly, or fall back.

Knows no prompt wording and no model: a request names its purpose and inputs, the platform words it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from simonides.agents.tasks import Task, task_of
from simonides.agents.turn import Turn
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.protocols import PolicyContext
from simonides.sim.render import situation_of
from simonides.sim.types import Action, Observation, Plain, Query, Recall

NO_ANSWER = "No information available"
"""What is answered when the model gave no usable reply: LoCoMo's wording for a question without an answer."""

Fallback = Literal["first-legal", "noop", "refuse"]


class PromptedPolicy:
    """Answers questions and chooses actions by asking the trial's model; `agents/tasks.py` says when one is due.

    It is asked at once, with the purposes "reader.answer" (inputs `question`, `context`) and "policy.action" (inputs
    `situation`, `context`, and `actions` where they are listed). Where nothing is due it recalls nothing, asks nothing
    and does "".

    `k` is how many records to recall (None: the memory's own default), `budget` how many tokens of them the model sees:
    whole records, best first, until the next one does not fit. `persona` says who the agent is, after "You are"; an
    environment's `info["persona"]` goes first. A reply that does not fit is drawn once more, and the model is told what
    was wrong. Then `fallback` is taken:

    | fallback | a question | an action |
    |---|---|---|
    | first-legal | "No information available" | the first legal action; without a list as noop |
    | noop | "" | what the environment names as doing nothing (`info["noop"]`); without one as refuse |
    | refuse | "No information available" | none: the world ends, its failure says what was wrong |

    The notes of the action, which are in the trace, say `purpose`, `prompt` (the start of the wording's sha256),
    `shown` (how many of the distinct records recalled, in their order), `context_tokens`, `calls`, `retries`,
    `malformed` (the unusable replies), `fallback` (the one taken, or ""), `prompt_tokens`, `completion_tokens`.
    """

    purposes: tuple[str, ...] = ("reader.answer", "policy.action")

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] | None = None,
        budget: Annotated[int, Field(ge=0)] = 2000,
        fallback: Fallback = "first-legal",
        persona: str = "",
    ) -> None:
        self.k = k
        self.budget = budget
        self.fallback: Fallback = fallback
        self.persona = persona

    def queries(self, observation: Observation, ctx: PolicyContext) -> tuple[Query, ...]:
        """Return one query, the situation in words, when something is due."""
        if task_of(observation) is None:
            return ()
        return (Query(situation_of(observation), k=self.k, probe=bool(observation.info.get("probe"))),)

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the model's answer or action, or the fallback. Raises ContractBroken when it is to refuse."""
        task = task_of(observation)
        if task is None:
            return Action("")
        turn = Turn(ctx, self.budget, str(observation.info.get("persona", self.persona)))
        turn.show(recalls)
        purpose, reply = await self._decide(task, turn, observation)
        if reply is None:
            value, text, fallback = self._instead(task, turn.mistake)
        else:
            said = getattr(reply, task.field)
            value, text, fallback = task.value(said), task.text(said), ""
        return Action(value, text, {"purpose": purpose, **turn.notes(), "fallback": fallback})

    async def _decide(self, task: Task, turn: Turn, observation: Observation) -> tuple[str, Any]:
        """Return the purpose of what was asked, and the reply or None."""
        purpose = "reader.answer" if task.field == "answer" else "policy.action"
        return purpose, await turn.ask(purpose, task.told(context=list(turn.shown.values())), task.reply)

    def _instead(self, task: Task, mistake: str) -> tuple[Plain, str, str]:
        """Return the value, the words and the name of the fallback."""
        wanted = self.fallback
        if task.field == "answer":
            said = "" if wanted == "noop" else NO_ANSWER
            return said, said, "noop" if wanted == "noop" else "refuse"
        if wanted == "first-legal" and task.legal:
            name = next(iter(task.legal))
            return task.legal[name], name, "first-legal"
        if wanted != "refuse" and task.noop:
            return task.noop[0], task.text(task.noop[0]), "noop"
        unable = "" if wanted == "refuse" else ", and the environment names none that does nothing (info['noop'])"
        raise ContractBroken(f"The model gave no usable action twice ({mistake}){unable}.")

    def snapshot(self) -> bytes:
        """Return no bytes: the policy has no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """Accept the snapshot of a policy without state. Raises CorruptFile for any other."""
        if data:
            raise CorruptFile(f"A prompted policy has no state, but its snapshot has {len(data)} bytes.")
