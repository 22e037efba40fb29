"""The health of a replica as a state machine: it knows no actor and no clock.

            an answer
starting ─────────────► ready
   ▲   │                  │
   │   └──── a death ─────┤
   │                      ▼        a death
   ├── back to life ── suspect      before
   │                                an answer
   └── back to life ── down  ◄──────────┘

closed: ended, or given up by Ray after too many deaths; from every state, and for good.

A death takes many requests along, and is counted once: each request notes in which life of the replica it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["starting", "ready", "suspect", "down", "closed"]


@dataclass(slots=True)
class Health:
    """What is known of one replica from the requests it was sent."""

    state: State = "starting"
    life: int = 0
    """How often it has died: the number of its present life."""
    failures: int = 0
    """Deaths since it last answered."""

    @property
    def usable(self) -> bool:
        """True unless it has died and not yet come back: others take its callers over."""
        return self.state in ("starting", "ready")

    def failed(self, life: int) -> bool:
        """Note that a request sent in one of its lives died with it; return True when that is news."""
        if self.state == "closed" or life != self.life:
            return False
        self.life += 1
        self.failures += 1
        self.state = "suspect" if self.failures == 1 else "down"
        return True

    def revived(self) -> None:
        """Note a sign of life after a death: its process is there, its engine not yet."""
        if self.state in ("suspect", "down"):
            self.state = "starting"

    def answered(self) -> None:
        """Note an answer."""
        if self.state != "closed":
            self.failures = 0
            self.state = "ready"

    def close(self) -> None:
        """Note that it is gone for good."""
        self.state = "closed"
