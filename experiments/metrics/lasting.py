"""The mean of times of which some were cut short by the end of a trial: the area below Kaplan and Meier's curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_life(lives: Sequence[tuple[int, bool]]) -> float | None:
    """Return the mean of (ticks, whether it ended of itself); None where nothing was seen to end.

    Source: Kaplan & Meier 1958. Where the longest lives are cut short, the mean is too short.
    """
    return restricted_mean(lives) if any(ended for _, ended in lives) else None


def restricted_mean(lives: Sequence[tuple[int, bool]]) -> float:
    """Return the mean life up to the longest time seen, whether anything ended or not; 0 without lives.

    Source: the restricted mean survival time (Irwin 1949; Royston & Parmar 2013). It hangs on how long was looked.
    """
    times, ended = np.array([time for time, _ in lives]), np.array([end for _, end in lives], np.bool_)
    alive, mean, before = 1.0, 0.0, 0
    for time in np.unique(times):
        mean += alive * (time - before)
        alive *= 1.0 - (ended & (times == time)).sum() / (times >= time).sum()
        before = int(time)
    return float(mean)
