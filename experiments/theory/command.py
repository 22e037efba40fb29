"""Run every comparison with theory, print its tables, and write its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from simonides.experiments.runs import write_whole
from simonides.experiments.theory import page
from simonides.experiments.theory.comparison import ALBUMS, MEMORYLESS, compare
from simonides.experiments.theory.fading import faded
from simonides.experiments.theory.first_case import first_cases
from simonides.experiments.theory.loop import in_the_loop
from simonides.experiments.theory.networks import NETWORKS
from simonides.experiments.theory.outbreaks import outbreaks
from simonides.sim.errors import UserError

FIRST = (ALBUMS[1], ALBUMS[3])
"""Settings in which few and many first cases come to nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated. The defaults are those of the criterion, and take some two minutes of processor time."""

    agents: int = 100_000
    seeds: int = 8
    runs: int = 100
    """Runs with one infected agent among `first`."""
    first: int = 10_000
    nodes: int = 600
    network_seeds: int = 4
    records: int = 1_000
    loop: int = 2_000
    """Agents in the platform's own loop; 0 leaves it out."""
    rounds: int = 60
    """Rounds that it plays."""


def compare_with_theory(size: Size, out: Path, console: Console) -> int:
    """Return 0 where the criterion holds or is not asked, 1 where it fails. Raises UserError for odd agents."""
    if size.agents % 2:
        raise UserError(f"--agents: agents meet in pairs; asked for {size.agents}, ask for an even number.")
    if size.loop % 2:
        raise UserError(f"--loop: agents meet in pairs; asked for {size.loop}, ask for an even number.")
    if not out.absolute().parent.is_dir():
        raise UserError(f"--out: there is no folder {out.absolute().parent}; make it first.")
    with console.status("") as status:
        findings = found(size, status.update)
    write_whole(out, page.render(findings))
    for title, rows in tables(findings).items():
        console.print(_table(title, rows))
    console.print(f"Page: {out}", highlight=False, markup=False, soft_wrap=True)
    return 0 if findings.holds else 1


def found(size: Size, tell: Callable[[str], None]) -> page.Findings:
    """Simulate everything and hold it against its law, telling what is under way."""
    tell("Infection through albums")
    albums = [compare(setting, size.agents, range(size.seeds)) for setting in ALBUMS]
    tell("The platform's own loop")
    looped = [in_the_loop(size.loop, size.rounds)] if size.loop else []
    tell("Infection without memory")
    memoryless = [compare(setting, size.agents, range(size.seeds)) for setting in MEMORYLESS]
    tell("One infected agent")
    first = [first_cases(setting, size.first, range(size.runs)) for setting in FIRST]
    tell("Networks")
    networks = [outbreaks(name, size.nodes, range(size.network_seeds)) for name in NETWORKS]
    tell("Forgetting")
    return page.Findings(albums, looped, memoryless, first, networks, faded(size.records, seed=0))


def tables(findings: page.Findings) -> dict[str, pl.DataFrame]:
    """Return what is printed: a table a comparison, by its title."""
    first = findings.albums[0]
    size = f"{first.agents:,} agents, {len(first.curves)} seeds"
    return {
        f"Infection through albums against its law: {size}": page.differences(findings.albums),
        "The platform's own loop against the arrays": page.loop_rows(findings.looped),
        f"Infection without memory against its map: {size}": page.differences(findings.memoryless),
        f"One infected agent among {findings.first[0].agents:,}": page.first_rows(findings.first),
        "SIS on networks against the mean field": page.network_rows(findings.networks),
        "MemoryBank against exp(-t / S)": page.faded_rows(findings.faded),
    }


def _table(title: str, rows: pl.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    for name, kind in rows.schema.items():
        table.add_column(name, justify="right" if kind.is_numeric() else "left")
    for row in rows.iter_rows():
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row))
    return table
