"""Grade a run's answers with a model after the fact, and keep grades and their agreement with F1 in the run's folder.

Nothing of the run changes: traces are only read, and what the judge was asked is recorded beside what the run asked.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from simonides.experiments.asking import ask
from simonides.experiments.metrics.cells import means, run_tables
from simonides.experiments.metrics.judge import AGREEMENT, PURPOSE, WORTH, Case, agreement, cases_of, grade
from simonides.experiments.runs import Run, write_whole
from simonides.sim.checkpoint import slug
from simonides.sim.config import Layout, Part
from simonides.sim.context import Services, Usage
from simonides.sim.errors import UserError
from simonides.sim.protocols import Model
from simonides.sim.registry import registry

FOLDER, GRADES, TABLE, JUDGE = "judged", "grades.parquet", "agreement.csv", "judge.json"
KEPT = ("trial", "seed", "unit", "condition", "world", "tick", "agent", "question", "kind", "category",
        "text", "answer", "response", "official_f1")  # fmt: skip


def judge_run(run: Run, judge: Part, layout: Layout, console: Console) -> int:
    """Grade every answer of a run's ended trials, write and print what came of it; `layout` says where the judge runs.

    Raises UserError when the run asked no questions or the model's parameters are wrong, ModelFailed.
    """
    questions = run_tables(run).questions
    if not questions.height:
        raise UserError(f"{run.folder} holds no answers: none of its ended trials asked a question.")
    asked = questions.select(KEPT)
    cases, usage = list(cases_of(asked)), Usage()
    prompts = registry("prompts").build(run.study.prompts.name, run.study.prompts.params, path="prompts")

    async def graded_by(model: Model) -> tuple[str, dict[Case, str | None]]:
        return model.card.identity, await grade(cases, Services(None, model, prompts), usage)

    identity, found = ask(judge, layout, run.folder, graded_by)
    graded = asked.with_columns(pl.Series("grade", [found[case] for case in cases], dtype=pl.String))
    table = agreement(graded)
    notes = {
        "model": judge.model_dump(), "identity": identity, "purpose": PURPOSE, "prompt": prompts.version(PURPOSE),
        "answers": len(cases), "distinct": len(found), "calls": usage.calls, "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens, "malformed": usage.malformed,
    }  # fmt: skip
    folder = run.folder / FOLDER / slug(identity)
    _keep(folder, graded, table, notes)
    _print(graded, table, identity, console)
    console.print(f"Written: {folder}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _keep(folder: Path, graded: pl.DataFrame, table: pl.DataFrame, notes: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{GRADES}.{os.getpid()}"
    try:
        graded.write_parquet(temporary)
        os.replace(temporary, folder / GRADES)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    write_whole(folder / TABLE, table.write_csv())
    write_whole(folder / JUDGE, json.dumps(notes, indent=1, ensure_ascii=False) + "\n")


def _print(graded: pl.DataFrame, table: pl.DataFrame, identity: str, console: Console) -> None:
    scores = graded.with_columns(pl.col("grade").replace_strict(WORTH, return_dtype=pl.Float64).alias("score"))
    _show(
        f"Answers as {identity} grades them",
        ["condition", "grade", "F1", "answers"],
        [
            [str(judged["condition"]), _interval(judged), _interval(f1), str(judged["n"])]
            for judged, f1 in zip(
                means(scores, ["condition"], "score").iter_rows(named=True),
                means(scores.filter(pl.col("score").is_not_null()), ["condition"], "official_f1").iter_rows(named=True),
                strict=True,
            )
        ],
        console,
    )
    heads = [name.replace("f1_", "F1 ") for name in AGREEMENT]
    rows = [["all" if value == "" else _cell(value) for value in row] for row in table.iter_rows()]
    _show("Agreement with LoCoMo's F1", heads, rows, console)
    console.print("  grade: correct 1, partly 0.5, wrong 0; F1: of the graded answers", highlight=False)
    console.print("  r: point-biserial correlation of F1 with 'correct'; kappa: Cohen's, of F1 >= 0.5 with 'correct'")


def _interval(row: dict[str, float]) -> str:
    ends = f" [{row['low']:.2f}, {row['high']:.2f}]" if row["low"] == row["low"] else ""
    return f"{row['estimate']:.2f}{ends}"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _show(title: str, heads: list[str], rows: list[list[str]], console: Console) -> None:
    table = Table(title=title, title_justify="left")
    for n, head in enumerate(heads):
        table.add_column(head, justify="left" if n == 0 else "right", no_wrap=n > 0)
    for row in rows:
        table.add_row(*row)
    console.print(table)
