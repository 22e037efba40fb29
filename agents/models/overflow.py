"""Cut a request that does not fit a model's context: the oldest text goes, what is stable and what is asked stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simonides.sim.types import Message, Request

CUT = "\n[...]\n"
"""Stands where text was cut, so that the model does not read two halves as one."""


def characters(request: Request) -> int:
    """Return the characters of all text that a model reads of a request."""
    return len(request.prompt) + sum(len(message.content) for message in request.messages)


def cut_oldest(request: Request, excess: int) -> Request | None:
    """Return the request with at least `excess` characters less, or None when it has not so much to lose.

    Of a chat, whole messages go, oldest first; system messages and the last message stay. When only these are left,
    the middle of the last one is cut: instructions stand at its beginning, the question mostly at its end. A prompt to
    be completed loses its beginning.
    """
    if not request.messages:
        kept = len(request.prompt) - excess
        return replace(request, prompt=request.prompt[-kept:]) if kept > 0 else None
    stable = [m for m in request.messages[:-1] if m.role == "system"]
    earlier = _dropped([m for m in request.messages[:-1] if m.role != "system"], excess)
    shorter = replace(request, messages=(*stable, *earlier, request.messages[-1]))
    left = excess - (characters(request) - characters(shorter))
    if left <= 0:
        return shorter
    last = _without_middle(request.messages[-1], left)
    return None if last is None else replace(shorter, messages=(*shorter.messages[:-1], last))


def _dropped(messages: Sequence[Message], excess: int) -> Sequence[Message]:
    """Return what is left when the oldest have gone; no chat begins with a reply, which many templates refuse."""
    at = 0
    while at < len(messages) and (excess > 0 or messages[at].role == "assistant"):
        excess -= len(messages[at].content)
        at += 1
    return messages[at:]


def _without_middle(message: Message, excess: int) -> Message | None:
    kept = len(message.content) - excess - len(CUT)
    if kept < 2:
        return None
    head, tail = kept // 2, kept - kept // 2
    return replace(message, content=message.content[:head] + CUT + message.content[-tail:])
