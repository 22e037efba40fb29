"""Run the universal suite, and a system's own checks, on one memory system: `check_memory`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from simonides.sim.checks import elsewhere, lineage, reading, state
from simonides.sim.checks.report import Check, Report
from simonides.sim.checks.running import own_checks, run_check, subject_of
from simonides.sim.checks.shape import shape
from simonides.sim.protocols import MemorySystem
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
    subject = subject_of("memory", target, dict(params))
    subject.make()  # a wrong name or parameter is the caller's mistake, not a finding
    findings = [run_check(SHAPE, subject, PATIENCE)]
    if findings[0].passed:
        checks = [*UNIVERSAL, *own_checks(subject.part)]
        findings += [run_check(check, subject, PATIENCE) for check in checks if not only or check.name in only]
    return Report("Memory", subject.name, dict(params), tuple(findings))
