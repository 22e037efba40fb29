"""Compute the scores that leave an index, and rank by them: one rule for every index, to the last bit.

A matrix product and a vector product differ in the last bit, and either changes with the number of rows. So a fast
kernel may only nominate rows; what a caller sees is recomputed here, row by row, and does not depend on the company.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simonides.sim.types import FloatArray

MARGIN = 1e-5
"""How far below the k-th fast score a row may lie and still be nominated, for unit vectors.

Float32 products of 384 numbers differ by about 1e-7 between kernels; the margin is a hundred times that.
"""

Hit = tuple[str, float]


def final_scores(rows: FloatArray, queries: FloatArray) -> FloatArray:
    """Return float32[n], the dot product of each row with its query.

    `rows` is float32[n, d]; `queries` is float32[d], or float32[n, d] with one query a row. Each product is summed
    along its own contiguous row, in numpy's pairwise order, so it is the same alone and in any batch.
    """
    scores: FloatArray = np.add.reduce(np.multiply(rows, queries, order="C"), axis=1)
    scores += 0.0  # -0.0 becomes 0.0
    return scores


def ranked(ids: Sequence[str], scores: FloatArray, k: int) -> list[Hit]:
    """Return at most k (id, score), sorted by (-score, id)."""
    best = sorted(zip((-scores).tolist(), ids, strict=True))[: max(k, 0)]
    return [(item, 0.0 - score) for score, item in best]


def kth_floor(scores: FloatArray, k: int) -> FloatArray:
    """Return float32[m], for each row of float32[m, n] a value that at least k entries reach, near the k-th largest.

    The k-th largest of the maxima of blocks is such a value and much cheaper than a partition of all entries; with
    sixteen times more blocks than k it rarely lies below the k-th largest itself.
    """
    n = scores.shape[1]
    width = n // max(16 * k, 1)
    if width >= 4:
        blocks = n // width
        maxima: FloatArray = scores[:, : blocks * width].reshape(len(scores), blocks, width).max(axis=2)
        maxima.partition(blocks - k, axis=1)
        return maxima[:, blocks - k]
    ordered = scores.copy()
    ordered.partition(n - k, axis=1)
    return ordered[:, n - k]


def longest(queries: FloatArray) -> float:
    """Return a bound on the length of the rows of float32[m, d]: the length of all of them as one vector."""
    flat = queries.reshape(-1)
    return math.sqrt(float(flat @ flat))
