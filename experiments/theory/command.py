"""Run every comparison with theory, print its tables, and write its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from simonides.experiments.runs import write_whole
from simonides.experiments.theory.comparison import ALBUMS, MEMORYLESS, Comparison, compare
from simonides.experiments.theory.fading import faded
from simonides.experiments.theory.first_case import FirstCases, first_cases
from simonides.experiments.theory.networks import NETWORKS
from simonides.experiments.theory.outbreaks import Outbreak, outbreaks
from simonides.experiments.theory.page import Findings, differences, faded_rows, first_rows, network_rows, render
from simonides.sim.errors import UserError

FIRST = (ALBUMS[1], ALBUMS[3])
"""Settings in which few and many first cases come to nothing."""
FEW = 8
"""Most seeds of a network's runs, whose spread is small."""


def compare_with_theory(
    agents: int, seeds: int, runs: int, nodes: int, records: int, out: Path, console: Console
) -> int:
    """Return 0 where the criterion holds or is not asked, 1 where it fails. Raises UserError for odd agents."""
    if agents % 2:
        raise UserError(f"--agents: agents meet in pairs; asked for {agents}, ask for an even number.")
    with console.status("") as status:
        findings = Findings(
            [_said(status, f"albums, {setting.label}") or compare(setting, agents, range(seeds)) for setting in ALBUMS],
            [_said(status, setting.label) or compare(setting, agents, range(seeds)) for setting in MEMORYLESS],
            [_said(status, "one infected agent") or first_cases(setting, 10_000, range(runs)) for setting in FIRST],
            [_said(status, name) or outbreaks(name, nodes, range(min(seeds, FEW))) for name in NETWORKS],
            _said(status, "forgetting") or faded(records, seed=0),
        )
    write_whole(out, render(findings))
    for title, rows in tables(findings):
        console.print(_table(title, rows))
    console.print(f"Page: {out}", highlight=False)
    return 0 if findings.holds else 1
