"""Run the universal suite, and a system's own checks, on one memory system: `check_memory`."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from simonides.sim.checks import elsewhere, lineage, reading, state
from simonides.sim.checks.report import Check, Finding, Report, Subject, Unmet
from simonides.sim.checks.shape import shape
from simonides.sim.errors import UserError
from simonides.sim.protocols import MemorySystem
from simonides.sim.registry import Registry, registry
from simonides.sim.types import EMPTY, Plain

PATIENCE = 60.0
"""Seconds after which a check is given up, for systems that wait for ever. Checks take far less than one."""

SHAPE = Check("shape", "It has the methods of a memory system, and a card", shape)

UNIVERSAL = (
    Check("U1", "The same script, seed and simulated time give the same state", state.same_again),
    Check("U2", "A read changes nothing; its effects appear after absorb", reading.pure),
    Check("U3", "Spaces do not see each other", reading.isolated),
    Check("U4", "A malformed reply of the model loses no records", lineage.robust),
    Check("U5", "Records come from the context and name all their origins", lineage.descent),
    Check("U6", "What is forgotten is gone, with all that descends from it", lineage.forgotten),
    Check("U7", "The model is asked what the card says, as often as stated", lineage.declared),
    Check("U8", "Recalls render within a budget, cut at record boundaries", reading.budget),
    Check("recall", "Reads return stored records, best first, at most k", reading.recall),
    Check("hash", "Another process, where texts hash differently, ends in the same state", elsewhere.same_elsewhere),
    Check("evict", "Packed and restored after every operation, nothing changes", state.evicted),
    Check("state", "A snapshot is bytes without pickle, and complete", state.snapshot),
    Check("empty", "An empty memory works", state.empty),
)


def check_memory(
    target: str | Callable[..., MemorySystem], params: Mapping[str, Plain] = EMPTY, only: Collection[str] = ()
) -> Report:
    """Return what the universal suite and the system's own checks find on a memory system.

    `target` is a registered name, "module:attribute", or a class. `params` are its parameters, as in a study.
    A system offers its own checks as a class attribute `checks`: "module:function", a function that returns `Check`s.
    They may build it with other parameters. `only` names the checks to run, beside that of the shape; empty for all.
    Raises UserError when there is no such system or parameter.

        print(render(check_memory("window", {"turns": 5})))
    """
    name = target if isinstance(target, str) else f"{target.__module__}:{target.__qualname__}"
    parts = registry("memory") if isinstance(target, str) else _one(name, target)
    importable = name if isinstance(target, str) else ""
    subject = Subject(name, partial(_build, parts, name, dict(params)), dict(params), importable)
    subject.make()  # a wrong name or parameter is the caller's mistake, not a finding
    findings = [_run(SHAPE, subject)]
    if findings[0].passed:
        checks = [*UNIVERSAL, *_own(parts.load(name))]
        findings += [_run(check, subject) for check in checks if not only or check.name in only]
    return Report(name, dict(params), tuple(findings))


def _one(name: str, part: Callable[..., MemorySystem]) -> Registry:
    """Return a registry of one part, so that a class from a notebook is built and checked like any other."""
    parts = Registry("memory", {})
    parts.register(name)(part)
    return parts


def _build(parts: Registry, name: str, params: dict[str, Plain], **overrides: Plain) -> Any:
    return parts.build(name, {**params, **overrides}, path="params")


def _own(part: Any) -> Iterable[Check]:
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
            f"The memory's own checks are said to be at {target!r}, but: {error}. Name them as 'module:function'."
        ) from error


def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end; in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _run(check: Check, subject: Subject) -> Finding:
    try:
        _finished(asyncio.wait_for(check.run(subject), PATIENCE))
    except Unmet as unmet:
        return Finding(check.name, False, str(unmet), check.title)
    except TimeoutError:
        found = Unmet("every method returns", f"one was still waiting after {PATIENCE:.0f} s", "await nothing but ctx")
        return Finding(check.name, False, str(found), check.title)
    except Exception as error:
        found = Unmet(
            "the check runs to its end", f"{type(error).__name__}: {error}", "see the traceback in a debugger"
        )
        return Finding(check.name, False, str(found), check.title)
    return Finding(check.name, True, "", check.title)
