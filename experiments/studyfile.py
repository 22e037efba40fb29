"""Read a study from a YAML file or from the studies that come with the package, with overrides `a.b=c`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from simonides.experiments.replacing import name_of, replaced
from simonides.sim.config import Study, assign, parse_study
from simonides.sim.errors import StudyError, UserError, near

SHIPPED = files("simonides.experiments") / "studies"
"""The studies that come with the package."""


def shipped_studies() -> list[str]:
    """Return the names of the studies that come with the package, sorted."""
    if not SHIPPED.is_dir():
        return []
    return sorted(entry.name.removesuffix(".yaml") for entry in SHIPPED.iterdir() if entry.name.endswith(".yaml"))


def load_study(source: str, overrides: Iterable[str] = ()) -> Study:
    """Return the study in a YAML file, or the shipped one of this name, with every part checked.

    An override `a.b=c` sets the field at a dotted path to a YAML value; `factors.memory.k=[1, 2]` sets what a factor
    varies. With another policy (`policy=prompted`) what only the file's policy has is varied no more, and the
    description says so (`experiments/replacing.py`). Raises StudyError with the path of the field, UserError when there
    is no such study.
    """
    fields = _fields(_read(source), source)
    return _parsed(fields, overrides)


def override_study(study: Study, overrides: Iterable[str]) -> Study:
    """Return a study with fields set as `load_study` does. Raises StudyError for a field that a factor varies."""
    fields = study.model_dump(mode="json")
    varied = {path for name, levels in study.factors.items() for level in levels for path in study.sets(name, level)}
    for override in overrides:
        path = override.partition("=")[0]
        hidden = next((one for one in sorted(varied) if f"{one}.".startswith(f"{path}.")), None)
        if hidden is not None:
            raise StudyError(f"{path}: the study varies {hidden!r}; to set it for one trial: --trial.")
    return _parsed(fields, overrides)


def _parsed(fields: dict[str, Any], overrides: Iterable[str]) -> Study:
    before = name_of(fields.get("policy"))
    for override in overrides:
        _override(fields, override)
    fields = replaced(fields, before)
    _absolute(fields, "data")
    if isinstance(fields.get("prompts"), dict):
        _absolute(fields["prompts"], "folder")
    return parse_study(fields)


def _read(source: str) -> str:
    path = Path(source)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    shipped = shipped_studies()
    if source in shipped:
        return (SHIPPED / f"{source}.yaml").read_text(encoding="utf-8")
    what = f"{source}: a folder, not a study file." if path.is_dir() else f"No study file or shipped study {source!r}."
    raise UserError(f"{what}{near(source, shipped)} Shipped: {', '.join(shipped) or 'none'}.")


def _fields(text: str, source: str) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"{source}: not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(fields, dict):
        found = "nothing" if fields is None else f"a {type(fields).__name__}"
        raise StudyError(f"{source}: a study is a map of fields (name, environment, memory, ...); found {found}.")
    wrong = [key for key in fields if not isinstance(key, str)]
    if wrong:
        raise StudyError(f"{source}: a field's name must be text; found {wrong[0]!r}.")
    return fields


def _override(fields: dict[str, Any], override: str) -> None:
    path, equals, raw = override.partition("=")
    if not equals or not all(path.split(".")):
        raise StudyError(f"{override!r} is no override; write a dotted path of a field and a value: memory.k=5.")
    try:
        value = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: {raw!r} is not a YAML value: {' '.join(str(error).split())}.") from None
    factor = path.removeprefix("factors.")
    if factor != path:
        assign(fields, "factors", {**(fields.get("factors") or {}), factor: value})
    else:
        assign(fields, path, value)


def _absolute(fields: dict[str, Any], name: str) -> None:
    # A run is resumed from any folder, so that the path must not depend on this one.
    path = fields.get(name)
    if isinstance(path, str) and Path(path).expanduser().exists():
        fields[name] = str(Path(path).expanduser().resolve())
