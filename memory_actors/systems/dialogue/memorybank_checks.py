"""What MemoryBank promises beyond the universal suite (specification, tests a to e)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from simonides.memory_actors.systems.dialogue.memorybank import retention
from simonides.sim.checks.desk import Desk, experience
from simonides.sim.checks.report import Check, Subject, demand
from simonides.sim.checks.stand_ins import Reply, ScriptedReplies

ADVICE = "compare with the formulas in the class's docstring"
DAILY = ("mb.day_summary", "mb.day_personality")
OVERALL = ("mb.overall_summary", "mb.overall_personality")


def _retains(time: float, strength: float, wanted: float, compat: str | None = None) -> None:
    found = retention(time, strength, compat)  # type: ignore[arg-type]
    expected = f"R(t={time}, S={strength}) = {wanted} (compat={compat!r})"
    demand(math.isclose(found, wanted, abs_tol=5e-5), expected, f"{found:.4f}", ADVICE)


async def _curve(subject: Subject) -> None:
    _retains(2, 1, 0.1353)
    _retains(2, 2, 0.3679)


async def _recall(subject: Subject) -> None:
    desk = Desk(subject.make(compat=None, k=1, chunk=0))
    await desk.write(experience(0))
    await desk.write(experience(1, days=0.5))
    desk.time = experience(0, days=2.0).time
    recall = await desk.read(experience(0).text)
    before = next(iter(desk.records().values())).data
    await desk.absorb(recall.effects)
    after, other = (record.data for record in desk.records().values())
    demand(
        before["strength"] == 1, "strength 1 when written, and after a read until absorbed", before["strength"], ADVICE
    )
    demand(after["strength"] == 2, "strength 2 after a recall", after["strength"], ADVICE)
    demand(after["recalled"] == desk.time, "its clock is set back", after["recalled"], ADVICE)
    _retains((desk.time - after["recalled"]) / 86400, after["strength"], 1.0)
    demand(other["strength"] == 1, "what was not recalled stays as it was", other["strength"], ADVICE)


async def _repository(subject: Subject) -> None:
    _retains(5, 1, 0.3679, "repo")
    _retains(5, 2, 0.1353, "repo")


async def _fading(subject: Subject) -> None:
    """With every draw 0.5, turns fade after ln 2 = 0.693 days at strength 1; their empty date loses its summary."""
    desk = Desk(
        subject.make(compat=None, forgetting="sampled", forget_on="session_end", unit_days=1.0, chunk=0), draw=0.5
    )
    for number, days in enumerate((0.0, 0.1, 1.0, 1.7)):
        await desk.write(experience(number, days=days))
    await desk.manage("tick")
    derived = [record for record in desk.records().values() if record.channel in ("day_summary", "day_personality")]
    demand(len(derived) == 6, "a summary and a portrait for each of three dates", len(derived), ADVICE)
    turns = {record.text: record for record in desk.records().values() if record.channel == "observation"}
    ages = {text: (desk.time - record.data["recalled"]) / 86400 for text, record in turns.items()}
    wanted = {text for text, days in ages.items() if retention(days, 1) >= 0.5}
    await desk.manage("session_end")
    left = list(desk.records().values())
    found = {record.text for record in left if record.channel == "observation"}
    demand(found == wanted and 0 < len(found) < 4, f"exactly the turns with R >= 0.5: {wanted}", found, ADVICE)
    dates = sorted(record.data["date"] for record in left if record.channel == "day_summary")
    demand(len(dates) == 1, "dates left empty lose their summaries", dates, ADVICE)


async def _once(subject: Subject) -> None:
    replies = [Reply(purpose, {"text": f"{purpose} {n}"}) for n in (1, 2) for purpose in (*DAILY, *OVERALL)]
    model = ScriptedReplies(replies)
    desk = Desk(subject.make(forgetting="off"), model=model)
    for number in range(3):
        await desk.write(experience(number))
    for count, day in ((1, 0.0), (1, 0.0), (2, 1.0)):
        if day:
            await desk.write(experience(7, days=day))
        await desk.manage()
        asked = [model.count(purpose) for purpose in (*DAILY, *OVERALL)]
        demand(asked == [count] * 4, f"each purpose asked {count} times", asked, "ask once a date")


async def _unusable(subject: Subject) -> None:
    """An unusable summary is asked for again when managed next; nothing is stored in its place."""
    model = ScriptedReplies([Reply(purpose, "not JSON") for purpose in DAILY])
    desk = Desk(subject.make(forgetting="off"), model=model)
    await desk.write(experience(0))
    await desk.manage()
    demand(len(desk.records()) == 1, "the turn alone is stored", len(desk.records()), ADVICE)
    model.replies += [Reply(purpose, {"text": "good"}) for purpose in (*DAILY, *OVERALL)]
    await desk.manage()
    demand(
        len(desk.records()) == 5, "the turn, its day's two texts and the two overall ones", len(desk.records()), ADVICE
    )


async def _context(subject: Subject) -> None:
    """A reader gets what was found, then the overall portrait and history, then the last three turns."""
    desk = Desk(subject.make(forgetting="off", k=2, recent=3, chunk=0))
    for number in range(10):
        await desk.write(experience(number))
    await desk.manage()
    items = (await desk.read(experience(0).text)).items
    channels = [item.channel for item in items[2:]]
    wanted = ["overall_personality", "overall_history", "recent", "recent", "recent"]
    demand(channels == wanted, f"after two found: {wanted}", channels, ADVICE)
    demand(
        [item.text for item in items[4:]] == [experience(n).text for n in (7, 8, 9)], "the last turns", items, ADVICE
    )


async def _chunks(subject: Subject) -> None:
    """Short neighbouring turns of a date are found together; a forgotten one leaves no trace in the others' vector."""
    texts = ["the lighthouse keeper", "sold his boat", "in winter"]
    desk, other = (Desk(subject.make(forgetting="off", chunk=200, k=5, recent=0)) for _ in range(2))
    for number, text in enumerate(texts):
        await desk.write(experience(number, text))
        if number != 1:
            await other.write(experience(number, text))
    found = [item.text for item in (await desk.read("lighthouse")).items]
    demand(found == texts, "neighbours are found as one chunk", found, ADVICE)
    await desk.forget([experience(1).id])
    one, two = (await desk.read("boat")).items, (await other.read("boat")).items
    same = [(i.text, i.score) for i in one] == [(i.text, i.score) for i in two]
    demand(same, "what is left of a chunk is embedded anew", f"{one} and {two}", "embed it again")


def checks() -> Iterable[Check]:
    """Return the checks of MemoryBank."""
    yield Check("a", "R(2, 1) = 0.1353 and R(2, 2) = 0.3679", _curve)
    yield Check("b", "A recall raises strength from 1 to 2 and sets the clock back, so R = 1", _recall)
    yield Check("c", 'compat="repo": R(5, 1) = 0.3679 but R(5, 2) = 0.1353', _repository)
    yield Check("d", "With draws of 0.5 exactly what has R < 0.5 fades, and empty dates lose their summaries", _fading)
    yield Check("e", "Consolidating twice asks once a date", _once)
    yield Check("f", "After an unusable reply the question is asked again when managed next", _unusable)
    yield Check("g", "A reader gets what was found, the portrait, the history and the last turns", _context)
    yield Check("h", "Short neighbouring turns are found as one", _chunks)
