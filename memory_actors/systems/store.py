"""Hold the records of one memory, oldest first, and do with them what every system does: forget, pack, answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from simonides.sim.codec import decode, encode, records_from_columns, records_to_columns
from simonides.sim.errors import CorruptFile
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Plain, Recalled, Record

FIELDS = ("writer", "channel", "status", "tick")
"""The fields of a record that a query's filter may name, beside the keys of its data."""


class Records:
    """Records by id, oldest first. A record that is revised keeps its place."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records = {record.id: record for record in records}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._records

    def __getitem__(self, record_id: str) -> Record:
        return self._records[record_id]

    def __reversed__(self) -> Iterator[Record]:
        return reversed(self._records.values())

    def put(self, record: Record) -> None:
        """Add a record, or replace the one with its id."""
        self._records[record.id] = record

    def note(self, record_id: str, **data: Plain) -> None:
        """Change what the system itself keeps with a record, such as its strength. Lineage and version stay."""
        record = self._records[record_id]
        self._records[record_id] = replace(record, data={**record.data, **data})

    def remove(self, records: Iterable[Record], ctx: MemoryContext, reason: str) -> None:
        """Drop records, and say why to the context."""
        for record in records:
            del self._records[record.id]
            ctx.retire(record, reason)

    def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> list[Record]:
        """Drop every record that descends from one of these experiences; return what was dropped."""
        gone = [record for record in self if not experience_ids.isdisjoint(record.origins)]
        self.remove(gone, ctx, "forgotten on request")
        return gone


def pack_state(records: Iterable[Record], **state: Plain) -> bytes:
    """Return records, as columns, and whatever else a system's state consists of, as bytes."""
    return encode({**state, "records": records_to_columns(list(records))})


def unpack_state(data: bytes, *names: str) -> tuple[Records, dict[str, Plain]]:
    """Return the records and the rest of a state that was packed with these names. Raises CorruptFile."""
    state = decode(data)
    if not isinstance(state, dict) or sorted(state) != sorted([*names, "records"]):
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise CorruptFile(f"A memory's snapshot should hold {sorted([*names, 'records'])}, found {found}.")
    try:
        return Records(records_from_columns(state.pop("records"))), state
    except (KeyError, TypeError, IndexError) as error:
        raise CorruptFile(f"A memory's snapshot holds broken records ({type(error).__name__}: {error}).") from None


def recalled(record: Record, score: float, text: str | None = None) -> Recalled:
    """Return a record as its reader gets it."""
    shown = record.text if text is None else text
    return Recalled(record.id, shown, float(score), record.channel, record.time)


def last(records: Sequence[Record], k: int | None) -> Sequence[Record]:
    """Return the last k records, all of them for None."""
    return records if k is None else records[max(len(records) - max(k, 0), 0) :]


def fields_of(record: Record) -> dict[str, Plain]:
    """Return what a query's filter may ask of a record: FIELDS, and the single values of its data."""
    data = {key: value for key, value in record.data.items() if isinstance(value, str | int | bool)}
    return {**data, **{name: getattr(record, name) for name in FIELDS}}


def passing(wanted: Mapping[str, Plain]) -> Callable[[Record], bool]:
    """Return a test for the records whose fields equal those that a query's filter names."""

    def test(record: Record) -> bool:
        found = fields_of(record)
        return all(name in found and found[name] == value for name, value in wanted.items())

    return test if wanted else lambda _: True


def matching(records: Iterable[Record], wanted: Mapping[str, Plain]) -> list[Record]:
    """Return the records that pass a query's filter, in order."""
    return list(filter(passing(wanted), records)) if wanted else list(records)
