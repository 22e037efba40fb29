"""Run the benchmarks: print a table, and write the figures as JSON.

python -m simonides.experiments.benchmarks [NAME ...] [--json FILE] [--quick] [--mem0 [PYTHON]]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from os import cpu_count, getloadavg
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simonides.experiments.benchmarks import BENCHMARKS, load
from simonides.experiments.benchmarks.measure import FULL, QUICK, Result
from simonides.sim.collector import spare_collector


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for. Returns 0: a missed aim is a figure, not an error."""
    parser = argparse.ArgumentParser(
        prog="python -m simonides.experiments.benchmarks", description=__doc__.split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: a look, not a measurement")
    parser.add_argument(
        "--mem0",
        nargs="?",
        const="",
        metavar="PYTHON",
        help="compare with Mem0: by a Python that has mem0ai, or by one that is made for it (network)",
    )
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    console = Console()
    results = []
    for name in given.names or BENCHMARKS:
        scale = QUICK if given.quick else FULL
        if name != "mem0":
            result = load(name)(scale)
        elif given.mem0 is None:
            result = Result(name, skipped="asked for by --mem0; it installs mem0ai in an environment of its own")
        else:
            result = load(name)(scale, given.mem0 or None)
        results.append(result)
        console.print(table(result))
    if given.json is not None:
        given.json.write_text(
            json.dumps({"machine": machine(), "results": [r.plain() for r in results]}, indent=1) + "\n"
        )
    return 0


def table(result: Result) -> Table | str:
    """Return a result as a table for a terminal."""
    if result.skipped:
        return f"{result.name}: skipped: {result.skipped}"
    made = Table("figure", "value", "unit", "aim", "met", title=result.name, title_justify="left")
    made.columns[1].justify = "right"
    for figure in result.figures:
        met = "" if figure.met is None else "yes" if figure.met else "no"
        made.add_row(
            figure.name,
            f"{figure.value:,.4g}" if figure.value < 1000 else f"{figure.value:,.0f}",
            figure.unit,
            figure.aim,
            met,
        )
    return made


def machine() -> dict[str, object]:
    """Return what the figures were taken on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": cpu_count(),
        "load": getloadavg()[0],
        "versions": {name: version(name) for name in ("numpy", "msgpack", "ray", "gymnasium")},
    }


if __name__ == "__main__":
    spare_collector()  # as workers and actors do
    sys.exit(main())
