"""A space before it runs, and what waits in it for a tick to be applied."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from simonides.sim.changes import Agent, Change, Defend
from simonides.sim.guarding import UNGUARDED, Defences
from simonides.sim.protocols import MemorySystem
from simonides.sim.types import Effect, Experience, Place


@dataclass(frozen=True, slots=True)
class SpaceSetup:
    """A space before it runs: who may read and write it, which worlds are members from which tick, what it holds.

    `members` maps a world to the tick at which it joins, `strides` to the ticks from one of its steps to the next where
    that is not 1 (`ticks_per_round`). `make` builds a fresh memory system of its kind.
    """

    name: str
    readers: Collection[Agent]
    writers: Collection[Agent]
    members: Mapping[str, int]
    make: Callable[[], MemorySystem]
    changes: tuple[Change, ...] = ()
    manage_every: int = 0
    strides: Mapping[str, int] = field(default_factory=dict)
    defences: Defences = UNGUARDED

    @property
    def guarded(self) -> bool:
        """True where there is a defence at any time of the trial."""
        return bool(self.defences.made) or any(isinstance(one.what, Defend) for one in self.changes)

    def stride(self, member: str) -> int:
        """Return the ticks from one step of a member to its next."""
        return self.strides.get(member, 1)

    def step_at(self, member: str, tick: int) -> int:
        """Return the tick of a member's first step not before `tick`."""
        join, stride = self.members[member], self.stride(member)
        return join + max(0, -(-(tick - join) // stride)) * stride


@dataclass(slots=True)
class Operation:
    """One ordered change: a write, or the end of a world's session."""

    kind: str
    place: Place
    experience: Experience | None
    muted: bool = False


@dataclass(slots=True)
class Due:
    """What a space has to apply at one tick, in order of arrival."""

    changes: list[Change] = field(default_factory=list)
    effects: list[tuple[Place, tuple[Effect, ...]]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    refused: list[tuple[Place, str]] = field(default_factory=list)
