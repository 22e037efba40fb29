"""What a finger's course on the screen is to Android: a tap, a long press or a swipe.

The limits are those of `android.view.ViewConfiguration`.
"""

from __future__ import annotations

from collections.abc import Sequence

from simonides.envs.android.device import Device

SLOP = 12
"""Pixels up to which a finger has not moved: 8 dp at 240 dots per inch."""
LONG_PRESS = 500
"""Milliseconds from which a finger that stays is a long press."""


def stroke(device: Device, course: Sequence[tuple[int, int]], milliseconds: int) -> None:
    """Do what a finger does that goes along `course`, points in pixels, in some time."""
    (x0, y0), (x1, y1) = course[0], course[-1]
    if max(max(abs(x - x0), abs(y - y0)) for x, y in course) > SLOP:
        device.swipe(x0, y0, x1, y1, milliseconds)
    elif milliseconds >= LONG_PRESS:
        device.long_press(x0, y0)
    else:
        device.tap(x0, y0)
