"""Run Book-SORT on books with a model, and keep what it was asked and what came of it in a folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simonides.experiments.asking import ask
from simonides.experiments.metrics.books import load_book
from simonides.experiments.metrics.ordering import PURPOSE, alternatives, answers
from simonides.experiments.metrics.sort import Choice, SortItem, SortScore, make_items, sort_score
from simonides.experiments.metrics.stats import Interval
from simonides.experiments.runs import write_whole
from simonides.sim.config import Layout, Part
from simonides.sim.context import Services, Usage
from simonides.sim.protocols import Model
from simonides.sim.registry import registry

ANSWERS, SCORE = "sort.jsonl", "sort.json"


def run_sort(
    paths: Sequence[Path],
    lengths: tuple[int, int],
    excerpts: int,
    part: Part,
    layout: Layout,
    out: Path,
    console: Console,
) -> int:
    """Draw items from books, ask the model each, write answers and scores into `out`, and print the scores.

    `lengths` are the words of an excerpt and of a segment; `layout` says where the model runs. Raises UserError,
    DataError, ModelFailed.
    """
    books = {book.id: book for book in map(load_book, paths)}
    items = [item for book in books.values() for item in make_items(book, *lengths, excerpts)]
    prompts = registry("prompts").build("packaged")
    out.mkdir(parents=True, exist_ok=True)

    async def answered_by(model: Model) -> tuple[str, list[tuple[SortItem, Choice]]]:
        alternatives(model.card)
        return model.card.identity, await answers(items, books, Services(None, model, prompts), Usage())

    identity, answered = ask(part, layout, out, answered_by)
    score = sort_score(answered)
    write_whole(out / ANSWERS, "".join(json.dumps(_row(*one), ensure_ascii=False) + "\n" for one in answered))
    notes = {"model": part.model_dump(), "identity": identity, "prompt": prompts.version(PURPOSE), "items": len(items)}
    write_whole(out / SCORE, json.dumps({**notes, **_plain(score)}, indent=1) + "\n")
    _print(score, identity, lengths, console)
    console.print(f"Written: {out}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _row(item: SortItem, choice: Choice) -> dict[str, object]:
    fields = {k: v for k, v in dataclasses.asdict(item).items() if k not in ("first", "second")}
    return {**fields, "choice": choice, "right": choice == item.correct}


def _plain(score: SortScore) -> dict[str, object]:
    by_bin = {str(upper): dataclasses.asdict(one) for upper, one in score.by_bin.items()}
    return {**dataclasses.asdict(score), "by_bin": by_bin}


def _print(score: SortScore, identity: str, lengths: tuple[int, int], console: Console) -> None:
    table = Table(title=f"SORT by {identity}: excerpts of {lengths[0]} words, segments of {lengths[1]}")
    for head in ("distance, words", "accuracy", "items"):
        table.add_column(head, justify="right")
    for name, one in [("all", score.accuracy), *((f"up to {edge:.0f}", one) for edge, one in score.by_bin.items())]:
        table.add_row(name, _interval(one), str(one.n))
    console.print(table)
    said = f"  chance 0.50; said A {score.said_a:.2f}; no answer {score.unanswered:.2f}"
    console.print(said, highlight=False)


def _interval(one: Interval) -> str:
    return f"{one.estimate:.2f} [{one.low:.2f}, {one.high:.2f}]"
