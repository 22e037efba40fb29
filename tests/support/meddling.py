"""Every kind of intervention in one study, for tests of the kernel over the toys."""

from dataclasses import replace
from typing import ClassVar

from simonides.sim.attacks import AttackCard, Injection
from simonides.sim.codec import decode, encode
from simonides.sim.defences import Admission, Audit, DefenceCard, Screening
from simonides.sim.rows import space_row
from simonides.sim.trace import SPACE
from simonides.sim.types import Effect

MIXED = {"name": "global", "also_private": True}
ONE = "w0000/player_0"
TELLING = {"name": "toys:ToyPolicy", "tells": True}
EVERYTHING = [
    {"kind": "plant", "tick": 2, "agent": ONE, "text": "a lie"},
    {"kind": "plant", "session": 1, "space": "global", "text": "said1 another lie"},
    {"kind": "inject", "tick": 3, "agent": "w0002/player_1", "text": "a paper lie"},
    {"kind": "inject", "when": {"world": "w0000", "contains": "at 4"}, "agent": ONE, "text": "a late lie"},
    {"kind": "attack", "tick": 1, "attack": {"name": "meddling:TwoDoors", "count": 3, "every": 3}, "ticks": 7},
    {"kind": "attack", "session": 1, "attack": {"name": "meddling:TwoDoors", "count": 4, "every": 2}},
    {"kind": "stop", "tick": 9, "of": "meddling:TwoDoors"},
    {"kind": "defend", "tick": 3, "defences": [{"name": "meddling:Doorman", "grudge": 2}]},
    {"kind": "defend", "when": {"reward": 45.0}, "space": "global", "defences": []},
    {"kind": "purge", "tick": 7, "writer": "w0001/player_1"},
    {"kind": "purge", "when": {"space": "global", "records": 6}, "space": "global", "origins": "planted"},
    {"kind": "wipe", "tick": 4, "space": ONE},
    {"kind": "wipe", "tick": 1, "dormancy": 1, "space": "global"},
    {"kind": "rewire", "tick": 5, "wiring": {"name": "team", "also_private": True}},
    {"kind": "rewire", "when": {"reward": 30.0}, "wiring": "global"},
    {"kind": "cut", "tick": 3, "agent": "w0002/player_0", "space": "global", "ticks": 3},
    {"kind": "delay", "session": 1, "agent": "w0001/player_0", "space": "global", "by": 4},
    {"kind": "delay", "tick": 0, "agent": "w0000/player_1", "space": "global", "by": 2, "ticks": 6},
    {"kind": "remove_agent", "tick": 3, "agent": "w0001/player_0"},
    {"kind": "add_agent", "when": {"world": "w0000", "contains": "at 6"}, "agent": "w0001/player_0"},
]


def rows(trace, space):
    return [space_row(row) for row in trace.of(SPACE, space)]


class TwoDoors:
    """Says one lie again and again, by the memory's door and by the environment's, in turn."""

    card: ClassVar[AttackCard] = AttackCard("Two doors", "tests", "ingestion", "none", ("memory", "channel"), "none")

    def __init__(self, count: int = 2, every: int = 1) -> None:
        self.count, self.every = count, every

    def plan(self, ctx):
        (goal,) = ctx.goals(1)
        doors = [("memory", "channel")[i % 2] for i in range(self.count)]
        return [
            Injection(f"{goal.text} no{i}", goal.agent, self.every * i, door, about=goal.about)
            for i, door in enumerate(doors)
        ]


class Doorman:
    """A defence at all three doors, which counts, holds, redacts, drops and purges by rules without sense."""

    card: ClassVar[DefenceCard] = DefenceCard("Doorman", "tests", ("admit", "screen", "audit"))

    def __init__(self, grudge: int = 3, fail_at: int = -1) -> None:
        self.grudge, self.fail_at, self.knocks, self.seen = grudge, fail_at, 0, 0

    async def admit(self, experience, ctx):
        self.knocks += 1
        if ctx.tick == self.fail_at:
            raise RuntimeError("the doorman is away")
        if "lie" in experience.text and self.knocks % 2:
            return Admission("refuse", "a lie")
        if self.knocks % self.grudge == 0:
            return Admission("hold", "wait", trust=0.5)
        if self.knocks % 5 == 0:
            return Admission(experience=replace(experience, text=experience.text + " (seen)"), reason="marked")
        return Admission(trust=0.25 if "word1" in experience.text else None)

    async def screen(self, query, items, ctx):
        if ctx.tick == self.fail_at:
            raise RuntimeError("the doorman is away")
        trusts = {item.record_id: ctx.trust(ctx.record(item.record_id)) for item in items}
        kept = tuple(i._replace(trust=trusts[i.record_id]) for i in items if trusts[i.record_id] > 0.3)
        return Screening(kept, tuple(Effect("shown", item.record_id) for item in kept))

    async def absorb(self, effects, ctx):
        self.seen += len(effects)

    async def audit(self, ctx):
        release = tuple(e.id for e in ctx.held if self.seen % 3 == 0)
        purge = tuple(r.origins[0] for r in ctx.records()[:1]) if self.knocks % 7 == 0 else ()
        return Audit(purge=purge, release=release, drop=tuple(e.id for e in ctx.held[4:]))

    def snapshot(self):
        return encode([self.knocks, self.seen])

    def restore(self, data):
        self.knocks, self.seen = decode(data)
