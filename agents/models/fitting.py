"""Shorten a request that does not fit a model's context, by one policy for all models, and count what it lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from simonides.sim.errors import ModelFailed
from simonides.sim.types import Message, Request

Overflow = Literal["refuse", "cut-oldest"]
"""What is done with a prompt that does not fit: see `cut_oldest`."""

CUT = "\n[...]\n"
"""Stands where text was cut out of a message, so that the model does not read two halves as one."""

SHRINKS = 8
"""How often a text is cut again when its pieces, joined, have more tokens than their parts."""


class Units(NamedTuple):
    """What a text is measured in and cut between."""

    split: Callable[[str], Sequence[Any]]
    join: Callable[[Any], str]


CHARACTERS = Units(str, str)


def characters(request: Request) -> int:
    """Return the characters of all text that a model reads of a request."""
    return len(request.prompt) + sum(len(message.content) for message in request.messages)


def cut_oldest(request: Request, excess: Callable[[Request], int], units: Units = CHARACTERS) -> Request | None:
    """Return the request with so little text that its `excess` is no more than 0; None when it has not so much to lose.

    `excess` tells by how many `units` a request is too long. Of a chat, whole messages go, oldest first; system
    messages and the last message stay. When only these are left, the middle of the last one is cut: it mostly begins
    with what to do and ends with what is asked. A plain prompt loses its beginning.
    """
    if not request.messages:
        whole = units.split(request.prompt)
        return _shrunk(request, len(whole), excess, lambda n: replace(request, prompt=units.join(whole[-n:])))
    shorter = request
    for shorter in _fewer(request):
        if excess(shorter) <= 0:
            return shorter
    *before, last = shorter.messages
    words = units.split(last.content)

    def without_middle(n: int) -> Request:
        head, tail = words[: n // 2], words[len(words) - (n - n // 2) :]
        content = units.join(head) + CUT + units.join(tail)
        return replace(shorter, messages=(*before, Message(last.role, content)))

    return _shrunk(shorter, len(words) - len(units.split(CUT)), excess, without_middle, least=2)


def _fewer(request: Request) -> Iterator[Request]:
    """Yield a chat with fewer and fewer of its messages; none begins with a reply, which many templates refuse."""
    *before, last = request.messages
    while (oldest := next((i for i, message in enumerate(before) if message.role != "system"), None)) is not None:
        del before[oldest]
        while oldest < len(before) and before[oldest].role == "assistant":
            del before[oldest]
        yield replace(request, messages=(*before, last))


def _shrunk(
    request: Request, kept: int, excess: Callable[[Request], int], keep: Callable[[int], Request], least: int = 1
) -> Request | None:
    """Return what `keep` leaves of a request when it keeps so few units that it fits."""
    for _ in range(SHRINKS):
        over = excess(request)
        if over <= 0:
            return request
        kept -= over
        if kept < least:
            return None
        request = keep(kept)
    return request if excess(request) <= 0 else None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tokens of a prompt, and how many the whole prompt had more."""

    tokens: list[int]
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Fitting:
    """The prompts of one model: its tokenizer (a Hugging Face one), its context in tokens, its policy."""

    identity: str
    tokenizer: Any
    context: int
    overflow: Overflow = "refuse"

    def fit(self, request: Request) -> Fitted:
        """Return a prompt that leaves room for `max_tokens` of reply. Raises ModelFailed when there is none."""
        tokens = self._tokens(request)
        room = self.context - request.max_tokens
        if len(tokens) <= room:
            return Fitted(tokens)
        kept = None
        if self.overflow == "cut-oldest" and room > 0:
            units = Units(self._split, self.tokenizer.decode)
            kept = cut_oldest(request, lambda shorter: len(self._tokens(shorter)) - room, units)
        if kept is None:
            hint = "or choose overflow: cut-oldest" if self.overflow == "refuse" and room > 0 else "or allow fewer"
            raise ModelFailed(
                f"{self.identity}: {request.purpose} has {len(tokens)} tokens and may take {request.max_tokens} more, "
                f"but the context is {self.context}: shorten the prompt, {hint}."
            )
        left = self._tokens(kept)
        return Fitted(left, len(tokens) - len(left))

    def _split(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _tokens(self, request: Request) -> list[int]:
        """Return the tokens of a chat or of a plain prompt. Raises ModelFailed for what the template refuses."""
        if not request.messages:
            if not request.prompt:
                raise ModelFailed(f"{self.identity}: {request.purpose} has neither messages nor a prompt.")
            return list(self.tokenizer.encode(request.prompt))
        if not getattr(self.tokenizer, "chat_template", True):
            raise ModelFailed(
                f"{self.identity} has no chat template, so that {request.purpose} cannot be asked as a chat: "
                "use an instruction-tuned model, or ask for a plain completion."
            )
        chat = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        except Exception as error:  # jinja2's errors, and what the template itself raises
            raise ModelFailed(f"{self.identity}: its chat template refuses {request.purpose}: {error}.") from None
        return self._split(text)
