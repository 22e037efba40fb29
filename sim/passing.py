"""Texts that were put into a world's channels, by agents or by an intervention, until whoever gets them has them.

Environments deliver texts in their own ways: as an experience, on a screen, in a message that is read later. What an
agent lived is recognised as holding such a text by its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simonides.sim.errors import ContractBroken, PartFailed
from simonides.sim.types import Experience, Plain

KEPT = 64
"""Messages that are looked for, an agent: older ones count as read."""


@dataclass(slots=True)
class Passing:
    """Messages between the agents of one world, by receiver: text -> (speaker, tick)."""

    said: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)

    def put(self, to: str, text: str, speaker: str, tick: int) -> None:
        """Note a message on its way."""
        mine = self.said.setdefault(to, {})
        mine.pop(text, None)
        mine[text] = (speaker, tick)
        if len(mine) > KEPT:
            del mine[next(iter(mine))]

    def heard(self, agent: str, text: str) -> Iterator[tuple[str, int]]:
        """Yield who said what an experience of this text holds, and when."""
        for words, source in self.said.get(agent, {}).items():
            if words in text:
                yield source

    def plain(self) -> Plain:
        """Return the state for a checkpoint."""
        return {to: [[text, *source] for text, source in mine.items()] for to, mine in self.said.items()}

    def restore(self, state: Mapping[str, Plain]) -> None:
        """Go on from a checkpoint."""
        self.said = {to: {text: (who, tick) for text, who, tick in mine} for to, mine in state.items()}


def channel_of(environment: Any) -> str:
    """Return the channel by which agents of an environment reach each other. Raises ContractBroken where none does."""
    named = getattr(environment, "message_channel", None)
    found = named if named is not None else next(iter(getattr(environment, "channels", {})), None)
    if found is None or not hasattr(environment, "inject"):
        raise ContractBroken("An agent sent a message, but its environment offers no channel (`channels`, `inject`).")
    return str(found)


def inject(environment: Any, agent: str, channel: str, text: str) -> list[str]:
    """Put a text into a channel; return the call as plain data. Raises PartFailed where the environment raises."""
    try:
        environment.inject(agent, channel, text)
    except Exception as error:
        raise PartFailed(f"the environment raised {type(error).__name__}: {error}") from error
    return ["inject", agent, channel, text]


def touched(experience: Experience, injected: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the ids of the injections whose text an experience holds; `injected` maps each to (agent, text)."""
    return [id for id, (agent, text) in injected.items() if agent == experience.agent and text in experience.text]
