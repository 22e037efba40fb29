"""Keep what draws from Python's and numpy's global generators apart: put its own states in, and then back what was.

Two threads must not do so at the same time; a world actor steps in one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def _states() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()


def _set(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])


@contextmanager
def untouched() -> Iterator[None]:
    """Let the block draw as it likes, and leave the global generators as they were before it."""
    outside = _states()
    try:
        yield
    finally:
        _set(outside)


class Dice:
    """The states of the global generators that one game goes on with, from a seed."""

    def __init__(self, seed: int) -> None:
        self._own: tuple[Any, Any] = random.Random(seed).getstate(), np.random.RandomState(seed % 2**32).get_state()

    @contextmanager
    def rolling(self) -> Iterator[None]:
        """Put this game's states in for the block, and what was there back after it."""
        with untouched():
            _set(self._own)
            try:
                yield
            finally:
                self._own = _states()
