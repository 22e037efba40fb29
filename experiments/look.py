"""What an operator sees of a trial, ended or not: its worlds and spaces, a space at a tick, a record's life."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from simonides.experiments.runs import Outcome
from simonides.sim.config import Trial
from simonides.sim.errors import UserError, near
from simonides.sim.lineage import Lineage, Version
from simonides.sim.trace import SPACE, WORLD, Trace


class Look:
    """A trial's trace and the lineage in it, read once."""

    def __init__(self, folder: Path) -> None:
        """Read the trace of a trial's folder. Raises UserError when there is none, CorruptFile."""
        self.trace = Trace(folder)
        if not self.trace.rows:
            raise UserError(f"{folder} holds no trace yet; run or resume the trial first.")

    @cached_property
    def lineage(self) -> Lineage:
        """Every experience and record version."""
        return Lineage.of(self.trace)

    def ticks(self, kind: int) -> dict[str, int]:
        """Return name -> the tick after the last one in the trace, for worlds or spaces."""
        found: dict[str, int] = {}
        for row in self.trace.of(kind):
            found[row.name] = row.tick + 1
        return found

    def content(self, space: str, at: int | None) -> list[Version]:
        """Return what a space held after all ticks before `at`; None for its end. Raises UserError."""
        ends = self.ticks(SPACE)
        if space not in ends:
            known = sorted(ends)
            raise UserError(f"No space {space!r} holds anything.{near(space, known)} Known: {', '.join(known)}.")
        return self.lineage.content(space, ends[space] if at is None else at)


def trial_table(look: Look, trial: Trial, outcome: Outcome | None) -> Table:
    """Return a trial's worlds and spaces, each with how far it came."""
    status = "not ended" if outcome is None else outcome.status
    table = Table(title=escape(f"Trial {trial.id}: {status}"), title_justify="left")
    for name in ("part", "ticks", "holds", "failure"):
        table.add_column(name, overflow="fold")
    for world, ticks in look.ticks(WORLD).items():
        failure = outcome.worlds[world].failure if outcome and world in outcome.worlds else ""
        table.add_row(f"world {escape(world)}", str(ticks), "", escape(failure))
    for space, ticks in look.ticks(SPACE).items():
        held = look.lineage.content(space, ticks)
        bad = sum(look.lineage.is_tainted(version.stored.id) for version in held)
        holds = f"{len(held)} records" + (f", {bad} tainted" if bad else "")
        table.add_row(f"space {escape(space)}", str(ticks), holds, "")
    return table


def space_table(look: Look, space: str, at: int | None) -> Table:
    """Return the records that a space held at a tick, oldest first."""
    held = look.content(space, at)
    when = "at its end" if at is None else f"at tick {at}"
    table = Table(title=escape(f"Space {space} {when}: {len(held)} records"), title_justify="left")
    for name in ("tick", "time", "writer", "channel", "version", "text", "id"):
        table.add_column(name, overflow="fold")
    for version in held:
        stored = version.stored
        mark = " (tainted)" if not look.lineage.tainted.isdisjoint(stored.origins) else ""
        table.add_row(
            str(version.tick), _date(stored.time), escape(stored.writer), stored.channel + mark, str(stored.version),
            escape(version.text), stored.id,
        )  # fmt: skip
    return table


def record_table(look: Look, record: str) -> Table:
    """Return every version of a record, and the experiences that each descends from. Raises UserError."""
    ids = [known for known in look.lineage.versions if known.startswith(record)]
    if len(ids) != 1:
        raise UserError(f"{len(ids)} records have an id that begins with {record!r}; give more of it, or another.")
    table = Table(title=f"Record {ids[0]}", title_justify="left")
    for name in ("version", "space", "from tick", "until", "text", "parents", "descends from"):
        table.add_column(name, overflow="fold")
    for version in look.lineage.versions[ids[0]]:
        stored = version.stored
        until = "" if version.until is None else f"{version.until} ({version.reason})"
        origins = [_origin(look.lineage, origin) for origin in stored.origins]
        table.add_row(
            str(stored.version), escape(version.space), str(version.tick), until, escape(version.text),
            "\n".join(stored.parents), escape("\n".join(origins)),
        )  # fmt: skip
    return table


def _origin(lineage: Lineage, experience: str) -> str:
    mark = "tainted " if experience in lineage.tainted else ""
    return f"{mark}{experience[:8]}: {lineage.text_of(experience)}"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
