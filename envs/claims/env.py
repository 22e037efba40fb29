"""A closed world of claims: agents see some truths, meet at random, tell each other values, and are asked.

Small on purpose, for theory (how a claim or a lie spreads through memories) and for scale (draws are vectorised, a
tick costs a few microseconds an agent). A claim is "The colour of tower 3 is red.": subject, attribute, value.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pydantic import Field

from simonides.envs.claims.picture import Spoken, draw_circle
from simonides.envs.claims.wording import GRAMMAR, SILENT, VALUES, claim, need, question, tower, verdict
from simonides.envs.inbox import Inbox
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.needs import Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

TICK_SECONDS = 60.0

Ints = npt.NDArray[np.int64]
Seer = Literal["anyone", "self", "other"]
Infos = dict[str, dict[str, Any]]


class ClaimsEnv(ParallelEnv[str, Ints, int]):  # type: ignore[misc]
    """A PettingZoo ParallelEnv of n agents and k claims.

    At tick 0 each truth is seen by `witnesses` agents. Every tick each agent is given a topic, a claim that its
    partner of this tick asks it about; what it says is heard by that partner at the next tick. The action is a value:
    0 is to say nothing, i is `options[i - 1]`. Every `ask_every`-th tick is a question instead: nothing is told, and
    the reward is 1.0 for the true value of the topic.

    An observation is int64[3]: the claim heard (0 none, else its number + 1), its value (0 none), the topic. Infos
    hold `text`, `time`, `session`, `session_end`, `probe`, `experiences`, `question` (the topic in words), `topic`,
    `options`, and on a question's tick `answer_key`; `illegal` after an action that is no value's number, which counts
    as silence.

    With `listed` they hold the `legal_actions` in words, too, and each question is a need of the task `seen-claim`:
    one of `options` is asked for, and the next tick tells the `outcome` and the verdict (so nobody is asked at the last
    tick). The plan for all other ticks is to say nothing, so that what is recalled was seen or shared, not told on.
    `seer` chooses who is asked for what; an agent whom nothing fits is asked for any claim, and that is no need.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "claims_v0", "render_modes": ["rgb_array"], "render_fps": 2, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels: Mapping[str, str] = {
        "rumour": "an unsigned note that reaches one agent",
        "message": "what another agent writes to one agent",
        "note": "a signed note in a hand that everybody knows",
    }
    message_channel = "message"

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
        seer: Seer = "anyone",
        reveal: bool = True,
        teams: int = 1,
    ) -> None:
        if witnesses > agents:
            raise StudyError(f"claims.witnesses: {witnesses} witnesses of {agents} agents; use at most {agents}.")
        self.n, self.k, self.ticks, self.ask_every = agents, claims, ticks, ask_every
        self.witnesses, self.options = witnesses, list(VALUES[:values])
        said = [{"text": value, "value": i} for i, value in enumerate(self.options, start=1)]
        self._absent: set[str] = set()
        """Agents that were removed: they meet nobody who hears them, and are not asked."""
        self._listed = {"legal_actions": [{"text": SILENT, "value": 0}, *said], "noop": 0} if listed else {}
        self._seer, self._reveal = seer, reveal
        self._shape = [agents, claims, values, witnesses, ticks, ask_every, listed, seer, reveal]
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.teams = {name: f"team {i % teams}" for i, name in enumerate(self.possible_agents)} if teams > 1 else {}
        self.agents: list[str] = []
        self._spaces: dict[str, tuple[Box, Discrete[Any]]] = {}
        self._questions = [question(i) for i in range(claims)]
        self._inbox = Inbox(self.channels, self.possible_agents)
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
        self._answered: Ints | None = None
        """Topic and answer of every agent, at the tick after a question; the topic is -1 where there was no need."""
        self._illegal: Ints = np.zeros(self.n, np.int64)
        self._refused: dict[int, str] = {}
        self._inbox.clear()
        self._draw()

    def _draw(self) -> None:
        """Draw this tick's topics and partners (-1 for the one left over)."""
        rng = generator(seed_of("claims", self._seed, self._tick))
        self._topics: Ints = rng.integers(0, self.k, self.n)
        self._posed: npt.NDArray[np.bool_] = np.ones(self.n, np.bool_)
        if self._seer != "anyone" and self.asking:
            self._draw_fitting()
        order = rng.permutation(self.n)
        half = self.n // 2
        self._partner: Ints = np.full(self.n, -1, np.int64)
        self._partner[order[:half]] = order[half : 2 * half]
        self._partner[order[half : 2 * half]] = order[:half]

    def _draw_fitting(self) -> None:
        """Draw topics anew from the claims that `seer` allows; an agent without any keeps its topic."""
        fits = np.zeros((self.n, self.k), np.bool_)
        fits[self._seen, np.arange(self.k)[:, None]] = True
        fits = fits if self._seer == "self" else ~fits
        keys = generator(seed_of("claims", self._seed, self._tick, self._seer)).random(fits.shape)
        self._posed = np.asarray(fits.any(axis=1))
        self._topics = np.where(self._posed, np.where(fits, keys, -1.0).argmax(axis=1), self._topics)

    @property
    def asking(self) -> bool:
        """Whether this tick is a question."""
        due = self._tick > 0 and self._tick % self.ask_every == 0
        return due and not (self._listed and self._tick + 1 >= self.ticks)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Ints], Infos]:
        """Start again, with the world of another seed if one is given."""
        if seed is not None:
            self._seed = seed
        self.agents, self._absent = list(self.possible_agents), set()
        self._start()
        return self._views()

    def remove_agent(self, agent: str) -> None:
        """Take an agent out of the world. ValueError if it is none that is there."""
        self.agents.remove(agent)
        self._absent.add(agent)

    def add_agent(self, agent: str) -> None:
        """Let an agent that was removed come back: it sees the world from the next step on."""
        self._absent.discard(agent)
        self.agents = [one for one in self.possible_agents if one not in self._absent]

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Ints], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let everybody tell its partner the value of the topic, or answer."""
        present = self.agents
        said = self._legal(actions)
        rewards = np.zeros(self.n)
        self._heard = np.zeros((self.n, 2), np.int64)
        self._answered = None
        if self.asking:
            rewards = (said == self.truth[self._topics]).astype(float)
            if self._listed:
                self._answered = np.stack([np.where(self._posed, self._topics, -1), said], axis=1)
        else:
            self._tell(said)
        self._tick += 1
        over = self._tick >= self.ticks
        self._draw()
        if self._absent:
            rewards = rewards[[agent not in self._absent for agent in self.possible_agents]]
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

    def _legal(self, actions: Mapping[str, Any]) -> Ints:
        """Return everybody's action, 0 where it is none of the space's, and note those."""
        given = [actions.get(agent, 0) for agent in self.possible_agents]
        self._refused = {}
        try:
            said = np.fromiter(map(index, given), np.int64, self.n)
        except (TypeError, ValueError, OverflowError):
            said = np.array([_number(one) for one in given], np.int64)
        wrong = (said < 0) | (said > len(self.options))
        if wrong.any():
            self._refused = {int(i): f"{given[i]!r:.80}" for i in np.flatnonzero(wrong)}
            self._illegal += wrong
            said[wrong] = 0
        return said

    def _tell(self, said: Ints) -> None:
        heard = (self._partner >= 0) & (said[self._partner] > 0)
        teller = self._partner[heard]
        self._from = self._partner
        self._heard[heard, 0] = self._topics[teller] + 1
        self._heard[heard, 1] = said[teller]

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent through a channel, with its next observation. Raises ContractBroken for neither."""
        self._inbox.put(agent, channel, text)

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[640, 640, 3]: the agents on a circle, and who has just told whom what, or what all are asked."""
        if self.asking:
            asked = [f"{tower(topic)}?" for topic in self._topics.tolist()]
            return draw_circle(self.possible_agents, f"tick {self._tick}: everybody is asked", notes=asked)
        rows = enumerate(zip(self._from.tolist(), self._heard.tolist(), strict=True))
        spoken = [Spoken(who, to, tower(c - 1), self.options[v - 1]) for to, (who, (c, v)) in rows if c]
        seen = [self._own(lived) for lived in self._witnessed()] if self._tick == 0 else ()
        doing = "what each has seen" if self._tick == 0 else "who told whom what"
        return draw_circle(self.possible_agents, f"tick {self._tick}: {doing}", spoken, seen)

    def _own(self, lived: list[dict[str, Any]]) -> str:
        """Return what an agent has seen at the first tick, for its place on the circle."""
        topics = [one["metadata"]["claim"] for one in lived]
        return "\n".join(f"{topic}: {self.options[int(self.truth[topic]) - 1]}" for topic in topics)

    def snapshot(self) -> bytes:
        """Return the state as bytes; topics and partners are drawn anew from the seed and the tick."""
        return encode(
            {
                "shape": self._shape,
                "seed": self._seed,
                "tick": self._tick,
                "heard": self._heard,
                "from": self._from,
                "answered": self._answered,
                "illegal": self._illegal,
                "refused": [[who, asked] for who, asked in self._refused.items()],
                "inbox": self._inbox.plain(),
                "over": not self.agents,
                "absent": sorted(self._absent),
            }
        )

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of a world of another size or of other parameters."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of a claims world of this size; build the same one first.")
        self._seed = state["seed"]
        self._start()
        self._tick, self._heard, self._from = state["tick"], state["heard"], state["from"]
        self._answered, self._illegal = state["answered"], state["illegal"]
        self._refused = dict(state["refused"])
        self._inbox.restore(state["inbox"])
        self._absent = set(state["absent"])
        self.agents = [] if state["over"] else [one for one in self.possible_agents if one not in self._absent]
        self._draw()

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about a tower of this world as it stands; a reset with another seed draws new truths.

        Holds `text`, `tick` (the first), `agent`, `channel`, `subject`, `attribute`, the false `value`, the `truth`.
        """
        topic, agent = int(rng.integers(self.k)), self.possible_agents[int(rng.integers(self.n))]
        truth = self.options[int(self.truth[topic]) - 1]
        value = str(rng.choice([value for value in self.options if value != truth]))
        return {
            "text": claim(topic, value), "tick": 0, "agent": agent, "channel": "rumour", "subject": tower(topic),
            "attribute": "colour", "value": value, "truth": truth, "question": question(topic),
            "options": list(self.options), "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    def _views(self) -> tuple[dict[str, Ints], Infos]:
        rows = np.concatenate([self._heard, self._topics[:, None]], axis=1)
        lived = self._witnessed() if self._tick == 0 else self._told()
        topics = self._topics.tolist()
        if self._absent:
            there = [i for i, agent in enumerate(self.possible_agents) if agent not in self._absent]
            rows, lived, topics = rows[there], [lived[i] for i in there], [topics[i] for i in there]
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
            for agent, told, topic in zip(self.agents, lived, topics, strict=True)
        }
        if asking:
            self._add_keys(infos)
        for who, asked in self._refused.items():
            infos[self.possible_agents[who]]["illegal"] = {"asked": asked, "legal": [SILENT, *self.options]}
        if self._listed:
            self._add_needs(infos)
        self._inbox.show(infos)
        return dict(zip(self.agents, rows, strict=True)), infos

    def _add_needs(self, infos: Infos) -> None:
        """Pose the questions as needs, and tell how those of the tick before ended."""
        for n, agent in enumerate(self.possible_agents):
            info = infos.get(agent)
            if info is None:
                continue
            if self.asking and self._posed[n]:
                info["need"] = need(agent, self._tick, info["topic"], self.options).plain()
            else:
                info["plan"] = SILENT
                info["matter"] = {"subject": tower(info["topic"]), "attribute": "colour", "grammar": GRAMMAR.plain()}
            verdicts: list[Plain] = []
            if self._answered is not None and self._answered[n, 0] >= 0:
                ended = self._verdict(agent, *self._answered[n].tolist())
                verdicts.append(ended.plain())
                info["outcome"] = {"need": ended.need, "truth": ended.truth}
                info["text"] = f"The answer to the last question was {ended.truth}. {info['text']}".strip()
            info["answer_key"] = info.get("answer_key", {}) | {"verdicts": verdicts, "illegal": int(self._illegal[n])}

    def _verdict(self, agent: str, topic: int, said: int) -> Verdict:
        """Return how the need of the tick before ended."""
        seen = 0 if self._reveal else -1
        return verdict(agent, self._tick - 1, topic, self.options, said, int(self.truth[topic]), seen, self.k - 1)

    def _add_keys(self, infos: Infos) -> None:
        truths = dict(zip(self.possible_agents, self.truth[self._topics].tolist(), strict=True))
        for agent, truth in ((agent, truths[agent]) for agent in self.agents):
            infos[agent]["text"] = infos[agent]["question"]
            infos[agent]["answer_key"] = {"answer": self.options[truth - 1], "topic": infos[agent]["topic"]}

    def _witnessed(self) -> list[list[dict[str, Plain]]]:
        """Return what every agent sees at the start."""
        lived: list[list[dict[str, Plain]]] = [[] for _ in range(self.n)]
        if not self._reveal:
            return lived
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
            at = self._tick - 1
            return {"text": text, "speaker": names[who], "metadata": {"claim": subject}, "heard": (names[who], at)}

        rows = zip(self._from.tolist(), self._heard.tolist(), strict=True)
        return [[heard(who, c - 1, value)] if c else [] for who, (c, value) in rows]


def _number(value: Any) -> int:
    """Return an action's number, 0 for "", which is what one does who has nothing to do, and -1 for what is none."""
    if isinstance(value, str) and value == "":
        return 0
    try:
        number = index(value)
    except TypeError:
        return -1
    return number if 0 <= number <= len(VALUES) else -1


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
    seer: Seer = "anyone",
    reveal: bool = True,
    teams: Annotated[int, Field(ge=1)] = 1,
) -> ClaimsEnv:
    """Return a world of claims; `seed` and the number of the `world` fix truths, witnesses, topics and meetings.

    `listed` lists the legal actions in words and poses questions as needs, which policies that choose by words read and
    millions of ticks of others do not. `seer`: agents are asked for claims that they have seen themselves ("self"),
    that only others have seen ("other"), or any ("anyone"). With `teams` agents are dealt to as many, for the wiring
    `team`. `reveal=False` hides what the witnesses see. The delay of
    a need is the time since the first tick; there are no sessions, and the other claims are its distractors. Raises
    StudyError when there are more witnesses than agents.
    """
    return ClaimsEnv(
        agents, claims, values, witnesses, ticks, ask_every, seed_of(seed, world) >> 1, listed, seer, reveal, teams
    )
