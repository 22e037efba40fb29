"""What a remembered text says, so that two texts can be found to agree or to contradict each other.

With a grammar this is exact. Without one a sentence is split by a rule of thumb, which knows no meaning.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from simonides.sim.claims import Form, Grammar
from simonides.sim.errors import StudyError
from simonides.sim.instructions import read_instructions

Forms = str | list[tuple[str, str, str]]
"""A grammar as a study gives it: "module:attribute", or forms as (attribute, positive, negative); "" for none."""

_SAID = re.compile(r'(?P<who>[^\s".!?,:][^".!?:]*?) said, "(?P<what>[^"]*)"')
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\s.,;:!?\"()]+(?:[.,:][^\s.,;:!?\"()]+)*")

VERBS = frozenset({"is", "are", "was", "were", "has", "lives", "plays", "lay", "belongs", "works", "likes"})
ENDS = VERBS | {"in", "on", "at", "under", "by", "to", "the", "a", "an", "called", "touch", "with", "from"}
FIRST_PERSON = frozenset({"i", "i'm", "my", "we", "our", "me", "us"})
VAGUE = frozenset(
    {"it", "there", "this", "that", "these", "those", "he", "she", "they", "what", "nothing", "everything", "everybody"}
)
"""A sentence that begins so names nothing that it is about."""
LONGEST_VALUE = 6
"""Words. GUESS: with LEAST_FRAME it leaves small talk unread."""
LEAST_FRAME = 2


class Statement(NamedTuple):
    """That something (`about`) has a value, or has not. `text` is the sentence with its marks and capitals removed."""

    about: str
    value: str
    positive: bool
    text: str

    def contradicts(self, other: Statement) -> bool:
        """Return True when both cannot hold: two values of one thing, or a value and its denial."""
        if self.about != other.about:
            return False
        if self.positive and other.positive:
            return self.value != other.value
        return self.value == other.value and self.positive != other.positive


Reader = Callable[[str], tuple[Statement, ...]]


def reader_of(grammar: Forms) -> Reader:
    """Return what reads texts by a grammar, or by the rule of thumb for "".

    Raises StudyError for a name that leads to no grammar.
    """
    if not grammar:
        return plainly_stated
    found = _named(grammar) if isinstance(grammar, str) else Grammar(Form(*form) for form in grammar)

    @lru_cache(maxsize=1 << 14)
    def read(text: str) -> tuple[Statement, ...]:
        claims = (
            Statement(f"{c.subject}|{c.attribute}", c.value, c.positive, f"{c.subject}|{c.attribute}|{c.value}")
            for c in found.read(text)
        )
        return (*_instructed(text), *claims)

    return read


def _named(name: str) -> Grammar:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise StudyError(f"grammar: {name!r} cannot be found: {error}. Name it as 'module:attribute'.") from None
    if not isinstance(found, Grammar):
        raise StudyError(f"grammar: {name!r} is a {type(found).__name__}, no Grammar of simonides.sim.claims.")
    return found


@lru_cache(maxsize=1 << 14)
def plainly_stated(text: str) -> tuple[Statement, ...]:
    """Return what a text states, by a rule of thumb (GUESS): instructions, and sentences that end in a value.

    A sentence with one of a few verbs is cut after its last verb, preposition or article: "the cube is in the | left
    bin". What stands before is what it is about, what follows its value. Of quoted speech the words inside are read;
    what is said in the first person is about who says it. Questions state nothing.
    """
    found = list(_instructed(text))
    end = 0
    for quote in _SAID.finditer(text):
        found += _stated(text[end : quote.start()], "")
        found += _stated(quote["what"], quote["who"])
        end = quote.end()
    return (*found, *_stated(text[end:], ""))


def _instructed(text: str) -> list[Statement]:
    return [
        Statement(f"instruction|{one.when}", one.do, True, f"instruction|{one.when}|{one.do}")
        for one in read_instructions(text)
    ]


def _stated(text: str, who: str) -> list[Statement]:
    sentences = (part.strip() for part in _SENTENCE.split(text))
    found = (_split(part, who) for part in sentences if not part.endswith("?") and not read_instructions(part))
    return [statement for statement in found if statement is not None]


def _split(sentence: str, who: str) -> Statement | None:
    words, positive = _affirmed(_WORD.findall(sentence.lower()))
    if VERBS.isdisjoint(words) or words[0] in VAGUE:
        return None
    cut = max(n for n, word in enumerate(words) if word in ENDS) + 1
    frame, value = words[:cut], words[cut:]
    if len(frame) < LEAST_FRAME or not 0 < len(value) <= LONGEST_VALUE:
        return None
    mine = who and not FIRST_PERSON.isdisjoint(frame)
    about = " ".join([f"{who.lower()}:", *frame] if mine else frame)
    return Statement(about, " ".join(value), positive, " ".join([*frame, *value]))


def _affirmed(words: Sequence[str]) -> tuple[list[str], bool]:
    """Return the words without their negation, and whether there was none."""
    if "not" not in words:
        return list(words), True
    at = words.index("not")
    if at and words[at - 1] == "does" and at + 1 < len(words):
        return [*words[: at - 1], f"{words[at + 1]}s", *words[at + 2 :]], False
    return [*words[:at], *words[at + 1 :]], False
