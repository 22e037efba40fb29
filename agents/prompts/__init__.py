"""The wording of named questions, one file a purpose. Knows no model: it makes chats out of plain data."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from simonides.agents.prompts.forms import form_of
from simonides.agents.prompts.wording import Wording, wording_of
from simonides.sim.errors import UserError
from simonides.sim.types import Message, Request

ENDING = ".yaml"
GENERAL = "general"
"""The file for purposes that have none of their own."""


class Prompts:
    """Renders each question as one system message and one user message.

    What stays the same comes first, so that a server's prefix cache holds it: the instructions and the form of the
    reply, then what changes slowly (persona, memory), then what is asked now. A form that lists values of the moment,
    such as legal actions, comes last.

    `folder` holds files of one's own, named for their purpose (`reader.answer.yaml`), which take the place of the
    packaged ones: a path, or `package:folder` for one that an installed package carries. Raises UserError for a folder
    or file that cannot be read.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._own = {} if folder is None else _own(_folder(folder))

    def render(self, request: Request) -> tuple[Message, ...]:
        """Return the chat that asks a request. Raises ContractBroken when its inputs do not fit the wording."""
        wording = self._wording(request.purpose)
        form, lasts = form_of(request)
        system = [wording.parts.system.strip(), form if lasts else ""]
        user = [
            wording.background(request.purpose, request.inputs),
            wording.ask(request.purpose, request.inputs),
            "" if lasts else form,
        ]
        return Message("system", _joined(system)), Message("user", _joined(user))

    def version(self, purpose: str) -> str:
        """Return the sha256 of the file that words a purpose, as hex."""
        return self._wording(purpose).version

    def _wording(self, purpose: str) -> Wording:
        return self._own.get(purpose) or packaged(purpose) or self._own.get(GENERAL) or _read(GENERAL)


def packaged(purpose: str) -> Wording | None:
    """Return the wording that this package has for a purpose, or None."""
    return _read(purpose) if purpose in purposes() else None


@cache
def purposes() -> tuple[str, ...]:
    """Return the purposes that have a file in this package, sorted."""
    names = (item.name for item in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(ENDING) for name in names if name.endswith(ENDING)))


@cache
def _read(purpose: str) -> Wording:
    name = f"{purpose}{ENDING}"
    return wording_of(files(__package__).joinpath(name).read_bytes(), name)


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _folder(wanted: str) -> Traversable:
    path: Traversable = Path(wanted).expanduser()
    package, colon, inside = wanted.partition(":")
    if colon and not path.is_dir():
        try:
            path = files(package).joinpath(inside)
        except (ImportError, ValueError) as error:
            raise UserError(f"prompts.folder: {wanted!r} names no package: {error}.") from None
    if not path.is_dir():
        raise UserError(f"prompts.folder: {wanted!r} is no folder; give a path, or package:folder.")
    return path


def _own(folder: Traversable) -> dict[str, Wording]:
    found = {}
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        stem, _, ending = item.name.rpartition(".")
        if f".{ending}" == ENDING:
            found[stem] = wording_of(_bytes(item), str(item), packaged(stem))
        elif stem in purposes():
            raise UserError(f"{item}: the wording of {stem} is read from {stem}{ENDING}; rename the file.")
    if not found:
        raise UserError(f"prompts.folder: {folder} holds no file such as reader.answer{ENDING}.")
    return found


def _bytes(item: Traversable) -> bytes:
    try:
        return item.read_bytes()
    except OSError as error:
        raise UserError(f"{item}: cannot be read ({error.strerror}).") from None
