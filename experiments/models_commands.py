"""The commands about models: which there are, prepare a packaged one, try one with a single question."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from simonides.experiments.commands import list_parts, parameters_of
from simonides.experiments.elsewhere import attribute
from simonides.sim.errors import UnknownName, UserError, near
from simonides.sim.protocols import Model
from simonides.sim.registry import EXTRAS, registry
from simonides.sim.types import Completion, Message, Request

PREPARED = "simonides.agents.models.prepared"
QUESTION = "Say in one sentence what you are."

models = typer.Typer(help="The models that policies and memory systems can ask.", no_args_is_help=True)


def join(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(models, name="models")


@models.command(name="list")
def list_models() -> int:
    """List the registered models, what they lack here, and the packaged ones that can be prepared."""
    list_parts("model", _lacking)
    typer.echo("\nPackaged, for the models that load weights:")
    for packaged in attribute(f"{PREPARED}:known")():
        typer.echo(f"{packaged.name}  {packaged.title}, {packaged.licence}, from {packaged.requirement}")
        typer.echo(f"{' ' * len(packaged.name)}  {_state(packaged)}")
    return 0


def _lacking(name: str) -> str:
    """Return what a model needs that is not installed, with the command that installs it; "" when all is there."""
    try:
        part = registry("model").load(name)
    except UserError as error:
        return str(error)
    missing = [library for library in getattr(part, "needs", ()) if find_spec(library) is None]
    extras = sorted({EXTRAS.get(library, library) for library in missing})
    return f"needs {', '.join(missing)}: pip install 'simonides[{','.join(extras)}]'" if missing else ""


def _state(packaged: Any) -> str:
    try:
        folder = Path(attribute(f"{PREPARED}:folder_of")(packaged.name))
    except UserError as error:
        return f"{error} ({packaged.folder_bytes / 1e6:.0f} MB; downloads {packaged.wheel_bytes / 1e6:.0f} MB)"
    size = sum(path.stat().st_size for path in folder.iterdir())
    return f"prepared, {size / 1e6:.0f} MB: {folder}"


@models.command()
def prepare(name: Annotated[str, typer.Argument(metavar="NAME", help="As `simonides models list` names it.")]) -> int:
    """Make the folder of a packaged model, once, in the user's cache; print where it is."""
    with _told(Console(stderr=True)) as tell:
        folder = attribute(f"{PREPARED}:prepare")(name, progress=tell)
    typer.echo(folder)
    return 0


@contextmanager
def _told(console: Console) -> Iterator[Any]:
    """Give a function that tells a step and its share: as a bar on a terminal, as one line a step elsewhere."""
    if not console.is_terminal:
        steps: list[str] = []

        def say(step: str, share: float) -> None:
            if step not in steps[-1:]:
                steps.append(step)
                console.print(step, markup=False, highlight=False, soft_wrap=True)

        yield say
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("", total=1.0)
        yield lambda step, share: bars.update(bar, description=step, completed=share)


@models.command(name="try")
def try_model(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_PART", help="A registered or prepared model, or module:attribute.")
    ],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[PROMPT] [name=value]...", help="A question, and parameters.")
    ] = None,
    json_schema: Annotated[Path | None, typer.Option(help="File with the JSON schema of the reply.")] = None,
    choices: Annotated[str | None, typer.Option(help="What the reply may be, separated by commas.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of the reply.")] = 128,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 takes the most probable token.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    purpose: Annotated[str, typer.Option(help="Name of the question, for models that answer by it.")] = "try",
) -> int:
    """Ask a model one question; print its reply, and on stderr what it cost."""
    prompt, parameters = _question(words or [])
    if json_schema is not None and choices is not None:
        raise UserError("Give --json-schema or --choices: one reply has one form.")
    model, given = _model(name, parameters)
    request = Request(
        purpose, {"text": prompt}, _schema(json_schema), seed, max_tokens, temperature,
        choices=tuple(choices.split(",")) if choices else (), messages=(Message("user", prompt),), caller="try",
    )  # fmt: skip
    built = registry("model").build(model, given, path="model")
    begun = time.perf_counter()
    completion, identity = asyncio.run(_ask(built, request))
    seconds = time.perf_counter() - begun
    typer.echo(completion.text)
    typer.echo(
        f"{identity}: {completion.prompt_tokens} tokens asked, {completion.completion_tokens} replied, "
        f"finish {completion.finish}, {seconds:.1f} s from start to end",
        err=True,
    )
    return 0


def _question(words: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the prompt, or the usual one, and the parameters: words of the form name=value are parameters."""
    given = [word for word in words if re.match(r"[A-Za-z_]\w*=", word)]
    prompts = [word for word in words if word not in given]
    if len(prompts) > 1:
        raise UserError(f"Found {len(prompts)} prompts; put one prompt in quotes, and write parameters as name=value.")
    return (prompts or [QUESTION])[0], parameters_of(given)


def _model(name: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the part and its parameters: the name of a prepared model stands for `transformers` with it."""
    packaged = [model.name for model in attribute(f"{PREPARED}:known")()]
    known = registry("model").names()
    if name in known or ":" in name:
        return name, dict(parameters)
    if name not in packaged:
        everything = [*known, *packaged]
        raise UnknownName(f"No model is called {name!r}.{near(name, everything)} Known: {', '.join(everything)}.")
    attribute(f"{PREPARED}:folder_of")(name)
    return "transformers", {"model": name, **parameters}


def _schema(file: Path | None) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--json-schema {file}: {error.strerror}.") from None
    except ValueError as error:  # neither JSON nor UTF-8
        raise UserError(f"--json-schema {file}: not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise UserError(f"--json-schema {file}: expected a map, found a {type(found).__name__}.")
    return found


async def _ask(model: Model, request: Request) -> tuple[Completion, str]:
    try:
        (completion,) = await model.complete([request])
        return completion, model.card.identity
    finally:
        await model.close()
