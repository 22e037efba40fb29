"""Run checks one by one on one part, each with a limit in time, and turn what they raise into findings."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from simonides.sim.checks.report import Check, Finding, NotApplicable, Subject, Unmet
from simonides.sim.errors import UserError
from simonides.sim.registry import Registry, registry
from simonides.sim.types import Plain


def subject_of(kind: str, target: str | Callable[..., Any], params: dict[str, Plain], **given: Any) -> Subject:
    """Return the part to check: a registered name, "module:attribute", or a class or factory. Raises UserError.

    `given` are services that the assembler would fill in, such as a seed.
    """
    name = target if isinstance(target, str) else f"{target.__module__}:{target.__qualname__}"
    parts = registry(kind) if isinstance(target, str) else _one(kind, name, target)
    return Subject(
        name,
        partial(_build, parts, name, params, given),
        params,
        name if isinstance(target, str) else "",
        parts.load(name),
    )


def _one(kind: str, name: str, part: Callable[..., Any]) -> Registry:
    """Return a registry of one part, so that a class from a notebook is built and checked like any other."""
    parts = Registry(kind, {})
    parts.register(name)(part)
    return parts


def _build(parts: Registry, name: str, params: dict[str, Plain], given: dict[str, Any], **overrides: Plain) -> Any:
    services = {key: value for key, value in given.items() if key not in {**params, **overrides}}
    return parts.build(name, {**params, **overrides}, path="params", **services)


def own_checks(part: Any) -> Iterable[Check]:
    """Return the checks in a part's attribute `checks`: "module:function", or a function. Raises UserError."""
    target = getattr(part, "checks", None)
    if target is None:
        return ()
    if not isinstance(target, str):
        return tuple(target())
    module, _, attribute = target.partition(":")
    try:
        return tuple(getattr(importlib.import_module(module), attribute)())
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"The part's own checks are said to be at {target!r}, but: {error}. Name them as 'module:function'."
        ) from error


def run_check(check: Check, subject: Subject, patience: float) -> Finding:
    """Return what one check finds; `patience` is its limit in seconds where it awaits."""
    try:
        _finished(asyncio.wait_for(check.run(subject), patience))
    except NotApplicable as reason:
        return Finding(check.name, True, f"not applicable: {reason}", check.title, applies=False)
    except Unmet as unmet:
        return Finding(check.name, False, str(unmet), check.title)
    except TimeoutError:
        found = Unmet("every method returns", f"one was still waiting after {patience:.0f} s", "await nothing but ctx")
        return Finding(check.name, False, str(found), check.title)
    except Exception as error:
        found = Unmet(
            "the check runs to its end", f"{type(error).__name__}: {error}", "see the traceback in a debugger"
        )
        return Finding(check.name, False, str(found), check.title)
    return Finding(check.name, True, "", check.title)


def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end; in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
