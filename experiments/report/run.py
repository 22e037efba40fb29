"""Build a run's report: its facts, the questions that a reader has first, its limits, and a page for each trial."""

from __future__ import annotations

from importlib.metadata import version

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import condition, labels
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.timeline import SCHEMA, timeline
from simonides.experiments.report.context import ReportContext, TrialPage
from simonides.experiments.report.limits import limits_of
from simonides.experiments.report.panels import panels_of
from simonides.experiments.report.published import published_beside
from simonides.experiments.report.serving import serving_panel
from simonides.experiments.runs import Outcome, Run
from simonides.sim.config import Trial
from simonides.sim.errors import SimonidesError
from simonides.sim.trace import run_digest

EVENTS = 8_000
"""Events in all timelines of a report together: about 3 MB of page."""


def context_of(run: Run, tables: RunTables) -> ReportContext:
    """Return the report of a run from its tables; timelines come from the traces."""
    outcomes = list(run.outcomes())
    limit = max(10, min(150, EVENTS // max(1, len(outcomes))))
    return ReportContext(
        title=run.study.name.replace("_", " ").capitalize(),
        summary=" ".join(run.study.description.split()) or "A study without a description.",
        facts=_facts(run, outcomes),
        panels=panels_of(tables) + serving_panel(run.folder) + published_beside(tables),
        limits=tuple(limits_of(tables)),
        trials=tuple(_page(run, tables, n, trial, outcome, limit) for n, (trial, outcome) in enumerate(outcomes)),
    )


def _facts(run: Run, outcomes: list[tuple[Trial, Outcome | None]]) -> dict[str, str]:
    done = sum(outcome is not None and outcome.status == "done" for _, outcome in outcomes)
    seeds = run.study.seeds if isinstance(run.study.seeds, int) else len(run.study.seeds)
    digests = {trial.id: outcome.digest for trial, outcome in outcomes if outcome and outcome.digest}
    parent = run.manifest.get("parent")
    forked = {"forked from": f"{parent['run']} at tick {parent['at']}"} if parent is not None else {}
    return {
        "trials done": f"{done} of {len(outcomes)}",
        "seeds": str(seeds),
        "runtime": run.layout.runtime,
        "digest": run_digest(digests)[:12] if len(digests) == len(outcomes) else "not complete",
        "started": str(run.manifest.get("started", ""))[:16].replace("T", " "),
        **forked,
        "simonides": str(run.manifest.get("versions", {}).get("simonides") or version("simonides")),
    }


def _page(run: Run, tables: RunTables, n: int, trial: Trial, outcome: Outcome | None, limit: int) -> TrialPage:
    title = f"{condition(labels(tables.study, trial))}, seed {trial.seed}"
    facts = {**dict(zip(tables.names, labels(tables.study, trial), strict=True)), "seed": str(trial.seed)}
    failure = "" if outcome is None or outcome.status == "done" else " ".join(outcome.errors) or "it failed"
    events = pl.DataFrame(schema=dict(SCHEMA))
    if outcome is not None:
        facts |= {"ticks": str(outcome.ticks), "seconds": f"{outcome.seconds:.1f}", "digest": outcome.digest[:12]}
        facts |= _scores(tables, trial)
        try:
            found = timeline(Reading(run.folder_of(trial)), _targeted(tables, trial), limit)
            events = found.events
            facts["shown"] = f"{events.height} of {found.total:,} events"
        except SimonidesError as error:
            failure = failure or str(error)
    return TrialPage(f"trial-{n}", title, facts, events, failure)


def _scores(tables: RunTables, trial: Trial) -> dict[str, str]:
    if not tables.metrics.height:
        return {}
    own = tables.metrics.filter(pl.col("trial") == trial.id)
    shown = {
        "answers F1": ("answer-f1", "", "{:.3f}"), "evidence recall@10": ("evidence-recall", "@10", "{:.3f}"),
        "repeats the false record": ("attack-success", "", "{:.0%} of targeted questions"),
        "records held": ("memory-size", "records", "{:,.0f}"),
    }  # fmt: skip
    found = {}
    for name, (metric, part, form) in shown.items():
        value = own.filter((pl.col("metric") == metric) & (pl.col("part") == part))["value"]
        if len(value):
            found[name] = form.format(value[0])
    return found


def _targeted(tables: RunTables, trial: Trial) -> frozenset[tuple[str, int, str]]:
    if not tables.questions.height:
        return frozenset()
    own = tables.questions.filter((pl.col("trial") == trial.id) & pl.col("targeted"))
    return frozenset(own.select("world", "tick", "agent").rows())
