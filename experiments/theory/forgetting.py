"""What theory says of forgetting: Ebbinghaus' own curve and its data, and the exponential of memory systems.

Imports numpy and nothing of the simulator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MINUTES = (20.0, 64.0, 526.0, 1_440.0, 2_880.0, 8_640.0, 44_640.0)
"""Ebbinghaus' retention intervals in minutes: 20 minutes to 31 days."""
SAVINGS = (0.582, 0.442, 0.358, 0.337, 0.278, 0.254, 0.211)
"""What he saved on learning again (*Über das Gedächtnis*, 1885), by the intervals of `MINUTES`."""


def ebbinghaus(minutes: float) -> float:
    """Return Ebbinghaus' fit of his savings, 1.84 / (log10(minutes)^1.25 + 1.84), for 1 minute and more."""
    return float(1.84 / (np.log10(minutes) ** 1.25 + 1.84))


def retention(time: float, strength: float) -> float:
    """Return exp(-time / strength): the curve that memory systems name after Ebbinghaus; one unit of time for both."""
    return float(np.exp(-time / strength))


def best_strength(minutes: NDArray[np.float64], retained: NDArray[np.float64]) -> float:
    """Return the strength in minutes whose exponential lies nearest to what was retained, by least squares."""
    strengths = np.geomspace(minutes.min() / 10.0, minutes.max() * 10.0, 4_000)
    errors = ((np.exp(-minutes[:, None] / strengths) - retained[:, None]) ** 2).sum(axis=0)
    return float(strengths[errors.argmin()])
