"""Keep the rows that share one key in a growing array, so that a filter or a word costs no scan."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class Posting:
    """The rows that carry one key, each with a count. Order is arbitrary; adding and removing take constant time."""

    __slots__ = ("_counts", "_place", "_rows")

    def __init__(self) -> None:
        self._rows = np.empty(4, np.int64)
        self._counts = np.empty(4, np.float64)
        self._place: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, row: int) -> bool:
        return row in self._place

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """int64[n] view, valid until the next change."""
        return self._rows[: len(self._place)]

    @property
    def counts(self) -> npt.NDArray[np.float64]:
        """float64[n] view, in the order of `rows`, valid until the next change."""
        return self._counts[: len(self._place)]

    def add(self, row: int, count: float = 1.0) -> None:
        """Add a row that is not present."""
        place = len(self._place)
        if place == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._counts = np.concatenate([self._counts, np.empty_like(self._counts)])
        self._rows[place], self._counts[place] = row, count
        self._place[row] = place

    def remove(self, row: int) -> None:
        """Remove a row that is present; the last one takes its place."""
        place, last = self._place.pop(row), len(self._place)
        if place != last:
            moved = int(self._rows[last])
            self._rows[place], self._counts[place] = moved, self._counts[last]
            self._place[moved] = place
