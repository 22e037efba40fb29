"""Games of TextArena in a world: turn by turn, saved by replay, with a channel for texts from outside.

They have no expert and pose no needs, so no memory gap is measured in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from simonides.envs.adapters import TurnBased, Views
from simonides.envs.chat import Pixels
from simonides.envs.inbox import Inbox
from simonides.envs.textarena.games import GameEnv
from simonides.envs.textarena.rules import PLAYERS
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.seeds import seed_of


class TextArenaEnv(TurnBased):
    """A `GameEnv` as a ParallelEnv: one turn is one tick, and everybody hears at each tick what came with it."""

    render_mode = "rgb_array"
    channels: Mapping[str, str] = {"message": "a note from outside the game that reaches one player"}

    def __init__(self, game: GameEnv, seed: int = 0) -> None:
        super().__init__(game)
        self.metadata = self.metadata | game.metadata
        self._seed = seed
        self._game = [game.game, game.players, game.turns]
        self._inbox = Inbox(self.channels, self.possible_agents)

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to a player through a channel, with its next observation. Raises ContractBroken for neither."""
        self._inbox.put(agent, channel, text)

    def render(self) -> Pixels:
        """Return uint8[640, 640, 3]: the conversation, as one sees it who sees everything."""
        picture: Pixels = self.env.render()
        return picture

    def snapshot(self) -> bytes:
        """Return the game's name and size, what is still to be shown, and all actions since the reset."""
        return encode({"game": self._game, "inbox": self._inbox.plain(), "played": super().snapshot()})

    def restore(self, data: bytes) -> None:
        """Replay a snapshot's actions. Raises CorruptFile if it is of another game."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("game") != self._game:
            raise CorruptFile(f"This snapshot is not of {self._game[0]} with these players; build the same one first.")
        super().restore(state["played"])
        self._inbox.restore(state["inbox"])

    def _reset(self, seed: int, options: dict[str, Any] | None) -> Views:
        self._inbox.clear()
        return super()._reset(seed, options)

    def _views(self, present: list[str]) -> Views:
        observations, infos = super()._views(present)
        infos = {agent: infos[agent] | self.env.info(agent) for agent in present}
        for agent in self._inbox.show(infos):
            observations[agent] = {"text": infos[agent]["text"]}
        return observations, infos


def textarena(
    seed: int = 0,
    world: int = 0,
    game: str = "SimpleNegotiation-v0",
    players: Annotated[int | None, Field(ge=1, le=20)] = None,
    turns: Annotated[int, Field(ge=1)] = 500,
) -> TextArenaEnv:
    """Return a game of TextArena by its name there, such as "SecretMafia-v0".

    `players` is the number of players (2 where nothing is known of the game), `turns` that after which it is cut.
    The moves of SimpleNegotiation and SecretMafia are read strictly; of other games any text is handed on, and the
    game judges it. Raises StudyError for a game that does not exist or does not start, which some do not without the
    data that they would download.
    """
    count = players if players is not None else PLAYERS.get(game.split("-")[0], 2)
    return TextArenaEnv(GameEnv(game, count, turns), seed_of(seed, world) >> 33)
