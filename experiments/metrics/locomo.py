"""LoCoMo's scores as its authors compute them: answer F1 by category, evidence recall; and the other papers' set-F1.

Source: the `task_eval` code of LoCoMo (Maharana et al. 2024, https://github.com/snap-research/locomo at 3eb6f2c),
checked row by row against values that the authors' functions gave. Two different numbers are called "F1" in
this literature: the authors' (`official_f1`: Porter stems, articles dropped, rules by category) and the plainer one of
A-MEM, Mem0 and others (`set_f1`). They differ by up to several points and are never to be compared with each other.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from nltk.stem import PorterStemmer

CATEGORIES: Mapping[int, str] = MappingProxyType(
    {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
)
"""The authors' names. Several papers print them permuted: go by the number."""

REPORT_ORDER = (4, 1, 2, 3, 5)
"""The order of the authors' table: single-hop, multi-hop, temporal, open-domain, adversarial."""

_DROPPED_WORDS = re.compile(r"\b(a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_REFUSALS = ("no information available", "not mentioned")
_SET_SEPARATORS = str.maketrans(".,!?", "    ")
_STEMMER = PorterStemmer()  # nltk's extensions mode, the default, as the authors call it


def normalise(text: str) -> str:
    """Lower the text, delete punctuation (hyphens join words), drop a, an, the *and* "and", collapse spaces."""
    bare = text.replace(",", "").lower().translate(_PUNCTUATION)
    return " ".join(_DROPPED_WORDS.sub(" ", bare).split())


@cache
def _stem(word: str) -> str:
    return str(_STEMMER.stem(word))


def stems(text: str) -> list[str]:
    """Return the Porter stem of each word of the normalised text."""
    return [_stem(word) for word in normalise(text).split()]


def token_f1(prediction: str, gold: str) -> float:
    """Return the multiset-overlap F1 of two texts' stems; 0 without overlap (so also where one is empty)."""
    predicted, wanted = stems(prediction), stems(gold)
    common = sum((Counter(predicted) & Counter(wanted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def multi_answer_f1(prediction: str, gold: str) -> float:
    """Return the mean over gold parts of the best F1 of any predicted part; parts are split at commas.

    Further predicted parts cost nothing: that is the authors' rule for multi-hop questions.
    """
    offered = [part.strip() for part in prediction.split(",")]
    wanted = [part.strip() for part in gold.split(",")]
    return sum(max(token_f1(part, goal) for part in offered) for goal in wanted) / len(wanted)


def official_f1(category: int, answer: object, response: str) -> float:
    """Return the authors' F1 of one response in [0, 1], not rounded (reports round each item: `round_item`).

    Multi-hop (1) is scored part by part; open-domain (3) against the text before the first ";"; adversarial (5) is
    1 for a response that says "no information available" or "not mentioned" and needs no answer; the others plainly.
    `answer` may be a number. Raises ValueError for a category that LoCoMo does not have.
    """
    if category not in CATEGORIES:
        raise ValueError(f"LoCoMo has no category {category!r}; its categories are 1 to 5.")
    if category == 5:
        return float(any(refusal in response.lower() for refusal in _REFUSALS))
    gold = str(answer)
    if category == 1:
        return multi_answer_f1(response, gold)
    return token_f1(response, gold.split(";")[0].strip() if category == 3 else gold)


def round_item(score: float) -> float:
    """Return an item's score as the authors keep it before averaging: rounded to three decimals."""
    return round(score, 3)


def set_f1(answer: object, response: str) -> float:
    """Return the F1 over *sets* of lower-case words that A-MEM, Mem0, Nemori and MemoryOS report.

    Only . , ! ? separate words besides spaces; no stemming, no dropped words, no rules by category.
    """
    predicted, wanted = (set(text.lower().translate(_SET_SEPARATORS).split()) for text in (response, str(answer)))
    common = len(predicted & wanted)
    if common == 0:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def evidence_recall(evidence: Sequence[str], retrieved: Sequence[str], k: int | None = None) -> float:
    """Return the share of a question's evidence ids among the first k retrieved ids; 1 if it has no evidence.

    Ids are compared as they are ("D3:7"): the data set's few malformed evidence ids can never be found and stay in
    the denominator, as in the authors' numbers. `k` None takes all that was retrieved. ValueError for k below 1.
    """
    if k is not None and k < 1:
        raise ValueError(f"recall@k needs k of at least 1, got {k}.")
    if not evidence:
        return 1.0
    found = set(retrieved[:k])
    return sum(turn in found for turn in evidence) / len(evidence)


def session_of(turn: str) -> str:
    """Return the session's id of a turn's: "S3" for "D3:7". Used where whole-session summaries are retrieved."""
    return "S" + turn.split(":")[0].removeprefix("D")


def session_recall(evidence: Sequence[str], retrieved: Sequence[str], k: int | None = None) -> float:
    """Return evidence recall where session ids ("S3") were retrieved: a turn counts if its session was."""
    return evidence_recall([session_of(turn) for turn in evidence], retrieved, k)


@dataclass(frozen=True, slots=True)
class CategoryMeans:
    """Means by category, in the authors' report order and only where there are items, and over all items.

    `overall` weighs items, not categories, equally; it is nan without items. `counts` has the same keys.
    """

    by_category: Mapping[int, float]
    counts: Mapping[int, int]
    overall: float


def category_means(scored: Iterable[tuple[int, float]], rounded: bool = True) -> CategoryMeans:
    """Average (category, score) pairs; `rounded` rounds each item to three decimals first, as the authors do."""
    groups: dict[int, list[float]] = {category: [] for category in REPORT_ORDER}
    for category, score in scored:
        groups[category].append(round_item(score) if rounded else score)
    filled = {category: scores for category, scores in groups.items() if scores}
    total = sum(len(scores) for scores in filled.values())
    return CategoryMeans(
        by_category={category: sum(scores) / len(scores) for category, scores in filled.items()},
        counts={category: len(scores) for category, scores in filled.items()},
        overall=sum(sum(scores) for scores in filled.values()) / total if total else float("nan"),
    )
