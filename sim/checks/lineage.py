"""Check where a memory's records come from, what becomes of them, and what it asks a model on the way."""

from __future__ import annotations

from simonides.sim.checks.desk import Desk, Step, script
from simonides.sim.checks.report import Subject, demand
from simonides.sim.checks.stand_ins import FAULTS, MARK, Fault, SchemaReplies, mark_of
from simonides.sim.types import Record


def _covered(records: dict[str, Record]) -> set[str]:
    """Return the experiences that records descend from."""
    return {origin for record in records.values() for origin in record.origins}


async def robust(subject: Subject) -> None:
    """U4: an unusable reply of the model (empty, prose, wrong ids, lists too short or too long) loses nothing."""
    for fault in FAULTS:
        desk = Desk(subject.make(), model=SchemaReplies(fault))
        for step in script():
            await _loses_nothing(subject, desk, step, fault)


async def _loses_nothing(subject: Subject, desk: Desk, step: Step, fault: Fault) -> None:
    """Carry out one step; where the model was asked, hold what is left against what a good reply would have left."""
    before, tick, time = desk.snapshot(), desk.tick, desk.time
    asked = desk.model.asked  # type: ignore[attr-defined]
    count = len(asked)
    await desk.step(step)
    if len(asked) == count:
        return
    other = subject.make()
    other.restore(before)
    good = Desk(other, tick=tick, time=time)
    await good.step(step)
    lost = _covered(good.records()) - _covered(desk.records())
    purposes = ", ".join(sorted({request.purpose for request in asked[count:]}))
    demand(
        not lost,
        f"after a reply that is wrong ({fault}) to {purposes}, everything stored before is stored still",
        f"{len(lost)} experiences are in no record any more",
        "when ctx.model returns None, or names what does not exist, keep the records and change nothing",
    )


async def descent(subject: Subject) -> None:
    """U5: records are made by the context only, and name every experience whose words they carry."""
    desk = Desk(subject.make())
    steps = script()
    marks = {mark_of(n): s.experience.id for n, s in enumerate([s for s in steps if s.experience]) if s.experience}
    before: set[str] = set()
    for step in steps:
        await desk.step(step)
        stored = desk.records()
        _retired(before, set(stored), desk)
        before = set(stored)
        for record in stored.values():
            _made_here(record, desk)
            _descends(record, marks, desk)


def _retired(before: set[str], after: set[str], desk: Desk) -> None:
    """Hold what went since the last step against what the contexts were told."""
    told = {record_id for done in desk.done for record_id, _ in done.context.changes.retired}
    silent = before - after - told
    found = f"{len(silent)} went without a word"
    demand(not silent, "what is dropped is retired", found, "call ctx.retire(record, reason) for each record dropped")
    still = after & told
    found = f"{len(still)} are in records()"
    demand(not still, "what is retired is gone", found, "drop a record that you retire")


def _lineage(record: Record) -> tuple[object, ...]:
    return (record.text, record.origins, record.parents, record.writer, record.space, record.version)


def _made_here(record: Record, desk: Desk) -> None:
    known = desk.known.get(record.id)
    advice = "make records with ctx.record, ctx.derive and ctx.revise, and store what they return"
    demand(known is not None, "every stored record was made by the context", f"an unknown id {record.id}", advice)
    same = known is not None and _lineage(known) == _lineage(record)
    found = f"{record.text!r} with {len(record.origins)} origins, version {record.version}"
    demand(same, "a stored record says what the context made it say", found, advice)


def _descends(record: Record, marks: dict[str, str], desk: Desk) -> None:
    origins = set(record.origins)
    for mark in sorted(set(MARK.findall(record.text))):
        demand(
            marks[mark] in origins,
            "a record's origins hold every experience whose words it carries",
            f"{record.text[:80]!r} carries {mark}, but its {len(origins)} origins lack that experience",
            "pass all that went into a text (all that a model was shown) to ctx.derive or ctx.revise as parents",
        )
    parents = [desk.known[parent] for parent in record.parents if parent in desk.known]
    lacking = set().union(*(parent.origins for parent in parents)) - origins if parents else set()
    found = f"{len(lacking)} origins of its parents are missing"
    demand(not lacking, "origins are the union over the parents", found, "use ctx.derive and ctx.revise")


async def forgotten(subject: Subject) -> None:
    """U6: forgetting removes or rewrites all that descends from the experiences, tells what it could not, no more."""
    desk = Desk(subject.make())
    said = [step.experience for step in script() if step.experience]
    await desk.play(script())
    covered = _covered(desk.records())
    numbers = [n for n, e in enumerate(said) if e.id in covered]
    demand(bool(numbers), "something is stored after the script", "nothing", "store records in write()")
    chosen = {numbers[0], numbers[len(numbers) // 2], numbers[-1]}
    ids = frozenset(said[n].id for n in chosen)
    untouched = {key for key, record in desk.records().items() if ids.isdisjoint(record.origins)}
    stored = set(desk.records())
    left = await desk.forget(ids)
    gone = ids - left
    demand(left <= ids, "forget() returns ids of those it was given", f"others: {sorted(left - ids)}", "see forget()")
    _promise(desk, ids, left)
    _retired(stored, set(desk.records()), desk)
    lost = untouched - desk.records().keys()
    found = f"{len(lost)} records that descend from none are gone"
    demand(not lost, "forgetting leaves the other records", found, "remove by origins only")
    _nothing_left(desk, gone)
    for n in sorted(chosen):
        await _not_recalled(desk, said[n].text, mark_of(n), said[n].id in gone)
    await desk.manage()
    _nothing_left(desk, gone)


def _promise(desk: Desk, ids: frozenset[str], left: frozenset[str]) -> None:
    delete = desk.system.card.delete
    advice = "correct card.delete (exact, approximate, none), or remove them"
    kept = delete != "exact" or not left
    demand(kept, 'card.delete "exact" removes everything', f"{len(left)} of {len(ids)} were not removed", advice)
    demand(delete != "none" or left == ids, 'card.delete "none" reports every id', f"{len(left)} of {len(ids)}", advice)


def _nothing_left(desk: Desk, gone: frozenset[str]) -> None:
    still = [record for record in desk.records().values() if not gone.isdisjoint(record.origins)]
    demand(
        not still,
        "no record descends from a forgotten experience, now or after managing",
        f"{len(still)}, such as {still[0].text[:60]!r}" if still else "",
        "in forget(), drop every record whose origins hold one of the ids, or return the ids you cannot remove",
    )


async def _not_recalled(desk: Desk, text: str, mark: str, gone: bool) -> None:
    found = await desk.read(text)
    shown = [item.text for item in found.items if gone and mark in item.text]
    advice = "remove it from indexes and caches too"
    demand(not shown, "what was forgotten is not recalled", f"{shown[:1]}", advice)


async def declared(subject: Subject) -> None:
    """U7: the model is asked for declared purposes only, as often as declared, and the card says what is needed."""
    desk = Desk(subject.make())
    await desk.play(script())
    card = desk.system.card
    asked = sorted({request.purpose for request in desk.model.asked})  # type: ignore[attr-defined]
    undeclared = [purpose for purpose in asked if purpose not in card.needs_model]
    demand(not undeclared, "card.needs_model names every purpose", f"{undeclared} besides", "add them to the card")
    embedded = sum(done.context.usage.embedded for done in desk.done)
    found = f"{embedded} texts were embedded"
    demand(card.needs_embedder or not embedded, "card.needs_embedder", found, "set it to True in the card")
    channels = {record.channel for record in desk.records().values()} - set(card.channels)
    demand(not channels, "card.channels names every channel", f"{sorted(channels)} besides", "add them to the card")
    for done in desk.done:
        _calls(done.kind, done.context.usage.calls, getattr(desk.system, "model_calls", {}))


def _calls(kind: str, calls: int, stated: dict[str, range | tuple[int, ...] | int]) -> None:
    """Hold the number of model calls of one operation against the class's `model_calls`, where it has one."""
    if kind not in stated:
        return
    allowed = stated[kind]
    numbers = (allowed,) if isinstance(allowed, int) else allowed
    advice = "correct the class attribute `model_calls`, a map from operation to the numbers of calls it may make"
    demand(calls in numbers, f"a {kind} makes as many model calls as `model_calls` states: {allowed}", calls, advice)
