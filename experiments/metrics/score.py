"""Score a file of LoCoMo answers, one line out for each line in; what `simonides score locomo-f1` calls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from simonides.experiments.metrics.locomo import CATEGORIES, category_means, official_f1, set_f1
from simonides.experiments.metrics.rows import Row, read_rows

ANSWER_TYPES = (str, int, float)
"""Gold answers are text, except for a few years and counts that the data set keeps as numbers."""


def score_locomo_f1(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield each row of a JSON-lines file with `official_f1` and `set_f1` added, in the file's order.

    A row needs `category` (1 to 5), `answer` (text or number) and `response` (text); its other fields pass through.
    An adversarial row (category 5) needs no `answer`: the authors' rule does not look at it; its `set_f1` is then None.
    Fields of these two names in the input are replaced. Raises DataError naming file, line and what was found.
    """
    for row in read_rows(Path(path)):
        yield _scored(row)


def _scored(row: Row) -> dict[str, Any]:
    category = row.need("category", int)
    if category not in CATEGORIES:
        raise row.fail(f"category {category} is not one of LoCoMo's 1 to 5.")
    response = row.need("response", str)
    unanswered = category == 5 and row.fields.get("answer") is None
    answer = None if unanswered else row.need("answer", *ANSWER_TYPES)
    return {
        **row.fields,
        "official_f1": official_f1(category, answer, response),
        "set_f1": None if unanswered else set_f1(answer, response),
    }


def locomo_f1_means(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the means over scored rows, overall and by category name, in the authors' report order.

    Each entry has `n`, `official_f1` and `set_f1` (plain means; None where there is nothing to average) and
    `official_f1_printed`: the mean of items rounded to three decimals first, which is what the authors print.
    `set_f1` skips rows without one.
    """
    kept = list(rows)
    official = [(int(row["category"]), float(row["official_f1"])) for row in kept]
    sets = [(int(row["category"]), float(row["set_f1"])) for row in kept if row["set_f1"] is not None]
    plain, printed, plain_set = (
        category_means(official, rounded=False), category_means(official), category_means(sets, rounded=False)
    )  # fmt: skip
    return {
        "overall": _entry(len(kept), plain.overall, printed.overall, plain_set.overall),
        "by_category": {
            CATEGORIES[category]: _entry(
                plain.counts[category], mean, printed.by_category[category],
                plain_set.by_category.get(category),
            )
            for category, mean in plain.by_category.items()
        },
    }  # fmt: skip


def _entry(n: int, official: float, printed: float, sets: float | None) -> dict[str, Any]:
    means = {"official_f1": official, "official_f1_printed": printed, "set_f1": sets}
    # JSON has no nan: None says that there was nothing to average.
    return {"n": n} | {name: None if mean is None or math.isnan(mean) else mean for name, mean in means.items()}
