"""The commands that look at parts and runs: list, plan, check, show, calls, report, plot, debug, score, theory, data.

What they need is imported when they are called, so that help and lists come at once.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml
from rich.console import Console

from simonides.experiments.elsewhere import attribute
from simonides.sim.errors import UserError
from simonides.sim.registry import registry

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="A study's YAML file, or the name of a shipped study.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Overrides = Annotated[list[str] | None, typer.Argument(metavar="[a.b=c]...", help="Fields to set first.")]
Parameters = Annotated[list[str] | None, typer.Argument(metavar="[name=value]...", help="Parameters of the part.")]
TrialName = Annotated[str | None, typer.Option(help="A trial, by its id or by its number from 0 on.")]

check = typer.Typer(help="Check a part against what every part of its kind must hold.", no_args_is_help=True)
score = typer.Typer(help="Score files of answers by a benchmark's own rule.", no_args_is_help=True)
data = typer.Typer(help="Public data sets: fetched from their publishers when asked.", no_args_is_help=True)


def console_of() -> Console:
    """Return a console as wide as the terminal, or wide enough for whole ids where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=160)


def join(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="list")(list_parts_of)
    for command in (plan, show, calls, report, plot, debug, watch, theory):
        app.command()(command)
    for name, group in (("check", check), ("score", score), ("data", data)):
        app.add_typer(group, name=name)


def list_parts_of(kind: Annotated[str, typer.Argument(help="memory, environment, policy, ...")]) -> int:
    """List the parts of one kind: name, who registered it, and what its file says it is."""
    list_parts(kind)
    return 0


def list_parts(kind: str, note: Callable[[str], str] | None = None) -> None:
    """Print the parts of one kind, each with a note about it where there is one."""
    owners = registry(kind).names()
    width = max(map(len, owners), default=0)
    for name, owner in owners.items():
        typer.echo(f"{name.ljust(width)}  {owner}")
        if first := _first_sentence(owner):
            typer.echo(f"{' ' * width}  {first}")
        if note is not None and (more := note(name)):
            typer.echo(f"{' ' * width}  {more}")


def _first_sentence(module: str) -> str:
    """Return the first line of a module's docstring without importing the module, or "" when it has none."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return ""
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return text.splitlines()[0] if text else ""


def plan(study: StudyName, overrides: Overrides = None) -> int:
    """Estimate what a study will ask of its models, by a rehearsal of one trial of each condition."""
    from simonides.experiments.plan import plan as told
    from simonides.experiments.studyfile import load_study

    return told(load_study(study, overrides or ()), console_of())


def show(
    folder: RunFolder,
    trial: TrialName = None,
    space: Annotated[str | None, typer.Option(help="Show what this space holds.")] = None,
    at: Annotated[int | None, typer.Option(help="... after all ticks before this one. Default: at the end.")] = None,
    record: Annotated[
        str | None, typer.Option(help="Show every version of this record, and what it descends from.")
    ] = None,
) -> int:
    """Show a run, a trial of it, a space at a tick, or a record."""
    from simonides.experiments import look
    from simonides.experiments.execute import summary
    from simonides.experiments.runs import Run

    run, console = Run(folder), console_of()
    if trial is None and space is None and record is None:
        return summary(run, console)
    chosen = _only_trial(run.trials()) if trial is None else run.trial(trial)
    seen = look.Look(run.folder_of(chosen))
    if record is not None:
        console.print(look.record_table(seen, record))
    elif space is not None:
        console.print(look.space_table(seen, space, at))
    else:
        console.print(look.trial_table(seen, chosen, run.outcome(chosen)))
    return 0


def calls(
    folder: RunFolder,
    purpose: Annotated[str | None, typer.Option(help="List the calls of this purpose.")] = None,
    key: Annotated[str | None, typer.Option(help="Show the call whose key begins so: prompt and reply.")] = None,
) -> int:
    """Show what a run asked its models."""
    from simonides.experiments.calls import by_purpose, calls_of, of_purpose, told

    found = calls_of(folder)
    if key is not None:
        for line in told(found, key):
            typer.echo(line)
    else:
        console_of().print(by_purpose(found) if purpose is None else of_purpose(found, purpose))
    return 0


def report(
    folder: RunFolder,
    again: Annotated[bool, typer.Option(help="Measure every trial anew from its trace.")] = False,
) -> int:
    """Write a run's report, and print what it found by condition."""
    from simonides.experiments.execute import conclude
    from simonides.experiments.runs import Run

    return conclude(Run(folder), console_of(), again)


def plot(
    folder: RunFolder,
    out: Annotated[Path | None, typer.Option(help="Folder for them. Default: figures, beside the report.")] = None,
    form: Annotated[
        Literal["html", "svg", "png", "pdf"], typer.Option("--format", help="html needs nothing else; others an extra.")
    ] = "html",
) -> int:
    """Write each figure of a run's report to a file of its own, and its numbers as CSV."""
    from simonides.experiments.plots import write_figures
    from simonides.experiments.runs import Run

    for path in write_figures(Run(folder), out or folder / "figures", form):
        typer.echo(path)
    return 0


def _only_trial(trials: list[Any]) -> Any:
    if len(trials) != 1:
        raise UserError(f"This run has {len(trials)} trials; say which: --trial 0, or --trial '{trials[0].id}'.")
    return trials[0]


def debug(
    study: StudyName,
    overrides: Overrides = None,
    trial: TrialName = None,
    at: Annotated[int | None, typer.Option(help="Tick at which to stop. Default: the first of each world.")] = None,
) -> int:
    """Run one trial in this process and stop in the debugger at a tick, with the world in hand."""
    from simonides.experiments.debugger import debug_trial
    from simonides.experiments.runs import find_trial
    from simonides.experiments.studyfile import load_study

    trials = list(load_study(study, overrides or ()).trials())
    return debug_trial(trials[0] if trial is None else find_trial(trials, trial), at, typer.echo)


def parameters_of(given: list[str] | None) -> dict[str, Any]:
    """Return "name=value" words as parameters, values read as YAML. Raises UserError."""
    found = {}
    for one in given or ():
        name, equals, raw = one.partition("=")
        if not equals:
            raise UserError(f"{one!r} is no parameter; write name=value.")
        try:
            found[name] = yaml.safe_load(raw)
        except yaml.YAMLError:
            raise UserError(f"{name}: {raw!r} is not a YAML value.") from None
    return found


def watch(
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="A registered name, or module:attribute.")],
    parameters: Parameters = None,
    seed: Annotated[int, typer.Option(help="Seed of the episode.")] = 0,
    policy: Annotated[str, typer.Option(help="Who acts.")] = "believer",
    memory: Annotated[str, typer.Option(help="What remembers.")] = "full-context",
    wiring: Annotated[str, typer.Option(help="Who shares memory with whom.")] = "private",
    out: Annotated[
        Path | None, typer.Option(help="The .gif or .mp4 to write. Default: ENVIRONMENT-SEED.gif, here.")
    ] = None,
    per_second: Annotated[float, typer.Option(min=0.1, help="Pictures a second.")] = 2.0,
    width: Annotated[int | None, typer.Option(min=64, help="Width in pixels. Default: as drawn.")] = None,
) -> int:
    """Write an animated picture of one episode."""
    from simonides.experiments.watch import film_of, part_of

    world = part_of(environment, parameters_of(parameters))
    film = film_of(world, part_of(policy, {}), part_of(memory, {}), seed, wiring)
    path = out if out is not None else Path(f"{environment.split(':')[-1]}-{seed}.gif")
    film.write(path, per_second, width)
    typer.echo(f"{path}: {len(film.pictures)} pictures")
    return 0


def theory(
    agents: Annotated[int, typer.Option(min=2, help="Agents that meet in pairs: an even number.")] = 100_000,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each setting.")] = 8,
    runs: Annotated[int, typer.Option(min=1, help="Runs with one infected agent.")] = 100,
    loop: Annotated[int, typer.Option(min=0, help="Agents in the platform's own loop; 0 leaves it out.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that the loop plays.")] = 60,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("theory.html"),
) -> int:
    """Simulate infection, epidemics on networks and forgetting, and hold them against their laws."""
    from simonides.experiments.theory.command import Size, compare_with_theory

    return compare_with_theory(Size(agents, seeds, runs, loop=loop, rounds=rounds), out, console_of())


Part = Annotated[str, typer.Argument(metavar="NAME", help="A registered name, or module:attribute.")]


@check.command(name="memory")
def check_memory(name: Part, parameters: Parameters = None) -> int:
    """Run the universal suite, and the system's own checks, on a memory system."""
    from simonides.sim.checks.memory import check_memory
    from simonides.sim.checks.report import render

    report = check_memory(name, parameters_of(parameters))
    typer.echo(render(report))
    return 0 if report.passed else 1


@check.command(name="environment")
def check_environment(name: Part, parameters: Parameters = None) -> int:
    """Run PettingZoo's and Gymnasium's tests, ours, and the environment's own, on an environment."""
    from simonides.sim.checks.environment import check_environment
    from simonides.sim.checks.report import render

    report = check_environment(name, parameters_of(parameters))
    typer.echo(render(report))
    return 0 if report.passed else 1


@check.command(name="defence")
def check_defence(name: Part, parameters: Parameters = None) -> int:
    """Run the universal suite, and the defence's own checks, on a defence."""
    from simonides.sim.checks.defence import check_defence
    from simonides.sim.checks.report import render

    report = check_defence(name, parameters_of(parameters))
    typer.echo(render(report))
    return 0 if report.passed else 1


@score.command(name="locomo-f1")
def score_locomo(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="Rows with category, answer, response.")],
) -> int:
    """Add LoCoMo's official F1 to each row, and print the means as a last line."""
    from simonides.experiments.metrics.score import locomo_f1_means, score_locomo_f1

    rows = []
    for row in score_locomo_f1(file):
        typer.echo(json.dumps(row, ensure_ascii=False))
        rows.append({"category": row["category"], "official_f1": row["official_f1"], "set_f1": row["set_f1"]})
    typer.echo(json.dumps({"mean": locomo_f1_means(rows)}, ensure_ascii=False))
    return 0


@score.command(name="androtmem")
def score_androtmem(
    tasks: Annotated[Path, typer.Argument(metavar="TASKS.jsonl", help="AndroTMem-Bench's tasks, as released.")],
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS.jsonl", help="One step's prediction a line.")],
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Read points as 0 to 1000 of a screen of so many pixels.")
    ] = None,
) -> int:
    """Print each task's action matching and completion, and the means (AMS, TCR) as a last line."""
    from simonides.experiments.metrics.androtmem_files import score_files, screen_size

    scores, means = score_files(tasks, predictions, screen_size(size) if size else None)
    for task in scores:
        typer.echo(json.dumps(task.plain(), ensure_ascii=False))
    typer.echo(json.dumps({"mean": means}, ensure_ascii=False))
    return 0


Calls = Annotated[
    Literal["record", "replay", "off"], typer.Option(help="Record what is asked, ask nothing new, or record nothing.")
]
Runtime = Annotated[Literal["inline", "ray"], typer.Option(help="Where the model runs.")]
Address = Annotated[str | None, typer.Option(help="Address of a Ray cluster. Default: Ray on this machine.")]
Replicas = Annotated[int, typer.Option(min=1, help="Engines of a served model, each in an actor on Ray.")]
Cpus = Annotated[float, typer.Option(min=0, help="Processors that Ray reserves for each engine.")]
Gpus = Annotated[float, typer.Option(min=0, help="GPUs that Ray reserves for each engine.")]
ModelName = Annotated[str, typer.Option(metavar="NAME", help="A model, as `models list` names it.")]


@score.command(name="judge")
def score_judge(
    folder: RunFolder,
    model: ModelName,
    parameters: Parameters = None,
    calls: Calls = "record",
    runtime: Runtime = "inline",
    address: Address = None,
    model_replicas: Replicas = 1,
    model_cpus: Cpus = 1.0,
    model_gpus: Gpus = 0.0,
) -> int:
    """Have a model grade a run's answers against the truth, and show how far it agrees with F1."""
    from simonides.experiments.judging import judge_run
    from simonides.experiments.runs import Run
    from simonides.sim.config import Layout, Part

    layout = Layout(
        runtime=runtime, address=address, calls=calls, model_replicas=model_replicas, model_cpus=model_cpus,
        model_gpus=model_gpus,
    )  # fmt: skip
    part = Part.model_validate({**parameters_of(parameters), "name": model})
    return judge_run(Run(folder), part, layout, console_of())


@score.command(name="sort")
def score_order(
    book: Annotated[Path, typer.Argument(metavar="BOOK.txt", help="A Project Gutenberg text.")],
    model: ModelName,
    out: Annotated[Path, typer.Option(help="Folder for answers, scores, and the record of what was asked.")],
    parameters: Parameters = None,
    excerpt: Annotated[int, typer.Option(min=100, help="Words of an excerpt.")] = 250,
    segment: Annotated[int, typer.Option(min=5, help="Words of a segment.")] = 20,
    excerpts: Annotated[int, typer.Option(min=1, help="Excerpts to draw; each makes four items.")] = 110,
    calls: Calls = "record",
    runtime: Runtime = "inline",
    address: Address = None,
    model_replicas: Replicas = 1,
    model_cpus: Cpus = 1.0,
    model_gpus: Gpus = 0.0,
) -> int:
    """Ask a model which of two segments of a book came first (SORT), by first-token log-probabilities."""
    from simonides.experiments.ordering import run_sort
    from simonides.sim.config import Layout, Part

    part = Part.model_validate({**parameters_of(parameters), "name": model})
    layout = Layout(
        runtime=runtime, address=address, calls=calls, model_replicas=model_replicas, model_cpus=model_cpus,
        model_gpus=model_gpus,
    )  # fmt: skip
    return run_sort([book], (excerpt, segment), excerpts, part, layout, out, console_of())


DATASETS = "simonides.envs.datasets"
DataName = Annotated[str, typer.Argument(metavar="NAME", help="A data set, as `simonides data list` names it.")]


@data.command(name="list")
def list_data() -> int:
    """List the public data sets that environments can read, with their publishers and licences."""
    for found in attribute(f"{DATASETS}:list_datasets")():
        typer.echo(f"{found.name}\n    {found.title}\n    {found.publisher}\n    licence: {found.licence}")
        typer.echo(f"    read by the environment {found.environment!r}")
    return 0


@data.command(name="path")
def data_path(name: DataName) -> int:
    """Print the folder of a data set that was fetched."""
    typer.echo(attribute(f"{DATASETS}:path")(name))
    return 0


@data.command(name="fetch")
def fetch_data(
    name: DataName,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence without a question.")
    ] = False,
) -> int:
    """Fetch a data set from its publisher, after its licence was shown and accepted."""
    wanted = attribute(f"{DATASETS}:dataset")(name)
    typer.echo(f"{wanted.title}\nPublisher: {wanted.publisher}\nLicence: {wanted.licence}", err=True)
    if not accept_licence and sys.stdin.isatty():
        accept_licence = typer.confirm("Do you accept the licence, and fetch the data set?", err=True)
    typer.echo(attribute(f"{DATASETS}:fetch")(name, accept_licence))
    return 0


@data.command(name="coverage")
def data_coverage(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder with DroidTask, as fetched.")],
) -> int:
    """Say how much of DroidTask's gold tasks its recorded walks hold, exactly and by like screens; one app a line."""
    from dataclasses import asdict

    for app, found in attribute("simonides.envs.android.droidtask.coverage:coverage")(str(folder)).items():
        typer.echo(json.dumps({"app": app, **asdict(found)}))
    return 0


@data.command(name="android-tasks")
def data_android_tasks(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for tasks.jsonl, gold.jsonl and images.")],
    count: Annotated[int, typer.Option(min=1, help="Tasks to generate.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The first task's seed; the others follow.")] = 0,
    images: Annotated[bool, typer.Option("--images", help="Draw the screen before each step.")] = False,
) -> int:
    """Generate long tasks on the simulated phone, in AndroTMem-Bench's form, with predictions that are all right."""
    typer.echo(attribute("simonides.envs.android.tasks.files:write_tasks")(out, range(seed, seed + count), images))
    return 0
