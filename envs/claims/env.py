"""A closed world of claims: agents see some truths, meet at random, tell each other values, and are asked.

Small on purpose, for theory (how a claim or a lie spreads through memories) and for scale (draws are vectorised, a
tick costs a few microseconds an agent). A claim is "The colour of tower 3 is red.": subject, attribute, value.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pydantic import Field

from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

VALUES = ("red", "blue", "green", "white", "black", "yellow", "purple", "orange", "brown", "pink", "grey", "gold")
TICK_SECONDS = 60.0

Ints = npt.NDArray[np.int64]
Infos = dict[str, dict[str, Any]]


SILENT = "say nothing"
"""What saying nothing is called where actions are listed."""


def claim(subject: int, value: str) -> str:
    """Return a claim as a sentence."""
    return f"The colour of tower {subject} is {value}."


class ClaimsEnv(ParallelEnv[str, Ints, int]):  # type: ignore[misc]
    """A PettingZoo ParallelEnv of n agents and k claims.

    At tick 0 each truth is seen by `witnesses` agents. Every tick each agent is given a topic, a claim that its
    partner of this tick asks it about; what it says is heard by that partner at the next tick. The action is a value:
    0 is to say nothing, i is `options[i - 1]`. Every `ask_every`-th tick is a question instead: nothing is told, and
    the reward is 1.0 for the true value of the topic.

    An observation is int64[3]: the claim heard (0 none, else its number + 1), its value (0 none), the topic. Infos
    hold `text`, `time`, `session`, `session_end`, `probe`, `experiences`, `question` (the topic in words), `topic`,
    `options`, on a question's tick `answer_key`, and with `listed` the `legal_actions` in words, for policies that
    choose by words.
    """

    metadata: dict[str, Any] = {"name": "claims_v0", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012 (PettingZoo's form)
    render_mode = None

    def __init__(
        self,
        agents: int,
        claims: int,
        values: int,
        witnesses: int,
        ticks: int,
        ask_every: int,
        seed: int,
        listed: bool = False,
    ) -> None:
        if witnesses > agents:
            raise StudyError(f"claims.witnesses: {witnesses} witnesses of {agents} agents; use at most {agents}.")
        self.n, self.k, self.ticks, self.ask_every = agents, claims, ticks, ask_every
        self.witnesses, self.options = witnesses, list(VALUES[:values])
        said = [{"text": value, "value": i} for i, value in enumerate(self.options, start=1)]
        self._listed = {"legal_actions": [{"text": SILENT, "value": 0}, *said], "noop": 0} if listed else {}
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.agents: list[str] = []
        self._spaces: dict[str, tuple[Box, Discrete[Any]]] = {}
        self._questions = [f"What is the colour of tower {i}?" for i in range(claims)]
        self._sentences = [[claim(i, value) for value in self.options] for i in range(claims)]
        self._seed = seed
        self._start()

    def observation_space(self, agent: str) -> Box:
        """Return the space of int64[3]: claim heard + 1, its value, topic."""
        return self._pair(agent)[0]

    def action_space(self, agent: str) -> Discrete[Any]:
        """Return the space of values to tell; 0 is to say nothing."""
        return self._pair(agent)[1]

    def _pair(self, agent: str) -> tuple[Box, Discrete[Any]]:
        if agent not in self._spaces:
            count = len(self.options) + 1
            high = np.array([self.k, count - 1, self.k - 1], np.int64)
            self._spaces[agent] = (Box(np.zeros(3, np.int64), high, dtype=np.int64), Discrete(count))
        return self._spaces[agent]

    def _start(self) -> None:
        rng = generator(seed_of("claims", self._seed))
        self.truth: Ints = rng.integers(1, len(self.options) + 1, self.k)
        keys = rng.random((self.k, self.n))
        self._seen: Ints = np.argsort(keys, axis=1)[:, : self.witnesses]
        self._tick = 0
        self._heard: Ints = np.zeros((self.n, 2), np.int64)
        self._from: Ints = np.full(self.n, -1, np.int64)
        self._draw()

    def _draw(self) -> None:
        """Draw this tick's topics and partners (-1 for the one left over)."""
        rng = generator(seed_of("claims", self._seed, self._tick))
        self._topics: Ints = rng.integers(0, self.k, self.n)
        order = rng.permutation(self.n)
        half = self.n // 2
        self._partner: Ints = np.full(self.n, -1, np.int64)
        self._partner[order[:half]] = order[half : 2 * half]
        self._partner[order[half : 2 * half]] = order[:half]

    @property
    def asking(self) -> bool:
        """Whether this tick is a question."""
        return self._tick > 0 and self._tick % self.ask_every == 0

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Ints], Infos]:
        """Start again, with the world of another seed if one is given."""
        if seed is not None:
            self._seed = seed
        self.agents = list(self.possible_agents)
        self._start()
        return self._views()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Ints], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let everybody tell its partner the value of the topic, or answer."""
        present = self.agents
        said = np.fromiter((actions.get(agent, 0) for agent in self.possible_agents), np.int64, self.n)
        rewards = np.zeros(self.n)
        self._heard = np.zeros((self.n, 2), np.int64)
        if self.asking:
            rewards = (said == self.truth[self._topics]).astype(float)
        else:
            self._tell(said)
        self._tick += 1
        over = self._tick >= self.ticks
        self._draw()
        observations, infos = self._views()
        ended = dict.fromkeys(present, over)
        if over:
            self.agents = []
        return (
            observations,
            dict(zip(present, rewards.tolist(), strict=True)),
            ended,
            dict.fromkeys(present, False),
            infos,
        )

    def _tell(self, said: Ints) -> None:
        heard = (self._partner >= 0) & (said[self._partner] > 0)
        teller = self._partner[heard]
        self._from = self._partner
        self._heard[heard, 0] = self._topics[teller] + 1
        self._heard[heard, 1] = said[teller]

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def snapshot(self) -> bytes:
        """Return the state as bytes; topics and partners are drawn anew from the seed and the tick."""
        return encode(
            {
                "shape": [self.n, self.k, len(self.options)],
                "seed": self._seed,
                "tick": self._tick,
                "heard": self._heard,
                "from": self._from,
                "over": not self.agents,
            }
        )

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of a world of another size."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("shape") != [self.n, self.k, len(self.options)]:
            raise CorruptFile("This snapshot is not of a claims world of this size; build the same one first.")
        self._seed = state["seed"]
        self._start()
        self._tick, self._heard, self._from = state["tick"], state["heard"], state["from"]
        self.agents = [] if state["over"] else list(self.possible_agents)
        self._draw()

    def _views(self) -> tuple[dict[str, Ints], Infos]:
        rows = np.concatenate([self._heard, self._topics[:, None]], axis=1)
        lived = self._witnessed() if self._tick == 0 else self._told()
        time, asking = TICK_SECONDS * self._tick, self.asking
        infos = {
            agent: {
                "text": " ".join([e["text"] for e in told]) if told else "",
                "time": time,
                "session": 0,
                "session_end": False,
                "probe": asking,
                "experiences": [] if asking else told,
                "question": self._questions[topic],
                "topic": topic,
                "options": self.options,
                **self._listed,
            }
            for agent, told, topic in zip(self.agents, lived, self._topics.tolist(), strict=True)
        }
        if asking:
            self._add_keys(infos)
        return dict(zip(self.agents, rows, strict=True)), infos

    def _add_keys(self, infos: Infos) -> None:
        for agent, truth in zip(self.agents, self.truth[self._topics].tolist(), strict=True):
            infos[agent]["text"] = infos[agent]["question"]
            infos[agent]["answer_key"] = {"answer": self.options[truth - 1], "topic": infos[agent]["topic"]}

    def _witnessed(self) -> list[list[dict[str, Plain]]]:
        """Return what every agent sees at the start."""
        lived: list[list[dict[str, Plain]]] = [[] for _ in range(self.n)]
        for subject, agents in enumerate(self._seen.tolist()):
            text = self._sentences[subject][int(self.truth[subject]) - 1]
            for agent in agents:
                lived[agent].append({"text": text, "speaker": "", "metadata": {"claim": subject}})
        return lived

    def _told(self) -> list[list[dict[str, Plain]]]:
        """Return what every agent hears from its partner of the tick before."""
        names, sentences = self.possible_agents, self._sentences

        def heard(who: int, subject: int, value: int) -> dict[str, Plain]:
            text = f'{names[who]} said, "{sentences[subject][value - 1]}"'
            return {"text": text, "speaker": names[who], "metadata": {"claim": subject}}

        rows = zip(self._from.tolist(), self._heard.tolist(), strict=True)
        return [[heard(who, c - 1, value)] if c else [] for who, (c, value) in rows]


def claims(
    seed: int = 0,
    world: int = 0,
    agents: Annotated[int, Field(ge=2)] = 8,
    claims: Annotated[int, Field(ge=1)] = 6,
    values: Annotated[int, Field(ge=2, le=len(VALUES))] = 6,
    witnesses: Annotated[int, Field(ge=1)] = 2,
    ticks: Annotated[int, Field(ge=1)] = 60,
    ask_every: Annotated[int, Field(ge=2)] = 5,
    listed: bool = False,
) -> ClaimsEnv:
    """Return a world of claims; `seed` and the number of the `world` fix truths, witnesses, topics and meetings.

    `listed` lists the legal actions in words, which prompted policies need and millions of ticks of others do not.
    Raises StudyError when there are more witnesses than agents.
    """
    return ClaimsEnv(agents, claims, values, witnesses, ticks, ask_every, seed_of(seed, world) >> 1, listed)
