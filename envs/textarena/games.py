"""A game of TextArena as a PettingZoo AEC environment, with randomness of its own and what each player has heard.

TextArena draws from Python's and numpy's global generators, even while it is imported. Around every call their states
are put aside and the game's own are put in, so that nothing outside is changed and nothing outside changes the game.
"""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Dict
from pettingzoo import AECEnv

from simonides.envs.chat import Bubble, Pixels, draw_chat
from simonides.envs.text_space import AnyText
from simonides.envs.textarena.dice import Dice, untouched
from simonides.envs.textarena.rules import LONGEST, RULES, Moves, anything
from simonides.sim.errors import StudyError, near
from simonides.sim.seeds import seed_of

with untouched():
    import textarena
    from textarena.envs.registration import ENV_REGISTRY

TURN_SECONDS = 60.0
GAME = "Game"
"""Who speaks where the game does."""


class GameEnv(AECEnv):  # type: ignore[misc]
    """One game. An observation is `{"text": ...}`, an action a text; player_3 is the game's "Player 3".

    To the player to move the text says the game's prompt, what came since that player's last turn, and the moves; to
    the others what came with this turn. Nobody is shown the whole transcript: what came before is for memories. Infos
    hold `text`, `time`, `session`, `session_end`, `experiences` (each message that came with this turn), `illegal`,
    `answer_key`, and for the player to move `legal_actions` where the moves can be listed, else `action_schema`.

    An action that is no move changes nothing, and the same player is to move again. After `turns` turns, illegal
    ones counted, the game is cut. Rewards are TextArena's: at the end, 1 for who won, -1 for who lost.
    """

    metadata = {  # noqa: RUF012 (PettingZoo's form)
        "name": "textarena_v0", "render_modes": ["rgb_array"], "render_fps": 1, "is_parallelizable": False,
    }  # fmt: skip
    render_mode = "rgb_array"

    def __init__(self, game: str, players: int, turns: int) -> None:
        """Raises StudyError for a game that does not exist or does not start."""
        super().__init__()
        if game not in ENV_REGISTRY:
            raise StudyError(f"textarena.game: no game is called {game!r}.{near(game, ENV_REGISTRY)}")
        self.game, self.players, self.turns = game, players, turns
        self.possible_agents = [f"player_{i}" for i in range(players)]
        self._rules = RULES.get(game.split("-")[0], anything)
        self._spaces = {agent: (Dict({"text": AnyText()}), AnyText()) for agent in self.possible_agents}
        self._first = 0
        try:
            self.reset(0)
        except (AssertionError, ImportError, LookupError, OSError, SyntaxError, ValueError) as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise StudyError(f"textarena: {game} with {players} players does not start here: {why:.300}") from error

    def observation_space(self, agent: str) -> Dict:
        """Return the space of what an agent may read: a Dict with one text."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> AnyText:
        """Return the space of texts."""
        return self._spaces[agent][1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a game; without a seed the one before is taken again."""
        self._first = seed if seed is not None else self._first
        drawn = seed_of("textarena", self.game, self._first)
        self._dice = Dice(drawn)
        raw = f"{self.game}-raw" if f"{self.game}-raw" in ENV_REGISTRY else self.game
        with self._dice.rolling():
            self._env = textarena.make(raw)
            self._env.reset(num_players=self.players, seed=drawn)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations, self.truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False)
        self._turn = 0
        self._prompts = dict.fromkeys(self.agents, "")
        self._came: dict[str, list[tuple[str, str]]] = {agent: [] for agent in self.agents}
        self._since: dict[str, list[tuple[str, str]]] = {agent: [] for agent in self.agents}
        self._illegal = dict.fromkeys(self.agents, 0)
        self._refused: dict[str, Any] = {}
        self._go_on()

    def step(self, action: Any) -> None:
        """Let the player to move do what the text says, if it is a move."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._refused = {}
        self._turn += 1
        moves = self._moves()
        move = moves.move(action)
        if move is None:
            self._illegal[agent] += 1
            self._refused = {agent: {"asked": f"{action!r:.80}", "legal": list(moves.listed) or [moves.words]}}
            self._came = {one: [] for one in self.possible_agents}
        else:
            self._since[agent] = []
            with self._dice.rolling():
                done, _ = self._env.step(action=move)
                if done:
                    self._end()
        self.truncations = dict.fromkeys(self.agents, self._turn >= self.turns and not self._env.state.done)
        self._go_on(heard=move is not None)
        self._accumulate_rewards()

    def _end(self) -> None:
        earned, _ = self._env.close()
        for i, agent in enumerate(self.possible_agents):
            self.rewards[agent] = float((earned or {}).get(i, 0.0))
            self.terminations[agent] = True

    def _go_on(self, heard: bool = True) -> None:
        """Take what the game has said to each player, and see whose turn it is."""
        if heard:
            self._hear()
        self.agent_selection = f"player_{self._env.state.current_player_id}"
        self.infos = {agent: self.info(agent) for agent in self.agents}

    def _hear(self) -> None:
        state = self._env.state
        with self._dice.rolling():  # a game may add its board while it is looked at
            mover, shown = self._env.get_observation()
        for i, agent in enumerate(self.possible_agents):
            came, state.observations[i] = (shown if i == mover else state.observations[i]), []
            self._came[agent] = []
            for sender, message, kind in came if isinstance(came, list) else [(-1, str(came), None)]:
                if kind is textarena.ObservationType.PROMPT:
                    self._prompts[agent] = message.strip()
                else:
                    self._came[agent].append((self._name(sender), message.strip()))
            self._since[agent] += self._came[agent]

    def _name(self, sender: int) -> str:
        return (
            GAME if sender == textarena.GAME_ID else str(self._env.state.role_mapping.get(sender, f"Player {sender}"))
        )

    def _moves(self) -> Moves:
        return self._rules(self._env, self._env.state.current_player_id)

    def observe(self, agent: str) -> dict[str, str]:
        """Return what an agent reads now."""
        return {"text": self._text(agent)}

    def _to_move(self, agent: str) -> bool:
        return agent == self.agent_selection and not (self.terminations.get(agent) or self.truncations.get(agent))

    def _text(self, agent: str) -> str:
        if agent != self.agent_selection or self._env.state.done:
            return "\n".join(_line(*one) for one in self._came[agent])
        came = "\n".join(_line(*one) for one in self._since[agent])
        return "\n\n".join(filter(None, [self._prompts[agent], came, f"It is your turn. {self._moves().words}"]))

    def info(self, agent: str) -> dict[str, Any]:
        """Return what an agent is told beside its observation, also after its end."""
        info: dict[str, Any] = {
            "text": self._text(agent),
            "time": TURN_SECONDS * self._turn,
            "session": 0,
            "session_end": False,
            "experiences": [{"text": _line(*one), "speaker": one[0]} for one in self._came[agent]],
            "answer_key": {"verdicts": [], "illegal": self._illegal[agent]},
        }
        if agent in self._refused:
            info["illegal"] = self._refused[agent]
        return info | (self._acting() if self._to_move(agent) else {"noop": ""})

    def _acting(self) -> dict[str, Any]:
        moves = self._moves()
        if moves.listed:
            return {"legal_actions": [{"text": one, "value": one} for one in moves.listed]}
        quiet = {} if moves.move("") is None else {"noop": ""}
        return {"action_schema": {"type": "string", "maxLength": LONGEST}, **quiet}

    def render(self) -> Pixels:
        """Return uint8[640, 640, 3]: all that was said last, also in secret, and who is to move."""
        prompts = set(self._prompts.values())
        said: list[Bubble] = []
        for sender, message in self._env.state.logs:
            bubble = Bubble(self._name(sender), message.strip())
            if bubble.text not in prompts and (not said or said[-1] != bubble):
                said.append(bubble)
        names = [f"Player {i}" for i in range(self.players)]
        last = (
            "The game is over." if self._env.state.done else f"{names[self._env.state.current_player_id]} is to move."
        )
        return draw_chat(said, names, f"{self.game}, turn {self._turn}", [last])

    def close(self) -> None:
        """Do nothing: no resource is held."""


def _line(speaker: str, message: str) -> str:
    """Return a message as it is read and remembered."""
    if speaker == GAME:
        return message
    return f'{speaker} said, "{message}"' if message else f"{speaker} said nothing."
