"""The health of a replica as a state machine: it knows no actor and no clock.

ready ── a failure ──► suspect ── a failure ──► down
  ▲                       │                       │
  └────── an answer ──────┴────── an answer ──────┘

A replica begins as `ready`: its first request starts its engine, and waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ready", "suspect", "down"]


@dataclass(slots=True)
class Health:
    """What is known of one replica from the requests it was sent."""

    state: State = "ready"
    failures: int = 0
    """Requests that died with it, since it last answered."""
    deaths: int = 0
    """All of them."""

    @property
    def usable(self) -> bool:
        """True unless it failed twice in a row: others take its callers over until it answers again."""
        return self.state != "down"

    def failed(self) -> None:
        """Note that it died, or could not be reached, while it was asked."""
        self.failures += 1
        self.deaths += 1
        self.state = "suspect" if self.failures == 1 else "down"

    def answered(self) -> None:
        """Note an answer."""
        self.failures = 0
        self.state = "ready"
