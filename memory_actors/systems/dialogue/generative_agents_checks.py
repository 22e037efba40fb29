"""What the memory stream of Generative Agents promises beyond the universal suite (specification, tests a to e)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from simonides.sim.checks.desk import Desk, experience
from simonides.sim.checks.report import Check, Subject, demand
from simonides.sim.checks.stand_ins import HashedWords, Reply, ScriptedReplies
from simonides.sim.types import Plain, Recall

ADVICE = "compare with the formulas in the class's docstring"


def _close(found: float, wanted: float, expected: str) -> None:
    demand(math.isclose(found, wanted, abs_tol=1e-4), expected, f"{found:.6f}, not {wanted:.6f}", ADVICE)


def _rated(values: Sequence[int], *more: Reply) -> ScriptedReplies:
    return ScriptedReplies([*(Reply("ga.importance", {"importance": value}) for value in values), *more])


def _score(recall: Recall, text: str) -> float:
    return next(item.score for item in recall.items if item.text == text)


async def _recency(subject: Subject) -> None:
    """Three equally important and relevant records, accessed now, 24 and 48 hours ago: only recency differs."""
    vectors = {text: [1.0, 0.0] for text in ("old", "middle", "new", "query")}
    desk = Desk(subject.make(compat=None, decay=0.995), model=_rated([5, 5, 5]), embedder=HashedWords(2, vectors))
    for number, text in enumerate(("old", "middle", "new")):
        await desk.write(experience(number, text, days=number))
    day, two = 0.995**24, 0.995**48
    _close(day, 0.8867, "24 hours decay to 0.8867")
    # With every importance and every cosine equal, both count 0.5, and minmax of the three recencies is added.
    found = await desk.read("query")
    _close(_score(found, "middle"), (day - two) / (1 - two) + 1.0, "recency 0.995 to the power of hours since access")
    _close(_score(found, "new"), 2.0, "the latest has recency 1, equal importances and cosines 0.5 each")
    await desk.absorb(found.effects)
    _close(_score(await desk.read("query"), "old"), 1.5, "accessed at one time, all have recency 0.5")


async def _equal(subject: Subject) -> None:
    desk = Desk(subject.make(compat=None), model=_rated([7] * 4))
    for number in range(4):
        await desk.write(experience(number, "the same words"))
    scores = [item.score for item in (await desk.read("anything else")).items]
    demand(scores == [1.5] * 4, "equal values all normalise to 0.5", scores, ADVICE)


async def _threshold(subject: Subject) -> None:
    """Importances that sum to 149 do not reflect, one more does; then the count begins again."""
    model = _rated([10] * 14 + [9, 1], Reply("ga.questions", {"questions": []}), *_rated([10]).replies)
    desk = Desk(subject.make(threshold=150), model=model)
    for number, wanted in enumerate([0] * 15 + [1, 1]):
        await desk.write(experience(number))
        asked = model.count("ga.questions")
        demand(asked == wanted, f"{wanted} reflections after {number + 1} records", asked, "sum importances to 150")


async def _reversed(subject: Subject) -> None:
    """In the public code the record not accessed for longest has the highest recency; by default the latest has."""
    for compat, best in (("repo", "old"), (None, "new")):
        vectors = {text: [1.0, 0.0] for text in ("old", "new", "query")}
        desk = Desk(subject.make(compat=compat), model=_rated([5, 5]), embedder=HashedWords(2, vectors))
        for number, text in enumerate(("old", "new")):
            await desk.write(experience(number, text, days=number))
        found = (await desk.read("query")).items[0].text
        demand(found == best, f"compat={compat!r} favours the {best} record", found, ADVICE)


def _reflection(evidence: list[int]) -> list[Reply]:
    insights: Plain = {"insights": [{"text": "an insight", "evidence": evidence}]}
    questions = Reply("ga.questions", {"questions": ["Why?"]})
    return [questions, Reply("ga.insights", insights), Reply("ga.importance", {"importance": 8})]


async def _evidence(subject: Subject) -> None:
    desk = Desk(subject.make(threshold=15), model=_rated([5, 5, 5], *_reflection([0, 2, 99, -1])))
    for number in range(3):
        await desk.write(experience(number))
    records = list(desk.records().values())
    thought = records[-1]
    demand(thought.channel == "thought" and len(records) == 4, "one thought", [r.channel for r in records], ADVICE)
    shown = desk.model.asked[4].inputs["statements"]  # type: ignore[attr-defined]
    wanted = [record.id for n in (0, 2) for record in records if record.text == shown[n]]
    demand(thought.data["evidence"] == wanted, "the ids of the statements it cites", thought.data["evidence"], ADVICE)
    origins = {experience(number).id for number in range(3)}
    advice = "derive it from all statements that were shown"
    demand(set(thought.origins) == origins, "origins of all that the model was shown", thought.origins, advice)


async def _ungrounded(subject: Subject) -> None:
    desk = Desk(subject.make(threshold=15), model=_rated([5, 5, 5], *_reflection([7])[:2]))
    for number in range(3):
        await desk.write(experience(number))
    demand(len(desk.records()) == 3, "an insight that cites nothing is dropped", len(desk.records()), ADVICE)


async def _expiry(subject: Subject) -> None:
    desk = Desk(subject.make(threshold=15, thought_days=30.0), model=_rated([5, 5, 5], *_reflection([0])))
    for number in range(3):
        await desk.write(experience(number))
    for days, wanted in ((29.0, True), (31.0, False)):
        desk.time = experience(0, days=days).time
        await desk.manage()
        shown = any(item.channel == "thought" for item in (await desk.read("anything")).items)
        demand(shown == wanted, f"after {days:.0f} days a thought is {'kept' if wanted else 'gone'}", shown, ADVICE)


def checks() -> Iterable[Check]:
    """Return the checks of the memory stream."""
    yield Check("a", "Recency is 0.995 to the power of hours since last access", _recency)
    yield Check("b", "Equal importances all normalise to 0.5", _equal)
    yield Check("c", "An importance sum of 149 does not reflect, 150 does once", _threshold)
    yield Check("d", 'compat="repo" favours the least recently accessed', _reversed)
    yield Check("e", "An insight keeps its evidence, and descends from all it was drawn from", _evidence)
    yield Check("f", "An insight without evidence is dropped", _ungrounded)
    yield Check("g", "Thoughts expire after 30 days", _expiry)
