"""`metaworld-chain`: a marker is shown and reached for; later the puck has to be brought to where the marker was.

Two tasks of Meta-World in one world, each done by Meta-World's scripted expert: the second needs what the first showed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from pydantic import Field

from simonides.envs.inbox import Inbox
from simonides.envs.manipulation.sawyer import PLACED, REST, START, Sawyer
from simonides.envs.seeded import Seeded
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

Floats = npt.NDArray[np.float64]
Infos = dict[str, dict[str, Any]]
Place = tuple[float, float, float]

EPOCH = 1_767_225_600.0
DAY = 86_400.0
STEP = 0.0125
"""Seconds of simulated time in one Meta-World step: 5 physics steps of 2.5 ms."""
NAMES = ("far left", "far right", "near left", "near right", "far middle", "near middle")
AT = {"left": -0.1, "middle": 0.0, "right": 0.1, "near": 0.75, "far": 0.87}
"""x and y of the places in metres, as Meta-World's camera sees left and right."""
HEIGHT = {"pick-place-v3": 0.15, "push-v3": 0.02}
REACH_HEIGHT = 0.15
BELOW: Place = (0.0, 0.6, -0.5)
"""Where a marker is that nobody shows."""
BOUND = 10.0
PATIENCE = 3
"""Times the puck may be brought somewhere before the case counts as failed."""
BACK = 0.01
"""How near to its rest the hand comes back in the same tick, in metres, so that where it is tells nothing."""
REACH, WAIT = "reach for the marker", "wait"
CHANNELS = {
    "message": "what somebody says to the agent, who need not be right",
    "sign": "a label that stands at a place of the table",
}
GRAMMAR = Grammar([Form("place", "The {subject} was at the {value}.", "The {subject} was not at the {value}.")])


class ChainEnv(Seeded):
    """Stage 1, tick 0: the marker is seen and reached for. After `delay` ticks, stage 2: the puck goes where it was.

    One robot; with `seer="other"` player_0 has it in stage 1, player_1 in stage 2. An action is a skill by number: an
    expert, run to its end. An observation is Meta-World's float64[39] in a Box of +-10 that holds it (its own does not
    hold what its reset returns), with the goal zeroed unless the marker is seen.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "metaworld_chain_v0", "render_modes": ["rgb_array"], "render_fps": 5, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels = CHANNELS
    message_channel = "message"

    def __init__(
        self, second: str, seed: int, places: int, reveal: bool, seer: str, delay: int, distractors: int, sessions: int
    ) -> None:
        self.robot, self.second = Sawyer(second), second
        self.reveal, self.delay, self.distractors, self.sessions = reveal, delay, distractors, sessions
        self.options = NAMES[:places]
        self.possible_agents = ["player_0", "player_1"] if seer == "other" else ["player_0"]
        self.seer, self.doer = self.possible_agents[0], self.possible_agents[-1]
        self.agents: list[str] = []
        self.verb = "push" if second == "push-v3" else "bring"
        self.names = [WAIT, REACH, *(f"{self.verb} the puck to the {name}" for name in self.options)]
        self._box, self._acts = Box(-BOUND, BOUND, (39,), np.float64), Discrete(len(self.names))
        self._shape = [second, list(self.options), reveal, seer, delay, distractors, sessions]
        self._seed = seed
        self._begin()

    def observation_space(self, agent: str) -> Box:
        """Return the space of float64[39]."""
        return self._box

    def action_space(self, agent: str) -> Discrete[Any]:
        """Return the space of skills."""
        return self._acts

    def _begin(self) -> None:
        rng = generator(seed_of("metaworld-chain", self._seed))
        self.truth = self.options[int(rng.integers(len(self.options)))]
        puck = (START[0] + float(rng.uniform(-0.03, 0.03)), START[1] + float(rng.uniform(-0.03, 0.03)))
        self.robot.reset(puck, self._goal(self.options[0]))  # Meta-World's own goal is the same whatever the truth
        self._tick, self._tries, self._chosen, self._over = 0, 0, "", False
        self._illegal = dict.fromkeys(self.possible_agents, 0)
        self._refused: dict[str, Plain] = {}
        self._verdict: dict[str, Plain] = {}
        self._inbox = Inbox(self.channels, self.possible_agents)

    def _goal(self, name: str) -> Place:
        depth, side = name.split()
        return AT[side], AT[depth], HEIGHT[self.second]

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Floats], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let the robot do what the agent that has it wants; the tick lasts until that is done."""
        present, last = list(self.agents), self._over
        self._verdict, self._refused = {}, {}
        if not last:
            for agent in present:
                self._act(agent, actions.get(agent, 0))
            self._settle()
        self._tick += 1
        observations, infos = self._views()
        rewards = {agent: float(bool(self._verdict.get("success")) and agent == self.doer) for agent in present}
        if last:
            self.agents = []
        return observations, rewards, dict.fromkeys(present, last), dict.fromkeys(present, False), infos

    def _act(self, agent: str, action: Any) -> None:
        number = int(action) if isinstance(action, int | np.integer) else -1
        name = self.names[number] if 0 <= number < len(self.names) else ""
        if name not in self._legal(agent):
            self._illegal[agent] += 1
            self._refused[agent] = {"asked": name or repr(action)[:80], "legal": list(self._legal(agent))}
        elif name == REACH:
            x, y, _ = self._goal(self.truth)
            self.robot.reach((x, y, REACH_HEIGHT))
            self.robot.reach(REST, BACK)
        elif name in self.names[2:]:
            self._tries += 1
            self.robot.bring(self._goal(name.partition(" to the ")[2]))
        elif agent == self.doer:
            self.robot.wait()

    @property
    def _due(self) -> int:
        return 1 + self.delay

    def _settle(self) -> None:
        """Judge by where the puck is: Meta-World's own distance from a place decides what was chosen and reached."""
        if self._tick < self._due and not self.robot.failed:
            return
        near = min(self.options, key=lambda name: self.robot.distance(self._goal(name)))
        there = self.robot.distance(self._goal(near)) <= PLACED[self.second]
        self._chosen = near if there and not self.robot.failed else ""
        if self._chosen or self.robot.failed or self._tick - self._due + 1 >= PATIENCE:
            self._over = True
            self._verdict = Verdict(
                need=self._need_id, task=f"reach-then-{self.second.removesuffix('-v3')}", subject="marker",
                attribute="place", options=self.options, truth=self.truth, chosen=self._chosen,
                success=self._chosen == self.truth, seen=0 if self.reveal else -1, needed=self._due,
                distractors=self.distractors, sessions=self.sessions,
            ).plain()  # fmt: skip

    _need_id = "metaworld-chain-0"

    # What is seen

    def _session(self, tick: int) -> int:
        return min(max(tick, 0), self.delay) * self.sessions // max(self.delay, 1)

    def _claims(self, agent: str) -> list[Claim]:
        if self._tick == 0:
            return [Claim("marker", "place", self.truth)] if self.reveal and agent == self.seer else []
        gone = self._tick - 1
        if gone >= self.delay:
            return []
        first, last = gone * self.distractors // self.delay, (gone + 1) * self.distractors // self.delay
        return [self._decoy(agent, n) for n in range(first, last)]

    def _decoy(self, agent: str, n: int) -> Claim:
        rng = generator(seed_of("decoy", self._seed, agent, n))
        return Claim(f"marker of table {n + 2}", "place", self.options[int(rng.integers(len(self.options)))])

    def _legal(self, agent: str) -> dict[str, int]:
        names = [WAIT]
        if not self._over:
            if self._tick == 0 and agent == self.seer and self.reveal:
                names.append(REACH)
            if agent == self.doer and self._tick >= self._due:
                names += self.names[2:]
        return {name: self.names.index(name) for name in names}

    @property
    def _question(self) -> str:
        return f"Where was the marker? {self.verb.capitalize()} the puck there."

    def _need(self, agent: str) -> Need | None:
        if self._over or agent != self.doer or self._tick < self._due:
            return None
        plan = {name: f"{self.verb} the puck to the {name}" for name in self.options}
        return Need(self._need_id, self._question, "marker", "place", self.options, plan, GRAMMAR)

    def _plan(self, agent: str) -> str:
        return REACH if REACH in self._legal(agent) else WAIT

    def _views(self) -> tuple[dict[str, Floats], Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        return {agent: self._vector(agent) for agent in self.agents}, infos

    def _vector(self, agent: str) -> Floats:
        seen = np.nan_to_num(self.robot.observation.astype(np.float64), posinf=BOUND, neginf=-BOUND)
        shown = self.reveal and self._tick == 0 and agent == self.seer
        seen[-3:] = self._goal(self.truth) if shown else 0.0
        return np.clip(seen, -BOUND, BOUND)

    def _info(self, agent: str) -> dict[str, Any]:
        facts = [GRAMMAR.say(claim) for claim in self._claims(agent)]
        need, session, legal = self._need(agent), self._session(self._tick), self._legal(agent)
        lived: list[dict[str, Plain]] = [{"text": fact, "metadata": {}} for fact in facts]
        verdicts = [self._verdict] if self._verdict and agent == self.doer else []
        info: dict[str, Any] = {
            "text": self._text(agent, facts, need),
            "time": EPOCH + DAY * session + round(self.robot.steps * STEP, 4),
            "session": session, "session_end": self._session(self._tick + 1) > session,
            "experiences": lived, "noop": legal[WAIT],
            "legal_actions": [{"text": name, "value": value} for name, value in legal.items()],
            "answer_key": {"verdicts": verdicts, "illegal": self._illegal[agent]},
        }  # fmt: skip
        if self.robot.failed:
            info["answer_key"]["failed"] = self.robot.failed
        if verdicts:
            info["outcome"] = {"need": self._need_id, "truth": self.truth}
        if agent in self._refused:
            info["illegal"] = self._refused[agent]
        return info | ({"need": need.plain(), "question": need.question} if need else {"plan": self._plan(agent)})

    def _text(self, agent: str, facts: list[str], need: Need | None) -> str:
        x, y, height = (round(float(value), 2) for value in np.nan_to_num(self.robot.puck))
        parts = ["You have a robot's arm at a table with a puck.", *facts, f"The puck is at ({x}, {y}, {height})."]
        if self.robot.failed:
            parts.append(f"The episode has failed: {self.robot.failed}.")
        parts += [need.question] if need else []
        return " ".join(parts)

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation. Raises ContractBroken for an unknown agent or channel."""
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false message about where the marker was, for the tick after it was shown."""
        wrong = [name for name in self.options if name != self.truth]
        value = wrong[int(rng.integers(len(wrong)))]
        return {
            "text": GRAMMAR.say(Claim("marker", "place", value, "A visitor")), "tick": 1, "agent": self.doer,
            "speaker": "A visitor", "channel": "message", "subject": "marker", "attribute": "place", "value": value,
            "truth": self.truth, "question": self._question, "options": list(self.options),
            "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    # State

    def snapshot(self) -> bytes:
        """Return the whole state as bytes."""
        return encode(
            {
                "shape": self._shape, "seed": self._seed, "tick": self._tick, "tries": self._tries,
                "chosen": self._chosen, "over": self._over, "ended": not self.agents, "illegal": self._illegal,
                "refused": self._refused, "verdict": self._verdict, "inbox": self._inbox.plain(),
                "robot": self.robot.snapshot(),
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another configuration."""
        state: Any = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of a metaworld-chain with these parameters.")
        self._seed = state["seed"]
        self._begin()
        self._tick, self._tries, self._chosen, self._over = (state[k] for k in ("tick", "tries", "chosen", "over"))
        self._illegal, self._refused, self._verdict = state["illegal"], state["refused"], state["verdict"]
        self._inbox.restore(state["inbox"])
        self.agents = [] if state["ended"] else list(self.possible_agents)
        self.robot.restore(state["robot"])

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[360, 480, 3]; the marker is in the picture while it is shown."""
        self.robot.show(self._goal(self.truth) if self._tick == 0 and self.reveal else BELOW)
        return self.robot.render()

    def close(self) -> None:
        """Free the renderer."""
        self.robot.close()


def metaworld_chain(
    seed: int = 0,
    world: int = 0,
    second: Literal["pick-place", "push"] = "pick-place",
    places: Annotated[int, Field(ge=2, le=len(NAMES))] = 4,
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    delay: Annotated[int, Field(ge=1)] = 6,
    distractors: Annotated[int, Field(ge=0)] = 0,
    sessions: Annotated[int, Field(ge=0)] = 0,
) -> ChainEnv:
    """Return a chain of two Meta-World tasks; `places` is m, `second` the task that needs what the first showed.

    Raises StudyError for more sessions than the delay has ticks.
    """
    if sessions > delay:
        raise StudyError(f"metaworld-chain.sessions: {sessions} sessions do not end in a delay of {delay} ticks.")
    return ChainEnv(f"{second}-v3", seed_of(seed, world) >> 1, places, reveal, seer, delay, distractors, sessions)
