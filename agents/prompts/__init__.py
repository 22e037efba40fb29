"""The packaged wording of named questions. Knows no model: it makes chats out of plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from simonides.sim.types import Message, Plain, Request

GENERAL = "Do what is asked with the material below. Reply with the result alone, without comment."


class Prompts:
    """Renders each question as one system and one user message; inputs follow in the order in which they are given."""

    def render(self, request: Request) -> tuple[Message, ...]:
        """Return the chat that asks a request."""
        return Message("system", GENERAL), Message("user", f"Task: {request.purpose}\n\n{_sections(request.inputs)}")

    def version(self, purpose: str) -> str:
        """Return the hash of the wording of one purpose."""
        return hashlib.sha256(GENERAL.encode()).hexdigest()


def _sections(inputs: Mapping[str, Plain]) -> str:
    return "\n\n".join(f"## {name}\n{_text(value)}" for name, value in inputs.items())


def _text(value: Plain) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
