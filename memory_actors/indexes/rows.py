"""Check, key and pack the rows of an index, so that all kinds refuse the same input and share one snapshot form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

import numpy as np

from simonides.sim.codec import decode, encode
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.types import FloatArray, Plain

_FORMAT = "simonides.vectors/1"


@dataclass(frozen=True, slots=True)
class Rows:
    """Ids, float32[n, d] vectors and fields of the rows of an index."""

    ids: list[str]
    vectors: FloatArray
    fields: list[dict[str, Plain]]


def checked_queries(vectors: FloatArray, dimension: int, what: str = "queries") -> FloatArray:
    """Return float32[n, dimension] in C order. Raises ContractBroken for another shape, NaN or infinity."""
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ContractBroken(
            f"This index holds vectors of dimension {dimension} and wants {what} as an array [n, {dimension}]; "
            f"found {list(np.shape(vectors))}. Use one embedder for one index."
        )
    flat = array.reshape(-1)
    if not math.isfinite(flat @ flat):
        raise ContractBroken(f"Found NaN, infinity or numbers near 1e19 among {what}; an index wants finite lengths.")
    return array


def checked_vectors(vectors: FloatArray, dimension: int) -> FloatArray:
    """Return a float32[n, dimension] copy, -0.0 as 0.0. Raises ContractBroken for another shape, NaN or infinity."""
    clean: FloatArray = checked_queries(vectors, dimension, "vectors") + np.float32(0)
    return clean


def checked_rows(
    ids: Sequence[str], vectors: FloatArray, fields: Sequence[Mapping[str, Plain]] | None, dimension: int
) -> Rows:
    """Return the rows to add, the last of each id. Raises ContractBroken when lengths or the dimension differ."""
    clean = checked_vectors(np.reshape(vectors, (0, dimension)) if not len(ids) else vectors, dimension)
    given = [{}] * len(ids) if fields is None else fields
    if not len(ids) == len(clean) == len(given):
        raise ContractBroken(f"{len(ids)} ids came with {len(clean)} vectors and {len(given)} fields; give one an id.")
    last = {item: n for n, item in enumerate(ids)}
    if len(last) == len(ids):
        return Rows(list(ids), clean, [dict(item) for item in given])
    chosen = list(last.values())
    return Rows(list(last), clean[chosen], [dict(given[n]) for n in chosen])


def field_key(name: str, value: Plain) -> str:
    """Return the text under which rows with this value of this field are found; 1 is not True."""
    if type(value) is str:
        return f"{encode_basestring(name)}:{encode_basestring(value)}"
    return f"{encode_basestring(name)}:{encode(value).hex()}"


def field_keys(fields: Mapping[str, Plain]) -> list[str]:
    """Return the sorted keys of all fields of a row."""
    return sorted(field_key(name, value) for name, value in fields.items())


def pack(rows: Rows, dimension: int) -> bytes:
    """Return rows as canonical bytes, ordered by id, so that equal contents give equal bytes."""
    order = sorted(range(len(rows.ids)), key=rows.ids.__getitem__)
    return encode(
        {
            "format": _FORMAT,
            "dimension": dimension,
            "ids": [rows.ids[n] for n in order],
            "vectors": rows.vectors[order],
            "fields": [rows.fields[n] for n in order],
        }
    )


def unpack(data: bytes, dimension: int) -> Rows:
    """Return the rows behind `pack`. Raises CorruptFile for other bytes and ContractBroken for another dimension."""
    value = decode(data)
    if not isinstance(value, dict) or value.get("format") != _FORMAT:
        raise CorruptFile(f"These {len(data)} bytes are not a snapshot of a vector index ({_FORMAT}).")
    if value.get("dimension") != dimension:
        raise ContractBroken(
            f"The snapshot holds vectors of dimension {value.get('dimension')}, this index of {dimension}. "
            "Restore it into an index made with the same embedder."
        )
    found: tuple[Plain, Plain, Plain] = (value.get("ids"), value.get("vectors"), value.get("fields"))
    rows = Rows(*found)
    if not _sound(rows, dimension):
        raise CorruptFile("The snapshot of a vector index holds ids, vectors and fields that do not belong together.")
    return rows


def _sound(rows: Rows, dimension: int) -> bool:
    return (
        isinstance(rows.ids, list)
        and all(type(item) is str for item in rows.ids)
        and len(set(rows.ids)) == len(rows.ids)
        and isinstance(rows.fields, list)
        and len(rows.fields) == len(rows.ids)
        and all(isinstance(item, dict) for item in rows.fields)
        and isinstance(rows.vectors, np.ndarray)
        and rows.vectors.dtype == np.float32
        and rows.vectors.shape == (len(rows.ids), dimension)
        and bool(np.isfinite(rows.vectors).all())
    )
