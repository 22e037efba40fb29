"""A small memory task for tests: a bell's colour is seen, ticks pass, a door of that colour is to be opened."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pydantic import Field

from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of

COLOURS = ("red", "blue", "green", "white")
WAIT = len(COLOURS)
GRAMMAR = Grammar(
    [Form("colour", "The colour of the {subject} is {value}.", "The colour of the {subject} is not {value}.")]
)


class Bell(ParallelEnv):
    metadata = {"name": "bell_v0", "render_modes": ["rgb_array"], "render_fps": 4, "is_parallelizable": True}  # noqa: RUF012
    channels = {"sign": "what is written on a sign"}  # noqa: RUF012
    render_mode = "rgb_array"

    def __init__(self, seed: int, reveal: bool, delay: int) -> None:
        self.possible_agents, self.agents = ["player_0", "player_1"], []
        self.seed, self.reveal, self.delay = seed, reveal, delay
        self.spaces = {
            agent: (Box(0, 10_000, (1,), np.int64), Discrete(WAIT + 2))  # the last action is never legal
            for agent in self.possible_agents
        }
        self._begin()

    def observation_space(self, agent):
        return self.spaces[agent][0]

    def action_space(self, agent):
        return self.spaces[agent][1]

    def _begin(self):
        self.tick, self.illegal, self.asked = 0, 0, {}
        self.signs, self.chosen = {}, {}
        drawn = generator(seed_of("bell", self.seed)).integers(len(COLOURS), size=2)
        self.truth = {agent: COLOURS[i] for agent, i in zip(self.possible_agents, drawn.tolist(), strict=True)}

    def reset(self, seed=None, options=None):
        self.seed = seed if seed is not None else self.seed
        self.agents = list(self.possible_agents)
        self._begin()
        return self._seen()

    def step(self, actions):
        due = self.tick == self.delay + 1
        self.signs, self.asked = {}, {}
        rewards = dict.fromkeys(self.agents, 0.0)
        for agent in self.agents:
            value = int(actions[agent])
            if value > WAIT or (value < WAIT) != due:
                self.illegal += 1
                self.asked[agent] = value
            elif due:
                self.chosen[agent] = COLOURS[value]
                rewards[agent] = float(self.chosen[agent] == self.truth[agent])
        self.tick += 1
        over = self.tick > self.delay + 2
        observations, infos = self._seen()
        ended = dict.fromkeys(self.agents, over)
        if over:
            self.agents = []
        return observations, rewards, ended, dict.fromkeys(ended, False), infos

    def inject(self, agent, channel, text):
        self.signs[agent] = [*self.signs.get(agent, []), [channel, text]]

    def _seen(self):
        return (
            {agent: np.array([self.tick], np.int64) for agent in self.agents},
            {agent: self._info(agent) for agent in self.agents},
        )

    def _info(self, agent):
        due = self.tick == self.delay + 1
        lived = []
        if self.tick == 0 and self.reveal:
            lived = [{"text": GRAMMAR.say(Claim(f"bell of {agent}", "colour", self.truth[agent])), "channel": "sight"}]
        names = COLOURS if due else ("wait",)
        legal = [{"text": f"open {name}" if due else name, "value": i if due else WAIT} for i, name in enumerate(names)]
        info = {
            "text": " ".join(one["text"] for one in lived) or f"Tick {self.tick}.",
            "experiences": lived,
            "legal_actions": legal,
            "plan": "" if due else "wait",
        }
        if due:
            question = f"What is the colour of the bell of {agent}?"
            plan = {name: f"open {name}" for name in COLOURS}
            info["need"] = Need(
                f"door of {agent}", question, f"bell of {agent}", "colour", COLOURS, plan, GRAMMAR
            ).plain()
        if self.tick == self.delay + 2:
            chosen = self.chosen.get(agent, "")
            truth = self.truth[agent]
            info["outcome"] = {"need": f"door of {agent}", "truth": truth}
            info["answer_key"] = {
                "verdicts": [
                    Verdict(
                        f"door of {agent}", "bell", f"bell of {agent}", "colour", COLOURS, truth, chosen,
                        chosen == truth, 0 if self.reveal else -1, self.delay + 1,
                    ).plain()
                ]
            }  # fmt: skip
        if agent in self.asked:
            info["illegal"] = {"asked": self.asked[agent], "legal": [one["text"] for one in legal]}
        return info

    def render(self):
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:, : 8 + self.tick] = 200
        return picture

    def snapshot(self):
        return encode(
            [self.seed, self.tick, self.illegal, self.asked, self.signs, self.chosen, self.agents, self.delay]
        )

    def restore(self, data):
        state = decode(data)
        if state[-1] != self.delay:
            raise CorruptFile("This snapshot is not of a bell with this delay.")
        self.seed = state[0]
        self._begin()
        _, self.tick, self.illegal, self.asked, self.signs, self.chosen, self.agents, _ = state

    def close(self):
        pass


class Rung(Bell):
    """The same, with signs that are shown with the next observation."""

    def step(self, actions):
        signs = self.signs
        observations, rewards, ended, cut, infos = super().step(actions)
        for agent, shown in signs.items():
            info = infos[agent]
            info["text"] = " ".join([info["text"], *(text for _, text in shown)])
            info["experiences"] = info["experiences"] + [{"text": text, "channel": name} for name, text in shown]
        return observations, rewards, ended, cut, infos


FAILING = "fails"


def bell(
    seed: int = 0, world: int = 0, reveal: bool = True, delay: Annotated[int, Field(ge=0)] = 6, broken: str = ""
) -> Bell:
    """Return the task; `broken` names a rule of the contract that it breaks."""
    kind = Failing if broken == FAILING else BROKEN.get(broken, Rung)
    return kind(seed_of(seed, world) >> 1, reveal, delay)


class Leaky(Rung):
    def _info(self, agent):
        info = super()._info(agent)
        if self.tick == 2:
            info["text"] += " " + GRAMMAR.say(Claim(f"bell of {agent}", "colour", self.truth[agent]))
        return info


class Forgetful(Rung):
    def restore(self, data):
        super().restore(data)
        self.tick = max(0, self.tick - 1)


class Silent(Rung):
    def _info(self, agent):
        info = super()._info(agent)
        info.pop("answer_key", None)
        return info


class Raising(Rung):
    def step(self, actions):
        found = super().step(actions)
        if self.asked:
            raise ValueError("no such action")
        return found


class Drawing(Rung):
    def render(self):
        return np.zeros((48, 64, 3), np.uint8)


class Deaf(Rung):
    def inject(self, agent, channel, text):
        return None


class Restless(Rung):
    count = 0

    def reset(self, seed=None, options=None):
        Restless.count += 1
        found = super().reset(seed, options)
        self.truth = dict.fromkeys(self.truth, COLOURS[Restless.count % 4])
        return found[0], {agent: self._info(agent) for agent in self.agents}


class Failing(Rung):
    def step(self, actions):
        raise OSError("the bell fell down")


BROKEN = {
    "hidden": Leaky, "state": Forgetful, "needs": Silent, "illegal": Raising, "picture": Drawing, "channel": Deaf,
    "same": Restless,
}  # fmt: skip
