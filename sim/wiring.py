"""The values of a wiring: which agents may read and which may write each space."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class AgentRef:
    """One agent of one world. Sorted by world, then agent."""

    world: str
    agent: str

    def __str__(self) -> str:
        return f"{self.world}/{self.agent}"


@dataclass(frozen=True, slots=True)
class SpaceSpec:
    """A space by name, with its access list. Reading and writing are separate rights."""

    name: str
    readers: frozenset[AgentRef]
    writers: frozenset[AgentRef]
