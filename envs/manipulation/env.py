"""Arms at tables whose memory decides what they reach for: a PettingZoo environment over a MuJoCo work cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete

from simonides.envs.inbox import Inbox
from simonides.envs.manipulation.cell import Cell
from simonides.envs.manipulation.scene import SUBSTEP, SUBSTEPS
from simonides.envs.manipulation.tasks import Case, Task, chores, fields_of
from simonides.envs.seeded import Seeded
from simonides.sim.claims import Claim
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

Floats = npt.NDArray[np.float32]
Infos = dict[str, dict[str, Any]]

EPOCH = 1_767_225_600.0
"""When the first session begins: 2026-01-01 UTC."""
DAY = 86_400.0
LONGEST = 400
"""Control steps after which a skill that has not come to its end is broken off."""
IDLE = 8
"""Control steps of a tick in which no arm moves; the lids close in that."""
SHOWING = 15
"""Control steps that a showing tick lasts under raw control."""
SKILL = 110
"""Control steps that one skill is given under raw control."""
BOUND = 10.0
"""Bound of every observed number; metres and radians here are far below."""
WAITED = 4
"""How many times a question's patience the environment waits until it can be posed."""
CHANNELS = {
    "message": "what somebody says to the agent, who need not be right",
    "sign": "a label that is stuck to a bin or a cup",
}
COMMON = ("wait", "look", "tap the post")


class ManipulationEnv(Seeded):
    """One agent an arm; each station poses one case of the task. See docs/manipulation.md.

    With `control="skills"` an action is the number of a skill and a tick lasts until all arms are done with theirs;
    with "raw" it is float32[5] in [-1, 1] (radius, swing, height, roll, grip) and a tick is one control step of 40 ms.
    An observation is float32[n] within +-10: the arm's seven joints, the grip's pose, lids, and for every piece whether
    it is seen, its position in the arm's frame, and its turn.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "manipulation_v0", "render_modes": ["rgb_array"], "render_fps": 5, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels = CHANNELS
    message_channel = "message"

    def __init__(
        self, task: Task, seed: int, control: str = "skills", reveal: bool = True, seer: str = "self", delay: int = 6,
        distractors: int = 0, sessions: int = 0,
    ) -> None:  # fmt: skip
        self.task, self.raw, self.reveal, self.seer = task, control == "raw", reveal, seer
        self.delay, self.distractors, self.sessions = delay, distractors, sessions
        self.cell = Cell(task.layout)
        self.n = task.layout.stations
        self.possible_agents = [f"player_{i}" for i in range(self.n)]
        self.agents: list[str] = []
        self.names = list(dict.fromkeys([*COMMON, *task.actions]))
        self.show_ticks = task.shows * (SHOWING if self.raw else 1)
        self.patience = task.patience * (SKILL if self.raw else 1)
        self._seed = seed
        self._shape = [task.name, control, reveal, seer, delay, distractors, sessions, self.n, self.names]
        self._pieces = [piece.name for piece in task.layout.pieces] + list(task.layout.cups)
        size = 7 + 5 + len(task.layout.bins) + 5 * len(self._pieces)
        self._space = Box(-BOUND, BOUND, (size,), np.float32)
        self._acts = Box(-1.0, 1.0, (5,), np.float32) if self.raw else Discrete(len(self.names))
        self._begin()

    def observation_space(self, agent: str) -> Box:
        """Return the space of float32[n]."""
        return self._space

    def action_space(self, agent: str) -> Box | Discrete[Any]:
        """Return the space of skills by number, or of raw actions."""
        return self._acts

    def _begin(self) -> None:
        """Draw the cases, and lay the scene out."""
        self._tick, self._over, self._failed = 0, False, ""
        self.cell.reset()
        self.cases: list[Case] = []
        for station in range(self.n):
            case = self.task.draw(generator(seed_of("manipulation", self._seed, station)))
            self.cases.append(case)
            self.task.lay(self.cell, station, case)
        self.cell.ready()
        self._illegal = [0] * self.n
        self._refused: list[dict[str, Plain]] = [{} for _ in range(self.n)]
        self._outcomes: list[dict[str, Plain]] = [{} for _ in range(self.n)]
        self._verdicts: list[list[dict[str, Plain]]] = [[] for _ in range(self.n)]
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._doing = ["" for _ in range(self.n)]
        self._offers: list[dict[str, Any]] = [{} for _ in range(self.n)]

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Floats], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let every arm do what was asked of it: a skill to its end, or one control step."""
        present = list(self.agents)
        last = self._over
        self._outcomes, self._verdicts = [{} for _ in range(self.n)], [[] for _ in range(self.n)]
        if not last:
            if self._tick + 1 == self.show_ticks:
                self._conceal()
            self._act(actions)
            self._tick += 1
            self.cell.ready()
            self._judge()
        else:
            self._tick += 1
        observations, infos = self._views()
        rewards = {agent: float(sum(bool(v["success"]) for v in self._verdicts[i])) for i, agent in enumerate(present)}
        if last:
            self.agents = []
        return observations, rewards, dict.fromkeys(present, last), dict.fromkeys(present, False), infos

    def _conceal(self) -> None:
        for station, case in enumerate(self.cases):
            self.task.conceal(self.cell, station, case)

    # What arms do

    def _act(self, actions: dict[str, Any]) -> None:
        for i, agent in enumerate(self.possible_agents):
            self._refused[i] = {}
            if self.raw:
                self._take_raw(i, actions.get(agent))
            else:
                self._take_skill(i, actions.get(agent, 0))
        if self.raw:
            self.cell.step()
            self._failed = self.cell.diverged()
        else:
            self._run_skills()

    def _take_skill(self, arm: int, action: Any) -> None:
        offered = self._offers[arm]
        number = int(action) if isinstance(action, int | np.integer) else -1
        name = self.names[number] if 0 <= number < len(self.names) else ""
        if name not in offered:
            self._refuse(arm, name or repr(action))
            return
        self.cell.arms[arm].start(self._path(arm, name))

    def _refuse(self, arm: int, asked: str) -> None:
        self._illegal[arm] += 1
        self._refused[arm] = {"asked": asked[:80], "legal": list(self._offers[arm])}

    def _path(self, arm: int, name: str) -> Any:
        return chores(self.cell, arm, name) if name in COMMON else self.task.skill(self.cell, arm, name)

    def _take_raw(self, arm: int, action: Any) -> None:
        """Move the arm's command. One who does what was offered under a name stays on that name's path."""
        raw = _numbers(action)
        if raw.shape != (5,) or not np.isfinite(raw).all() or np.abs(raw).max() > 1 + 1e-6:
            self._refuse(arm, repr(action))
            return
        self_arm, values = self.cell.arms[arm], raw.tolist()
        names = [name for name, value in self._offers[arm].items() if np.array_equal(value, raw.astype(np.float32))]
        name = self._doing[arm] if self._doing[arm] in names else next(iter(names), "")
        if name != self._doing[arm]:
            self_arm.start(self._path(arm, name) if name else [])
        self_arm.move(values)
        self_arm.arrive()
        self._doing[arm] = name if self_arm.path else ""

    def _run_skills(self) -> None:
        """Step until every arm has come to the end of its path, and nothing is being closed or moved any more."""
        for steps in range(LONGEST):
            busy = any(arm.path for arm in self.cell.arms) or self.cell.busy
            if not busy and steps >= IDLE:
                break
            for arm in self.cell.arms:
                arm.follow()
            self.cell.step()
            self._failed = self.cell.diverged()
            if self._failed:
                break
        for arm in self.cell.arms:
            arm.start([])

    # What comes of it

    def _judge(self) -> None:
        """Pose what is due, and settle what is decided; the episode is over when every case is."""
        if self._failed:
            self._fail()
            return
        for station, case in enumerate(self.cases):
            self._settle(station, case)
        if self._tick >= self.show_ticks + self.delay:
            for station, case in enumerate(self.cases):
                self._pose(station, case)
        self.cell.touched.clear()
        self._over = all(case.done for case in self.cases)

    def _pose(self, station: int, case: Case) -> None:
        if case.done or case.asked >= 0:
            return
        if self.cell.busy or not self.task.ready(self.cell, station, self.cases):
            self._wait_for(station, case)
            return
        case.asked, case.chosen, case.moved = self._tick, "", False
        self.task.pose(self.cell, station, case)

    def _wait_for(self, station: int, case: Case) -> None:
        """Give a case up whose question has been due for too long: its arm does not do what comes before."""
        case.waited += 1
        if case.waited > WAITED * self.patience:
            case.asked = self._tick
            self._decide(station, case, False)
            case.done = True

    def _settle(self, station: int, case: Case) -> None:
        self.task.watch(self.cell, station, case)
        if case.done or case.asked < 0:
            return
        case.chosen = case.chosen or self.task.choice(self.cell, station, case)
        truth = case.truths[case.stage]
        success = case.chosen == truth and self.task.reached(self.cell, station, case)
        if success or case.chosen not in ("", truth) or self._tick - case.asked >= self.patience:
            self._decide(station, case, success)

    def _decide(self, station: int, case: Case, success: bool) -> None:
        self._verdicts[station].append(self._verdict(station, case, success).plain())
        self._outcomes[station] = {"need": self._need_id(station, case), "truth": case.truths[case.stage]}
        case.stage, case.asked = case.stage + 1, -1
        case.done = case.stage >= len(case.truths) or (self.task.breaks and not success)

    def _fail(self) -> None:
        """End the episode as failed: every case that is open gets its verdict."""
        for station, case in enumerate(self.cases):
            if not case.done:
                case.asked = case.asked if case.asked >= 0 else self._tick
                self._decide(station, case, False)
                case.done = True
        self._over = True

    def _verdict(self, station: int, case: Case, success: bool) -> Verdict:
        question = self.task.question(station, case)
        return Verdict(
            need=self._need_id(station, case), task=self.task.name, subject=question.subject,
            attribute=question.attribute, options=tuple(question.plan), truth=case.truths[case.stage],
            chosen=case.chosen, success=success, seen=self._seen_at(case) if self.reveal else -1, needed=case.asked,
            distractors=self.distractors, sessions=self.sessions,
        )  # fmt: skip

    def _seen_at(self, case: Case) -> int:
        show = case.order[case.stage] if case.order else 0
        return min(self.show_ticks - 1, (show + 1) * (SHOWING if self.raw else 1) - 1)

    def _need_id(self, station: int, case: Case) -> str:
        return f"{self.task.name}-{station}-{case.stage}"

    # What is seen

    def _showing(self) -> int:
        """Return the number of the showing tick, -1 afterwards."""
        return self._tick // (SHOWING if self.raw else 1) if self._tick < self.show_ticks else -1

    def _watched(self, agent: int) -> int:
        """Return the station that an agent sees while facts are shown."""
        return (agent + 1) % self.n if self.seer == "other" else agent

    def _hidden(self, agent: int) -> bool:
        """Return whether what a station shows is kept from its own agent at this tick."""
        before = self._tick < self.show_ticks + self.delay and self.cases[agent].asked < 0
        return before and (not self.reveal or self.seer == "other")

    def _claims(self, agent: int) -> list[Claim]:
        show = self._showing()
        if show >= 0:
            watched = self._watched(agent)
            return self.task.visible(self.cell, watched, self.cases[watched], show) if self.reveal else []
        if self._hidden(agent) or not self.reveal:
            return []
        return self.task.visible(self.cell, agent, self.cases[agent], -1)

    def _session(self, tick: int) -> int:
        """Return the session of a tick: their ends lie evenly in the delay."""
        gone = min(max(tick - self.show_ticks, -1) + 1, max(self.delay, 1))
        return gone * self.sessions // max(self.delay, 1) if self.delay else 0

    def _decoys(self, agent: int) -> list[Claim]:
        """Return the decoy facts of this tick, told evenly over the delay."""
        if self.task.carries_distractors or not self.distractors or not self.delay:
            return []
        gone = self._tick - self.show_ticks
        if not 0 <= gone < self.delay:
            return []
        first, last = gone * self.distractors // self.delay, (gone + 1) * self.distractors // self.delay
        rng = [generator(seed_of("decoy", self._seed, agent, n)) for n in range(first, last)]
        return [self.task.decoy(one, n, agent) for n, one in enumerate(rng, start=first)]

    def _views(self) -> tuple[dict[str, Floats], Infos]:
        observations, infos = {}, {}
        for i, agent in enumerate(self.agents):
            self._offers[i] = self._offered(i)
            observations[agent], infos[agent] = self._vector(i), self._info(i)
        self._inbox.show(infos)
        return observations, infos

    def _info(self, i: int) -> dict[str, Any]:
        facts = [self.task.grammar.say(claim) for claim in [*self._claims(i), *self._decoys(i)]]
        lived: list[dict[str, Plain]] = [{"text": fact, "metadata": {}} for fact in facts]
        session = self._session(self._tick)
        info: dict[str, Any] = {
            "text": self._text(i, facts),
            "time": EPOCH + DAY * session + round(self.cell.steps * SUBSTEP * SUBSTEPS, 3),
            "session": session, "session_end": self._session(self._tick + 1) > session,
            "experiences": lived, "legal_actions": self._listed(i),
            "noop": self._offers[i]["wait"],
            "answer_key": {"verdicts": self._verdicts[i], "illegal": self._illegal[i]},
        }  # fmt: skip
        if self.raw:
            number = {"type": "number", "minimum": -1, "maximum": 1}
            info["action_schema"] = {"type": "array", "items": number, "minItems": 5, "maxItems": 5}
        if self._failed:
            info["answer_key"]["failed"] = self._failed
        if self._outcomes[i]:
            info["outcome"] = self._outcomes[i]
        if self._refused[i]:
            info["illegal"] = self._refused[i]
        need = self._need(i)
        return info | ({"need": need.plain(), "question": need.question} if need else {"plan": self._plan(i)})

    def _need(self, i: int) -> Need | None:
        case = self.cases[i]
        if self._over or case.done or case.asked < 0 or case.chosen:
            return None
        question = self.task.question(i, case)
        if any(action not in self._offers[i] for action in question.plan.values()):
            return None  # between the choices: the planner brings the arm to where it can choose
        return Need(
            self._need_id(i, case), question.text, question.subject, question.attribute, tuple(question.plan),
            question.plan, self.task.grammar,
        )  # fmt: skip

    def _plan(self, i: int) -> str:
        """Return what the planner does where nothing is to be recalled."""
        case = self.cases[i]
        if self._over:
            return "wait"
        if self._doing[i]:
            return self._doing[i]
        if case.asked >= 0 and not case.done:
            wanted = self.task.follow(self.cell, i, case)
        else:
            wanted = self.task.between(self.cell, i, case) if self._showing() < 0 else ""
        if not wanted and not self.raw and self._chore():
            wanted = "tap the post"
        return wanted if wanted in self._offers[i] else "wait"

    def _chore(self) -> bool:
        """Return whether this tick of the delay is one for the post: every third."""
        gone = self._tick - self.show_ticks
        return 0 <= gone < self.delay and gone % 3 == 1

    def _legal(self, i: int) -> list[str]:
        if self._showing() >= 0 or self._over:
            return list(COMMON[:1])
        under_way = [self._doing[i]] if self._doing[i] else []
        return list(dict.fromkeys([*COMMON, *self.task.legal(self.cell, i, self.cases[i]), *under_way]))

    def _offered(self, i: int) -> dict[str, Any]:
        """Return what can be done now: name -> value in the action space."""
        names = self._legal(i)
        if not self.raw:
            return {name: self.names.index(name) for name in names}
        return {name: np.array(self._raw_of(i, name), np.float32) for name in names}

    def _raw_of(self, i: int, name: str) -> tuple[float, ...]:
        arm = self.cell.arms[i]
        if name == "wait" or (name == self._doing[i] and arm.path):
            return arm.delta() if name == self._doing[i] else (0.0, 0.0, 0.0, 0.0, 2 * arm.grip - 1)
        kept = arm.state()
        arm.start(self._path(i, name))
        arm.arrive()
        delta = arm.delta()
        arm.set_state(kept)
        return delta

    def _listed(self, i: int) -> list[dict[str, Plain]]:
        return [{"text": name, "value": value} for name, value in self._offers[i].items()]

    def _text(self, i: int, facts: list[str]) -> str:
        parts = [f"You are the arm of table {i + 1} of {self.n}.", *facts]
        if self._failed:
            parts.append(f"The episode has failed: {self._failed}.")
        parts += self.task.told(self.cell, i, self.cases[i], self._showing())
        need = self._need(i)
        if need:
            parts.append(need.question)
        if self._refused[i]:
            parts.append(f"You cannot do this now: {self._refused[i]['asked']}.")
        return " ".join(parts)

    def _vector(self, i: int) -> Floats:
        cell, arm = self.cell, self.cell.arms[i]
        values = cell.arm_joints(i)
        values += [*arm.command, arm.grip]
        values += [cell.opened(i, name) for name in self.task.layout.bins]
        for name in self._pieces:
            shown = not self._hidden(i) and cell.seen(i, name)
            values += [1.0, *cell.spot(i, i, name), cell.yaw(i, name)] if shown else [0.0] * 5
        vector = np.nan_to_num(np.array(values, np.float32), nan=0.0, posinf=BOUND, neginf=-BOUND)
        return np.clip(vector, -BOUND, BOUND)

    # What comes from outside

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation. Raises ContractBroken for an unknown agent or channel."""
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false message about a fact that will be needed, for the first tick after it was shown."""
        station = int(rng.integers(self.n))
        case = self.task.draw(generator(seed_of("manipulation", self._seed, station)))
        case.stage = int(rng.integers(len(case.truths)))
        question = self.task.question(station, case)
        wrong = [value for value in question.plan if value != case.truths[case.stage]]
        value = wrong[int(rng.integers(len(wrong)))]
        claim = Claim(question.subject, question.attribute, value, "A visitor")
        return {
            "text": self.task.grammar.say(claim), "tick": self.show_ticks, "agent": self.possible_agents[station],
            "speaker": "A visitor", "channel": "message", "subject": question.subject,
            "attribute": question.attribute, "value": value, "truth": case.truths[case.stage],
            "question": question.text, "options": list(question.plan), "grammar": self.task.grammar.plain(),
        }  # fmt: skip

    # State

    def snapshot(self) -> bytes:
        """Return the whole state as bytes."""
        return encode(
            {
                "shape": self._shape, "seed": self._seed, "tick": self._tick, "over": self._over,
                "ended": not self.agents, "failed": self._failed, "cell": self.cell.snapshot(),
                "cases": [case.plain() for case in self.cases], "illegal": self._illegal, "refused": self._refused,
                "outcomes": self._outcomes, "verdicts": self._verdicts, "doing": self._doing,
                "inbox": self._inbox.plain(),
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another configuration."""
        state: Any = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of a manipulation environment with these parameters.")
        self._seed, self._tick, self._over, self._failed = (state[k] for k in ("seed", "tick", "over", "failed"))
        self.agents = [] if state["ended"] else list(self.possible_agents)
        self.cases = [fields_of(case) for case in state["cases"]]
        self._illegal, self._refused, self._outcomes = (state[k] for k in ("illegal", "refused", "outcomes"))
        self._verdicts, self._doing = state["verdicts"], state["doing"]
        self.cell.restore(state["cell"])
        self._views()
        self._inbox.restore(state["inbox"])

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[360, 480, 3]: all tables from above. Set MUJOCO_GL to egl or osmesa where there is no screen."""
        self.task.paint(self.cell, self.cases, self._showing())
        return self.cell.render()

    def close(self) -> None:
        """Free the renderer."""
        self.cell.close()


def _numbers(action: Any) -> npt.NDArray[np.float64]:
    """Return an action as numbers; none at all for what has no such form."""
    try:
        return np.asarray(action, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
