"""The command line: runs studies here, and joins the commands that look at parts and runs.

Exit status: 0 all is well, 1 a trial failed, 2 a user's mistake (one line), 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from simonides.experiments import android_commands, audit_command, commands, models_commands, poison_command
from simonides.sim.errors import SimonidesError, UserError

app = typer.Typer(
    name="simonides", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Simulate what agents remember: run studies, look into what they did.",
)  # fmt: skip

Report = Annotated[
    bool, typer.Option("--report/--no-report", help="Measure the trials and write the report at the end.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Trials that run at the same time. Default: one a processor, and one where a model runs in the process.",
    ),
]


@app.command()
def run(
    study: commands.StudyName,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[a.b=c]...", help="Fields to set first.")] = None,
    runtime: Annotated[Literal["inline", "ray"], typer.Option(help="Where the parts run.")] = "inline",
    address: Annotated[str | None, typer.Option(help="Address of a Ray cluster. Default: Ray on this machine.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. Default: runs/STUDY-TIME.")] = None,
    jobs: Jobs = None,
    world_actors: Annotated[int, typer.Option(help="Actors that host the worlds of a trial.")] = 1,
    memory_actors: Annotated[int, typer.Option(help="Actors that host its shared spaces.")] = 1,
    private: Annotated[
        Literal["colocated", "actors"], typer.Option(help="Private spaces beside their world, or in memory actors.")
    ] = "colocated",
    memory_budget: Annotated[int | None, typer.Option(help="Bytes of idle spaces a host keeps unpacked.")] = None,
    model_replicas: Annotated[int, typer.Option(help="Engines of a served model, each in an actor on Ray.")] = 1,
    model_cpus: Annotated[float, typer.Option(help="Processors that Ray reserves for each engine.")] = 1.0,
    model_gpus: Annotated[float, typer.Option(help="GPUs that Ray reserves for each engine.")] = 0.0,
    calls: Annotated[
        Literal["record", "replay", "off"],
        typer.Option(help="Model calls: asked once and recorded, taken from the record alone, or asked each time."),
    ] = "record",
    calls_from: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run whose recorded model calls this one begins with.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of the embedding cache. Default: the user's.")] = None,
    report: Report = True,
) -> int:
    """Run a study: every combination of its factors with every seed."""
    from simonides.experiments.execute import execute
    from simonides.experiments.runs import Run, cache_folder
    from simonides.experiments.studyfile import load_study
    from simonides.sim.config import Layout
    from simonides.sim.registry import one_line

    design = load_study(study, overrides or ())
    try:
        layout = Layout(
            runtime=runtime, world_actors=world_actors, memory_actors=memory_actors, private=private,
            memory_budget=memory_budget, address=address, calls=calls, model_replicas=model_replicas,
            model_cpus=model_cpus, model_gpus=model_gpus,
        )  # fmt: skip
    except ValidationError as error:
        raise UserError(f"--{one_line(error, '').replace('_', '-', 1)}") from None
    folder = out if out is not None else _new_folder(design.name)
    made = Run.create(folder, design, layout, cache_folder(cache), calls_from)
    try:
        return _interruptible(folder, lambda: execute(made, jobs, commands.console_of(), report))
    except UserError:
        made.discard_unless_begun()
        raise


@app.command()
def resume(folder: commands.RunFolder, jobs: Jobs = None, report: Report = True) -> int:
    """Go on with a run that was stopped: trials that have ended are kept, others go on from their checkpoints."""
    from simonides.experiments.execute import execute
    from simonides.experiments.runs import Run

    found = Run(folder)
    return _interruptible(folder, lambda: execute(found, jobs, commands.console_of(), report))


@app.command()
def fork(
    folder: commands.RunFolder,
    at: Annotated[int, typer.Option(help="The tick from which the two runs differ.")],
    overrides: commands.Overrides = None,
    trial: Annotated[str | None, typer.Option(help="Fork this trial alone, by its id or its number from 0 on.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the new run. Default: runs/STUDY-TIME.")] = None,
    runtime: Annotated[
        Literal["inline", "ray"] | None, typer.Option(help="Where the parts run. Default: as the run's.")
    ] = None,
    jobs: Jobs = None,
    report: Report = True,
) -> int:
    """Go on from a tick of a run with something changed, in a new run; the old one stays as it is."""
    from simonides.experiments.execute import execute
    from simonides.experiments.forks import create_fork
    from simonides.experiments.runs import Run

    found = Run(folder)
    chosen = out if out is not None else _new_folder(f"{found.study.name}-fork")
    made = create_fork(found, chosen, at, overrides or (), trial, {"runtime": runtime} if runtime else {})
    try:
        return _interruptible(chosen, lambda: execute(made, jobs, commands.console_of(), report))
    except UserError:
        made.discard_unless_begun()
        raise


@app.command()
def digest(folder: commands.RunFolder) -> int:
    """Print the sha256 of each trial's trace, and of the whole run."""
    from simonides.experiments.runs import Run
    from simonides.sim.trace import Trace, run_digest

    found = Run(folder)
    digests, unfinished = {}, 0
    for trial, outcome in found.outcomes():
        if outcome is None or not outcome.settled:
            unfinished += 1
            typer.echo(f"{'-' * 64}  {trial.id}  ({'not ended' if outcome is None else 'failed'})")
            continue
        digests[trial.id] = Trace(found.folder_of(trial)).digest()
        typer.echo(f"{digests[trial.id]}  {trial.id}")
    if unfinished:
        all_of_them = unfinished + len(digests)
        typer.echo(f"{unfinished} of {all_of_them} trials have not ended: simonides resume {folder}", err=True)
        return 1
    typer.echo(f"{run_digest(digests)}  {found.study.name}")
    return 0


commands.join(app)
models_commands.join(app)
android_commands.join(app)
poison_command.join(app)
audit_command.join(app)


def _new_folder(study: str) -> Path:
    """Return a folder of its own in `runs` for a study, whatever its name is made of."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", study)[:60]
    first = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    more = (first.with_name(f"{first.name}-{n}") for n in itertools.count(2))
    return next(folder for folder in itertools.chain([first], more) if not folder.exists())


def _interruptible(folder: Path, work: Callable[[], int]) -> int:
    try:
        return work()
    except KeyboardInterrupt:
        typer.echo(f"Stopped. Go on with: simonides resume {folder}", err=True)
        return 130


USAGE: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
"""Base of what a wrong command line raises; typer has its own copy of click or uses the installed one."""


def _misused(error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) else "simonides"
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        typer.echo(f"simonides: {error.format_message()} See: {path} --help", err=True)
    return 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    if os.getcwd() not in sys.path:
        # `module:attribute` finds parts in this folder; at the end, so that nothing here hides a library
        sys.path.append(os.getcwd())
    try:
        status = app(args=arguments, standalone_mode=False)
    except typer.Exit as end:
        return end.exit_code
    except USAGE as error:
        return _misused(error)
    except UserError as error:
        typer.echo(f"simonides: {error}", err=True)
        return 2
    except SimonidesError as error:
        typer.echo(f"simonides: {error}", err=True)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # whoever read the output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(status or 0)
