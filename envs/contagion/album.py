"""Process F in the platform's own loop: agents meet in pairs, one shows a picture of its album, the other stores one.

The album is whatever remembers: with the memory `window` of A turns it is first in, first out, and the infected agents
are those of `vectorised.AlbumWorld`, which makes the same draws. The law is that of Gu et al., *Agent Smith* (arXiv
2402.08567).
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Dict
from pydantic import Field

from simonides.envs.claims.picture import Spoken, draw_circle
from simonides.envs.contagion.vectorised import Meetings, meetings, round_generator
from simonides.envs.seeded import Seeded
from simonides.envs.text_space import AnyText
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.seeds import seed_of

FILLING = 2
"""Ticks before the first round: albums are filled at 0, and what an attack puts into them at 1 is read from 2 on."""
TICK_SECONDS = 60.0
SEEN = ("barn", "bridge", "heron", "kettle", "ladder", "meadow", "mill", "orchard", "pier", "quarry", "stove", "willow")

Infos = dict[str, dict[str, Any]]
View = dict[str, str]


def asking_tick(round_: int) -> int:
    """Return the tick at which the questioners of a round read and show; what was stored then counts before it."""
    return FILLING + 2 * round_


class AlbumEnv(Seeded):
    """A PettingZoo ParallelEnv of an even number of agents, who meet once a round in uniformly random pairs.

    At tick 0 every agent sees `album` pictures of its own. Round r takes two ticks. At `asking_tick(r)` a fair coin has
    chosen the questioner of each pair; its info says `shows` (to whom) and `retrieves` (whether a picture that asks to
    be passed on would be retrieved now, probability alpha), and its action is the text of the picture that it shows, ""
    for none. At the tick after, the answerer is told that picture, as `heard` from the questioner, if it accepts
    (probability beta) and was shown any; else it sees a picture of its own, whose metadata says whom it `met`. Either
    way it lives one experience, and nobody else any: all reads of a round come before its stores, and all its stores
    before the next.

    Draws are those of `vectorised.meetings` for (seed, round). What is seen is {"text": a text}, and actions are texts;
    rewards are 0.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "album_v0", "render_modes": ["rgb_array"], "render_fps": 2, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"

    def __init__(self, agents: int, album: int, alpha: float, beta: float, rounds: int, seed: int) -> None:
        if agents % 2:
            raise StudyError(f"album.agents: agents meet in pairs, so their number is even; found {agents}.")
        self.n, self.album, self.alpha, self.beta, self.rounds, self._seed = agents, album, alpha, beta, rounds, seed
        self._shape = [agents, album, alpha, beta, rounds]
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.agents: list[str] = []
        self._seen, self._text = Dict({"text": AnyText()}), AnyText()
        self._begin()

    def observation_space(self, agent: str) -> Dict:
        """Return the space of what an agent may see: a Dict with one text."""
        return self._seen

    def action_space(self, agent: str) -> AnyText:
        """Return the space of all texts: the picture that is shown, "" for none."""
        return self._text

    def _begin(self) -> None:
        self._tick = 0
        self._shown: list[str] = []
        """What the questioners of this round have shown, in pair order; [] while they have not."""
        self._met = self._draw()

    def _draw(self) -> Meetings:
        round_ = max(0, self._tick - FILLING) // 2
        return meetings(round_generator(self._seed, round_), self.n, self.alpha, self.beta)

    @property
    def _asking(self) -> bool:
        return self._tick >= FILLING and (self._tick - FILLING) % 2 == 0

    def step(
        self, actions: dict[str, str]
    ) -> tuple[dict[str, View], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let the questioners show, or the answerers store, and go on by one tick."""
        asked, there = self._asking, self.agents
        names, questioners = self.possible_agents, self._met.questioners.tolist()
        self._shown = [str(actions.get(names[who], "") or "") for who in questioners] if asked else []
        self._tick += 1
        over = self._tick >= asking_tick(self.rounds)
        if self._asking:
            self._met = self._draw()
        observations, infos = self._views()
        if over:
            self.agents = []
        return (
            observations, dict.fromkeys(there, 0.0), dict.fromkeys(there, over), dict.fromkeys(there, False), infos
        )  # fmt: skip

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def _views(self) -> tuple[dict[str, View], Infos]:
        idle = {"text": "", "time": TICK_SECONDS * self._tick, "experiences": []}
        infos = dict.fromkeys(self.agents, idle)
        if self._tick == 0:
            infos = {agent: idle | self._album(i) for i, agent in enumerate(self.agents)}
        elif self._asking:
            infos |= {agent: idle | told for agent, told in self._asks().items()}
        elif self._shown:
            infos |= {agent: idle | told for agent, told in self._answers().items()}
        return {agent: {"text": str(info["text"])} for agent, info in infos.items()}, infos

    def _album(self, agent: int) -> dict[str, Any]:
        return {
            "text": "Your album is filled.",
            "experiences": [{"text": self._own(agent, n)} for n in range(self.album)],
        }

    def _own(self, agent: int, n: int) -> str:
        """Return the n-th picture of an agent's own."""
        return f"Picture {agent}.{n}: a {SEEN[seed_of(self._seed, 'picture', str(agent), n) % len(SEEN)]}."

    def _asks(self) -> Infos:
        """Return what the questioners of this round are told."""
        names, met = self.possible_agents, self._met
        rows = zip(met.questioners.tolist(), met.answerers.tolist(), met.retrieved.tolist(), strict=True)
        return {
            names[who]: {"text": f"Show {names[to]} a picture of your album.", "shows": names[to], "retrieves": found}
            for who, to, found in rows
        }

    def _answers(self) -> Infos:
        """Return what the answerers of this round live through."""
        names, met = self.possible_agents, self._met
        rows = zip(met.questioners.tolist(), met.answerers.tolist(), met.accepted.tolist(), self._shown, strict=True)
        told: Infos = {}
        for who, to, accepts, shown in rows:
            if accepts and shown:
                lived = {"text": shown, "speaker": names[who], "heard": [names[who], self._tick - 1]}
            else:
                note = {"met": [names[who], self._tick - 1]}
                lived = {"text": self._own(to, self.album + self._tick), "metadata": note}
            told[names[to]] = {"text": lived["text"], "experiences": [lived]}
        return told

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[640, 640, 3]: the agents on a circle, and who has just shown whom a picture."""
        rows = zip(self._met.questioners.tolist(), self._met.answerers.tolist(), self._shown, strict=False)
        shown = [Spoken(who, to, "", "red" if ";" in text else "grey") for who, to, text in rows if text]
        return draw_circle(self.possible_agents, f"tick {self._tick}: who shows whom a picture", shown)

    def snapshot(self) -> bytes:
        """Return the state as bytes; meetings are drawn anew from the seed and the round."""
        state = {"shape": self._shape, "seed": self._seed, "tick": self._tick, "shown": self._shown}
        return encode(state | {"over": not self.agents})

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of a world of other parameters."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of an album world of these parameters; build the same one first.")
        self._seed, self._tick, self._shown = state["seed"], state["tick"], list(state["shown"])
        self._met = self._draw()
        self.agents = [] if state["over"] else list(self.possible_agents)


def album(
    seed: int = 0,
    world: int = 0,
    agents: Annotated[int, Field(ge=2)] = 60,
    album: Annotated[int, Field(ge=1)] = 10,
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 0.8,
    beta: Annotated[float, Field(ge=0.0, le=1.0)] = 0.6,
    rounds: Annotated[int, Field(ge=1)] = 60,
) -> AlbumEnv:
    """Return a world of albums; `seed` and the number of the `world` fix who meets whom and what chance decides.

    Use it with the policy `album-keeper`, the wiring `private` and the memory `{name: window, turns: A}`, A the same
    as `album`. A trial lasts 2 ticks and 2 more a round. Raises StudyError for an odd number of agents.
    """
    return AlbumEnv(agents, album, alpha, beta, rounds, seed_of(seed, world) >> 1)
