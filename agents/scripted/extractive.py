"""A reader without a model: it answers questions with words cut from what was recalled, by one fixed rule."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from nltk.stem.porter import PorterStemmer
from pydantic import Field

from simonides.agents.scripted.timex import resolve, said_on, without_dates
from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, Observation, Query, Recall, Recalled

NOTHING = "No information available"
"""What LoCoMo's official scorer accepts as the answer to a question that cannot be answered."""

_STOP_WORDS = """
    a about after again all also am an and any are as at be been being before but by can could did do does doing
    during each for from get got had has have having he her here hers him his how i if in into is it its just like
    likely ll m me might more most my no not now of off on one or our out over own re s she should so some such t than
    that the their them then there these they this those through to too up us ve very was we were what when where
    which while who whom why will with would you your yes ever still same really much many lot way thing things
    kind type go going went hey hi thanks wow yeah oh great good well"""
_AUXILIARIES = "is are was were do does did has have had can could would will should might"
_STOP = frozenset(_STOP_WORDS.split())
_YES_NO = frozenset(_AUXILIARIES.split())
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNIT = re.compile(
    r'(?P<who>[^"\n]{1,40}?) (?:said|says), "(?P<body>.*?)"(?: and shared (?P<caption>[^\n]*))?(?=\n|$)', re.DOTALL
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_NAME = re.compile(r"(?<=\s)[A-Z][^\W\d_]+")
_WHEN = re.compile(r"^(?:when|since when|(?:in |on )?(?:what|which) (?:day|date|month|year))\b", re.IGNORECASE)
_AMOUNT = re.compile(r"^how (?:many|much|long|often|old)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|once|twice|\d[\d,.]*)\b(?: \w+)?", re.IGNORECASE
)
_TITLE = re.compile(r"\b(?:book|movie|film|song|game|called|name|title|series|show)\b")
_PLURAL = re.compile(r"^(?:[Ww]hat|[Ww]hich|[Ww]ho)(?: [a-z]+){0,2}? (?!does|is|was|has)[a-z]+[^s]s\b")
_HEDGE = re.compile(r"\b(?:as far as I know|I (?:believe|think|guess|suppose)|if I remember)\b", re.IGNORECASE)
_ASKED = re.compile(r"^(?:what|which)(?: is the| was the| were the| are the)? ([a-z]+)", re.IGNORECASE)
_WHERE = re.compile(
    r"^where\b|^(?:what|which) (?:city|cities|country|countries|town|place|places|state)\b", re.IGNORECASE
)
_PLACE = re.compile(r"\b(?:in|to|at|from|near|around) (?:the )?([A-Z][\w'’]+(?: [A-Z][\w'’]+)*)")
_LATEST = re.compile(r"\b(?:now|currently|these days|most recent\w*|latest|newest|new)\b", re.IGNORECASE)
_NEGATIVE = re.compile(r"\b(?:not|never|no|nobody|none|\w+n['’]t)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A recalled sentence: who said it, its item's rank, when it was said, the stems of its words and its item's."""

    text: str
    speaker: str
    rank: int
    time: float
    stems: frozenset[str]
    around: frozenset[str]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return PorterStemmer().stem(word)  # type: ignore[no-any-return]


def _word(text: str) -> str:
    return text.lower().replace("’", "'").removesuffix("'s")


def stems(text: str) -> list[str]:
    """Return the Porter stems of a text's words that carry meaning, in order."""
    return [_stem(word) for word in map(_word, _WORD.findall(text)) if word not in _STOP]


def sentences(items: Sequence[Recalled]) -> list[_Sentence]:
    """Return the sentences of the recalled texts; 'X said, "..." and shared ...' tells who spoke."""
    found = []
    for rank, item in enumerate(items):
        around = frozenset(stems(item.text))
        for speaker, part in _parts(item.text):
            if part.strip():
                found.append(_Sentence(part.strip(), speaker, rank, item.time, frozenset(stems(part)), around))
    return found


def _parts(text: str) -> list[tuple[str, str]]:
    units = list(_UNIT.finditer(text))
    if not units:
        return [("", part) for part in _SENTENCE.split(text)]
    return [
        (unit["who"].split(":")[-1].strip(), part)
        for unit in units
        for part in [*_SENTENCE.split(unit["body"]), unit["caption"] or ""]
    ]


class ExtractiveReader:
    """A policy that listens in silence, and answers questions from the recalled texts alone.

    While it is told things it asks nothing and returns an empty text. A question (an observation whose info says
    `phase` "question" and has a `question_id`) becomes one query, and is answered so:

    1. Recalled texts are split into sentences. A sentence scores the share of the question's stems that it has,
       weighted by how rare they are among the recalled, plus half of the same for its whole item; plus 0.6 if the
       person asked about says it and does not hedge ("as far as I know"), plus 0.3 if it has the noun asked for
       ("which city"), minus 0.4 if it is itself a question. Ties go to the newest, then to what came back first.
    2. If the question names a person (a recalled speaker, else its first name-like word), only sentences that this
       person said, or that name the person, can answer. If there are none, if an item by somebody else has more of
       the question, or if the best item has less than `coverage` of it, the answer is "No information available".
    3. If the question asks for what is so now, the newest of the sentences within 0.5 of the best score wins.
    4. "When" is answered by the date that a time expression in the sentence (or else its item) means, seen from the
       time it was said, or by that time's date; "how many" by a number; yes-or-no questions by "Yes", or "No" if the
       sentence has a negation; names of works by a quoted title; "where" by a name after a preposition of place;
       everything else by at most `words` words that carry meaning and are not in the question, those nearest after
       the question's words first. Questions for several things ("which cities") join the answers of the `parts` best
       sentences by commas.

    The weights were chosen once on LoCoMo's first seven conversations, where their neighbourhood is flat.
    Deterministic: no model, no randomness, no state.
    """

    waits = False
    """Its `act` never waits for anything, so that a world need not gather it."""

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] = 10,
        words: Annotated[int, Field(ge=1)] = 7,
        parts: Annotated[int, Field(ge=1)] = 4,
        coverage: Annotated[float, Field(ge=0, le=1)] = 0.0,
    ) -> None:
        self.k, self.words, self.parts, self.coverage = k, words, parts, coverage

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask for the question's text when there is one."""
        if not _is_question(observation):
            return ()
        return (Query(text=observation.text, k=self.k, probe=True),)

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the answer to the question, or an empty text."""
        if not _is_question(observation):
            return Action(value="")
        items = [item for recall in recalls for item in recall.items]
        reply, ranks = self._answer(observation.text, items)
        return Action(value=reply, text=reply, notes={"used": [items[rank].record_id for rank in ranks]})

    def snapshot(self) -> bytes:
        """Return b"": there is no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """Do nothing: there is no state."""

    def answer(self, question: str, items: Sequence[Recalled]) -> str:
        """Return the answer that the recalled items (best first) give to a question."""
        return self._answer(question, items)[0]

    def _answer(self, question: str, items: Sequence[Recalled]) -> tuple[str, list[int]]:
        """Return the answer, and the ranks of the items that it was taken from."""
        found = sentences(items)
        terms = _weights(question, found)
        persons = _persons(question, found)
        fitting = [s for s in found if _about(s, persons)]
        if not fitting:
            return NOTHING, []
        known = max(_share(terms, s.around) for s in fitting)
        others = max((_share(terms, s.around) for s in found if not _about(s, persons)), default=0.0)
        if known < max(others, self.coverage):
            return NOTHING, []
        return self._extract(question, terms, _ranked(question, terms, persons, fitting))

    def _extract(self, question: str, terms: dict[str, float], ranked: list[_Sentence]) -> tuple[str, list[int]]:
        best = ranked[0]
        if _WHEN.search(question):
            return _date(ranked), [best.rank]
        if _AMOUNT.search(question):
            for sentence in ranked[: self.parts]:
                number = _NUMBER.search(sentence.text)
                if number:
                    return number.group(0), [sentence.rank]
        if question.partition(" ")[0].lower() in _YES_NO and " or " not in question:
            return "No" if _NEGATIVE.search(best.text) else "Yes", [best.rank]
        title = re.search(r'"([^"]+)"', best.text) if _TITLE.search(question) else None
        if title:
            return title.group(1), [best.rank]
        wanted = ranked[: self.parts] if _PLURAL.search(question) else [best]
        where = bool(_WHERE.search(question))
        said = ", ".join(dict.fromkeys(self._span(sentence, terms, where) for sentence in wanted))
        return said, list(dict.fromkeys(sentence.rank for sentence in wanted))

    def _span(self, sentence: _Sentence, terms: dict[str, float], where: bool) -> str:
        """Return the words of a sentence that say something new, nearest to the question's words, or a place name."""
        text = without_dates(sentence.text)
        place = _PLACE.search(text) if where else None
        if place:
            return place.group(1)
        words = [(word, _word(word)) for word in _WORD.findall(text)]
        told = [i for i, (_, word) in enumerate(words) if word not in _STOP and _stem(word) not in terms]
        hits = [i for i, (_, word) in enumerate(words) if word not in _STOP and _stem(word) in terms] or [0]
        # What precedes the question's words counts three times as far: English puts what is new last.
        far = {i: min(i - hit if i > hit else 3 * (hit - i) for hit in hits) for i in told}
        kept = sorted(sorted(told, key=lambda i: (far[i], i))[: self.words])
        return " ".join(words[i][0] for i in kept) or sentence.text


def _is_question(observation: Observation) -> bool:
    return observation.info.get("phase") == "question" and bool(observation.info.get("question_id"))


def _weights(question: str, found: Sequence[_Sentence]) -> dict[str, float]:
    """Return the question's stems, speakers' names left out, each with its share of the total weight."""
    names = {stem for sentence in found for stem in stems(sentence.speaker)}
    terms = [term for term in dict.fromkeys(stems(_LATEST.sub("", question))) if term not in names]
    items = {sentence.rank: sentence.around for sentence in found}
    having = Counter(stem for around in items.values() for stem in around)
    weights = {term: math.log(1 + (len(items) + 1) / (having[term] + 0.5)) for term in terms}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()}


def _share(terms: dict[str, float], having: frozenset[str]) -> float:
    return sum(weight for term, weight in terms.items() if term in having)


def _persons(question: str, found: Sequence[_Sentence]) -> list[str]:
    speakers = sorted({sentence.speaker for sentence in found} - {""})
    named = [name for name in speakers if re.search(rf"\b{re.escape(name)}\b", question)]
    return named or _NAME.findall(question)[:1]


def _about(sentence: _Sentence, persons: Sequence[str]) -> bool:
    return not persons or sentence.speaker in ("", *persons) or any(person in sentence.text for person in persons)


def _ranked(
    question: str, terms: dict[str, float], persons: Sequence[str], fitting: Sequence[_Sentence]
) -> list[_Sentence]:
    """Return sentences best first, the newest of those that score alike in front."""

    asked = _ASKED.search(question)
    noun = _stem(asked[1].lower()) if asked else ""

    def score(sentence: _Sentence) -> float:
        own = sentence.speaker in persons and not _HEDGE.search(sentence.text)
        extra = 0.6 * own + 0.3 * (noun in sentence.stems) - 0.4 * sentence.text.endswith("?")
        return _share(terms, sentence.stems) + 0.5 * _share(terms, sentence.around) + extra

    ranked = sorted(fitting, key=lambda sentence: (-score(sentence), sentence.rank))
    lowest = score(ranked[0]) - (0.5 if _LATEST.search(question) else 0.0)
    alike = [sentence for sentence in ranked if score(sentence) >= lowest]
    newest = max(alike, key=lambda sentence: sentence.time)
    return [newest, *(sentence for sentence in ranked if sentence is not newest)]


def _date(ranked: list[_Sentence]) -> str:
    best = ranked[0]
    dates = (resolve(sentence.text, best.time) for sentence in ranked if sentence.rank == best.rank)
    return next(filter(None, dates), None) or said_on(best.time)
