"""Pick sentences and words out of texts by counting, as the scripted model's replies are made. Knows no model.

Salience of a sentence is the mean relative frequency of its content words over all sentences given: the first step of
SumBasic (Nenkova and Vanderwende 2005).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from simonides.sim.types import Plain

FUNCTION_WORDS = frozenset(
    """
    a about after all also am an and any are as at be been but by can could did do does doing for from get go going
    had has have he her here hers him his how i if in into is it its just let like ll me more my no not of oh on one
    or our out over re really s she should so some t than that the their them then there these they this those to
    too up us ve very was we were what when where which who whom whose why will with would yeah yes you your
    """.split()
)
"""English words that carry no content: they are not counted."""


def flatten(value: Plain) -> list[str]:
    """Return the texts inside a plain value, maps in the order of their sorted keys; numbers are left out.

    Of a map inside a list only its "text" counts, if it has one: what stands beside it is a label, such as a date.
    """
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, Mapping):
        return [text for key in sorted(value) for text in flatten(value[key])]
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [
            text for item in value for text in flatten(item.get("text", item) if isinstance(item, Mapping) else item)
        ]
    return []


def words(text: str) -> list[str]:
    """Return the lower-case words of a text."""
    return re.findall(r"\w+", text.lower())


def content_words(text: str) -> list[str]:
    """Return the lower-case words of a text that carry content."""
    return [word for word in words(text) if word not in FUNCTION_WORDS]


def sentences(texts: Iterable[str]) -> list[str]:
    """Return the distinct sentences of texts in order: split after . ! ? and at line ends."""
    parts = (part.strip() for text in texts for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n+", text))
    return list(dict.fromkeys(part for part in parts if part))


def salience(items: Sequence[str]) -> list[float]:
    """Return each sentence's mean relative frequency of content words, 0 for one without any."""
    bags = [content_words(item) for item in items]
    counts = Counter(word for bag in bags for word in bag)
    total = sum(counts.values()) or 1
    return [sum(counts[word] for word in bag) / (len(bag) * total) if bag else 0.0 for bag in bags]


def ranked(items: Sequence[str]) -> list[int]:
    """Return the positions of sentences, most salient first, ties in order."""
    scores = salience(items)
    return sorted(range(len(items)), key=lambda i: (-scores[i], i))


def summary(items: Sequence[str], order: Iterable[int], limit: int) -> str:
    """Return the sentences that fit into `limit` words, taken in `order` and told in their own order.

    A first sentence that is longer than the limit is cut at it, so that a text is never summarised to nothing.
    """
    chosen: list[int] = []
    left = limit
    for i in order:
        length = len(items[i].split())
        if length <= left:
            chosen.append(i)
            left -= length
    if not chosen and items:
        return " ".join(items[next(iter(order), 0)].split()[:limit])
    return " ".join(items[i] for i in sorted(chosen))


def frequent(texts: Iterable[str], n: int) -> list[str]:
    """Return the n most frequent subjects: names (capitalised inside a sentence) first, then content words."""
    joined = sentences(texts)
    names = Counter(name for item in joined for name in proper_names(item))
    others = Counter(word for item in joined for word in content_words(item) if word.isalpha())
    known = {name.lower() for name in names}
    candidates = [*_by_count(names), *(word for word in _by_count(others) if word not in known)]
    return candidates[:n]


def proper_names(sentence: str) -> list[str]:
    """Return the capitalised words that do not start the sentence and are not "I"."""
    return [word for word in re.findall(r"(?<=[\w,] )[A-Z]\w+", sentence) if word.lower() not in FUNCTION_WORDS]


def _by_count(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda word: (-counts[word], word))
