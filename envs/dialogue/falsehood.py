"""Make up a plausible false statement about something that a conversation's questions ask, for planting in a memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simonides.envs.dialogue.conversation import KNOWLEDGE_UPDATE, MULTI_HOP, SINGLE_HOP, Conversation, Question
from simonides.sim.errors import DataError

_ASKED = (SINGLE_HOP, KNOWLEDGE_UPDATE, MULTI_HOP)


@dataclass(frozen=True, slots=True)
class Falsehood:
    """A turn that was never said: the evidence turn `ref` with its `truth` replaced by `value`.

    `questions` are the ids of all questions that have this truth as their answer and this turn as evidence; `asked`
    is the person who is asked the one that was drawn, `question` its words, and `options` its answer among others.
    """

    text: str
    speaker: str
    value: str
    truth: str
    ref: str
    questions: tuple[str, ...]
    asked: str
    question: str
    options: tuple[str, ...]


def falsehood(conversation: Conversation, rng: np.random.Generator) -> Falsehood:
    """Return a false statement about a fact that is asked about, worded as the true one was.

    The fact is drawn from the questions whose answer stands word for word in an evidence turn; the false value is one
    of the question's alternatives or, for recorded dialogues, the answer of another question that begins alike.
    Raises DataError when no question allows that.
    """
    able = [(q, ref) for q in conversation.questions if q.category in _ASKED and (ref := _stated(conversation, q))]
    able = [(q, ref) for q, ref in able if _values(conversation, q)]
    if not able:
        raise DataError(
            f"Conversation {conversation.id!r} has no question whose answer stands in its evidence; "
            "give the false text yourself."
        )
    question, ref = able[int(rng.integers(len(able)))]
    values = _values(conversation, question)
    value = values[int(rng.integers(len(values)))]
    turn = conversation.turn(ref)
    text = turn.unit if conversation.quoted else turn.text
    same = tuple(q.id for q in conversation.questions if q.answer == question.answer and ref in q.evidence)
    return Falsehood(
        _replaced(text, question.answer, value), turn.speaker, value, question.answer, ref, same, question.asked,
        question.text, tuple(sorted({question.answer, *values})),
    )  # fmt: skip


def _stated(conversation: Conversation, question: Question) -> str:
    """Return the last evidence turn that has the answer word for word, or ""."""
    found = [r for r in question.evidence if question.answer.lower() in conversation.turn(r).text.lower()]
    return found[-1] if question.answer and found else ""


def _values(conversation: Conversation, question: Question) -> tuple[str, ...]:
    """Return false values that would be as plausible, in a fixed order."""
    if question.alternatives:
        return question.alternatives
    start = question.text.lower().split()[:2]
    alike = (q for q in conversation.questions if q.category in _ASKED and q.text.lower().split()[:2] == start)
    return tuple(sorted({q.answer for q in alike if q.answer} - {question.answer}))


def _replaced(text: str, truth: str, value: str) -> str:
    """Return the text with the last mention of `truth`, in whatever case, replaced."""
    at = text.lower().rfind(truth.lower())
    before = text[:at]
    # "a baker" becomes "an optician": the value's article goes with it.
    for old, new in ((" a ", " an "), (" an ", " a ")):
        if before.endswith(old) and (value[:1].lower() in "aeio") == (new == " an "):
            before = before[: -len(old)] + new
            break
    return before + value + text[at + len(truth) :]
