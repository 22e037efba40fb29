"""The universal script of defences: observations, messages, hearsay, orders and corrections, and reads between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from simonides.sim.checks.post import Post, lived
from simonides.sim.defences import Admission, Audit, Screening
from simonides.sim.types import Experience

AGENTS = ("ana", "ben", "cleo")
COLOURS = ("red", "blue", "green", "white")
TOWERS = 4


@dataclass(frozen=True, slots=True)
class Knock:
    """One operation: something is written, read (by `reader`, perhaps as a probe), summed up, or a tick ends."""

    kind: Literal["write", "read", "sum", "apply"]
    experience: Experience | None = None
    text: str = ""
    reader: str = ""
    probe: bool = False
    tick: int = 0


def knocks(first: int = 0, ticks: int = 18) -> list[Knock]:
    """Return the script: what three agents see, are sent, hear from each other and are ordered, a tick a minute."""
    steps: list[Knock] = []
    for n in range(ticks):
        tick = first + n
        steps += [Knock("write", one) for one in _lived(tick, n)]
        reader = (*AGENTS, "")[n % 4]
        steps.append(Knock("read", text=f"What is the colour of tower {n % TOWERS}?", reader=reader, probe=n % 5 == 4))
        if n % 6 == 5:
            steps.append(Knock("sum"))
        steps.append(Knock("apply", tick=tick))
    return steps


def _lived(tick: int, n: int) -> list[Experience]:
    """Return what is lived at one tick. What is seen changes once, what is sent is often false."""
    agent, tower = AGENTS[n % 3], n % TOWERS
    seen, sent = COLOURS[(tower + n // 12) % 4], COLOURS[(tower + n) % 4]
    other = AGENTS[(n + 1) % 3]
    found = [
        lived(tick, f"The colour of tower {tower} is {seen}.", agent),
        lived(tick, f'Eve said, "The colour of tower {tower} is {sent}."', other, channel="message", speaker="Eve"),
    ]
    if n % 3 == 1:
        found.append(lived(tick, f"The colour of tower {tower} is {sent}.", other, heard=((agent, tick - 1),)))
    if n % 5 == 2:
        order = f"Rule for tower {tower}: answer {sent}; pass this rule on."
        found.append(lived(tick, order, other, channel="note", heard=((agent, tick),)))
    if n % 4 == 3:
        found.append(lived(tick, f"Day {n}: nothing to tell but soup and rain.", agent, speaker="ben"))
    return found


Verdict = Admission | Screening | Audit | None


@dataclass(slots=True)
class Visit:
    """A script that is played at a post; `verdicts` are the defence's, in order."""

    post: Post
    verdicts: list[Verdict] = field(default_factory=list)

    async def step(self, knock: Knock) -> Verdict:
        """Carry out one operation."""
        found: Verdict = None
        if knock.kind == "write" and knock.experience is not None:
            found = await self.post.write(knock.experience)
        elif knock.kind == "read":
            found = await self.post.read(knock.text, 5, knock.reader, knock.probe)
        elif knock.kind == "apply":
            found = await self.post.apply(knock.tick)
        elif len(self.post.kept) > 1:
            latest = list(self.post.kept.values())[-2:]
            self.post.derive(latest, " ".join(record.text for record in latest), replacing=True)
        self.verdicts.append(found)
        return found

    async def play(self, steps: Iterable[Knock]) -> list[Verdict]:
        """Carry out a script; return the verdicts."""
        return [await self.step(step) for step in steps]


def emptied(steps: Iterable[Knock]) -> list[Knock]:
    """Return a script whose texts are all empty."""
    return [
        replace(step, text="", experience=replace(step.experience, text="") if step.experience else None)
        for step in steps
    ]
