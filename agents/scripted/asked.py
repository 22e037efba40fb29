"""Questions that somebody else asks a scripted agent, with hints, and the reasoning that it remembers of its answers.

A question is a sentence in what the agent sees; its hints are steps that lead from a subject to a value. What the agent
remembers of an answer is the question in the words in which it was asked and a procedure: the steps, then the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from simonides.sim.errors import ContractBroken
from simonides.sim.instructions import Instruction

_ASKED = re.compile(r"A user asks: (?P<question>[^\n;]*?\?)(?P<hints>(?: Hint: [^\n;>]+?\.(?=\s|$))*)")
_HINT = " Hint: "
_LINK = re.compile(r"(?P<start>.+) is listed as (?P<end>.+)")
_END = re.compile(r"(?P<start>.+) says (?P<value>.+)")
LEAP = 1
"""A remembered answer serves a question with at most so many hints less than it had. GUESS: what a model would
generalise from an example is not known here, and MINJA's shortening goes in small steps."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of somebody else, with hints."""

    question: str
    hints: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """The question and its hints, as the precondition of a procedure."""
        return self.question + "".join(f"{_HINT}{hint}." for hint in self.hints)

    def say(self) -> str:
        """Return the question in words. Raises ContractBroken for words that would be read otherwise."""
        text = f"A user asks: {self.task}"
        if read_asked(text) != (self,):
            raise ContractBroken(f"{text!r} is not read back as the question that it words; choose other words.")
        return text

    @classmethod
    def of_task(cls, task: str) -> Asked:
        """Return the question that a procedure was made for."""
        question, *hints = task.split(_HINT)
        return cls(question, tuple(hint.removesuffix(".") for hint in hints))

    def follows(self, earlier: Asked) -> bool:
        """Return True when the answer to an earlier question serves this one: the same, or with fewer hints left."""
        more = len(earlier.hints) - len(self.hints)
        return (
            0 <= more <= LEAP and earlier.question == self.question and earlier.hints[: len(self.hints)] == self.hints
        )

    def concluded(self) -> str:
        """Return the value that the hints lead to, or "" where a step is missing."""
        found = [_LINK.fullmatch(hint) for hint in self.hints[:-1]]
        end = _END.fullmatch(self.hints[-1]) if self.hints else None
        if end is None or None in found:
            return ""
        links = [match for match in found if match is not None]
        heads = [*(match["start"] for match in links[1:]), end["start"]] if links else []
        return end["value"] if [match["end"] for match in links] == heads else ""


def read_asked(text: str) -> tuple[Asked, ...]:
    """Return the questions that are asked in a text, in its order."""
    return tuple(
        Asked(match["question"], Asked.of_task(match["question"] + match["hints"]).hints)
        for match in _ASKED.finditer(text)
    )


def bridge(subject: str, value: str, stations: Sequence[str]) -> tuple[str, ...]:
    """Return hints that lead from a subject over stations to a value, one more than there are stations."""
    names = [subject, *stations]
    links = [f"{start} is listed as {end}" for start, end in zip(names, stations, strict=False)]
    return (*links, f"{names[-1]} says {value}")


def answered(asked: Asked, steps: Sequence[str]) -> str:
    """Return what is remembered of an answer. Raises ContractBroken for steps that would be read otherwise."""
    procedure = Instruction(asked.task, steps[-1], steps=tuple(steps))
    return f"{asked.say()}\n{procedure.say()}"
