"""What a memory task says of itself: the decision that needs a fact, and afterwards how it went.

A need goes to policies, in `infos[agent]["need"]`; a verdict only to the trace, in `infos[agent]["answer_key"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from simonides.sim.claims import Form, Grammar
from simonides.sim.types import Plain


@dataclass(frozen=True, slots=True)
class Need:
    """A decision that depends on a fact which was seen or told before.

    The environment plans and controls; memory decides the one thing that the plan leaves open. `plan` gives for every
    value of the fact the name of the legal action that one who believes it takes now, so that readers which differ in
    what they recall differ in nothing else. It stays until the decision is made, for as many ticks as that takes.
    """

    id: str
    """Unique within the world; the same as long as the need stays."""
    question: str
    """The need in words: what to recall, as prompted agents read it too."""
    subject: str
    attribute: str
    options: tuple[str, ...]
    """The values that the fact may have, in an order that says nothing; chance is one of their number."""
    plan: Mapping[str, str]
    """Value -> the `text` of the legal action to take now."""
    grammar: Grammar
    """In which the family words its claims."""
    verify: str = ""
    """The `text` of a legal action that shows the truth at a cost, where there is one."""

    def plain(self) -> dict[str, Plain]:
        """Return the need as the plain data of `infos[agent]["need"]`."""
        return {
            "id": self.id, "question": self.question, "subject": self.subject, "attribute": self.attribute,
            "options": list(self.options), "plan": dict(self.plan), "grammar": self.grammar.plain(),
            "verify": self.verify,
        }  # fmt: skip

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Need | None:
        """Return the need in an info, or None where there is none."""
        need = info.get("need")
        if not need:
            return None
        return cls(
            need["id"], need["question"], need["subject"], need["attribute"], tuple(need["options"]), need["plan"],
            Grammar(Form(*form) for form in need["grammar"]), need.get("verify", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one need ended. Every need that was posed gets one, at the latest when the episode ends.

    It stands in `infos[agent]["answer_key"]["verdicts"]` of the observation that follows, which is why an episode lives
    one tick longer than its last decision: what came of it is seen, too.
    """

    need: str
    """The need's id."""
    task: str
    """The task's name, as the environment's documentation lists it."""
    subject: str
    attribute: str
    options: tuple[str, ...]
    truth: str
    chosen: str
    """The value that was acted on; "" when none was."""
    success: bool
    """That the task's goal was reached in the world, which the right choice alone need not do."""
    seen: int
    """Tick at which the fact was seen or told last; -1 when it never was (hidden by `reveal: false`)."""
    needed: int
    """Tick at which the need was first posed."""
    distractors: int = 0
    """Facts of the same kind about other subjects, or actions in between, as the task defines it."""
    sessions: int = 0
    """Ends of sessions or episodes between."""
    verified: bool = False
    """That the truth was looked up at a cost."""

    def plain(self) -> dict[str, Plain]:
        """Return the verdict as plain data."""
        found: dict[str, Plain] = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"options": list(self.options)}
