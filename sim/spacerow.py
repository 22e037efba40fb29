"""The trace row of one applied tick of a space, as it grows while the space applies the tick."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from simonides.sim.changes import Change, Plant
from simonides.sim.codec import canonical, pack
from simonides.sim.context import Context, Usage
from simonides.sim.types import Effect, Experience, Place, Plain, Record


def vector_hash(record: Record) -> bytes:
    """Return 8 bytes that stand for a record's vector in the trace, or b"" without one."""
    if record.vector is None:
        return b""
    return hashlib.blake2b((record.vector + 0.0).tobytes(), digest_size=8).digest()


class SpaceTick:
    """What a space has done at one tick so far."""

    __slots__ = ("absorbed", "changed", "ops", "records", "rulings", "texts", "told", "usage")

    def __init__(self) -> None:
        self.usage = Usage()
        self.texts: dict[str, str] = {}
        """Experience -> its text, so that a record which repeats it need not."""
        self.ops: list[Plain] = []
        self.records: list[Plain] = []
        self.absorbed: list[Plain] = []
        self.told: list[Plain] = []
        self.changed: list[Plain] = []
        self.rulings: list[Plain] = []

    @property
    def empty(self) -> bool:
        """True while there is nothing to tell of the tick."""
        return not (self.ops or self.records or self.absorbed or self.told or self.changed or self.rulings)

    def ruled(self, rulings: Sequence[Plain]) -> None:
        """Note what the defences ruled at this tick."""
        self.rulings.extend(rulings)

    def absorb(self, place: Place, asked: Sequence[Effect]) -> None:
        """Note effects that were absorbed."""
        self.absorbed.append((*place[1:], [(e.kind, e.record_id, canonical(e.data)) for e in asked]))

    def plant(self, plant: Plant, experience: Experience) -> None:
        """Note what the study planted, with what nobody but the trace is told."""
        e = experience
        self.told.append((e.id, e.text, e.speaker, plant.tainted, canonical(plant.notes or {})))

    def change(self, change: Change, details: Plain) -> None:
        """Note an intervention that began."""
        self.changed.append((change.id, change.kind, canonical(details)))

    def note(self, kind: str, place: Place, experience: Experience | None, ctx: Context) -> None:
        """Note what one operation made, revised and retired; effects only where they did."""
        changes = ctx.changes
        if kind == "effects" and not (changes.made or changes.revised or changes.retired):
            return
        for record in changes.made:
            self.records.append(self._record(record))
        for record in changes.revised:
            self.records.append(self._record(record))
        self.ops.append(
            (
                kind,
                *place[1:],
                experience.id if experience else "",
                [r.id for r in changes.made],
                [r.id for r in changes.revised],
                changes.retired,
            )
        )

    def _record(self, record: Record) -> tuple[Plain, ...]:
        # Texts once: a record that repeats its experience's text says None, and a reader looks the experience up.
        text = None if len(record.origins) == 1 and self.texts.get(record.origins[0]) == record.text else record.text
        return (
            record.id,
            record.writer,
            record.time + 0.0,
            text,
            record.origins,
            record.parents,
            record.channel,
            record.status,
            record.version,
            vector_hash(record),
            canonical(record.data) if record.data else {},
        )

    def pack(self, time: float, refused: Sequence[tuple[Place, str]]) -> bytes:
        """Return the row."""
        denied = sorted((*place[1:], right) for place, right in refused) if refused else []
        return pack(
            (
                time + 0.0,
                self.told,
                self.absorbed,
                self.ops,
                self.records,
                denied,
                self.changed,
                self.usage.plain(),
                self.rulings,
            )
        )
