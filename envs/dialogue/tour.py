"""The dialogue family's interdependent sessions: a tour is planned stop by stop, each from where the last one was.

| task | the fact | when it is told | when it is needed |
|---|---|---|---|
| `chain` | where stop k-1 was, as it came out | at the end of session k-1 | at the end of session k, to choose stop k |
| `asked again` | where stop k was | the same | at the end, for all stops but the last |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Dict
from pettingzoo import ParallelEnv

from simonides.envs.chat import Bubble, Pixels, draw_chat
from simonides.envs.dialogue.dates import DAY, seconds
from simonides.envs.dialogue.generator import DAY_SECONDS, START, TURN_SECONDS
from simonides.envs.dialogue.phrases import KINDS, NAMES, SMALL_TALK
from simonides.envs.inbox import Inbox
from simonides.envs.stages import AGAIN, TASK, Stages, draw
from simonides.envs.text_space import AnyText
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

Heard = dict[str, dict[str, str]]
Infos = dict[str, dict[str, Any]]

GRAMMAR = Grammar([Form("place", "The place of {subject} is {value}.", "The place of {subject} is not {value}.")])
LISTEN, SILENT = "listen", "say nothing"
CITIES = KINDS["city"].values


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick is for: a turn of talk, the choice of a stop, its outcome, a question, or the end."""

    kind: Literal["turn", "choose", "outcome", "again", "end"]
    session: int
    stop: int
    """The stop that is chosen, that came out, or that is asked for."""
    text: str = ""
    speaker: str = ""
    distractors: int = 0
    """Other people's visits told so far."""


def stop(number: int) -> str:
    """Return the name of a stop, as claims have it."""
    return f"stop {number}"


def question(number: int) -> str:
    """Return the question for a stop's place."""
    return f"What is the place of {stop(number)}?"


class TourEnv(ParallelEnv[str, dict[str, str], str]):  # type: ignore[misc]
    """A PettingZoo ParallelEnv of one agent who plans a tour, or of two who take turns, stop by stop.

    Session k is talk, then the choice of stop k: where it goes from each place that stop k-1 may have had is told
    with the question, where stop k-1 was is not. What is chosen comes about and is told to who chose, and the session
    ends. A wrong stop is not put right: the next one starts from there. `success` of a verdict says that the stop is
    where it would be had every choice been right; `truth` is where the stop before it really was.

    Observations and infos are those of `dialogue-choices`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "dialogue_tour_v0", "render_modes": ["rgb_array"], "render_fps": 1, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels: Mapping[str, str] = {"message": "a note from outside the conversation that reaches one agent"}

    def __init__(
        self, seed: int, stops: int, options: int, delay: int, distractors: int, agents: int, reveal: bool
    ) -> None:
        """`delay` turns, `distractors` of them about other people's visits, stand before each of `stops` choices."""
        self._shape: list[Plain] = [seed, stops, options, delay, distractors, agents, reveal]
        self._seed, self._reveal = seed, reveal
        rng = generator(seed_of("tour", *self._shape[:-1]))
        self.stages: Stages = draw(rng, [CITIES] * (stops + 1), options)
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.agents: list[str] = []
        self.teams = dict.fromkeys(self.possible_agents, "team-0")
        self._plan = list(_planned(rng, stops, delay, distractors))
        self._first = {one.session: i for i, one in reversed(list(enumerate(self._plan)))}
        self._told_at = {one.stop: i for i, one in enumerate(self._plan) if one.kind == "outcome"}
        """Tick of each session's beginning, and at which each stop's place is told."""
        self._spaces = {agent: (Dict({"text": AnyText()}), AnyText()) for agent in self.possible_agents}
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._begin()

    def _begin(self) -> None:
        self._tick = 0
        self._came = [self.stages.start]
        self._chosen = ""
        self._illegal = dict.fromkeys(self.possible_agents, 0)
        self._refused: dict[str, dict[str, Plain]] = {}
        self._inbox.clear()

    def observation_space(self, agent: str) -> Dict:
        """Return the space of what an agent may hear: a Dict with one text."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> AnyText:
        """Return the space of texts that an agent may say."""
        return self._spaces[agent][1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Heard, Infos]:
        """Go back to the start; the tour was drawn when the environment was made."""
        self._begin()
        self.agents = list(self.possible_agents)
        return self._views()

    def step(self, actions: dict[str, str]) -> tuple[Heard, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Take the choice or the answer, if one was asked for, and go on by one tick."""
        self._refused = {}
        now, taken = self._now, {agent: self._taken(agent, actions.get(agent, "")) for agent in self.agents}
        rewards = dict.fromkeys(self.agents, 0.0)
        if now.kind in ("choose", "again"):
            self._chosen = taken[self._who(now)]
            if now.kind == "choose":
                self._came.append(self._chosen or self._adrift(now.stop))
            rewards[self._who(now)] = float(self._succeeded(now))
        self._tick += 1
        over = self._tick + 1 == len(self._plan)
        observations, infos = self._views()
        ended = dict.fromkeys(self.agents, over)
        if over:
            self.agents = []
        return observations, rewards, ended, dict.fromkeys(ended, False), infos

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent through a channel, with its next observation. Raises ContractBroken for neither."""
        self._inbox.put(agent, channel, text)

    def close(self) -> None:
        """Do nothing: no resource is held."""

    # --- what there is to decide ---

    @property
    def _now(self) -> Tick:
        return self._plan[self._tick]

    def _who(self, tick: Tick) -> str:
        """Return who chooses a stop or is asked for it: they take turns, and another saw where the last one was."""
        turn = tick.stop if tick.kind in ("choose", "outcome") else tick.stop + 1
        return self.possible_agents[turn % len(self.possible_agents)]

    def _adrift(self, number: int) -> str:
        """Return where a stop comes to be that nobody chose."""
        values = self.stages.values[number]
        return values[int(generator(seed_of("adrift", self._seed, number)).integers(len(values)))]

    def _succeeded(self, tick: Tick) -> bool:
        if tick.kind == "again":
            return self._chosen == self._came[tick.stop]
        return bool(self._chosen) and self._chosen == self.stages.right[tick.stop]

    def _taken(self, agent: str, asked: Any) -> str:
        legal = {str(one["value"]) for one in self._legal(agent)}
        if isinstance(asked, str) and asked in legal:
            return asked
        self._illegal[agent] += 1
        self._refused[agent] = {"asked": f"{asked!r:.80}", "legal": [one["text"] for one in self._legal(agent)]}
        return ""

    def _legal(self, agent: str) -> list[dict[str, Plain]]:
        now = self._now
        if now.kind not in ("choose", "again") or agent != self._who(now):
            return [{"text": LISTEN, "value": ""}]
        said: list[dict[str, Plain]] = [{"text": one, "value": one} for one in self.stages.values[now.stop]]
        return [*said, {"text": SILENT, "value": ""}]

    # --- what is seen ---

    def _views(self) -> tuple[Heard, Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        return {agent: {"text": info["text"]} for agent, info in infos.items()}, infos

    def _info(self, agent: str) -> dict[str, Any]:
        now, asked = self._now, self._who(self._now)
        posed = now.kind in ("choose", "again") and agent == asked
        lived = self._lived(now, agent)
        info: dict[str, Any] = {
            "text": self._posed(now) if posed else " ".join(str(one["text"]) for one in lived), "time": self._time(now),
            "session": now.session, "session_end": now.kind == "outcome", "probe": now.kind == "again",
            "experiences": lived, "phase": "question" if posed else "telling", "noop": "", "to_move": posed,
            "legal_actions": self._legal(agent),
        }  # fmt: skip
        info |= {"need": self._need(now).plain(), "question": self._need(now).question} if posed else {"plan": LISTEN}
        if agent in self._refused:
            info["illegal"] = self._refused[agent]
        return info | self._told(agent)

    def _lived(self, now: Tick, agent: str) -> list[dict[str, Plain]]:
        """Return what an agent has to remember of a tick: what is said, and to who chose a stop where it is."""
        if now.kind == "turn":
            return [{"text": f'{now.speaker} said, "{now.text}"', "speaker": now.speaker}]
        if now.kind != "outcome" or agent != self._who(now):
            return []
        place = GRAMMAR.say(Claim(stop(now.stop), "place", self._came[now.stop]))
        return [{"text": place if self._reveal else SMALL_TALK[now.stop % len(SMALL_TALK)]}]

    def _need(self, now: Tick) -> Need:
        before = now.stop - 1 if now.kind == "choose" else now.stop
        options = self.stages.values[before]
        plan = self.stages.onward[before] if now.kind == "choose" else {value: value for value in options}
        return Need(_id(now), question(before), stop(before), "place", options, plan, GRAMMAR)

    def _posed(self, now: Tick) -> str:
        if now.kind == "again":
            return f"{question(now.stop)} Choose one: {', '.join(self.stages.values[now.stop])}."
        ways = "; ".join(
            f"from {one} go on to {after}" for one, after in sorted(self.stages.onward[now.stop - 1].items())
        )
        return f"Where is {stop(now.stop)} to be? That depends on where {stop(now.stop - 1)} was: {ways}."

    def _told(self, agent: str) -> dict[str, Any]:
        """Return what came of the tick before: the verdict, and what was true where facts are shown."""
        before = self._plan[self._tick - 1] if self._tick else None
        key: dict[str, Plain] = {"verdicts": [], "illegal": self._illegal[agent]}
        if before is None or before.kind not in ("choose", "again") or self._who(before) != agent:
            return {"answer_key": key}
        verdict = self._verdict(before)
        told = {"outcome": {"need": verdict.need, "truth": verdict.truth}} if self._reveal else {}
        return {"answer_key": {**key, "verdicts": [verdict.plain()]}, **told}

    def _verdict(self, tick: Tick) -> Verdict:
        """Return how the choice or answer of the tick before went."""
        need, choosing = self._need(tick), tick.kind == "choose"
        about = tick.stop - 1 if choosing else tick.stop
        seen = self._told_at[about]
        last = about if choosing else len(self.stages.onward)
        return Verdict(
            need.id, TASK if choosing else AGAIN, need.subject, "place", need.options, self._came[about],
            self.stages.believed(tick.stop, self._chosen) if choosing else self._chosen, self._succeeded(tick),
            seen if self._reveal else -1, self._tick - 1, tick.distractors + last,
            tick.session - self._plan[seen].session,
        )  # fmt: skip

    def _time(self, now: Tick) -> float:
        turn = self._tick - self._first[now.session]
        return seconds(START, DAY) + DAY_SECONDS * now.session + TURN_SECONDS * turn

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about where a stop was that comes out rightly, for the next tick that needs none."""
        about = int(rng.integers(len(self.stages.onward)))
        wrong = [value for value in self.stages.values[about] if value != self.stages.right[about]]
        value = wrong[int(rng.integers(len(wrong)))]
        choosing = next(one for one in self._plan if one.kind == "choose" and one.stop == about + 1)
        return {
            "text": GRAMMAR.say(Claim(stop(about), "place", value)), "tick": self._told_at[about] + 1,
            "agent": self._who(choosing), "channel": "message", "subject": stop(about), "attribute": "place",
            "value": value, "truth": self.stages.right[about],
        }  # fmt: skip

    # --- state and picture ---

    def snapshot(self) -> bytes:
        """Return where the tour is, and what it came to."""
        return encode(
            {
                "shape": self._shape, "tick": self._tick, "came": list(self._came), "chosen": self._chosen,
                "illegal": dict(self._illegal), "refused": dict(self._refused), "agents": list(self.agents),
                "inbox": self._inbox.plain(),
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another tour."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of a tour with these parameters; make the same one first.")
        self._inbox.restore(state["inbox"])
        self._tick, self._came, self._chosen = state["tick"], list(state["came"]), state["chosen"]
        self._illegal, self._refused, self.agents = state["illegal"], state["refused"], list(state["agents"])

    def render(self) -> Pixels:
        """Return uint8[640, 640, 3]: the last turns as a chat, the stops so far, and below them what is asked."""
        told = [one for one in self._plan[: self._tick + 1] if one.kind == "turn" and one.session == self._now.session]
        bubbles = [Bubble(one.speaker, one.text, "") for one in told]
        posed = [self._posed(self._now)] if self._now.kind in ("choose", "again") else []
        stops = [f"{stop(n)}: {place}" for n, place in enumerate(self._came)][-3:]
        return draw_chat(bubbles, list(NAMES[:2]), f"Session {self._now.session}", [*stops, *posed])


def _planned(rng: np.random.Generator, stops: int, delay: int, distractors: int) -> list[Tick]:
    """Return the ticks of a tour: stop 0 is told, each session chooses the next, then all but the last are asked."""
    people = [NAMES[i] for i in rng.permutation(len(NAMES))]
    ticks, told = [Tick("outcome", 0, 0)], 0
    for number in range(1, stops + 1):
        apart = set(rng.permutation(delay)[:distractors].tolist())
        for turn in range(delay):
            text = SMALL_TALK[int(rng.integers(len(SMALL_TALK)))]
            if turn in apart:
                who, place = people[2 + told % (len(people) - 2)], CITIES[int(rng.integers(len(CITIES)))]
                told += 1
                text = GRAMMAR.say(Claim(f"{who}'s visit {number}", "place", place))
            ticks.append(Tick("turn", number, number, text, people[turn % 2], told))
        ticks += [Tick("choose", number, number, distractors=told), Tick("outcome", number, number, distractors=told)]
    ticks += [Tick("again", stops, number, distractors=told) for number in range(stops)]
    return [*ticks, Tick("end", stops, stops), Tick("end", stops, stops)]


def _id(tick: Tick) -> str:
    return f"{'stop' if tick.kind == 'choose' else 'again'} {tick.stop}"
