"""Check what a memory's state is: the same for the same script, bytes without pickle, and complete."""

from __future__ import annotations

import pickletools
from typing import Any

from simonides.sim.checks.desk import START, Desk, script
from simonides.sim.checks.report import Subject, Unmet, demand
from simonides.sim.codec import encode
from simonides.sim.types import Effect, Recall

PICKLE_FRAMES = (b"\x80\x04\x95", b"\x80\x05\x95")


async def same_again(subject: Subject) -> None:
    """U1: the same script, seed and simulated time give the same snapshot and the same recalls."""
    desks = [Desk(subject.make()) for _ in range(2)]
    recalls = [await desk.play(script()) for desk in desks]
    advice = (
        "take every draw from ctx.rng and every time from ctx.time; sort sets before iterating; "
        "keep no counter outside the instance"
    )
    demand(recalls[0] == recalls[1], "two runs of one script recall the same", _first_difference(*recalls), advice)
    one, two = (desk.snapshot() for desk in desks)
    demand(one == two, "two runs of one script end in equal snapshots", _bytes_differ(one, two), advice)


def _first_difference(one: list[Recall], two: list[Recall]) -> str:
    number = next((n for n, (a, b) in enumerate(zip(one, two, strict=True)) if a != b), len(one))
    return f"read {number + 1} of {len(one)} differs"


def _bytes_differ(one: bytes, two: bytes) -> str:
    if one == two:
        return "equal snapshots"
    at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    return f"snapshots of {len(one)} and {len(two)} bytes that differ from byte {at}"


async def evicted(subject: Subject) -> None:
    """A system packed to bytes and restored after every operation behaves as one that was not."""
    plain, packed = Desk(subject.make()), Desk(subject.make())
    advice = "put everything that later answers depend on into snapshot(), and read all of it back in restore()"
    for number, step in enumerate(script(), start=1):
        wanted, found = await plain.step(step), await packed.step(step)
        data = packed.snapshot()
        fresh = subject.make()
        restored(fresh, data)
        packed.system = fresh
        demand(wanted == found, "restored, it recalls the same", f"step {number} ({step.kind}) differs", advice)
        again = packed.snapshot()
        demand(again == data, "restore, then snapshot, gives the same bytes", _bytes_differ(again, data), advice)
    one, two = plain.snapshot(), packed.snapshot()
    demand(one == two, "restored after every operation, it ends in the same state", _bytes_differ(one, two), advice)
    demand(
        [encode(r) for r in plain.records().values()] == [encode(r) for r in packed.records().values()],
        "restored, records() returns the same in the same order",
        "other records",
        advice,
    )


def restored(part: Any, data: bytes) -> Any:
    """Return a part after it took a snapshot. Raises Unmet when it does not take it."""
    try:
        part.restore(data)
    except Exception as error:
        found = f"it raised {type(error).__name__}: {error}"
        raise Unmet("restore() takes what snapshot() gave", found, "read back all that you wrote") from error
    return part


def is_pickle(data: bytes) -> bool:
    """Return whether bytes are a pickle, or hold one."""
    if any(frame in data for frame in PICKLE_FRAMES):
        return True
    try:
        return bool(list(pickletools.genops(data)))
    except Exception:  # genops raises ValueError, IndexError, UnicodeDecodeError, ... for what is no pickle
        return False


async def snapshot(subject: Subject) -> None:
    """A snapshot is bytes, no pickle, keeps what it holds, and one that is broken is refused."""
    steps = script()
    desk = Desk(subject.make())
    await desk.play(steps[: len(steps) // 2])
    data = desk.snapshot()
    demand(not is_pickle(data), "a snapshot without pickle", "pickled bytes", "use simonides.sim.codec.encode")
    await desk.play(steps[len(steps) // 2 :])
    demand(desk.snapshot() != data, "writes change the snapshot", "the same bytes", "put the state into snapshot()")
    other = subject.make()
    restored(other, data)
    kept = Desk(other).snapshot()
    advice = "let snapshot() hold the state itself, not a name or a reference to it"
    demand(kept == data, "later writes do not reach an earlier snapshot", _bytes_differ(kept, data), advice)
    try:
        subject.make().restore(b"\xc1 no snapshot of anything")
    except Exception:
        return
    raise Unmet("restore() refuses broken bytes", "it returned", "raise simonides.sim.errors.CorruptFile")


async def empty(subject: Subject) -> None:
    """A memory that holds nothing reads, manages, forgets, absorbs and packs without complaint."""
    desk = Desk(subject.make(), time=START)
    recall = await desk.read("Is anybody there?", 5)
    advice = "return Recall() when nothing is stored"
    demand(not recall.items, "a new memory recalls nothing", f"{len(recall.items)} items", advice)
    await desk.manage("tick")
    await desk.manage("session_end")
    await desk.absorb([Effect("unknown", "0" * 32)])
    await desk.forget(["f" * 32])
    demand(not desk.records(), "a new memory stores nothing", f"{len(desk.records())} records", advice)
    fresh = subject.make()
    restored(fresh, desk.snapshot())
