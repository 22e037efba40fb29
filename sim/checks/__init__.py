"""Checks that authors run on their own parts: what every memory system must do, in words for outsiders."""

from simonides.sim.checks.memory import check_memory
from simonides.sim.checks.report import Check, Finding, Report, Subject, Unmet, render

__all__ = ["Check", "Finding", "Report", "Subject", "Unmet", "check_memory", "render"]
