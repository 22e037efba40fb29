"""Long tasks on the simulated phone as an environment: on the device itself, or step by recorded step."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from pydantic import Field

from simonides.envs.android.incoming import arrive
from simonides.envs.android.simulated.apps import messages
from simonides.envs.android.simulated.phone import START, Phone
from simonides.envs.android.tasks.acts import (
    DOWN,
    FINISH,
    GO_BACK,
    GO_HOME,
    UP,
    WAIT,
    Act,
    perform,
    targets,
    texts,
)
from simonides.envs.android.tasks.facts import ATTRIBUTE, GRAMMAR, asking, claims_in
from simonides.envs.android.tasks.generate import Made, Phase, generate, links_of, required
from simonides.envs.android.tasks.intents import IntentName
from simonides.envs.android.tasks.ops import Next, Op, next_act, options_of
from simonides.envs.inbox import Inbox
from simonides.envs.seeded import Seeded
from simonides.sim.claims import Claim
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import seed_of
from simonides.sim.types import Plain

DAY, TICK = 86_400.0, 10.0
"""Seconds between sessions and between ticks."""
MOST = 192
"""Legal actions that a screen may have; those beyond are left out."""
SLACK = 10
"""Actions beyond the gold ones that a task on the device may take. GUESS."""
TOLD = ("subgoal", "state_change", "exception")
"""Anchors that an agent is told of when it has reached them."""
LOOKER, DOER = "player_0", "player_1"
Mode = Literal["device", "recorded"]
Infos = dict[str, dict[str, Any]]
Ints = npt.NDArray[np.int64]
Stepped = tuple[dict[str, Ints], dict[str, float], dict[str, bool], dict[str, bool], Infos]

_made = lru_cache(maxsize=64)(generate)


class AndroidTasksEnv(Seeded):
    """A PettingZoo ParallelEnv of one long task on one phone.

    Facts are looked up in apps, chores follow, then what an intent wants is done with the facts. On the `device` the
    agent acts on the phone, and the task succeeds if in the end the apps' databases hold what they should. In
    `recorded` mode, as in AndroTMem, each gold step is shown in turn whatever the agent does, and the task succeeds if
    all steps that its end rests on over critical links are right.

    An action is the number of a legal action: to wait, go back or home, finish, swipe, open an app, tap an element,
    type a text. An observation is int64[3]: steps done, steps left, session; the screen is in the info's text and in
    `render()`. `answer_key` holds besides verdicts and illegal actions the value that is needed now (`sources`), and in
    recorded mode the agent's last action as a line of AndroTMem-Bench's predictions (`prediction`).
    """

    metadata: dict[str, Any] = {"name": "android_tasks_v0", "render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012 (PettingZoo's form)
    render_mode = "rgb_array"

    def __init__(
        self,
        mode: Mode,
        intent: IntentName | None,
        reveal: bool,
        seer: Literal["self", "other"],
        options: int,
        delay: int | None,
        distractors: int,
        sessions: int,
        seed: int,
    ) -> None:
        self._config = [mode, intent, reveal, seer, options, delay, distractors, sessions]
        self.mode, self._reveal, self._sessions, self._seed = mode, reveal, sessions, seed
        self._draw = (intent, options, delay, distractors)
        self.possible_agents = [LOOKER] if seer == "self" else [LOOKER, DOER]
        self.agents: list[str] = []
        self.message_channel = "message"
        self.channels = {"screen": "A text that an app shows.", "message": "A short message that comes in."}
        self._spaces = {agent: Box(0, 2**31, (3,), np.int64) for agent in self.possible_agents}
        self._actions: dict[str, Discrete[Any]] = {agent: Discrete(MOST) for agent in self.possible_agents}
        self._begin()

    def observation_space(self, agent: str) -> Box:
        """Return the space of int64[3]: steps done, steps left, session."""
        return self._spaces[agent]

    def action_space(self, agent: str) -> Discrete[Any]:
        """Return the numbers of legal actions; a screen allows the first so many of them."""
        return self._actions[agent]

    def _begin(self) -> None:
        self.made: Made = _made(self._seed, *self._draw)
        self.phone: Phone = self.made.phone(self._reveal)
        self._links = links_of(self.made)
        typed = [text for op in self.made.ops for text in (op.plan or {}).values() if isinstance(text, str)]
        self._texts = sorted({*self.made.work.texts, *typed})
        chores = [n for n, phase in enumerate(self.made.phases) if phase == "between"]
        self._order = {op: i * self._sessions // len(chores) for i, op in enumerate(chores)}
        self._tick, self._done, self._at = 0, 0, 0
        self._believed: dict[str, str] = {}
        self._chosen: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._needed: dict[str, int] = {}
        self._right: list[bool] = []
        self._shown: list[str] = []
        self._did, self._fresh = "", list[str]()
        self._illegal: dict[str, dict[str, Plain]] = {}
        self._wrong = 0
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._verdicts: list[dict[str, Plain]] = []
        self._prediction: dict[str, Plain] = {}
        self._over, self._success = False, False
        self._arrive()

    # --- where we are ---

    @property
    def budget(self) -> int:
        """Actions that the task may take."""
        return len(self.made.steps) + (SLACK if self.mode == "device" else 0)

    @property
    def phase(self) -> Phase:
        """What is being done: facts looked up, chores between, or what the facts are for."""
        return self.made.phases[min(self._at, len(self.made.phases) - 1)]

    @property
    def _mover(self) -> str:
        return LOOKER if self.phase == "reveal" else self.possible_agents[-1]

    @property
    def session(self) -> int:
        """The number of the session: the first looks facts up, the last uses them."""
        return self._session_of(self._at)

    def _session_of(self, op: int) -> int:
        if op >= len(self.made.phases) or self.made.phases[op] == "use":
            return self._sessions
        return self._order.get(op, 0)

    @property
    def _op(self) -> Op:
        return self.made.ops[min(self._at, len(self.made.ops) - 1)]

    def _arrive(self) -> None:
        """Go on to the op that has something to do on this screen, and read what the screen says."""
        if self.mode == "recorded":
            self._at = self.made.steps[min(self._done, len(self.made.steps) - 1)].op
        else:
            while self._at < len(self.made.ops) and self._following(self._op) is None and not self._op.decides:
                self._at += 1
        said = claims_in(tuple(texts(self.phone)))
        self._fresh = [sentence for sentence in said if sentence not in self._shown]
        self._shown = said
        for fact in self.made.work.facts:
            if fact.sentence() in said and fact.subject not in self._needed:
                self._seen[fact.subject] = self._tick

    def _following(self, op: Op) -> Next | None:
        return next_act(op, self.phone, self._believed)

    # --- PettingZoo ---

    def step(self, actions: dict[str, int]) -> Stepped:
        """Do what the agent whose turn it is wants on the phone; the others wait."""
        present, before = self.agents, self._over
        self._illegal, self._did, self._prediction = {}, "", {}
        mover = self._mover
        for agent in present:
            legal = self._legal(agent)
            number = int(actions.get(agent, 0))
            if not 0 <= number < len(legal):
                self._wrong += 1
                self._illegal[agent] = {"asked": str(number), "legal": [text for text, _ in legal]}
                number = 0
            if agent == mover and not before:
                self._take(legal[number][1], agent not in self._illegal)
        self._tick += 1
        if not self._over:
            self._arrive()
            self._receive()
        rewards = {agent: float(self._success and not before and self._over) for agent in present}
        observations, infos = self._views()
        ended = dict.fromkeys(present, before)
        if before:
            self.agents = []
        return observations, rewards, ended, dict.fromkeys(present, False), infos

    def _receive(self) -> None:
        """Let what was injected come in on the phone; recorded steps show what was recorded, and nothing else."""
        if self.mode == "recorded":
            return
        for channel, text in self._inbox.texts():
            arrive(self.phone, channel, text)

    def _take(self, act: Act, legal: bool) -> None:
        """Do an action that the agent chose; an illegal one changes nothing but the number of those left."""
        self._done += 1
        op = self._op
        if self.mode == "recorded":
            self._take_recorded(op, act, legal)
        elif legal:
            following = self._meant(op, act)
            perform(self.phone, act)
            if following is not None and following.done:
                self._did = op.says if op.kind in TOLD else ""
                self._at += 1
        if (act == FINISH and legal and self.mode == "device") or self._done >= self.budget:
            self._finish()

    def _take_recorded(self, op: Op, act: Act, legal: bool) -> None:
        gold = self.made.steps[self._done - 1]
        if legal:
            self._meant(op, act)
        self._right.append(legal and act == gold.act)
        line: dict[str, Plain] = {"action": act.prediction(self.phone.size)}
        self._prediction = {"task_id": self.made.id, "step_index": self._done - 1, "prediction": line}
        self._did = op.says if gold.done and op.kind in TOLD else ""
        perform(self.phone, gold.act)

    def _meant(self, op: Op, act: Act) -> Next | None:
        """Return the step of the plan that an action is, if it is one, and note what it chose."""
        if not op.decides:
            following = self._following(op)
            return following if following is not None and following.act == act else None
        for value in options_of(op):
            following = next_act(op, self.phone, {op.fact: value})
            if following is not None and following.act == act:
                if following.done:
                    self._believed[op.fact] = self._chosen[op.fact] = value
                return following
        return None

    def _finish(self) -> None:
        if self.mode == "device":
            self._success = self.made.reached(self.phone)
        else:
            last = len(self.made.steps) - 1
            self._success = all(self._right[step] for step in required(self._links, last))
        self._over, self._fresh = True, []
        between = sum(self.made.phases[step.op] == "between" for step in self.made.steps)
        facts = {fact.subject: fact for fact in self.made.work.facts}
        self._verdicts = [
            Verdict(
                f"{self.made.id}/{subject}", self.made.intent, subject, ATTRIBUTE, facts[subject].options,
                facts[subject].value, self._chosen.get(subject, ""), self._success, self._seen.get(subject, -1), tick,
                between, self._sessions,
            ).plain()
            for subject, tick in self._needed.items()
        ]  # fmt: skip

    def close(self) -> None:
        """Do nothing: no resource is held."""

    # --- what is legal, planned and needed ---

    def _legal(self, agent: str) -> list[tuple[str, Act]]:
        if agent != self._mover or self._over:
            return [("wait", WAIT)]
        legal = [("wait", WAIT), ("back", GO_BACK), ("home", GO_HOME), ("finish", FINISH), ("swipe up", UP),
                 ("swipe down", DOWN)]  # fmt: skip
        legal += [(f"open {label}", Act("open_app", label)) for label in self.phone.packages().values()]
        legal += [(f'type "{text}"', Act("text", text)) for text in self._texts]
        shown = targets(self.phone)
        legal += [
            (f"tap {i} {words[:48]}".strip(), Act("tap", box=node.bounds)) for i, (node, words) in enumerate(shown)
        ]
        return legal[:MOST]

    def _planned(self, agent: str) -> str:
        following = self._following(self._op) if agent == self._mover and not self._over else None
        return self._name(following.act if following is not None else WAIT, agent)

    def _name(self, act: Act, agent: str) -> str:
        return next((text for text, one in self._legal(agent) if one == act), "wait")

    def _need(self, agent: str) -> Need | None:
        op = self._op
        if agent != self._mover or self._over or not op.decides:
            return None
        # A recorded swipe towards an element is not yet the decision.
        if self.mode == "recorded" and not self.made.steps[min(self._done, len(self.made.steps) - 1)].done:
            return None
        self._needed.setdefault(op.fact, self._tick)
        names = {}
        for value in options_of(op):
            following = next_act(op, self.phone, {op.fact: value})
            if following is not None and following.act == WAIT:
                return None  # a notification lies over the choice
            names[value] = self._name(following.act if following is not None else WAIT, agent)
        return Need(f"{self.made.id}/{op.fact}", asking(op.fact), op.fact, ATTRIBUTE, options_of(op), names, GRAMMAR)

    # --- what is seen ---

    def _views(self) -> tuple[dict[str, Ints], Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        self._verdicts = []
        seen = np.array([self._done, max(0, self.budget - self._done), self.session], np.int64)
        return {agent: seen.copy() for agent in infos}, infos

    def _info(self, agent: str) -> dict[str, Any]:
        need = self._need(agent)
        lasts = agent == self.possible_agents[-1]
        key: dict[str, Any] = {"verdicts": self._verdicts if lasts else [], "illegal": self._wrong}
        if lasts and self._prediction:
            key["prediction"] = self._prediction
        if need is not None:
            key["sources"] = {need.subject: self.made.truth[need.subject]}
        info: dict[str, Any] = {
            "text": self._text(agent, need), "time": START + DAY * self.session + TICK * self._tick,
            "session": self.session, "session_end": self._ends_session(), "noop": 0,
            "legal_actions": [{"text": text, "value": i} for i, (text, _) in enumerate(self._legal(agent))],
            "plan": "" if need else self._planned(agent), "experiences": self._lived(agent), "answer_key": key,
        }  # fmt: skip
        if need is not None:
            info |= {"need": need.plain(), "question": need.question}
        if agent in self._illegal:
            info["illegal"] = self._illegal[agent]
        return info

    def _ends_session(self) -> bool:
        if self._over or self._sessions == 0:
            return self._over
        if self.mode == "recorded":
            after = self.made.steps[min(self._done + 1, len(self.made.steps) - 1)].op
            return self._session_of(after) != self.session
        following = self._following(self._op)
        return following is not None and following.done and self._session_of(self._at + 1) != self.session

    def _text(self, agent: str, need: Need | None) -> str:
        if self._over:
            return "The task is done." if self._success else "The task was not done."
        if agent != self._mover:
            return "There is nothing to do now."
        front = self.phone.apps[self.phone.current()[0]].label
        lines = [f"Your task: {self.made.instruction}", f"{self.budget - self._done} actions are left.",
                  f"{front or 'The launcher'} shows:", *(f"  {text}" for text in texts(self.phone))]  # fmt: skip
        if self.phase == "reveal" or self.phase == "between":
            lines.append(f"Next: {self._planned(agent)}.")
        return "\n".join([*lines, need.question] if need else lines)

    def _lived(self, agent: str) -> list[dict[str, Plain]]:
        if agent != self._mover:
            return []
        channel = "message" if self.phone.current()[0] == messages.PACKAGE else "screen"
        did = [("screen", f"On the phone I did this: {self._did}.")] if self._did else []
        return [{"text": text, "channel": name} for name, text in [*did, *((channel, text) for text in self._fresh)]]

    # --- poison, pictures, state ---

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation, on the device as a short message or a notification.

        Raises ContractBroken for an unknown agent or channel.
        """
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about a fact of the task, and when it comes to whom: before the fact is needed."""
        fact = self.made.work.facts[int(rng.integers(len(self.made.work.facts)))]
        others = [value for value in fact.options if value != fact.value]
        claim = Claim(fact.subject, ATTRIBUTE, others[int(rng.integers(len(others)))])
        early = sum(self.made.phases[step.op] != "use" for step in self.made.steps)
        return {
            "text": GRAMMAR.say(claim), "tick": int(rng.integers(early)), "agent": self.possible_agents[-1],
            "channel": "message", "subject": claim.subject, "attribute": claim.attribute, "value": claim.value,
            "truth": fact.value, "question": asking(fact.subject), "options": list(fact.options),
            "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[960, 540, 3]: the phone's screen."""
        return np.asarray(self.phone.screenshot(), np.uint8)

    def snapshot(self) -> bytes:
        """Return the state as bytes; the task is generated anew from the seed."""
        state = {name: getattr(self, f"_{name}") for name in _KEPT}
        return encode({"config": self._config, "state": state, "phone": self.phone.snapshot(), "over": not self.agents,
                       "inbox": self._inbox.plain()})  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another configuration."""
        found = decode(data)
        if not isinstance(found, dict) or found.get("config") != self._config:
            raise CorruptFile("This snapshot is not of an environment of Android tasks of this configuration.")
        self._seed = found["state"]["seed"]
        self._begin()
        for name in _KEPT:
            setattr(self, f"_{name}", found["state"][name])
        self.phone.restore(found["phone"])
        self._inbox.restore(found["inbox"])
        self.agents = [] if found["over"] else list(self.possible_agents)


_KEPT = (
    "seed", "tick", "done", "at", "believed", "chosen", "seen", "needed", "right", "shown", "did", "fresh", "illegal",
    "wrong", "verdicts", "prediction", "over", "success",
)  # fmt: skip


def android_tasks(
    seed: int = 0,
    world: int = 0,
    mode: Mode = "device",
    intent: IntentName | None = None,
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    options: Annotated[int, Field(ge=2, le=12)] = 6,
    delay: Annotated[int | None, Field(ge=0, le=200)] = None,
    distractors: Annotated[int, Field(ge=0, le=6)] = 2,
    sessions: Annotated[int, Field(ge=0, le=8)] = 0,
) -> AndroidTasksEnv:
    """Return an environment of one long task on the simulated phone, drawn from the seed.

    `mode` "device" lets the agent act on the phone; "recorded" shows it each gold step in turn. `intent` keeps one of
    AndroTMem's eight; `options` is the number of values that a fact might have (rooms, deliveries, networks and
    brightness have as many as the apps do, at most); `delay` the least number of steps between seeing and needing, by
    default as many as bring tasks to a mean of 32 steps and at most 65; `distractors` the number of other claims beside
    each fact; `sessions` the number of sessions that end in between. With `seer` "other" one agent looks the facts up
    and another one does the rest. An illegal action takes one of the actions that are left.
    """
    return AndroidTasksEnv(mode, intent, reveal, seer, options, delay, distractors, sessions, seed_of(seed, world) >> 1)
