"""Encode values to canonical msgpack and back: one value, one byte string, on every machine.

Maps are sorted by key, floats are normalised (-0.0 to 0.0, every NaN to one NaN), arrays carry dtype, shape and
little-endian C-order bytes. Dataclasses are encoded as lists of their fields in declaration order. No pickle.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgpack
import numpy as np

from simonides.sim.errors import CorruptFile
from simonides.sim.types import FloatArray, Plain, Record

ARRAY = 1
FEW = 32
"""Floats that are looked at in Python rather than by numpy, whose every call costs as much as looking at twenty."""

_DTYPES = frozenset({"<f4", "<f8", "<f2", "<i8", "<i4", "<i2", "|i1", "|u1", "<u2", "<u4", "<u8", "|b1"})

T = TypeVar("T")


@lru_cache(maxsize=1024)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[bytes, bool]:
    """Return the encoded dtype and shape of an array, and whether its values need to be normalised: floats do."""
    if dtype.str not in _DTYPES:
        raise TypeError(f"An array of dtype {dtype.str} cannot be encoded; use one of {sorted(_DTYPES)}.")
    return msgpack.packb((dtype.str, list(shape))), dtype.kind == "f"


def _array(value: np.ndarray[Any, Any]) -> bytes:
    array = np.ascontiguousarray(value)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    head, floats = _head(array.dtype, array.shape)
    if floats and (array.size > FEW or _abnormal(array.ravel().tolist())):
        array = array + array.dtype.type(0)  # -0.0 + 0.0 is 0.0
        if math.isnan(np.vdot(array, array)):  # squares: infinities give no NaN. A third of the cost of np.isnan
            array[np.isnan(array)] = np.nan
    return head + array.tobytes()


def _abnormal(values: list[float]) -> bool:
    """Return False for values that hold no zero, so no negative one, and no NaN: quicker than numpy for a few."""
    return 0.0 in values or math.isnan(sum(values))


def canonical(value: Plain) -> Plain:
    """Return a plain value with sorted maps and normalised floats, ready for `pack`."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None or kind is bytes:
        return value
    if kind is float:
        return math.nan if value != value else value + 0.0
    if kind is dict:
        return {key: canonical(value[key]) for key in sorted(value)} if value else {}
    if kind is tuple or kind is list or isinstance(value, tuple):
        return [canonical(item) for item in value]
    if isinstance(value, np.ndarray):
        return msgpack.ExtType(ARRAY, _array(value))
    if isinstance(value, Mapping):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, np.generic):
        return canonical(value.item())
    if is_dataclass(value):
        return [canonical(getattr(value, item.name)) for item in fields(value)]
    if isinstance(value, frozenset | set):
        return [canonical(item) for item in sorted(value)]
    if isinstance(value, str | int | bytes | float):  # subclasses, such as enums
        kinds: tuple[Callable[[Plain], Plain], ...] = (str, bytes, int, float)
        base = next(b for b in kinds if isinstance(value, b))  # type: ignore[arg-type]
        return canonical(base(value))
    raise TypeError(f"A value of type {kind.__name__} cannot be encoded; use plain data and numpy arrays.")


def _default(value: Plain) -> Plain:
    if isinstance(value, np.ndarray):
        return msgpack.ExtType(ARRAY, _array(value))
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value):
        return [getattr(value, item.name) for item in fields(value)]
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be encoded; use plain data and numpy arrays.")


class _Packers(threading.local):
    """A packer for each thread: making one a call, with its buffer of 256 kB, costs more than packing a row."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin with a small buffer again."""
        packer = msgpack.Packer(default=_default, use_bin_type=True)
        self.pack: Callable[[Plain], bytes] = packer.pack
        self.extension: Callable[[int, bytes], bytes] = packer.pack_ext_type


_packers = _Packers()
_LARGE = 1 << 20


def pack(value: Plain) -> bytes:
    """Return msgpack bytes of a plain value as it is, at C speed: for wires, logs, and rows built in a fixed order."""
    data = _packers.pack(value)
    if len(data) > _LARGE:
        _packers.renew()  # a packer's buffer never shrinks
    return data


def encode(value: Plain) -> bytes:
    """Return the canonical bytes of a plain value or of one of our dataclasses.

    Raises TypeError for what is not plain data.
    """
    if isinstance(value, np.ndarray):
        return _packers.extension(ARRAY, _array(value))
    return pack(canonical(value))


def _ext(code: int, data: bytes) -> Plain:
    if code != ARRAY:
        raise CorruptFile(f"Unknown msgpack extension {code}; only arrays (1) are written here.")
    unpacker = msgpack.Unpacker()
    unpacker.feed(data)
    dtype, shape = unpacker.unpack()
    if dtype not in _DTYPES:
        raise CorruptFile(f"An array of dtype {dtype!r} is not one that is written here.")
    return np.frombuffer(data, dtype=dtype, offset=unpacker.tell()).reshape(shape).copy()


def decode(data: bytes) -> Plain:
    """Return the value behind bytes from `encode`; lists for tuples and dataclasses.

    Raises CorruptFile when the bytes are not what `encode` writes.
    """
    try:
        return msgpack.unpackb(data, raw=False, ext_hook=_ext, strict_map_key=False)
    except CorruptFile:
        raise
    except Exception as error:
        raise CorruptFile(f"Not a value that was written here ({type(error).__name__}: {error}).") from None


def decode_as(kind: type[T], data: Sequence[Plain]) -> T:
    """Return a dataclass from the list of its fields, as `decode` gives it. Lists become tuples one level deep."""
    if len(data) != len(fields(kind)):  # type: ignore[arg-type]
        raise CorruptFile(f"{kind.__name__} has {len(fields(kind))} fields, found {len(data)}.")  # type: ignore[arg-type]
    return kind(*[tuple(item) if isinstance(item, list) else item for item in data])


def _ids(ids: Sequence[str]) -> bytes:
    return b"".join(bytes.fromhex(item) for item in ids)


def _split(blob: bytes) -> list[str]:
    return [blob[i : i + 16].hex() for i in range(0, len(blob), 16)]


def _ragged(rows: Sequence[tuple[str, ...]]) -> tuple[list[int], bytes]:
    return [len(row) for row in rows], b"".join(_ids(row) for row in rows)


def _unragged(counts: Sequence[int], blob: bytes) -> list[tuple[str, ...]]:
    ids, rows, start = _split(blob), [], 0
    for count in counts:
        rows.append(tuple(ids[start : start + count]))
        start += count
    return rows


def _same(values: Sequence[Plain]) -> Plain:
    """Store a column once when all its values are equal, as owner, channel and status mostly are."""
    return [values[0]] if values and all(value == values[0] for value in values) else list(values)


def _column(values: Sequence[T], n: int) -> list[T]:
    return list(values) * n if len(values) == 1 and n != 1 else list(values)


def records_to_columns(records: Sequence[Record]) -> dict[str, Plain]:
    """Return records as columns: ids as bytes, one float32 matrix, a list of texts. The form on wires and disk."""
    vectors = [r.vector for r in records if r.vector is not None]
    return {
        "n": len(records),
        "id": _ids([r.id for r in records]),
        "space": _same([r.space for r in records]),
        "writer": _same([r.writer for r in records]),
        "tick": [r.tick for r in records],
        "time": _same([r.time for r in records]),
        "text": [r.text for r in records],
        "origins": _ragged([r.origins for r in records]),
        "parents": _ragged([r.parents for r in records]),
        "channel": _same([r.channel for r in records]),
        "status": _same([r.status for r in records]),
        "version": _same([r.version for r in records]),
        "has_vector": _same([r.vector is not None for r in records]),
        "vectors": np.stack(vectors).astype(np.float32) if vectors else None,
        "data": _same([dict(r.data) for r in records]),
    }


def records_from_columns(columns: Mapping[str, Plain]) -> list[Record]:
    """Return the records behind `records_to_columns`. Raises CorruptFile when columns disagree in length."""
    n = int(columns["n"])
    matrix = columns["vectors"]
    has = _column(columns["has_vector"], n)
    row = 0
    vectors: list[FloatArray | None] = []
    for present in has:
        vectors.append(matrix[row] if present else None)
        row += bool(present)
    take: Callable[[str], list[Any]] = lambda name: _column(columns[name], n)  # noqa: E731
    try:
        return [
            Record(*values)
            for values in zip(
                _split(columns["id"]),
                take("space"),
                take("writer"),
                columns["tick"],
                take("time"),
                columns["text"],
                _unragged(*columns["origins"]),
                _unragged(*columns["parents"]),
                take("channel"),
                take("status"),
                take("version"),
                vectors,
                take("data"),
                strict=True,
            )
        ]
    except ValueError as error:
        raise CorruptFile(f"Record columns disagree: {error}.") from None
