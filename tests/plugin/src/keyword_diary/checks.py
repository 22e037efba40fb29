"""What the keyword diary promises beyond the universal suite."""

from __future__ import annotations

from collections.abc import Iterable

from simonides.sim.checks import Check, Subject
from simonides.sim.checks.desk import Desk, experience
from simonides.sim.checks.report import demand


async def _contents(subject: Subject) -> None:
    desk = Desk(subject.make(length=5))
    for number, text in enumerate(["The ferry was late.", "The ferry to the harbour sank."]):
        await desk.write(experience(number, text))
    await desk.manage("session_end")
    (page,) = [record for record in desk.records().values() if record.channel == "contents"]
    demand(page.text.startswith("We spoke of ferry"), "the most frequent keyword first", page.text, "count keywords")
    demand(len(page.origins) == 2, "a page of contents descends from both entries", page.origins, "derive it from all")


def checks() -> Iterable[Check]:
    """Return the checks of the keyword diary."""
    yield Check("contents", "A session ends with a page of its keywords", _contents)
