"""What a defence declares, decides and is told. It stands where the space is, at its three doors.

`admit` is asked before a memory system gets an experience, `screen` before a reader gets what was recalled, `audit`
after a tick was applied. It is told who wrote what and what descends from what, and never what is tainted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from pydantic import BaseModel

from simonides.sim.types import Completion, Effect, Experience, FloatArray, Plain, Query, Recalled, Record, Request

Reply = TypeVar("Reply", bound=BaseModel)
Stage = Literal["admit", "screen", "audit"]


@dataclass(frozen=True, slots=True)
class DefenceCard:
    """What a defence declares about itself: the doors at which it stands, and what it needs."""

    title: str
    source: str
    doors: tuple[Stage, ...]
    needs_model: tuple[str, ...] = ()
    needs_embedder: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the platform knows of an experience that was written here: facts about its source, not about its truth.

    `writer` is the identity that wrote it ("world/agent"), which a text cannot fake as it can fake a speaker.
    """

    writer: str
    speaker: str
    channel: str
    tick: int
    time: float
    trust: float = 1.0
    """As some defence has set it (`Admission.trust`)."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What becomes of an experience at the door.

    admit: the memory system gets it. refuse: nobody does. hold: it waits in quarantine, until `audit` releases it.
    """

    verdict: Literal["admit", "refuse", "hold"] = "admit"
    reason: str = ""
    trust: float | None = None
    """Set as the trust of this experience, 0 to 1; None leaves it."""
    experience: Experience | None = None
    """What the memory system gets instead, with the same id: redacted or annotated."""


ADMIT = Admission()


@dataclass(frozen=True, slots=True)
class Screening:
    """What a reader gets of a recall: the items that pass, in order, and effects of the defence's own.

    Items may be left out, or come with another `score` or `trust`; none may be added.
    """

    items: tuple[Recalled, ...]
    effects: tuple[Effect, ...] = ()
    """Come back through the defence's `absorb` when the tick is applied; those of probes are discarded."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a defence wants done after a tick: experiences to be forgotten with all that descends from them, and
    experiences in quarantine to be released to the memory system or dropped."""

    purge: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    reason: str = ""


NOTHING = Audit()


class DefenceContext(Protocol):
    """What a defence is given for one operation."""

    @property
    def space(self) -> str:
        """Name of the space."""

    @property
    def tick(self) -> int:
        """The tick that is being applied or read."""

    @property
    def time(self) -> float:
        """Simulated time of the space, in seconds since the Unix epoch."""

    @property
    def reader(self) -> str:
        """Who reads, as "world/agent", in `screen`; "" at the other doors, and for a probe of the space alone."""

    @property
    def rng(self) -> np.random.Generator:
        """A generator made for this operation alone."""

    @property
    def held(self) -> Sequence[Experience]:
        """What waits in quarantine, oldest first, whichever defence held it."""

    def records(self) -> Sequence[Record]:
        """Return what the space holds now. Texts, vectors, parents and origins are facts that a defence may use."""

    def record(self, id: str) -> Record | None:
        """Return one record that the space holds, or None."""

    def stamp(self, experience: str) -> Stamp | None:
        """Return what is known of an experience that was written here, or None."""

    def trust(self, record: Record) -> float:
        """Return the least trust among a record's origins: what is derived is trusted as its worst source."""

    async def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors."""

    async def model(self, purpose: str, inputs: Mapping[str, Plain], schema: type[Reply]) -> Reply | None:
        """Ask the model one named question; None means that its reply was unusable."""

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Ask the model what a schema cannot say; see `MemoryContext.complete`."""

    def tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""


@runtime_checkable
class Defence(Protocol):
    """Guards one space. Stands at the doors that its card names; the methods of the others are never called.

    What it learns is its own state, saved with the space. `screen` changes nothing: what it wants to remember of a read
    comes back through `absorb`.

    One that keeps statistics of experiences may have a method more, `async forgot(experiences: frozenset[str], ctx)`:
    these were purged, by itself, another defence or an intervention, and nothing of them is left in the space.
    """

    card: ClassVar[DefenceCard]

    async def admit(self, experience: Experience, ctx: DefenceContext) -> Admission:
        """Decide about one experience, in order of application, before those that follow are looked at."""

    async def screen(self, query: Query, items: Sequence[Recalled], ctx: DefenceContext) -> Screening:
        """Return what a reader gets. Changes nothing."""

    async def absorb(self, effects: Sequence[Effect], ctx: DefenceContext) -> None:
        """Take back the effects of one earlier `screen`."""

    async def audit(self, ctx: DefenceContext) -> Audit:
        """Look at the space after a tick, whether it changed anything or not."""

    def snapshot(self) -> bytes:
        """Return the whole state as bytes, without pickle."""

    def restore(self, data: bytes) -> None:
        """Replace the whole state by that of a snapshot. Raises CorruptFile if it cannot."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the defences of a space did to one experience or at one audit, for the trace."""

    defence: str
    door: Stage
    verdict: str
    """"refuse", "hold", "release", "drop", "purge", "redact", or "error"."""
    experience: str = ""
    reason: str = ""
    details: Mapping[str, Plain] = field(default_factory=dict)
