"""The command `simonides audit`: what a trial's decisions hang on, by leaving it out and asking again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from simonides.experiments.commands import RunFolder, TrialName, console_of


def join(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(audit)


def audit(
    folder: RunFolder,
    at: Annotated[int, typer.Option(help="The tick at which each origin is left out.")],
    out: Annotated[Path, typer.Option(help="A new folder for the forks and audit.json.")],
    trial: TrialName = None,
    by: Annotated[
        Literal["origin", "writer", "text"], typer.Option(help="What is left out at once: one, or all that share it.")
    ] = "origin",
    most: Annotated[int | None, typer.Option(min=1, help="The most forks, those with most records first.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also origins of which no probe recalled a record.")] = False,
    probes: Annotated[str, typer.Option(help="Probes as a study has them, as YAML. Default: the run's own.")] = "",
    jobs: Annotated[int | None, typer.Option(min=1, help="Forks that run at the same time.")] = None,
) -> int:
    """Rank what a memory descends from by how many decisions change without it; costs one fork each."""
    from simonides.experiments import audit as auditing
    from simonides.experiments.runs import Run

    found = auditing.audit(
        Run(folder), at, out, trial=trial, by=by, most=most, every=every, probes=probes, jobs=jobs
    )  # fmt: skip
    console_of().print(auditing.audit_table(found))
    typer.echo(f"All of it: {out / 'audit.json'}")
    return 0
