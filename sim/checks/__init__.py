"""Checks that authors run on their own parts, in words for outsiders: memory systems, environments and defences."""

from simonides.sim.checks.defence import check_defence
from simonides.sim.checks.environment import check_environment
from simonides.sim.checks.memory import check_memory
from simonides.sim.checks.report import Check, Finding, NotApplicable, Report, Subject, Unmet, render

__all__ = [
    "Check",
    "Finding",
    "NotApplicable",
    "Report",
    "Subject",
    "Unmet",
    "check_defence",
    "check_environment",
    "check_memory",
    "render",
]
