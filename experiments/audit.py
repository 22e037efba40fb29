"""Audit by ablation and replay: fork a trial at a tick without some origins, ask the probes again, rank what changed.

It asks for no judgement and no taint: an origin counts by how many of the decisions hang on it. Whether it is false is
for the reader of the ranking to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simonides.experiments.execute import execute
from simonides.experiments.forks import create_fork
from simonides.experiments.runs import Run, write_whole
from simonides.sim.config import Trial
from simonides.sim.errors import UserError
from simonides.sim.lineage import Lineage
from simonides.sim.rows import Probed, probe_row, space_row
from simonides.sim.trace import PROBE, SPACE, Trace

By = Literal["origin", "writer", "text"]
ASKED_AFTER = 1
"""Ticks from the purge to the probes: what is purged at a tick is gone for what is read at the next one."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """What is left out of one fork: experiences that share a writer or a text, or one alone."""

    name: str
    origins: tuple[str, ...]
    text: str
    writer: str
    records: int
    """Records at the tick that descend from any of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of the probes without a suspect."""

    suspect: Suspect
    changed: int
    """Probes whose answer is another one."""
    asked: int
    answers: tuple[tuple[str, str, str, str], ...]
    """Of those that changed: who was asked ("" for nobody), the question, the answer with it, and without."""
    incomplete: int
    """Of its origins, those that a memory system could not forget."""


@dataclass(frozen=True, slots=True)
class Audited:
    """The ranking, most changed first, with what it took."""

    findings: tuple[Finding, ...]
    forks: int
    skipped: int
    """Suspects that were not left out, because no probe recalled a record of theirs, or for the limit."""


def audit(
    run: Run, at: int, out: Path, *, trial: str | None = None, by: By = "origin", most: int | None = None,
    every: bool = False, probes: str = "", jobs: int | None = None,
) -> Audited:  # fmt: skip
    """Fork a trial at a tick once for each suspect and once without a change, and compare what the probes answer.

    Suspects are the experiences that records of the tick descend from, `by` themselves, all of a writer, or all of one
    text. Without `every` only those behind records that a probe recalled: leaving out others changes an answer only
    through the ranking or a defence. `most` of them, those with the most records first. `probes` are a study's, as
    YAML; by default the run's own, asked once, after the tick. `out` gets the runs and `audit.json`. Raises UserError.
    """
    chosen = _only(run) if trial is None else run.trial(trial)
    told = _told(chosen, at, probes)
    base = _run(run, out / "before", at, [*told, "factors={}"], chosen.id, jobs)
    (same,) = base.trials()
    answers = _answers(base.folder_of(same))
    recalled = {id for one in answers.values() for id in one.ids}
    found = suspects(Trace(base.folder_of(same)), at, by)
    left = found if every else [one for one in found if not recalled.isdisjoint(one[1])]
    left = left[:most] if most is not None else left
    asked = [one for one, _ in left]
    findings = _findings(base, out / "without", at, same, asked, answers, jobs) if asked else []
    ranked = sorted(findings, key=lambda one: (-one.changed, -one.suspect.records, one.suspect.name))
    audited = Audited(tuple(ranked), 1 + len(asked), len(found) - len(asked))
    write_whole(out / "audit.json", json.dumps(asdict(audited), indent=1, sort_keys=True))
    return audited


def _only(run: Run) -> Trial:
    trials = run.trials()
    if len(trials) != 1:
        raise UserError(f"{run.folder} has {len(trials)} trials; say which one is to be audited: --trial 0.")
    return trials[0]


def _told(trial: Trial, at: int, probes: str) -> list[str]:
    """Return the fields that every fork sets: it lives until the probes are asked, once."""
    own = [one.model_dump(mode="json", exclude={"every", "at"}, exclude_none=True) for one in trial.study.probes]
    given = yaml.safe_load(probes) if probes else own
    if not given:
        raise UserError("audit: the run has no probes; say what is to be asked: --probes '[{question: ...}]'.")
    timed = [{**{k: v for k, v in one.items() if k != "every"}, "at": [at + ASKED_AFTER]} for one in given]
    return [f"probes={json.dumps(timed)}", f"ticks={at + ASKED_AFTER + 1}", "checkpoint_every=0", "pair=false"]


def _run(run: Run, folder: Path, at: int, told: Iterable[str], trial: str | None, jobs: int | None) -> Run:
    made = create_fork(run, folder, at, told, trial, {})
    if execute(made, jobs, Console(quiet=True), report=False):
        raise UserError(f"audit: not every fork in {folder} ended; `simonides show {folder}` says why.")
    return made


def _answers(folder: Path) -> dict[tuple[str, int, str], Probed]:
    """Return (world, probe, agent) -> what it found, of the only asking."""
    rows = Trace(folder).of(PROBE)
    return {(row.name, one.probe, one.agent): one for row in rows for one in probe_row(row)}


def said(one: Probed) -> str:
    """Return what a probe's answer is compared by: the action's words or value; for a space the records it gave."""
    if not one.agent:
        return " ".join(one.ids)
    return one.text or ("" if one.value is None else str(one.value))


def suspects(trace: Trace, at: int, by: By) -> list[tuple[Suspect, frozenset[str]]]:
    """Return what could be left out at a tick, with the records that descend from it, the most of them first."""
    lineage = Lineage.of(trace)
    groups: dict[str, tuple[set[str], set[str]]] = {}
    writers = _writers(lineage)
    for space in sorted({row.name for row in trace.of(SPACE)}):
        for version in lineage.content(space, at):
            for origin in version.stored.origins:
                key = {"origin": origin, "writer": writers.get(origin, ""), "text": lineage.text_of(origin)}[by]
                origins, records = groups.setdefault(key, (set(), set()))
                origins.add(origin)
                records.add(version.stored.id)
    made = []
    for name, (origins, records) in groups.items():
        first = min(origins)
        one = Suspect(name, tuple(sorted(origins)), lineage.text_of(first), writers.get(first, ""), len(records))
        made.append((one, frozenset(records)))
    return sorted(made, key=lambda one: (-one[0].records, one[0].name))


def _writers(lineage: Lineage) -> dict[str, str]:
    """Return experience -> who wrote it, as its record says: "world/agent", planted ones like any other.

    What was planted has no world of its own; it gets the first in which an agent of that name lived anything.
    """
    worlds: dict[str, str] = {}
    for id, lived in lineage.experiences.items():
        worlds[lived.agent] = min(worlds.get(lived.agent, lineage.lived_at[id][0]), lineage.lived_at[id][0])
    first, found = min(worlds.values(), default=""), {}
    for stored in (version.stored for versions in lineage.versions.values() for version in versions):
        if len(stored.origins) == 1 and not stored.parents:
            origin = stored.origins[0]
            world = lineage.lived_at[origin][0] if origin in lineage.lived_at else worlds.get(stored.writer, first)
            found[origin] = f"{world}/{stored.writer}"
    return found


def _findings(
    base: Run, folder: Path, at: int, same: Trial, asked: Sequence[Suspect], before: Mapping[Any, Probed],
    jobs: int | None,
) -> list[Finding]:  # fmt: skip
    """Run one fork a suspect, from where the unchanged one stands."""
    kept = [one.model_dump(mode="json") for one in same.study.interventions]
    levels = {
        f"without {n:04d}": {"interventions": [*kept, {"kind": "purge", "tick": at, "origins": list(one.origins)}]}
        for n, one in enumerate(asked)
    }
    made = _run(base, folder, at, [f"factors.audit={json.dumps(levels)}"], same.id, jobs)
    by_name = {trial.cell["audit"]: made.folder_of(trial) for trial in made.trials()}
    return [_finding(one, by_name[f"without {n:04d}"], before) for n, one in enumerate(asked)]


def _finding(suspect: Suspect, folder: Path, before: Mapping[Any, Probed]) -> Finding:
    after = _answers(folder)
    changed = [
        (one.agent, one.question, said(one), said(after[key]))
        for key, one in before.items()
        if key in after and said(one) != said(after[key])
    ]
    purges = [c for row in map(space_row, Trace(folder).of(SPACE)) for c in row.changed if c.kind == "purge"]
    left = {id for one in purges for id in one.details.get("incomplete", ())} & set(suspect.origins)
    return Finding(suspect, len(changed), len(before), tuple(changed), len(left))


def audit_table(audited: Audited, shown: int = 20) -> Table:
    """Return the ranking as a table, its first rows."""
    title = f"{audited.forks} forks, one of them unchanged; {audited.skipped} suspects were not left out"
    table = Table(title=title, title_justify="left")
    for name in ("changed", "origin", "writer", "records", "text", "left"):
        table.add_column(name, overflow="fold")
    for one in audited.findings[:shown]:
        s = one.suspect
        cells = (f"{one.changed} of {one.asked}", s.name[:12], s.writer, str(s.records), s.text[:80])
        table.add_row(*map(escape, cells), str(one.incomplete or ""))
    return table
