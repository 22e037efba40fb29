"""Run the universal suite, and a defence's own checks, on one defence: `check_defence`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any, ClassVar, cast

from simonides.sim.checks.elsewhere import ruled_elsewhere
from simonides.sim.checks.knocking import Knock, Verdict, Visit, emptied, knocks
from simonides.sim.checks.post import DOORS, Post
from simonides.sim.checks.report import Check, NotApplicable, Report, Subject, Unmet, demand
from simonides.sim.checks.running import own_checks, run_check, subject_of
from simonides.sim.checks.stand_ins import FAULTS, SchemaReplies
from simonides.sim.checks.state import is_pickle, restored
from simonides.sim.defences import Defence, DefenceCard
from simonides.sim.types import EMPTY, Plain, Query

PATIENCE = 60.0
"""Seconds after which a check is given up, for defences that wait for ever. Checks take far less than one."""

METHODS = {"admit": "experience, ctx", "screen": "query, items, ctx", "audit": "ctx", "absorb": "effects, ctx"}
STATE = {"snapshot": "", "restore": "data"}


async def shape(subject: Subject) -> None:
    """The card is whole, and each door that it names has its method."""
    defence = subject.make()
    card: Any = getattr(defence, "card", None)
    missing = [item.name for item in fields(DefenceCard) if not hasattr(card, item.name)]
    advice = 'card: ClassVar[DefenceCard] = DefenceCard("My defence", "where it is published", ("screen",))'
    found = "no card" if card is None else f"a card without {', '.join(missing)}"
    demand(not missing, "a class attribute `card` (simonides.sim.defences.DefenceCard)", found, advice)
    strange = [door for door in card.doors if door not in DOORS] or ([] if card.doors else ["none"])
    demand(not strange, f"doors among {', '.join(DOORS)}, one at least", ", ".join(strange), advice)
    for method, arguments in {**METHODS, **STATE}.items():
        _method(defence, method, arguments)


def _method(defence: object, method: str, arguments: str) -> None:
    function, inside = getattr(defence, method, None), ", ".join(filter(None, ["self", arguments]))
    advice = f"write {'async ' if method in METHODS else ''}def {method}({inside})"
    demand(callable(function), "the methods of Defence (simonides.sim.defences)", f"{method} is missing", advice)
    asynchronous = inspect.iscoroutinefunction(function) == (method in METHODS)
    demand(asynchronous, f"{method}() as the contract has it, asynchronous or not", "the other", advice)
    try:
        inspect.signature(function).bind(*arguments.split())  # type: ignore[arg-type]
    except TypeError as error:
        raise Unmet(f"{method}({arguments})", f"it {error}", advice) from None


async def same_again(subject: Subject) -> None:
    """D1: the same script, seed and simulated time give the same verdicts and the same snapshot."""
    visits = [Visit(Post(subject.make())) for _ in range(2)]
    one, two = [await visit.play(knocks()) for visit in visits]
    advice = "take every draw from ctx.rng and every time from ctx.time; sort sets; keep no state outside the instance"
    demand(one == two, "two runs of one script give the same verdicts", _differing(one, two), advice)
    same = visits[0].post.snapshot() == visits[1].post.snapshot()
    demand(same, "two runs of one script end in equal snapshots", "other bytes", advice)


def _differing(one: list[Verdict], two: list[Verdict]) -> str:
    steps = knocks()
    number = next((n for n, (a, b) in enumerate(zip(one, two, strict=True)) if a != b), 0)
    return f"step {number + 1} ({steps[number].kind}) differs"


async def pure(subject: Subject) -> None:
    """D2: a screening changes nothing and gives the same again; what it is to remember comes back as effects."""
    _at_door(subject, "screen")
    visit = Visit(Post(subject.make()))
    for step in knocks():
        if step.kind == "read":
            await _unchanged(visit, step)
        await visit.step(step)


async def _unchanged(visit: Visit, step: Knock) -> None:
    post = visit.post
    before = post.snapshot()
    one = await post.read(step.text, 5, step.reader, probe=True)
    advice = "let screen() return what should change as Effect values, and change it in absorb()"
    demand(post.snapshot() == before, "screen() changes nothing", "another snapshot after a screening", advice)
    two = await post.read(step.text, 5, step.reader, probe=True)
    demand(one == two, "the same screening twice gives the same", "another screening", advice)


async def well_formed(subject: Subject) -> None:
    """D3: verdicts, screenings and audits are what the contract allows; the post complains of each that is not."""
    await Visit(Post(subject.make())).play(knocks())


async def late(subject: Subject) -> None:
    """D4: put up late, a defence stands what it never admitted, and what is gone."""
    open_door, steps = Visit(Post(cast(Defence, _Nobody()))), knocks()
    await open_door.play(steps[: len(steps) // 2])
    defence = subject.make()
    open_door.post.defence = defence
    await open_door.play(steps[len(steps) // 2 :])
    items = open_door.post.recall("the colour of tower")
    open_door.post.kept.clear()
    await open_door.post.screen(Query("tower"), items)


class _Nobody:
    """Stands at no door."""

    card: ClassVar[DefenceCard] = DefenceCard("Nobody", "", ())


async def isolated(subject: Subject) -> None:
    """D5: two spaces of one defence do not know of each other."""
    scripts = {"mine": knocks(), "yours": knocks(first=500)}
    together = {name: Visit(Post(subject.make(), space=name)) for name in scripts}
    for pair in zip(*scripts.values(), strict=True):
        for name, step in zip(scripts, pair, strict=True):
            await together[name].step(step)
    advice = "keep all state on self: no class attributes or module variables that change"
    for name, steps in scripts.items():
        alone = Visit(Post(subject.make(), space=name))
        same = await alone.play(steps) == together[name].verdicts
        same = same and alone.post.snapshot() == together[name].post.snapshot()
        demand(same, "a space is guarded alike alone and beside another", f"{name!r} differs", advice)


async def declared(subject: Subject) -> None:
    """D6: the card says whether it asks a model, and what, and whether it embeds."""
    model = SchemaReplies()
    post = Post(subject.make(), model=model)
    await Visit(post).play(knocks())
    asked = sorted({request.purpose for request in model.asked} - set(post.defence.card.needs_model))
    demand(not asked, "card.needs_model names every purpose", ", ".join(asked), "add them to the card")
    embeds = any(seat.usage.embedded for seat in post.seats)
    known = post.defence.card.needs_embedder or not embeds
    demand(known, "card.needs_embedder tells whether it embeds", "it embeds, and the card says no", "correct the card")


async def robust(subject: Subject) -> None:
    """D7: an unusable reply of the model is no error."""
    if not subject.make().card.needs_model:
        raise NotApplicable("its card says that it asks no model")
    for fault in FAULTS:
        await Visit(Post(subject.make(), model=SchemaReplies(fault))).play(knocks())


async def evicted(subject: Subject) -> None:
    """A defence packed to bytes and restored after every operation rules as one that was not."""
    plain, packed = Visit(Post(subject.make())), Visit(Post(subject.make()))
    advice = "put everything that later verdicts depend on into snapshot(), and read all of it back in restore()"
    for number, step in enumerate(knocks(), start=1):
        wanted, found = await plain.step(step), await packed.step(step)
        demand(wanted == found, "restored, it rules the same", f"step {number} ({step.kind}) differs", advice)
        data = packed.post.snapshot()
        packed.post.defence = restored(subject.make(), data)
        demand(packed.post.snapshot() == data, "restore, then snapshot, gives the same bytes", "other bytes", advice)
    same = plain.post.snapshot() == packed.post.snapshot()
    demand(same, "restored after every operation, it ends in the same state", "another snapshot", advice)


async def state(subject: Subject) -> None:
    """A snapshot is bytes without pickle, keeps what it holds, and one that is broken is refused."""
    visit, steps = Visit(Post(subject.make())), knocks()
    await visit.play(steps[: len(steps) // 2])
    data = visit.post.snapshot()
    demand(not is_pickle(data), "a snapshot without pickle", "pickled bytes", "use simonides.sim.codec.encode")
    await visit.play(steps[len(steps) // 2 :])
    kept = Post(restored(subject.make(), data)).snapshot()
    advice = "let snapshot() hold the state itself, not a name or a reference to it"
    demand(kept == data, "later operations do not reach an earlier snapshot", "other bytes", advice)
    if not data:
        return
    try:
        subject.make().restore(b"\xc1 no snapshot of anything")
    except Exception:
        return
    raise Unmet("restore() refuses broken bytes", "it returned", "raise simonides.sim.errors.CorruptFile")


async def empty(subject: Subject) -> None:
    """A space that holds nothing is screened and audited without complaint, and so are texts without words."""
    post = Post(subject.make())
    screening = await post.screen(Query("Is anybody there?", 5), ())
    demand(not screening.items, "nothing is shown of nothing", f"{len(screening.items)} items", "return items")
    await post.apply(3)
    restored(subject.make(), post.snapshot())
    await Visit(post).play(emptied(knocks(first=5)))


def _at_door(subject: Subject, door: str) -> None:
    if door not in subject.make().card.doors:
        raise NotApplicable(f"its card does not name the door {door!r}")


SHAPE = Check("shape", "It has a card, and the methods of a defence", shape)

UNIVERSAL = (
    Check("D1", "The same script, seed and simulated time give the same verdicts", same_again),
    Check("D2", "A screening changes nothing; what it learns comes back as effects", pure),
    Check("D3", "Verdicts are well-formed, and no item is added", well_formed),
    Check("D4", "Put up late, it stands what was written before it and what is gone", late),
    Check("D5", "Spaces do not know of each other", isolated),
    Check("D6", "The card names the model's purposes and the embedder", declared),
    Check("D7", "An unusable reply of the model is no error", robust),
    Check("hash", "Another process, where texts hash differently, rules the same", ruled_elsewhere),
    Check("evict", "Packed and restored after every operation, it rules the same", evicted),
    Check("state", "A snapshot is bytes without pickle, and complete", state),
    Check("empty", "An empty space, and texts without words, work", empty),
)


def check_defence(
    target: str | Callable[..., Defence], params: Mapping[str, Plain] = EMPTY, only: Collection[str] = ()
) -> Report:
    """Return what the universal suite and the defence's own checks find on a defence.

    `target` is a registered name, "module:attribute", or a class. `params` are its parameters, as in a study. A defence
    offers its own checks as a class attribute `checks`, as a memory system does; they drive it with a `Post`. `only`
    names the checks to run, beside that of the shape; empty for all. Raises UserError when there is no such defence or
    parameter.

        print(render(check_defence("corroboration", {"identities": 3})))
    """
    subject = subject_of("defence", target, dict(params))
    subject.make()  # a wrong name or parameter is the caller's mistake, not a finding
    findings = [run_check(SHAPE, subject, PATIENCE)]
    if findings[0].passed:
        checks = [*UNIVERSAL, *own_checks(subject.part)]
        findings += [run_check(check, subject, PATIENCE) for check in checks if not only or check.name in only]
    return Report("Defence", subject.name, dict(params), tuple(findings))
