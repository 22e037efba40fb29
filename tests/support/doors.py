"""Defences that do one thing each, and agents who pass things on, for tests of the kernel."""

from typing import ClassVar

from simonides.sim.defences import ADMIT, NOTHING, Admission, Audit, DefenceCard, Screening
from simonides.sim.types import Action, Query, Tell


class Simple:
    """Stands at every door and lets everything pass; stateless."""

    card: ClassVar[DefenceCard] = DefenceCard("Simple", "tests", ("admit", "screen", "audit"))

    async def admit(self, experience, ctx):
        return ADMIT

    async def screen(self, query, items, ctx):
        return Screening(tuple(items))

    async def absorb(self, effects, ctx):
        pass

    async def audit(self, ctx):
        return NOTHING

    def snapshot(self):
        return b""

    def restore(self, data):
        pass


class Refuse(Simple):
    """Refuses what holds a word."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def admit(self, experience, ctx):
        return Admission("refuse", self.word) if self.word in experience.text else ADMIT


class Hold(Simple):
    """Holds what holds a word until a tick; with `drop` it is dropped then."""

    def __init__(self, word: str, until: int, drop: bool = False) -> None:
        self.word, self.until, self.drop = word, until, drop

    async def admit(self, experience, ctx):
        return Admission("hold", self.word) if self.word in experience.text else ADMIT

    async def audit(self, ctx):
        ids = tuple(e.id for e in ctx.held) if ctx.tick >= self.until else ()
        return Audit(drop=ids) if self.drop else Audit(release=ids)


class Distrust(Simple):
    """Trusts what holds a word by a half, and shows it."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def admit(self, experience, ctx):
        return Admission(trust=0.5) if self.word in experience.text else ADMIT

    async def screen(self, query, items, ctx):
        shown = (i._replace(trust=ctx.trust(ctx.record(i.record_id))) for i in items)
        return Screening(tuple(item for item in shown if item.trust > 0.4))


class Hide(Simple):
    """Leaves out what holds a word."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def screen(self, query, items, ctx):
        return Screening(tuple(item for item in items if self.word not in item.text))


class Broken(Simple):
    """Raises at one door."""

    def __init__(self, door: str) -> None:
        self.door = door

    async def admit(self, experience, ctx):
        return self._at("admit", ADMIT)

    async def screen(self, query, items, ctx):
        return self._at("screen", Screening(tuple(items)))

    async def audit(self, ctx):
        return self._at("audit", NOTHING)

    def _at(self, door, answer):
        if door == self.door:
            raise RuntimeError("broken")
        return answer


class Gossip:
    """Recalls what it knows of a lie every tick, and passes it on: as a note, as a message to a peer, or not."""

    def __init__(self, how: str = "note", word: str = "lie") -> None:
        self.how, self.word = how, word

    def queries(self, observation, ctx):
        return [Query(self.word, k=5)]

    async def act(self, observation, recalls, ctx):
        found = [item for recall in recalls for item in recall.items if self.word in item.text]
        if not found:
            return Action(0, "nothing")
        to = ctx.peers[0] if self.how == "message" else ""
        notes = {"used": [item.record_id for item in found], "trust": [item.trust for item in found]}
        said = Tell(f"{observation.agent} says there was a {self.word}", to)
        return Action(0, "told", notes, tells=(said,) if self.how != "nothing" else ())

    def snapshot(self):
        return b""

    def restore(self, data):
        pass
