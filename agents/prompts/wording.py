"""Read the wording of one purpose from a YAML file: what never changes, what changes slowly, what is asked now.

Templates are Jinja2 in its sandbox: questions need loops and conditions, which plain format strings lack, and a folder
of prompts may come from anybody, so that a template must not reach Python. Chance (`random`, `lipsum`) is taken out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simonides.sim.errors import ContractBroken, UserError, near
from simonides.sim.registry import one_line
from simonides.sim.types import Plain

ALWAYS = frozenset({"purpose", "inputs"})
"""Names that every template has, beside the inputs of its question."""


def text(value: Plain) -> str:
    """Return an input as words: a text as it is, texts one below the other, anything else as JSON with sorted keys."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals.clear()
    del made.filters["random"]
    made.filters["text"] = text
    return made


JINJA = _environment()


class Parts(BaseModel):
    """The keys of a file. `system` is no template: it is the same in every question, which prefix caches live on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: Annotated[str, Field(min_length=1)]
    background: str = ""
    """Template of what changes slowly: persona, memory."""
    ask: Annotated[str, Field(min_length=1)]
    """Template of what is asked now."""


@dataclass(frozen=True)
class Wording:
    """The wording of one purpose. `version` is the sha256 of its file's bytes, as hex."""

    where: str
    version: str
    parts: Parts

    def background(self, purpose: str, inputs: Mapping[str, Plain]) -> str:
        """Return what changes slowly. Raises ContractBroken when the template does not fit the inputs."""
        return self._fill(self._templates[0], purpose, inputs)

    def ask(self, purpose: str, inputs: Mapping[str, Plain]) -> str:
        """Return what is asked now. Raises ContractBroken when the template does not fit the inputs."""
        return self._fill(self._templates[1], purpose, inputs)

    @cached_property
    def names(self) -> frozenset[str]:
        """The inputs that the templates name."""
        sources = (self.parts.background, self.parts.ask)
        return frozenset(n for s in sources for n in meta.find_undeclared_variables(JINJA.parse(s))) - ALWAYS

    @cached_property
    def _templates(self) -> tuple[Template, Template]:
        return JINJA.from_string(self.parts.background), JINJA.from_string(self.parts.ask)

    def _fill(self, template: Template, purpose: str, inputs: Mapping[str, Plain]) -> str:
        try:
            return template.render({**inputs, "purpose": purpose, "inputs": inputs}).strip()
        except UndefinedError as error:
            raise ContractBroken(
                f"{self.where}: {error}. The inputs of {purpose} are {', '.join(inputs) or 'none'}."
            ) from None
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise ContractBroken(f"{self.where}: cannot be filled in for {purpose}: {error}.") from None


def wording_of(content: bytes, where: str, known: Wording | None = None) -> Wording:
    """Return the wording of a file's bytes, and check its templates; `known` is the one that it stands in for.

    Raises UserError, in one line that begins with `where`, for a file that is no wording.
    """
    wording = Wording(where, hashlib.sha256(content).hexdigest(), _parts(content, where))
    try:
        names = wording.names
        _ = wording._templates
    except TemplateSyntaxError as error:
        raise UserError(f"{where}: {error.message} (line {error.lineno} of the template).") from None
    except TemplateError as error:
        raise UserError(f"{where}: not a template: {error}.") from None
    strange = sorted(names - known.names) if known is not None else []
    if known is not None and strange:
        raise UserError(
            f"{where}: no input of this purpose is called {strange[0]!r}.{near(strange[0], known.names)} "
            f"Known: {', '.join(sorted(known.names))}."
        )
    return wording


def _parts(content: bytes, where: str) -> Parts:
    try:
        fields = yaml.safe_load(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 text (byte {error.start}).") from None
    except yaml.YAMLError as error:
        raise UserError(f"{where}: not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(fields, dict):
        raise UserError(f"{where}: found no map with the keys system, background and ask.")
    try:
        return Parts.model_validate(fields)
    except ValidationError as error:
        raise UserError(f"{where}: {one_line(error, '')}") from None
