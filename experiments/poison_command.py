"""The command `simonides poison agentpoison`: triggers searched and measured on real keys, with their controls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as Printed

from simonides.experiments.commands import console_of
from simonides.sim.errors import UserError

if TYPE_CHECKING:
    from simonides.experiments.triggers import Row, Table

SEARCHES = ("random", "coordinate", "hotflip")

poison = typer.Typer(help="Attacks that are searched for before a trial, measured on real data.", no_args_is_help=True)


def join(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.add_typer(poison, name="poison")


@poison.callback()
def _group() -> None:
    """Keep `agentpoison` a command of its own beside others to come."""


@poison.command()
def agentpoison(
    data: Annotated[Path, typer.Option(help="Folder with AgentPoison's released StrategyQA files.")],
    embedder: Annotated[str, typer.Option(help="The embedder that is attacked.")] = "minilm-int8",
    second: Annotated[str, typer.Option(help="The embedder to which triggers are carried over.")] = "hashing",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of each search.")] = 5,
    candidates: Annotated[int, typer.Option(min=1, help="Triggers that a search may try, on 8 questions each.")] = 1500,
    held: Annotated[int, typer.Option(min=0, help="Questions held out that are asked; 0 for all.")] = 0,
    search: Annotated[
        list[str] | None,
        typer.Option(help="A search; give several. Default: random and coordinate. hotflip needs torch."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file for all raw counts, as JSON.")] = None,
) -> int:
    """AgentPoison on StrategyQA's keys: searches at an equal budget, beside plain sentences and no trigger."""
    from simonides.experiments.runs import write_whole
    from simonides.experiments.triggers import Effort, measure

    if out is not None and not out.absolute().parent.is_dir():
        raise UserError(f"--out: there is no folder {out.absolute().parent}; make it first.")
    chosen = tuple(search or SEARCHES[:2])
    if unknown := [name for name in chosen if name not in SEARCHES]:
        raise UserError(f"--search: no search is called {unknown[0]!r}; there are {', '.join(SEARCHES)}.")
    effort = Effort(seeds=seeds, candidates=candidates, held=held, searches=chosen)
    console = console_of()
    with console.status("") as status:
        table = measure(data, embedder, second, effort, status.update)
    if out is not None:
        write_whole(out, json.dumps(table.plain(), indent=1))
    console.print(_printed(table))
    for name, passes in table.passes.items():
        console.print(f"{name}: {max(passes)} forward passes at most", highlight=False)
    console.print("\n".join(table.notes), highlight=False)
    return 0


def _printed(table: Table) -> Printed:
    """Return one line a way, retriever and number of records: mean over seeds or sentences, least and most."""
    printed = Printed(title="Held-out questions with poison among the top k: mean [least, most]", title_justify="left")
    for name in (
        "trigger",
        "retriever",
        "records",
        "of",
        "ASR-r@1",
        "ASR-r@5",
        "without it@1",
        "without it@5",
        "kept@5",
    ):
        printed.add_column(name)
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row.way, row.retriever, row.records), []).append(row)
    for (way, retriever, records), rows in groups.items():
        one, five = ([row for row in rows if row.k == k] for k in (1, 5))
        printed.add_row(
            way, retriever, str(records), f"{len(one)} x {one[0].questions}",
            _over([row.triggered / row.questions for row in one]),
            _over([row.triggered / row.questions for row in five]),
            _over([row.untriggered / row.questions for row in one]),
            _over([row.untriggered / row.questions for row in five]),
            _over([row.benign_kept for row in five]),
        )  # fmt: skip
    return printed


def _over(shares: Sequence[float]) -> str:
    return f"{sum(shares) / len(shares):.2f} [{min(shares):.2f}, {max(shares):.2f}]"
