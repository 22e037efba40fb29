"""Spare Python's garbage collector what it would look through in vain, in the processes that are ours alone."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""New containers after which the collector looks at them (Python's own: 700). A batch of 1,000 messages makes 5,000,
and all of them go by their reference counts: our values hold no cycles."""


def spare_collector() -> None:
    """Take all that is loaded by now out of every later collection, and collect young objects more rarely.

    For an actor or a worker once its parts are made: modules are a few 100,000 objects, and passing over them took
    half of the time of unpacking a batch. A process that somebody else started is left as it is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
