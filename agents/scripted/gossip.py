"""A believer that passes on: what it recalls about the topic of the moment it notes down where it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from simonides.agents.scripted.believer import Believer, Profile
from simonides.sim.claims import Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need
from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, Observation, Query, Recall, Tell


class Gossiper(Believer):
    """Does what `believer` does, and notes what it hears of.

    At a tick that poses no need but names a matter (`matter` in the info: a subject, an attribute and their grammar) it
    recalls the `question`, and notes the newest claim about the matter that it finds in the spaces that it writes, if
    that is not what it noted of this matter last. So what one agent knows reaches those who read its spaces, then those
    who read theirs. It passes on without judging: the newest claim wins, true or false.
    """

    def __init__(
        self, profile: Profile = "recent", recall: bool = True, k: Annotated[int, Field(ge=1)] = 10
    ) -> None:  # fmt: skip
        """The parameters are those of `believer`."""
        super().__init__(profile, recall, k)
        self._noted: dict[str, str] = {}
        """Matter -> the text that was noted on it last."""

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask for what is needed, or else for the topic."""
        asked = super().queries(observation, ctx)
        topic = str(observation.info.get("question", ""))
        return asked or ((Query(topic, k=self.k),) if _matter(observation) and self.recalls else ())

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the believer's action, with a note where there is something new to pass on."""
        matter = _matter(observation)
        action = await super().act(observation, recalls if matter is None else (), ctx)
        items = [item for recall in recalls for item in recall.items if matter is not None and matter.is_in(item.text)]
        if not items or matter is None:
            return action
        newest = max(items, key=lambda item: (item.time, item.score))
        if self._noted.get(matter.id) == newest.text:
            return action
        self._noted[matter.id] = newest.text
        return replace(action, notes={**action.notes, "used": [newest.record_id]}, tells=(Tell(newest.text),))

    def snapshot(self) -> bytes:
        """Return what was learned of others and what was noted."""
        return encode({"believer": super().snapshot(), "noted": self._noted})

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is none."""
        state = decode(data)
        if not isinstance(state, dict) or not {"believer", "noted"} <= set(state):
            raise CorruptFile("This snapshot is not of a gossiper.")
        super().restore(state["believer"])
        self._noted = dict(state["noted"])


@dataclass(frozen=True, slots=True)
class Matter:
    """What may be passed on."""

    subject: str
    attribute: str
    grammar: Grammar

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.attribute} of {self.subject}"

    def is_in(self, text: str) -> bool:
        """Return True when a text claims something about it."""
        return any((one.subject, one.attribute) == (self.subject, self.attribute) for one in self.grammar.read(text))


def _matter(observation: Observation) -> Matter | None:
    """Return what may be passed on now; None where something is needed or measured, or nothing is named."""
    told = observation.info.get("matter")
    if not told or Need.of(observation.info) is not None or observation.info.get("probe"):
        return None
    return Matter(told["subject"], told["attribute"], Grammar(Form(*form) for form in told["grammar"]))
