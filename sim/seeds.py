"""Randomness and identity by place: every draw and every id is a pure function of where it happens.

No generator state is ever saved, because a generator is made afresh for each operation (design section 2).
"""

from __future__ import annotations

import hashlib

import numpy as np

from simonides.sim.types import Place


def seed_of(*parts: str | int) -> int:
    """Return a 64-bit seed: the first 8 bytes of sha256 over the parts, each with its length and type."""
    digest = hashlib.sha256()
    for part in parts:
        raw = str(part).encode()
        digest.update(b"%c%d:" % (b"i" if isinstance(part, int) else b"s", len(raw)))
        digest.update(raw)
    return int.from_bytes(digest.digest()[:8], "big")


def place_seed(trial_seed: int, purpose: str, part: str, operation: str, place: Place) -> int:
    """Return the seed of one operation of one part at one place."""
    return seed_of(trial_seed, purpose, part, operation, *place)


def generator(seed: int) -> np.random.Generator:
    """Return a fresh PCG64 generator for a seed from `seed_of`."""
    return np.random.Generator(np.random.PCG64(seed))


def identity(trial_seed: int, kind: str, part: str, place: Place, ordinal: int) -> str:
    """Return a 128-bit id as 32 hex digits: blake2b of place and ordinal, never random, never content.

    `kind` keeps the ids of experiences and of records apart.
    """
    tick, world, agent, hop, n = place
    key = f"{trial_seed}\x1f{kind}\x1f{part}\x1f{tick}\x1f{world}\x1f{agent}\x1f{hop}\x1f{n}\x1f{ordinal}"
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
