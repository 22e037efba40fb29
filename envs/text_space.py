"""A Gymnasium space of any Unicode text, for observations and actions that are words."""

from __future__ import annotations

import string
from typing import Any

from gymnasium.spaces import Text

LONGEST = 1_000_000
"""Characters that a text may have: far above any turn, so that only a runaway reply is refused."""

_SAMPLED = 24


class AnyText(Text):
    """Holds every string of at most `LONGEST` characters; samples are short printable ASCII."""

    def __init__(self) -> None:
        super().__init__(LONGEST, min_length=0, charset=string.ascii_letters + string.digits + " .,?'")

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Return a random text of 0 to 24 characters (or as a mask or probability says)."""
        if mask is None and probability is None:
            mask = (int(self.np_random.integers(0, _SAMPLED + 1)), None)
        return super().sample(mask, probability)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length
