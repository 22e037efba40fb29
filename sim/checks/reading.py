"""Check what reading gives and does: pure, best first, of what is stored, of one's own space, within a budget."""

from __future__ import annotations

from simonides.sim.checks.desk import Desk, Step, script
from simonides.sim.checks.report import Subject, demand
from simonides.sim.codec import encode
from simonides.sim.render import line_of, render
from simonides.sim.types import Effect, Recall, Recalled

BUDGETS = (0, 1, 7, 20, 50, 120, 1000)


async def pure(subject: Subject) -> None:
    """U2: a read changes nothing; its effects appear after absorb, in the records that they name and no others."""
    desk = Desk(subject.make())
    carried = changed = 0
    for step in script():
        if step.kind != "read":
            await desk.step(step)
            continue
        recall = await _unchanged(desk, step)
        if recall.effects:
            carried += 1
            changed += await _absorbed(desk, recall.effects)
    declared = desk.system.card.read_mutates
    found = f"{carried} reads carried effects, card.read_mutates is {declared}"
    demand(bool(carried) == declared, "card.read_mutates tells whether reads carry effects", found, "correct the card")
    advice = "apply effects in absorb()"
    demand(not carried or changed > 0, "absorb applies effects", f"{carried} absorbed, nothing changed", advice)


async def _unchanged(desk: Desk, step: Step) -> Recall:
    before = desk.snapshot()
    recall = await desk.read(step.text, step.k)
    advice = "let read() return what should change as Effect values, and change it in absorb()"
    demand(desk.snapshot() == before, "read() changes nothing", "another snapshot after a read", advice)
    made = desk.done[-1].context.changes
    demand(not (made.made or made.revised or made.retired), "read() makes no records", "records were made", advice)
    again = await desk.read(step.text, step.k)
    demand(recall.items == again.items, "the same read twice recalls the same", "other items", advice)
    return recall


async def _absorbed(desk: Desk, effects: tuple[Effect, ...]) -> bool:
    """Return whether absorbing changed the state. Raises Unmet when it changed a record that no effect names."""
    before, rows = desk.snapshot(), {key: encode(record) for key, record in desk.records().items()}
    await desk.absorb([*effects, Effect(effects[0].kind, "e" * 32)])
    named = {effect.record_id for effect in effects}
    after = {key: encode(record) for key, record in desk.records().items()}
    other = [key for key in rows if key not in named and after.get(key) != rows[key]]
    advice = "change only what an effect names; skip ids that are gone"
    demand(not other, "effects change the records that they name", f"{len(other)} others changed", advice)
    return desk.snapshot() != before


async def isolated(subject: Subject) -> None:
    """U3: two spaces of one system never show each other's records, and neither changes what the other does."""
    scripts = {"mine": script(first=0), "yours": script(first=500)}
    together = {name: Desk(subject.make(), space=name) for name in scripts}
    recalls: dict[str, list[Recall]] = {name: [] for name in scripts}
    for pair in zip(*scripts.values(), strict=True):
        for name, step in zip(scripts, pair, strict=True):
            recalls[name] += [recall for recall in [await together[name].step(step)] if recall]
    advice = "keep all state on self: no class attributes or module variables that change"
    for name, steps in scripts.items():
        foreign = _foreign(together[name], recalls[name])
        demand(not foreign, "a space recalls only its own records", f"{foreign} of another space", advice)
        alone = Desk(subject.make(), space=name)
        same = await alone.play(steps) == recalls[name] and alone.snapshot() == together[name].snapshot()
        demand(same, "a space is the same alone and beside another", f"{name!r} differs", advice)


def _foreign(desk: Desk, recalls: list[Recall]) -> int:
    shown = {item.record_id for recall in recalls for item in recall.items}
    stored = [record.id for record in desk.records().values() if record.space != desk.space]
    return len(shown - desk.known.keys()) + len(stored)


async def recall(subject: Subject) -> None:
    """Reads return stored records, each once, best first, at most k beside what is always shown."""
    desk = Desk(subject.make())
    standing = frozenset(getattr(desk.system, "standing", ()))
    anything = False
    for step in script():
        await desk.step(step)
        if step.experience is None:
            continue
        for k in (None, 1, 3, 0):
            found = await desk.read(step.experience.text, k)
            anything |= bool(found.items)
            _well_formed(found.items, desk, k, standing)
    demand(anything, "a read for the very words of an experience recalls something", "nothing, ever", "see read()")


def _well_formed(items: tuple[Recalled, ...], desk: Desk, k: int | None, standing: frozenset[str]) -> None:
    stored = desk.records()
    gone = [item.record_id for item in items if item.record_id not in stored]
    demand(not gone, "every recalled id is stored", f"{len(gone)} that records() does not return", "return record.id")
    ids = [item.record_id for item in items]
    demand(len(set(ids)) == len(ids), "each record is recalled once", "one twice", "drop repeated records")
    ranked = [item for item in items if item.channel not in standing]
    advice = "cut the list at query.k; name channels that are shown whatever the query in the class's `standing`"
    demand(k is None or len(ranked) <= k, f"at most k={k} items", len(ranked), advice)
    scores = [item.score for item in ranked]
    advice = "sort by (-score, record id); give equal scores where the order means something else"
    demand(scores == sorted(scores, reverse=True), "items are best first", f"scores {scores[:6]}", advice)


async def budget(subject: Subject) -> None:
    """U8: what is recalled renders within any token budget, cut at record boundaries."""
    desk = Desk(subject.make())
    tokens = desk.context("read").tokens
    for step in script():
        found = await desk.step(step)
        if found is None:
            continue
        for limit in BUDGETS:
            _cut_whole(
                found.items, render(found.items, limit, tokens), tokens(render(found.items, limit, tokens)), limit
            )
        _not_cut_short(found.items, desk)


def _cut_whole(items: tuple[Recalled, ...], text: str, used: int, limit: int) -> None:
    advice = "let items carry plain texts and times"
    demand(used <= limit, f"a context of at most {limit} tokens", used, advice)
    contexts = ["\n".join(line_of(item) for item in items[:n]) for n in range(len(items) + 1)]
    demand(text in contexts, "a context of whole records", repr(text)[-60:], advice)


def _not_cut_short(items: tuple[Recalled, ...], desk: Desk) -> None:
    stored = desk.records()
    for item in items:
        record = stored.get(item.record_id)
        if record is None:
            continue
        short = item.text != record.text and record.text.startswith(item.text)
        advice = "return whole texts; the reader's budget decides how many are shown"
        demand(not short, "an item shows its whole record", f"{item.text!r} of {record.text!r}", advice)
