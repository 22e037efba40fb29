"""A policy for the world of albums: it shows what asks to be passed on, if that is retrieved, else what it holds."""

from __future__ import annotations

from collections.abc import Sequence

from simonides.sim.instructions import read_instructions
from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Action, Observation, Query, Recall, Recalled

WHOLE = 1_000
"""Items asked for: more than any album has."""


class AlbumKeeper:
    """Reads its whole album when it is to show a picture, and shows one by a rule.

    If the environment says that it `retrieves`, it shows the newest picture that carries an instruction to pass it on
    (`simonides.sim.instructions`); otherwise, and where there is none, the newest picture without one, or nothing. Its
    notes name the record that it showed. It decides as the law says and reads as a rule: nothing here is a model that
    was persuaded.
    """

    waits = False
    """Its `act` never waits for anything, so that a world need not gather it."""
    by_rule = True
    """What it believes is decided by a rule, and reports say so."""

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask for the album, where a picture is to be shown."""
        return (Query("a picture", k=WHOLE),) if "shows" in observation.info else ()

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the text of the picture that is shown, "" for none."""
        items = [item for recall in recalls for item in recall.items]
        chosen = choose(items, bool(observation.info.get("retrieves")))
        if chosen is None:
            return Action("", "")
        return Action(chosen.text, chosen.text, {"used": [chosen.record_id]})

    def snapshot(self) -> bytes:
        """Return b"": there is no state."""
        return b""

    def restore(self, data: bytes) -> None:
        """Do nothing: there is no state."""


def choose(items: Sequence[Recalled], retrieves: bool) -> Recalled | None:
    """Return the item that is shown: the newest of those that ask for it, or of the others."""
    catching = [item for item in items if any(one.copy for one in read_instructions(item.text))] if retrieves else []
    others = [item for item in items if not any(one.copy for one in read_instructions(item.text))]
    of = catching or others
    return max(reversed(of), key=lambda item: item.time) if of else None
