"""Reach a part of another folder by its name: this folder imports none of the others, and needs no Ray to start."""

from __future__ import annotations

import importlib
from typing import Any

from simonides.sim.errors import MissingExtra
from simonides.sim.registry import EXTRAS


def attribute(target: str) -> Any:
    """Return what "module:attribute" names. Raises MissingExtra when a library that it needs is not installed."""
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in EXTRAS:
            raise
        raise MissingExtra(
            f"{module} needs {missing}, which is not installed: pip install 'simonides[{EXTRAS[missing]}]'."
        ) from None
