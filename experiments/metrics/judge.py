"""Have a model grade answers against the truth, and say how far its grades agree with LoCoMo's word overlap.

The wording is our own (`judge.answer`), so that grades are not comparable with those of published judges: a grade is a
second column beside F1, told with its model and with its agreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from simonides.sim.context import Services, Usage
from simonides.sim.seeds import seed_of
from simonides.sim.types import Request

PURPOSE = "judge.answer"
GRADES = ("correct", "partly", "wrong")
WORTH = {"correct": 1.0, "partly": 0.5, "wrong": 0.0}
"""What a grade counts in a mean."""
RIGHT_F1 = 0.5
"""F1 from which an answer counts as right, where it is compared with the grade "correct"."""
BATCH = 256
"""Questions that are handed to the model together; it batches them further as it can."""
MOST_TOKENS = 8
OPEN_DOMAIN = 3
"""LoCoMo's category whose gold answers go on with reasons after a ";"."""

AGREEMENT = {
    "kind": pl.String, "n": pl.Int64, "ungraded": pl.Int64, "correct": pl.Int64, "partly": pl.Int64, "wrong": pl.Int64,
    "f1_correct": pl.Float64, "f1_partly": pl.Float64, "f1_wrong": pl.Float64, "r": pl.Float64, "kappa": pl.Float64,
}  # fmt: skip
"""`kind` "" is all questions; `f1_*` the mean official F1 of the answers with that grade; `r` the point-biserial
correlation of F1 with "correct"; `kappa` Cohen's of F1 >= 0.5 with "correct". Null where it is not defined."""


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to be graded. `truth` "" says that nothing is known, so that to say so is correct."""

    question: str
    truth: str
    answer: str


async def grade(cases: Sequence[Case], services: Services, usage: Usage) -> dict[Case, str | None]:
    """Return the grade of every distinct case, None where the model twice gave none.

    Equal cases get one grade: the seed is fixed, so that they are one call. Raises ModelFailed.
    """
    distinct = list(dict.fromkeys(cases))
    found: dict[Case, str | None] = {}
    for start in range(0, len(distinct), BATCH):
        found.update(await _batch(distinct[start : start + BATCH], services, usage))
    return found


async def _batch(cases: Sequence[Case], services: Services, usage: Usage) -> dict[Case, str | None]:
    found: dict[Case, str | None] = {}
    mistakes: dict[Case, str] = dict.fromkeys(cases, "")
    for attempt in range(2):
        asked = list(mistakes)
        requests = [_request(case, mistakes[case]) for case in asked]
        seeds = [seed_of(0, PURPOSE, attempt)] * len(requests)
        completions = await services.complete(requests, seeds, "judge", usage) if requests else []
        mistakes = {}
        for case, completion in zip(asked, completions, strict=True):
            found[case] = grade_in(completion.text)
            if found[case] is None:
                usage.malformed += 1
                mistakes[case] = f"it was {completion.text[:80]!r}, which is none of {', '.join(GRADES)}"
    return found


def _request(case: Case, mistake: str) -> Request:
    inputs = {"question": case.question, "truth": case.truth, "answer": case.answer}
    request = Request(PURPOSE, inputs, choices=GRADES, max_tokens=MOST_TOKENS)
    return replace(request, inputs={**inputs, "mistake": mistake}) if mistake else request


def grade_in(text: str) -> str | None:
    """Return the grade that a reply is, apart from case, quotes and a full stop around it; else None."""
    bare = text.strip().strip("\"'`*. \n").casefold()
    return bare if bare in GRADES else None


def agreement(graded: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `AGREEMENT` over all questions and by kind; `graded` has kind, official_f1 and grade."""
    kinds = graded["kind"].unique(maintain_order=True).to_list()
    parts: list[tuple[str, pl.DataFrame]] = [("", graded)]
    if len(kinds) > 1:
        parts += [(kind, graded.filter(pl.col("kind") == kind)) for kind in sorted(kinds)]
    return pl.DataFrame([_agreement(kind, rows) for kind, rows in parts], schema=AGREEMENT, orient="row")


def _agreement(kind: str, rows: pl.DataFrame) -> Mapping[str, object]:
    known = rows.filter(pl.col("grade").is_not_null())
    counts = {one: known.filter(pl.col("grade") == one).height for one in GRADES}
    f1 = {f"f1_{one}": known.filter(pl.col("grade") == one)["official_f1"].mean() for one in GRADES}
    right, scores = (known["grade"] == "correct").to_numpy(), known["official_f1"].to_numpy()
    return {
        "kind": kind, "n": rows.height, "ungraded": rows.height - known.height, **counts, **f1,
        "r": _defined(point_biserial(right, scores)), "kappa": _defined(kappa(right, scores >= RIGHT_F1)),
    }  # fmt: skip


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def point_biserial(flags: Sequence[bool] | np.ndarray, values: Sequence[float] | np.ndarray) -> float:
    """Return the correlation of a yes or no with a number; nan when either is the same throughout."""
    if len(set(map(bool, flags))) < 2 or len(set(map(float, values))) < 2:
        return math.nan
    from scipy import stats as scipy_stats  # type: ignore[import-untyped]

    return float(scipy_stats.pointbiserialr(np.asarray(flags), np.asarray(values)).statistic)


def kappa(first: Sequence[bool] | np.ndarray, second: Sequence[bool] | np.ndarray) -> float:
    """Return Cohen's kappa (1960) of two yes-or-no judgements; nan without any, or when chance explains all."""
    one, other = np.asarray(first, bool), np.asarray(second, bool)
    if not one.size:
        return math.nan
    p, q = float(one.mean()), float(other.mean())
    chance = p * q + (1 - p) * (1 - q)
    return math.nan if chance == 1.0 else (float((one == other).mean()) - chance) / (1 - chance)


def cases_of(questions: pl.DataFrame) -> Iterator[Case]:
    """Yield the case of each row of a table of questions, in order.

    The truth is what LoCoMo's rule scores against: for open-domain questions the text before the first ";".
    """
    for category, question, answer, response in questions.select("category", "text", "answer", "response").iter_rows():
        truth = answer.split(";")[0].strip() if category == OPEN_DOMAIN else answer
        yield Case(question, truth, response)
