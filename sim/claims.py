"""Claims as text: a grammar says that something is so, and reads back what it has said.

What agents remember and tell each other are sentences; whoever wants to act on one has to read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simonides.sim.errors import ContractBroken
from simonides.sim.types import Plain

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_SAID = re.compile(r'(?P<who>[^\s".!?,:][^".!?:]*?) said, "(?P<what>[^"]*)"')


@dataclass(frozen=True, slots=True)
class Claim:
    """That an attribute of a subject has a value, or has not."""

    subject: str
    attribute: str
    value: str
    said_by: str = ""
    """Who says so; "" for what was seen."""
    positive: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """How claims about one attribute are worded: one sentence each, with `{subject}` and `{value}`."""

    attribute: str
    positive: str
    negative: str

    def plain(self) -> list[str]:
        """Return the form as plain data."""
        return [self.attribute, self.positive, self.negative]


class Grammar:
    """The sentences in which a family of environments words its claims.

        grammar = Grammar([Form("place", "The {subject} is in the {value}.", "The {subject} is not in the {value}.")])
        grammar.say(Claim("red cube", "place", "left bin", said_by="Ann"))  # 'Ann said, "The red cube is in ..."'

    What it says it reads back; `say` raises ContractBroken for a claim whose words would be read otherwise.
    """

    def __init__(self, forms: Iterable[Form]) -> None:
        self.forms = tuple(forms)
        self._by_attribute: Mapping[str, Form] = {form.attribute: form for form in self.forms}
        # Negations first: "is not red" would also be read as a value "not red".
        self._readers = [
            (form.attribute, positive, _pattern(form.positive if positive else form.negative))
            for positive in (False, True)
            for form in self.forms
        ]

    def say(self, claim: Claim) -> str:
        """Return a claim as a sentence, quoted where somebody says it."""
        form = self._by_attribute[claim.attribute]
        wording = form.positive if claim.positive else form.negative
        sentence = wording.format(subject=claim.subject, value=claim.value)
        text = f'{claim.said_by} said, "{sentence}"' if claim.said_by else sentence
        if self.read(text) != (claim,):
            raise ContractBroken(f"{text!r} is not read back as {claim}; choose other names or another wording.")
        return text

    def read(self, text: str) -> tuple[Claim, ...]:
        """Return the claims of a text, in its order; sentences of another form say nothing."""
        found: list[Claim] = []
        end = 0
        for quote in _SAID.finditer(text):
            found += self._sentences(text[end : quote.start()], "")
            found += self._sentences(quote["what"], quote["who"])
            end = quote.end()
        return (*found, *self._sentences(text[end:], ""))

    def _sentences(self, text: str, said_by: str) -> list[Claim]:
        found = (self._claim(sentence.strip(), said_by) for sentence in _SENTENCE.split(text))
        return [claim for claim in found if claim is not None]

    def _claim(self, sentence: str, said_by: str) -> Claim | None:
        for attribute, positive, pattern in self._readers:
            match = pattern.fullmatch(sentence)
            if match:
                return Claim(match["subject"], attribute, match["value"], said_by, positive)
        return None

    def plain(self) -> list[Plain]:
        """Return the grammar as plain data."""
        return [form.plain() for form in self.forms]


def _pattern(wording: str) -> re.Pattern[str]:
    text = re.escape(wording)
    for name in ("subject", "value"):
        text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>\\S|\\S.*?\\S)", 1)
    return re.compile(text)
