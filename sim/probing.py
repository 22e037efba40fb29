"""Probes as a study writes them: what is asked of copies of the agents, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Probe(BaseModel):
    """A question that a study asks without changing anything: when, what, and whom.

    It asks `agent` (world/agent), or every agent; `space` without an agent is read alone, and nobody decides. With both
    the agent recalls from this space only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    every: Annotated[int, Field(ge=1)] | None = None
    """Ticks between two askings, from tick 0 on."""
    at: tuple[Annotated[int, Field(ge=0)], ...] = ()
    question: str | None = None
    need: Mapping[str, Any] | None = None
    """A need as environments pose them (`sim/needs.py`); its plan may be left out: each value is then an action."""
    space: str | None = None
    agent: str | None = None
    k: Annotated[int, Field(ge=1)] | None = None
    """Records asked for where a space is read alone."""
    info: Mapping[str, Any] = Field(default_factory=dict)
    """What the environment would tell beside the question, where the policy asks for it."""

    @model_validator(mode="after")
    def _whole(self) -> Probe:
        if (self.every is None) == (not self.at):
            raise ValueError("say when it asks: every, or at")
        if (self.question is None) == (self.need is None):
            raise ValueError("say what it asks: question, or need")
        if self.need is not None and (lost := sorted({"question", "subject", "attribute", "options"} - set(self.need))):
            raise ValueError(f"a need says its {lost[0]}")
        return self

    def due(self, tick: int) -> bool:
        """Return True at a tick at which it asks."""
        return tick % self.every == 0 if self.every is not None else tick in self.at

    @property
    def text(self) -> str:
        """The question in words."""
        return self.question if self.question is not None else str((self.need or {})["question"])

    def told(self, name: str) -> dict[str, Any]:
        """Return the info that a policy is shown with the question."""
        info: dict[str, Any] = {
            "text": self.text, "question": self.text, "phase": "question", "question_id": name, "probe": True,
        }  # fmt: skip
        if self.need is not None:
            plan = self.need.get("plan") or {value: value for value in self.need["options"]}
            need = {"id": name, "grammar": [], "verify": "", **self.need, "plan": plan}
            info |= {"need": need, "noop": "", "legal_actions": [{"text": v, "value": v} for v in plan.values()]}
        return info | dict(self.info)
