"""Run the suite for environments on one of them: `check_environment`.

The checks themselves use PettingZoo and Gymnasium, which the kernel does not: they are found by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping

from simonides.sim.checks.report import Report
from simonides.sim.checks.running import own_checks, run_check, subject_of
from simonides.sim.protocols import Environment
from simonides.sim.types import EMPTY, Plain

SUITE = "simonides.envs.checking"
PATIENCE = 600.0
"""Seconds after which a check is given up where it awaits."""

SEED = 20_260_101
"""The seed that the assembler would draw."""


def check_environment(
    target: str | Callable[..., Environment], params: Mapping[str, Plain] = EMPTY, only: Collection[str] = ()
) -> Report:
    """Return what PettingZoo's and Gymnasium's own tests, ours, and the environment's own checks find on it.

    `target` is a registered name, "module:attribute", or a class or factory. `params` are its parameters, as in a
    study. An environment offers its own checks as an attribute `checks` of its factory, as a memory system does.
    `only` names the checks to run; empty for all. Raises UserError when there is no such environment or parameter.

        print(render(check_environment("claims", {"agents": 4})))
    """
    subject = subject_of("environment", target, dict(params), seed=SEED, world=0)
    subject.make().close()  # a wrong name or parameter is the caller's mistake, not a finding
    checks = [*importlib.import_module(SUITE).CHECKS, *own_checks(subject.part)]
    findings = [run_check(check, subject, PATIENCE) for check in checks if not only or check.name in only]
    return Report("Environment", subject.name, dict(params), tuple(findings))
