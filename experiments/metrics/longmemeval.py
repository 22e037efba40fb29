"""LongMemEval's retrieval and accuracy scores as its authors compute them, over plain ids.

Source: the `evaluation` and `retrieval` code of LongMemEval (Wu et al. 2025,
https://github.com/xiaowu0162/LongMemEval at 9e0b455). Its NDCG gives ranks 1 and 2 the same weight, and
`recall_all` (every target in the top k), not `recall_any`, is what its tables print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

QUESTION_TYPES = (
    "single-session-user", "single-session-assistant", "single-session-preference",
    "multi-session", "knowledge-update", "temporal-reasoning",
)  # fmt: skip
CUTOFFS = (1, 3, 5, 10, 30, 50)
PRINTED_CUTOFFS: Mapping[str, tuple[int, ...]] = {"session": (5, 10), "turn": (5, 10, 50)}

Unit = Literal["session", "turn"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What may be retrieved for one question: ids and texts in reading order, and the ids that are targets."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    targets: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Scores of one ranking at one cut-off `k`, each in [0, 1]. `k` is the number of ids that were looked at."""

    k: int
    recall_any: float
    recall_all: float
    ndcg_any: float


def is_abstention(question_id: str) -> bool:
    """Say whether a question has no answer in the history, which its id shows ("..._abs")."""
    return "_abs" in question_id


def is_scored(question_id: str, targets: Iterable[str]) -> bool:
    """Say whether retrieval counts this question: not an abstention, and with a target on the user's side."""
    return not is_abstention(question_id) and any(True for _ in targets)


def corpus_of(session_ids: Sequence[str], sessions: Sequence[Sequence[Mapping[str, object]]], unit: Unit) -> Corpus:
    """Return the user turns of a history as sessions or turns, named as the authors name them.

    A turn is a map with `role`, `content` and, in evidence sessions, `has_answer`. A session unit joins its user
    turns with spaces; a turn unit's id is "{session}_{n}", n counted from 1 over all turns, the assistant's included.
    Targets are ids with "answer" in them; where the unit holds no user turn with `has_answer`, that part of the id
    becomes "noans". ValueError if the two sequences differ in length or the unit is unknown.
    """
    if unit not in ("session", "turn"):
        raise ValueError(f"A unit is 'session' or 'turn', not {unit!r}.")
    units: list[tuple[str, str]] = []
    for session_id, session in zip(session_ids, sessions, strict=True):
        turns = [(n, turn) for n, turn in enumerate(session, start=1) if turn["role"] == "user"]
        if unit == "session":
            evident = any(turn.get("has_answer") for _, turn in turns)
            units.append((_named(session_id, evident), " ".join(str(turn["content"]) for _, turn in turns)))
        else:
            units += [
                (_named(f"{session_id}_{n}", bool(turn.get("has_answer"))), str(turn["content"])) for n, turn in turns
            ]
    ids = tuple(name for name, _ in units)
    return Corpus(ids, tuple(text for _, text in units), frozenset(name for name in ids if "answer" in name))


def _named(unit_id: str, evident: bool) -> str:
    return unit_id if evident else unit_id.replace("answer", "noans")


def dcg(relevances: Sequence[float]) -> float:
    """Return rel_1 + sum over i >= 2 of rel_i / log2(i): ranks 1 and 2 both weigh 1, as in the authors' code."""
    return sum(gain / (math.log2(rank) if rank > 1 else 1.0) for rank, gain in enumerate(relevances, start=1))


def retrieval_scores(ranked: Sequence[str], targets: Iterable[str], corpus: Sequence[str], k: int) -> RetrievalScores:
    """Return recall_any@k, recall_all@k and binary ndcg_any@k of a ranking, best first.

    The ideal ranking is taken over the whole corpus, so ids that repeat in it count each time. Without targets
    recall_any and ndcg_any are 0 and recall_all is 1, as the authors' code has it; `is_scored` keeps such questions
    out. ValueError for k below 1.
    """
    if k < 1:
        raise ValueError(f"A cut-off is at least 1, got {k}.")
    wanted = frozenset(targets)
    top = ranked[:k]
    found = wanted.intersection(top)
    ideal = dcg(sorted((float(name in wanted) for name in corpus), reverse=True)[:k])
    actual = dcg([float(name in wanted) for name in top])
    return RetrievalScores(k, float(bool(found)), float(found == wanted), actual / ideal if ideal else 0.0)


def session_of(turn_id: str) -> str:
    """Return a turn id without its last "_n"."""
    return turn_id.rpartition("_")[0]


def collapsed_scores(ranked: Sequence[str], targets: Iterable[str], corpus: Sequence[str], k: int) -> RetrievalScores:
    """Score a ranking of turns as one of sessions: look deeper until k distinct sessions are seen, then score there.

    Ids are not made unique after their turn number is stripped, as in the authors' code: the ideal DCG counts every
    answer turn of a target session, so that even a perfect list of sessions may stay below 1.
    """
    sessions = [session_of(turn) for turn in ranked]
    return retrieval_scores(
        sessions, {session_of(turn) for turn in targets}, [session_of(turn) for turn in corpus], _depth(sessions, k)
    )


def _depth(sessions: Sequence[str], k: int) -> int:
    """Return how many ranks hold k distinct sessions; all of them if there are fewer, and never less than k."""
    seen: set[str] = set()
    for depth, session in enumerate(sessions, start=1):
        seen.add(session)
        if len(seen) == k:
            return depth
    return max(len(sessions), k)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Question answering accuracy. Abstention questions count in their type, and once more apart.

    `overall` weighs questions equally, `task_averaged` the types; shares of nothing are nan.
    """

    overall: float
    task_averaged: float
    by_type: Mapping[str, float]
    abstention: float


def accuracy(judged: Iterable[tuple[str, str, bool]]) -> Accuracy:
    """Return the accuracies over (question id, question type, judged correct)."""
    rows = list(judged)
    types = sorted({kind for _, kind, _ in rows})
    by_type = {kind: _share([right for _, named, right in rows if named == kind]) for kind in types}
    return Accuracy(
        overall=_share([right for _, _, right in rows]),
        task_averaged=sum(by_type.values()) / len(by_type) if by_type else float("nan"),
        by_type=by_type,
        abstention=_share([right for question_id, _, right in rows if is_abstention(question_id)]),
    )


def _share(outcomes: Sequence[bool]) -> float:
    return sum(outcomes) / len(outcomes) if outcomes else float("nan")
