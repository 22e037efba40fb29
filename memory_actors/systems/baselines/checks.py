"""What the baselines promise beyond the universal suite, as checks that `simonides check memory NAME` runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from simonides.sim.checks.desk import Desk, experience
from simonides.sim.checks.report import Check, Subject, demand
from simonides.sim.checks.stand_ins import HashedWords, Reply, ScriptedReplies
from simonides.sim.types import Recall


async def _filled(subject: Subject, written: int, **params: object) -> Desk:
    desk = Desk(subject.make(**params))
    for number in range(written):
        await desk.write(experience(number))
    return desk


def _texts(recall: Recall) -> list[str]:
    return [item.text for item in recall.items]


def _said(*numbers: int) -> list[str]:
    return [experience(number).text for number in numbers]


def _same(found: object, wanted: object, expected: str) -> None:
    demand(found == wanted, expected, f"{found!r}, not {wanted!r}", "compare with the mechanism's specification")


async def _concatenation(subject: Subject) -> None:
    desk = await _filled(subject, 12, max_tokens=None)
    _same(_texts(await desk.read("anything")), _said(*range(12)), "the context is all turns in order")


async def _truncation(subject: Subject) -> None:
    tokens = Desk(subject.make()).context("read").tokens
    fits = sum(tokens(text) for text in _said(9, 10, 11))
    for spare, wanted in ((0, [9, 10, 11]), (-1, [10, 11])):
        desk = await _filled(subject, 12, max_tokens=fits + spare)
        _same(_texts(await desk.read("anything")), _said(*wanted), "a full window drops whole turns from the front")


async def _idle(subject: Subject) -> None:
    desk = await _filled(subject, 12)
    before = desk.snapshot()
    await desk.manage("tick")
    await desk.manage("session_end")
    _same(desk.snapshot(), before, "managing changes nothing")


def full_context() -> Iterable[Check]:
    """Return the checks of full context."""
    yield Check("a", "The context is the concatenation of all turns", _concatenation)
    yield Check("b", "A full window drops whole turns from the front", _truncation)
    yield Check("c", "Managing changes nothing", _idle)


async def _eviction(subject: Subject) -> None:
    desk = await _filled(subject, 5, turns=5, max_tokens=None)
    first = next(iter(desk.records()))
    ctx = await desk.write(experience(5))
    _same([record_id for record_id, _ in ctx.changes.retired], [first], "the sixth write evicts exactly the first")
    _same(_texts(await desk.read("anything")), _said(1, 2, 3, 4, 5), "the last five turns are left")


async def _any_query(subject: Subject) -> None:
    desk = await _filled(subject, 8, turns=5)
    _same(await desk.read("violin"), await desk.read("ferry"), "two queries recall the same")


async def _too_large(subject: Subject) -> None:
    desk = await _filled(subject, 3, turns=5, max_tokens=50)
    await desk.write(experience(3, "word " * 100))
    _same(_texts(await desk.read("anything")), [], "a turn larger than the window leaves it empty, not a part of it")


async def _small(subject: Subject) -> None:
    desk = await _filled(subject, 40, turns=20, max_tokens=None)
    size = len(desk.snapshot())
    demand(size < 3000, "a snapshot of 20 turns is below 3 kB", f"{size} bytes", "pack records as columns")


def window() -> Iterable[Check]:
    """Return the checks of the sliding window."""
    yield Check("a", "The write after the last that fits evicts exactly the first turn", _eviction)
    yield Check("b", "Reading ignores the query", _any_query)
    yield Check("c", "A turn larger than the window leaves it empty", _too_large)
    yield Check("d", "An idle window is small", _small)


async def _one_call(subject: Subject) -> None:
    model = ScriptedReplies([Reply("sum.update", {"text": "first"}), Reply("sum.update", {"text": "second"})])
    desk = Desk(subject.make(every=4), model=model)
    counts = []
    for number in range(9):
        await desk.write(experience(number))
        counts.append(len(model.asked))
    _same(counts, [0, 0, 0, 1, 1, 1, 1, 2, 2], "one model call every four turns")
    _same(_texts(await desk.read("anything")), ["second", *_said(8)], "the context is the summary and the turns since")
    inputs = [dict(request.inputs) for request in model.asked]
    wanted = [{"summary": "", "turns": _said(0, 1, 2, 3)}, {"summary": "first", "turns": _said(4, 5, 6, 7)}]
    _same(inputs, wanted, "each call gets the summary so far and the turns since, in order")


async def _no_raw_text(subject: Subject) -> None:
    desk = Desk(subject.make(every=4), model=ScriptedReplies([Reply("sum.update", {"text": "short"})]))
    for number in range(4):
        await desk.write(experience(number))
    left = [text for text in _said(0, 1, 2, 3) if text.encode() in desk.snapshot()]
    _same(left, [], "no raw text is left after folding")
    (summary,) = desk.records().values()
    _same(set(summary.origins), {experience(number).id for number in range(4)}, "the summary descends from all four")


async def _unusable(subject: Subject) -> None:
    model = ScriptedReplies([Reply("sum.update", "not JSON"), Reply("sum.update", {"text": "all eight"})])
    desk = Desk(subject.make(every=4), model=model)
    for number in range(7):
        await desk.write(experience(number))
    _same(_texts(await desk.read("anything")), _said(*range(7)), "after an unusable reply the turns are kept")
    await desk.write(experience(7))
    _same(model.asked[1].inputs["turns"], _said(*range(8)), "they go into the summary with the next turns")
    _same(_texts(await desk.read("anything")), ["all eight"], "and are folded then")


def running_summary() -> Iterable[Check]:
    """Return the checks of the running summary."""
    yield Check("a", "One call every N turns, in a fixed order", _one_call)
    yield Check("b", "Raw text is gone after folding", _no_raw_text)
    yield Check("c", "After an unusable reply the turns wait for the next call", _unusable)


async def _shared_words(subject: Subject) -> None:
    desk = await _filled(subject, 20, k=3)
    found = await desk.read("Who has an old violin?")
    demand(len(found.items) == 3, "three turns", len(found.items), "respect k")
    demand(all("violin" in text for text in _texts(found)), "turns that share rare words", _texts(found), "see BM25")
    _same(_texts(await desk.read("xylophone")), [], "turns that share no word are not recalled")


async def _older_first(subject: Subject, **params: object) -> None:
    desk = Desk(subject.make(**params))
    for number in range(12):
        await desk.write(experience(number, "the very same words" if number in (2, 7, 9) else None))
    found = [item.record_id for item in (await desk.read("the very same words", 2)).items]
    order = list(desk.records())
    _same(found, [order[2], order[7]], "of equal texts the older ones come first, at the cut too")


async def _removed(subject: Subject, **params: object) -> None:
    desk = await _filled(subject, 10, **params)
    await desk.read("the red bicycle")  # makes the index
    await desk.forget([experience(1).id])
    demand(
        _said(1)[0] not in _texts(await desk.read(_said(1)[0])), "a removed turn is not found", "it is", "see forget"
    )


def bm25() -> Iterable[Check]:
    """Return the checks of BM25."""
    yield Check("a", "Turns that share words are recalled, k at most", _shared_words)
    yield Check("b", "Ties go to the older turn", _older_first)
    yield Check("c", "Deletion removes from the index", _removed)


async def _duplicate(subject: Subject) -> None:
    for hybrid in (False, True):
        desk = await _filled(subject, 20, turns=1, hybrid=hybrid)
        for number in (3, 11, 18):
            found = await desk.read(_said(number)[0], 5)
            _same(_texts(found)[0], _said(number)[0], f"an exact duplicate comes first (hybrid={hybrid})")
            _same(len(found.items), 5, "k is respected")


async def _rounds(subject: Subject) -> None:
    desk = Desk(subject.make(turns=2))
    for number, session in ((0, 0), (1, 0), (2, 0), (3, 1), (4, 1)):
        await desk.write(experience(number, session=session))
    a, b, c, d, e = _said(0, 1, 2, 3, 4)
    texts = [record.text for record in desk.records().values()]
    _same(texts, [f"{a}\n{b}", c, f"{d}\n{e}"], "chunks of two turns that end with their session")
    origins = [len(record.origins) for record in desk.records().values()]
    _same(origins, [2, 1, 2], "a chunk descends from each of its turns")


async def _fusion(subject: Subject) -> None:
    known = {"query": [1.0, 0.0], "near": [0.9, 0.1], "query word": [0.1, 0.9], "far": [0.0, 1.0]}
    desk = Desk(subject.make(turns=1, hybrid=True, pool=2), embedder=HashedWords(2, known))
    for number, text in enumerate(["far", "near", "query word"]):
        await desk.write(experience(number, text))
    found = await desk.read("query", 3)
    _same(_texts(found), ["query word", "near", "far"], "dense and word ranks are fused")
    scores = [round(item.score, 6) for item in found.items]
    wanted = [round(score, 6) for score in (1 / 62 + 1 / 61, 1 / 61, 1 / 63)]
    _same(scores, wanted, "scores are sums of 1 / (60 + rank)")


def vector() -> Iterable[Check]:
    """Return the checks of vector retrieval."""
    yield Check("a", "An exact duplicate comes first, k is respected", _duplicate)
    yield Check("b", "Ties go to the older turn", partial(_older_first, turns=1))
    yield Check("c", "Deletion removes from the index", partial(_removed, turns=1))
    yield Check("d", "Chunks hold whole turns of one session", _rounds)
    yield Check("e", "Hybrid scores are reciprocal ranks, fused", _fusion)


async def _both(subject: Subject) -> None:
    known = {"query": [1.0, 0.0], "near": [0.9, 0.1], "query word": [0.1, 0.9], "far": [0.0, 1.0]}
    desk = Desk(subject.make(each=1), embedder=HashedWords(2, known))
    for number, text in enumerate(["far", "near", "query word"]):
        await desk.write(experience(number, text))
    _same(_texts(await desk.read("query")), ["query word", "near"], "the best by words, then the nearest")
    _same(_texts(await desk.read("near")), ["near"], "a turn that is both comes once")


def union() -> Iterable[Check]:
    """Return the checks of the union of BM25 and vectors."""
    yield Check("a", "The best by words and the nearest are joined, each once", _both)
    yield Check("b", "Deletion removes from both indexes", _removed)
