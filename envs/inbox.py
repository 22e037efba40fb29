"""Texts that reach an agent from outside through an environment's channels: shown once, with its next observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simonides.sim.errors import ContractBroken, CorruptFile, near
from simonides.sim.types import Plain


class Inbox:
    """What was injected and is not yet shown, by agent; empty, it costs one comparison a tick."""

    def __init__(self, channels: Mapping[str, str], agents: list[str]) -> None:
        """`channels` maps each name to a sentence about it."""
        self._channels, self._agents = channels, agents
        self._waiting: dict[str, list[list[str]]] = {}

    def put(self, agent: str, channel: str, text: str) -> None:
        """Keep a text for the agent's next observation. Raises ContractBroken for an unknown agent or channel."""
        for what, asked, known in (("channel", channel, self._channels), ("agent", agent, self._agents)):
            if asked not in known:
                raise ContractBroken(f"No {what} is called {asked!r}.{near(asked, known)} Known: {', '.join(known)}.")
        self._waiting.setdefault(agent, []).append([channel, text])

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting = {}

    def show(self, infos: Mapping[str, dict[str, Any]]) -> tuple[str, ...]:
        """Add what waits to the infos' `text` and `experiences`; return the agents that were shown something."""
        if not self._waiting:
            return ()
        shown = tuple(agent for agent in infos if agent in self._waiting)
        for agent in shown:
            info, came = infos[agent], self._waiting.pop(agent)
            info["text"] = "\n".join(filter(None, [info["text"], *(text for _, text in came)]))
            lived = [{"text": text, "channel": channel} for channel, text in came]
            info["experiences"] = [*info["experiences"], *lived]
        return shown

    def texts(self) -> list[tuple[str, str]]:
        """Return channel and text of all that waits, in the order of the agents' names and of coming, each once."""
        waiting = (tuple(one) for agent in sorted(self._waiting) for one in self._waiting[agent])
        return [(channel, text) for channel, text in dict.fromkeys(waiting)]

    def plain(self) -> Plain:
        """Return what waits as plain data, for a snapshot."""
        return {agent: [list(one) for one in came] for agent, came in self._waiting.items()}

    def restore(self, state: Any) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is none."""
        if not isinstance(state, dict):
            raise CorruptFile("This snapshot does not say what was still to be shown; it is of another version.")
        self._waiting = {agent: [list(one) for one in came] for agent, came in state.items()}
