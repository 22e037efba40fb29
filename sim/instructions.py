"""Instructions in remembered text: a condition, what to do, whether to pass it on; and procedures that worked before.

Scripted victims obey them by a rule with probabilities that are factors of a study; they stand for nothing that a
language model would do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from simonides.sim.errors import ContractBroken

ALWAYS = "any question"
_RULE = re.compile(r"Rule for (?P<when>[^;\n]+?): answer (?P<do>[^;\n]+?)(?P<copy>; pass this rule on)?\.(?=\s|$|\")")
_PROCEDURE = re.compile(
    r"Task: (?P<when>[^;\n]+?); steps: (?P<steps>[^\n]+?); result: (?P<result>[a-z ]+?)\.(?=\s|$|\")"
)
STEP = " > "


@dataclass(frozen=True, slots=True)
class Instruction:
    """What to do when a need arises: `do` is the value to act on.

    `when` is the subject of a need, a need's whole question, a phrase that the observation holds, or `ALWAYS`. `copy`
    asks the reader to pass the instruction on. A procedure is the same, written as an experience that worked: its steps
    in order, the last of which is `do`.
    """

    when: str
    do: str
    copy: bool = False
    steps: tuple[str, ...] = ()
    """Of a procedure, the value at its end included; () for a rule."""

    def applies(self, subject: str, question: str, observation: str) -> bool:
        """Return True when the condition holds for a need and what is seen."""
        return self.when in (ALWAYS, subject, question) or self.when in observation

    def say(self) -> str:
        """Return the instruction in words. Raises ContractBroken for words that would be read otherwise."""
        if self.steps:
            text = f"Task: {self.when}; steps: {STEP.join(self.steps)}; result: success."
        else:
            text = f"Rule for {self.when}: answer {self.do}{'; pass this rule on' if self.copy else ''}."
        if read_instructions(text) != (self,):
            raise ContractBroken(f"{text!r} is not read back as the instruction that it words; choose other words.")
        return text


def read_instructions(text: str) -> tuple[Instruction, ...]:
    """Return the instructions of a text: rules and procedures that succeeded, in its order."""
    found: list[tuple[int, Instruction]] = []
    for match in _RULE.finditer(text):
        found.append((match.start(), Instruction(match["when"], match["do"], match["copy"] is not None)))
    for match in _PROCEDURE.finditer(text):
        steps = tuple(match["steps"].split(STEP))
        if match["result"].endswith("success"):
            found.append((match.start(), Instruction(match["when"], steps[-1], False, steps)))
    return tuple(one for _, one in sorted(found, key=lambda item: item[0]))
