"""The comparison of simulations with theory, as one page that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from simonides.experiments.report.context import Panel, ReportContext
from simonides.experiments.report.page import render_report
from simonides.experiments.theory import figures
from simonides.experiments.theory.comparison import EACH, EXTINCT, JUDGED_FROM, MEAN, P0, Comparison
from simonides.experiments.theory.fading import Faded
from simonides.experiments.theory.first_case import FirstCases
from simonides.experiments.theory.loop import Looped
from simonides.experiments.theory.outbreaks import GAMMA, ROUNDS, Outbreak

LIMITS = (
    "A law is one of many that agents could follow. That a simulation follows it says that the simulation is right, "
    "not that language models infect each other so.",
    "The laws assume that every agent meets every other with equal probability, except on networks.",
    "The individual mean field neglects that neighbours are infected together. It is proved to lie above the process "
    "in continuous time; rounds are close to that where infection and recovery are rare in each.",
    "Ebbinghaus was his only subject, and measured time saved on learning again, not the share of items recalled.",
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was compared."""

    albums: Sequence[Comparison]
    looped: Sequence[Looped]
    memoryless: Sequence[Comparison]
    first: Sequence[FirstCases]
    networks: Sequence[Sequence[Outbreak]]
    faded: Sequence[Faded]

    @property
    def holds(self) -> bool:
        """Whether the criterion holds wherever it is asked, and the loop infects as the arrays do."""
        laws = all(found.holds for found in (*self.albums, *self.memoryless) if found.judged)
        return laws and all(one.unequal == 0 for one in self.looped)


def verdict(found: Comparison) -> str:
    """Return "holds" or "fails", or from how many agents on the criterion is asked."""
    if not found.judged:
        return f"asked from {JUDGED_FROM:,} agents on"
    return "holds" if found.holds else "fails"


def differences(found: Sequence[Comparison]) -> pl.DataFrame:
    """Return a row a setting: its fixed point, its largest differences from the law, and what the criterion says."""
    return pl.DataFrame(
        {
            "setting": [one.setting.label for one in found],
            "rounds": [one.setting.rounds for one in found],
            "fixed point": [round(one.setting.fixed_point, 4) for one in found],
            "largest end": [f"{one.end:.4f}" for one in found],
            "largest difference": [f"{one.each:.4f}" for one in found],
            "of the mean": [f"{one.mean:.4f}" for one in found],
            "criterion": [verdict(one) for one in found],
        }
    )


def render(findings: Findings) -> str:
    """Return the page as HTML text."""
    first = findings.albums[0]
    facts = {
        "agents": f"{first.agents:,}", "seeds": str(len(first.curves)), "infected at the start": f"{P0:.0%}",
        "criterion": f"each seed ≤ {EACH}, their mean ≤ {MEAN}, extinct < {EXTINCT}",
    }  # fmt: skip
    outcome = "holds" if findings.holds else "fails"
    criterion = f"The criterion {outcome}" if first.judged else f"The criterion is asked from {JUDGED_FROM:,} agents on"
    summary = f"Infection, epidemics on networks and forgetting, simulated beside their laws. {criterion}."
    return render_report(ReportContext("Simulations against theory", summary, facts, _panels(findings), LIMITS))


def _panels(findings: Findings) -> tuple[Panel, ...]:
    return (
        _compared("album", "Does infection through albums follow its law?", findings.albums),
        *_looped(findings.looped),
        _compared("memoryless", "Does infection without memory follow its law?", findings.memoryless),
        _first(findings.first), _networks(findings.networks), _fading(findings.faded),
    )  # fmt: skip


def _compared(name: str, question: str, found: Sequence[Comparison]) -> Panel:
    each, mean = max(one.each for one in found), max(one.mean for one in found)
    return Panel(
        name, question, f"The largest difference of any run in any round is {each:.4f}; of the runs' mean {mean:.4f}.",
        table=differences(found), multiples=tuple((one.setting.label, figures.curves(one)) for one in found),
        note="Each thin line is one run, not shifted and not smoothed. What dies out has an axis of its own.",
    )  # fmt: skip


def _looped(found: Sequence[Looped]) -> list[Panel]:
    if not found:
        return []
    told = [
        f"{one.agents:,} agents in spaces of their own: the infected agents, by lineage, are those of the arrays "
        + (f"in all of {one.rounds + 1} rounds" if not one.unequal else f"in all but {one.unequal} rounds")
        for one in found
    ]
    return [
        Panel(
            "loop", "Is the platform's own loop the same process?", "; ".join(told) + ".", table=loop_rows(found),
            multiples=tuple((f"{one.agents:,} agents", figures.looped(one)) for one in found),
            note="Both make the same draws. The arrays then stand for the loop where it would be too slow.",
        )
    ]  # fmt: skip


def loop_rows(found: Sequence[Looped]) -> pl.DataFrame:
    """Return a row a run in the loop: its size, its rounds that differ from the arrays, and what it cost."""
    return pl.DataFrame(
        {
            "agents": [one.agents for one in found],
            "rounds": [one.rounds for one in found],
            "setting": [f"A={one.album}, alpha={one.alpha:g}, beta={one.beta:g}" for one in found],
            "infected at the end": [int(one.loop[-1].sum()) for one in found],
            "rounds that differ": [one.unequal for one in found],
            "processor seconds": [f"{one.seconds:.1f}" for one in found],
        }
    )


def _first(found: Sequence[FirstCases]) -> Panel:
    rows = first_rows(found)
    told = [
        f"{one.setting.label}: {one.extinct.estimate:.1%} of {len(one.reached)} runs died out "
        f"(a branching process: {one.extinction:.1%})"
        for one in found
    ]
    return Panel(
        "first", "What comes of one infected agent?", "; ".join(told) + ".", table=rows,
        multiples=tuple((one.setting.label, figures.times(one)) for one in found),
        note=f"Runs of {found[0].agents:,} agents that reached 40 %. The dashed line is the law begun at one infected "
        "agent; chance in the first rounds moves whole runs in time, so curves are not compared here.",
    )  # fmt: skip


def first_rows(found: Sequence[FirstCases]) -> pl.DataFrame:
    """Return a row a setting: how many runs died out against theory, and quartiles of the rounds of the others."""
    return pl.DataFrame(
        {
            "setting": [one.setting.label for one in found],
            "runs": [len(one.reached) for one in found],
            "died out": [one.extinct.estimate for one in found],
            "low": [one.extinct.low for one in found],
            "high": [one.extinct.high for one in found],
            "in theory": [one.extinction for one in found],
            "rounds to 40 %": [_quartiles(one.times) for one in found],
            "of the law": [one.mean_field for one in found],
        }
    )


def _quartiles(times: Sequence[int]) -> str:
    """Return the three quartiles of rounds, each a round of one of the runs; "" where none got there."""
    of = pl.Series(times, dtype=pl.Int64).quantile
    return "-".join(f"{of(q, 'nearest'):.0f}" for q in (0.25, 0.5, 0.75)) if times else ""


def _networks(found: Sequence[Sequence[Outbreak]]) -> Panel:
    every = [one for rows in found for one in rows]
    return Panel(
        "networks", "Where does an infection persist on a network?",
        f"The bounds hold in {sum(one.consistent for one in every)} of {len(every)} cases: below the threshold of the "
        "spectrum it dies out, above it stays below the mean field, which is close on a complete network and too high "
        "on a ring, where neighbours share their infection.",
        table=network_rows(found),
        multiples=tuple(
            (f"{rows[0].network}, threshold {rows[0].threshold:.4f}", figures.strengths(rows)) for rows in found
        ),
        note=f"Each dot is one run: its mean share over the second half of {ROUNDS} rounds; gamma = {GAMMA}. Dotted: "
        "1 / lambda_max. On an infinite ring and in continuous time infection persists from beta / gamma = 1.65 on, "
        "3.3 times that threshold.",
    )  # fmt: skip


def network_rows(found: Sequence[Sequence[Outbreak]]) -> pl.DataFrame:
    """Return a row a network and strength: simulated and mean-field share, and whether theory's bounds hold."""
    every = [one for rows in found for one in rows]
    return pl.DataFrame(
        {
            "network": [one.network for one in every],
            "times the threshold": [one.times for one in every],
            "simulated": [one.share for one in every],
            "mean field": [one.mean_field for one in every],
            "bounds": ["hold" if one.consistent else "fail" for one in every],
        }
    )


def _fading(found: Sequence[Faded]) -> Panel:
    inside = sum(one.holds for one in found)
    return Panel(
        "forgetting", "Does memory fade as Ebbinghaus wrote?",
        f"MemoryBank keeps what exp(-t / S) says: theory lies in {inside} of {len(found)} intervals. Ebbinghaus' own "
        "data follow his logarithmic formula; no single exponential fits them.",
        table=faded_rows(found), multiples=(("MemoryBank", figures.kept(found)), ("Ebbinghaus", figures.savings())),
        note=f"Left: bars are {found[0].kept.level:.0%} intervals over {found[0].kept.n} records.",
    )  # fmt: skip


def faded_rows(found: Sequence[Faded]) -> pl.DataFrame:
    """Return a row a strength and age: the share kept with its interval, and what theory says."""
    return pl.DataFrame(
        {
            "strength": [one.strength for one in found],
            "days": [one.days for one in found],
            "kept": [one.kept.estimate for one in found],
            f"low at {found[0].kept.level:.0%}": [one.kept.low for one in found],
            f"high at {found[0].kept.level:.0%}": [one.kept.high for one in found],
            "exp(-t / S)": [one.theory for one in found],
        }
    )
