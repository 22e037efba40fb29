"""Turn a request into the tokens of a prompt that fits the model's context, with the policy for one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simonides.sim.errors import ModelFailed
from simonides.sim.types import Message, Request

Overflow = Literal["refuse", "cut-oldest"]

CUT = "\n[...]\n"
"""Stands where text was cut out of a message, so that the model does not read two halves as one."""

SHRINKS = 8
"""How often a last message is cut again when its pieces, joined, have more tokens than their parts."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tokens of a prompt, and how many the whole prompt had more."""

    tokens: list[int]
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Fitting:
    """The prompts of one model: its tokenizer (a Hugging Face one), its context in tokens, its policy.

    "refuse" raises. "cut-oldest" drops whole messages of a chat, oldest first, but no system message and not the last;
    then the middle of the last one, which mostly begins with what to do and ends with what is asked. A plain prompt
    loses its beginning.
    """

    identity: str
    tokenizer: Any
    context: int
    overflow: Overflow = "refuse"

    def fit(self, request: Request) -> Fitted:
        """Return a prompt that leaves room for `max_tokens` of reply. Raises ModelFailed when there is none."""
        tokens = self._tokens(request, request.messages)
        room = self.context - request.max_tokens
        if len(tokens) <= room:
            return Fitted(tokens)
        kept = self._shorter(request, room) if self.overflow == "cut-oldest" and room > 0 else None
        if kept is None:
            hint = "or choose overflow: cut-oldest" if self.overflow == "refuse" and room > 0 else "or allow fewer"
            raise ModelFailed(
                f"{self.identity}: {request.purpose} has {len(tokens)} tokens and may take {request.max_tokens} more, "
                f"but the context is {self.context}: shorten the prompt, {hint}."
            )
        return Fitted(kept, len(tokens) - len(kept))

    def _shorter(self, request: Request, room: int) -> list[int] | None:
        if not request.messages:
            return self._tokens(request, ())[-room:]
        *before, last = request.messages
        while True:
            oldest = next((i for i, message in enumerate(before) if message.role != "system"), None)
            if oldest is None:
                return self._without_middle(request, before, last, room)
            del before[oldest]
            if oldest < len(before) and before[oldest].role == "assistant":
                del before[oldest]  # many templates refuse a chat that begins with a reply
            tokens = self._tokens(request, [*before, last])
            if len(tokens) <= room:
                return tokens

    def _without_middle(
        self, request: Request, before: Sequence[Message], last: Message, room: int
    ) -> list[int] | None:
        words = self.tokenizer.encode(last.content, add_special_tokens=False)
        kept = len(words) - (len(self._tokens(request, [*before, last])) - room)
        kept -= len(self.tokenizer.encode(CUT, add_special_tokens=False))
        for _ in range(SHRINKS):
            if kept < 2:
                return None
            head, tail = words[: kept // 2], words[len(words) - (kept - kept // 2) :]
            content = self.tokenizer.decode(head) + CUT + self.tokenizer.decode(tail)
            tokens = self._tokens(request, [*before, Message(last.role, content)])
            if len(tokens) <= room:
                return tokens
            kept -= len(tokens) - room
        return None

    def _tokens(self, request: Request, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat or of a plain prompt. Raises ModelFailed for what the template refuses."""
        if not messages:
            if not request.prompt:
                raise ModelFailed(f"{self.identity}: {request.purpose} has neither messages nor a prompt.")
            return list(self.tokenizer.encode(request.prompt))
        if not self.tokenizer.chat_template:
            raise ModelFailed(
                f"{self.identity} has no chat template, so that {request.purpose} cannot be asked as a chat: "
                "use an instruction-tuned model, or ask for a plain completion."
            )
        chat = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # jinja2's errors, and what the template itself raises
            raise ModelFailed(f"{self.identity}: its chat template refuses {request.purpose}: {error}.") from None
        return list(self.tokenizer.encode(text, add_special_tokens=False))
