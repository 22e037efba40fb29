"""Drive along in recorded traffic and predict, from what was seen of it, what vehicles in the fog do now.

The ego is one of the recorded vehicles and moves as it did. Vehicles near it are seen for a while; then fog hides them
all, and it is asked how fast some of them are by now. What was true is in the recording.
"""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from PIL import Image, ImageDraw
from pydantic import Field

from simonides.envs.driving.commonroad import Recording, Track, read, scenarios
from simonides.envs.driving.controller import Path
from simonides.envs.driving.env import CHANNELS, DAWN
from simonides.envs.driving.motion import COLUMNS, FAR, LANES, NEIGHBOURS, Array, histories, observed
from simonides.envs.driving.ride import HISTORY, INTERVAL, Frame
from simonides.envs.driving.scene import Body, Picture
from simonides.envs.inbox import Inbox
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, DataError, StudyError, near
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of

GRAMMAR = Grammar([Form("speed", "The speed of {subject} is {value}.", "The speed of {subject} is not {value}.")])
SPEEDS = ("low", "middling", "high")
"""Thirds of all speeds in the recording, so that none is likelier than another."""
SIGHT = 60.0
"""m within which vehicles are seen."""
ME = "player_0"
DRIVE = "drive on"

Infos = dict[str, dict[str, Any]]


def asking(name: str) -> str:
    """Return the question for a vehicle's speed."""
    return f"What is the speed of {name} now?"


class RecordedEnv(ParallelEnv[str, Array, int]):  # type: ignore[misc]
    """One driver in a CommonRoad scenario.

    A tick is half a second. For `watch` ticks the driver sees all within 60 m, each with its speed in words; then fog
    hides them for `delay` ticks, and at each of the next `questions` ticks it is asked for the speed of one of them.
    An action is 0 to drive on or, when asked, 1, 2 or 3 for a speed. An observation is float32[84] as in
    `env.DrivingEnv`; experiences carry the same histories. The reward is 1.0 for a right prediction.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "commonroad_v0", "render_modes": ["rgb_array"], "render_fps": 2, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels = CHANNELS
    certain = False
    """What was seen is evidence for the speed that is asked for, and not yet the answer."""

    def __init__(self, recording: Recording, seed: int, watch: int, delay: int, questions: int, reveal: bool) -> None:
        """Raises DataError when nobody in the recording is there for so long."""
        self.recording, self.reveal = recording, reveal
        self.watch, self.delay, self.questions = watch, delay, questions
        self.stride = max(1, round(INTERVAL / recording.dt))
        self.possible_agents = [ME]
        self.agents: list[str] = []
        self.teams = {ME: "ego"}
        high = np.full((1 + NEIGHBOURS + LANES) * len(COLUMNS), FAR, np.float32)
        self._seen_space, self._act_space = Box(-high, high, dtype=np.float32), Discrete(1 + len(SPEEDS))
        speeds = np.concatenate([t.states[:, 3] for t in recording.tracks.values() if not t.static])
        self._thirds = np.quantile(speeds, [1 / 3, 2 / 3])
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._begin(seed)

    def observation_space(self, agent: str) -> Box:
        """Return the space of float32[84]."""
        return self._seen_space

    def action_space(self, agent: str) -> Any:
        """Return the space of 0, to drive on, and the speeds."""
        return self._act_space

    @property
    def last(self) -> int:
        """The tick after the last question, at which its answer is judged."""
        return self.watch + self.delay + self.questions

    def _begin(self, seed: int) -> None:
        self._seed, self._tick, self._illegal = seed, 0, 0
        self._frames: list[Frame] = []
        self._news: dict[str, Any] = {}
        rng = generator(seed_of("recorded", seed))
        ego, start, asked = self._cast(rng)
        self.ego, self.start, self.asked = ego, start, asked
        self.options = [SPEEDS[i] for i in rng.permutation(len(SPEEDS))]

    def _cast(self, rng: np.random.Generator) -> tuple[Track, int, list[str]]:
        """Draw who drives, from which step on, and who is asked for; those who can are tried in the drawn order."""
        needed = self.last * self.stride
        moving = [self.recording.tracks[name] for name in sorted(self.recording.tracks)]
        moving = [track for track in moving if not track.static and len(track.states) > needed]
        for i in rng.permutation(len(moving)):
            ego = moving[i]
            start = ego.first + int(rng.integers(len(ego.states) - needed))
            known = self._followed(ego, start)
            if known:
                order = rng.permutation(max(len(known), self.questions)) % len(known)
                return ego, start, [known[j] for j in order[: self.questions]]
        raise DataError(
            f"{self.recording.name} lasts {self.recording.steps * self.recording.dt:.1f} s, and nobody in it sees "
            f"another for {needed * self.recording.dt:.1f} s; use a longer one, or less of watch, delay and questions."
        )

    def _followed(self, ego: Track, start: int) -> list[str]:
        """Return who is in sight when the fog comes, and there until the last question."""
        fog, end = start + (self.watch - 1) * self.stride, start + (self.last - 1) * self.stride
        here = ego.at(fog)
        found = []
        for name, track in sorted(self.recording.tracks.items()):
            there = track.at(fog)
            if track is ego or track.static or here is None or there is None or track.at(end) is None:
                continue
            if np.hypot(*(there[:2] - here[:2])) < SIGHT:
                found.append(name)
        return found

    @property
    def _step_now(self) -> int:
        return self.start + self._tick * self.stride

    def _word(self, name: str) -> str:
        state = self.recording.tracks[name].at(self._step_now)
        assert state is not None
        return SPEEDS[int(np.searchsorted(self._thirds, state[3]))]

    @property
    def _asks(self) -> str:
        """Who is asked for now; "" when nobody is."""
        i = self._tick - self.watch - self.delay
        return self.asked[i] if 0 <= i < self.questions else ""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Array], Infos]:
        """Start again, with another ego and other questions if a seed is given."""
        self._begin(self._seed if seed is None else seed)
        self.agents = [ME]
        return self._views()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Take the answer, and go on by half a second."""
        self._news = {}
        chosen = self._chosen(actions.get(ME, 0))
        reward = self._judge(chosen) if self._asks else 0.0
        over = self._tick >= self.last
        self._tick = min(self._tick + 1, self.last)
        observations, infos = self._views()
        if over:
            self.agents = []
        return observations, {ME: reward}, {ME: over}, {ME: False}, infos

    def _chosen(self, action: Any) -> str:
        """Return the speed that an action names; "" for none, or for what is not legal now, which is counted."""
        number = int(action) if isinstance(action, int | np.integer) else -1
        if number == 0:
            return ""
        if self._asks and 1 <= number <= len(SPEEDS):
            return SPEEDS[number - 1]
        self._illegal += 1
        self._news["illegal"] = {"asked": number if number >= 0 else str(action)[:80],
                                 "legal": [one["text"] for one in self._legal()]}  # fmt: skip
        return ""

    def _judge(self, chosen: str) -> float:
        name, truth = self._asks, self._word(self._asks)
        met = chosen == truth
        seen = self.watch - 1 if self.reveal else -1
        others = len({*self._followed(self.ego, self.start)} - {name})
        verdict = Verdict(
            self._need_name(), "prediction", name, "speed", tuple(self.options), truth, chosen, met, seen, self._tick,
            others,
        )  # fmt: skip
        self._news |= {"verdict": verdict.plain(), "outcome": {"need": verdict.need, "truth": truth}}
        return float(met)

    def _need_name(self) -> str:
        return f"{ME}-{self._tick}"

    def _legal(self) -> list[dict[str, Any]]:
        named = [{"text": f"say {SPEEDS[i]}", "value": 1 + i} for i in range(len(SPEEDS))] if self._asks else []
        return [*named, {"text": DRIVE, "value": 0}]

    def _body(self, track: Track) -> Body | None:
        state = track.at(self._step_now)
        if state is None:
            return None
        x, y, heading, speed = state.tolist()
        return Body(x, y, heading, speed * np.cos(heading), speed * np.sin(heading), track.length, SIGHT)

    def _visible(self) -> dict[str, Body]:
        """Return who can be seen: the ego, and before the fog those near it; never those asked for, if not `reveal`."""
        me = self._body(self.ego)
        assert me is not None
        found = {ME: me}
        for name, track in sorted(self.recording.tracks.items()) if self._tick < self.watch else ():
            body = self._body(track) if track is not self.ego else None
            if body is not None and (self.reveal or name not in self.asked):
                found[name] = body
        return {name: body for name, body in found.items() if np.hypot(body.x - me.x, body.y - me.y) < SIGHT}

    def _path(self) -> Path:
        points = self.ego.states[:, :2]
        apart = np.concatenate([[True], np.hypot(*np.diff(points, axis=0).T) > 0.05])
        kept = points[apart]
        heading = self.ego.states[0, 2]
        beyond = kept[-1] + np.outer([1.0, 2.0, 3.0], [np.cos(heading), np.sin(heading)])
        return Path(kept if len(kept) > 3 else np.concatenate([kept, beyond]))

    def _views(self) -> tuple[dict[str, Array], Infos]:
        frame = Frame(self._tick * INTERVAL, self._visible())
        self._frames = [*self._frames[-HISTORY + 1 :], frame]
        infos = {ME: self._info()}
        self._inbox.show(infos)
        return {ME: observed(ME, frame, ()).ravel()}, infos

    def _info(self) -> dict[str, Any]:
        visible = [name for name in self._visible() if name != ME and not self.recording.tracks[name].static]
        facts = [GRAMMAR.say(Claim(name, "speed", self._word(name))) for name in visible]
        name, done = self._asks, self._tick >= self.last
        question = asking(name) if name else ""
        where = "You see no vehicle." if not facts and self._tick < self.watch else ""
        fog = "Fog hides everything." if self._tick >= self.watch else ""
        told = [{"text": fact} for fact in facts]
        seen: dict[str, Any] = {"text": f"You see {len(facts)} vehicles." if facts else fog or where}
        seen["metadata"] = {"vectors": histories(ME, self._frames, self._path())}
        lines = [*facts, where, fog, question]
        key = {"verdicts": [self._news["verdict"]] if "verdict" in self._news else [], "illegal": self._illegal}
        info: dict[str, Any] = {
            "text": " ".join(line for line in lines if line), "time": DAWN + self._tick * INTERVAL, "session": 0,
            "session_end": done, "legal_actions": self._legal(), "noop": 0, "plan": "" if name else DRIVE,
            "experiences": [seen, *told], "answer_key": key,
        }  # fmt: skip
        if name:
            plan = {speed: f"say {speed}" for speed in self.options}
            need = Need(self._need_name(), question, name, "speed", tuple(self.options), plan, GRAMMAR)
            info |= {"need": need.plain(), "question": question, "phase": "question"}
        return info | {key: self._news[key] for key in ("outcome", "illegal") if key in self._news}

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to the driver with its next observation. Raises ContractBroken for another agent or channel."""
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a wrong speed of somebody who will be asked for, told by another car when the fog has come."""
        i = int(rng.integers(self.questions))
        step = self.start + (self.watch + self.delay + i) * self.stride
        state = self.recording.tracks[self.asked[i]].at(step)
        truth = SPEEDS[int(np.searchsorted(self._thirds, state[3]))] if state is not None else ""
        wrong = [speed for speed in SPEEDS if speed != truth]
        value = wrong[int(rng.integers(len(wrong)))]
        text = GRAMMAR.say(Claim(self.asked[i], "speed", value, f"Car {int(rng.integers(100, 1000))}"))
        return {"text": text, "channel": "report", "tick": self.watch, "agent": ME, "subject": self.asked[i],
                "attribute": "speed", "value": value, "truth": truth, "question": asking(self.asked[i]),
                "options": list(self.options), "grammar": GRAMMAR.plain()}  # fmt: skip

    @property
    def _configuration(self) -> list[Any]:
        return [self.recording.name, self.watch, self.delay, self.questions, self.reveal]

    def snapshot(self) -> bytes:
        """Return the state as bytes; the recording is not part of it."""
        return encode({"configuration": self._configuration, "seed": self._seed, "tick": self._tick, "news": self._news,
                       "illegal": self._illegal, "inbox": self._inbox.plain(), "over": not self.agents})  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile for that of another recording or other parameters."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("configuration") != self._configuration:
            raise CorruptFile("This snapshot is of another recording; build the environment with the same one first.")
        self._begin(state["seed"])
        for tick in range(state["tick"] + 1):
            self._tick = tick
            self._frames = [*self._frames[-HISTORY + 1 :], Frame(tick * INTERVAL, self._visible())]
        self._news, self._illegal = state["news"], state["illegal"]
        self._inbox.restore(state["inbox"])
        self.agents = [] if state["over"] else [ME]

    def render(self) -> Picture:
        """Return the traffic around the ego from above, uint8[400, 640, 3]: the ego red, others blue, none left out."""
        picture = Image.new("RGB", (640, 400), (96, 96, 96))
        draw, me = ImageDraw.Draw(picture), self._body(self.ego)
        assert me is not None

        def pixels(points: Any) -> list[tuple[float, float]]:
            return [(320 + 4 * (x - me.x), 200 - 4 * (y - me.y)) for x, y in points]

        for bounds in self.recording.lanes:
            for bound in bounds:
                draw.line(pixels(bound), fill=(230, 230, 230))
        for track in self.recording.tracks.values():
            body = self._body(track)
            if body is not None:
                draw.polygon(
                    pixels(_corners(body, track.width)), fill=(200, 40, 40) if track is self.ego else (60, 110, 220)
                )
        return np.asarray(picture, np.uint8)

    def close(self) -> None:
        """Do nothing: no resource is held."""


def _corners(body: Body, width: float) -> Any:
    forwards = np.array([np.cos(body.heading), np.sin(body.heading)])
    aside = np.array([-forwards[1], forwards[0]])
    ends = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    return [np.array([body.x, body.y]) + a * body.length / 2 * forwards + b * width / 2 * aside for a, b in ends]


def commonroad(
    data: str,
    seed: int = 0,
    world: int = 0,
    scenario: str = "",
    watch: Annotated[int, Field(ge=1, le=60)] = 3,
    delay: Annotated[int, Field(ge=0, le=60)] = 1,
    questions: Annotated[int, Field(ge=1, le=20)] = 2,
    reveal: bool = True,
) -> RecordedEnv:
    """Return a driver in the CommonRoad scenarios at `data`, a file or a folder.

    `scenario` is a file's name without its ending; without one, the `world`'s number goes through those of the folder.
    `watch`, `delay` and `questions` are ticks of half a second. Raises DataError for a file that is no scenario, or is
    too short, and StudyError for a scenario that is not there.
    """
    files = scenarios(FilePath(data))
    named = {file.stem: file for file in files}
    if scenario and scenario not in named:
        raise StudyError(f"scenario: none is called {scenario!r}.{near(scenario, named)} Known: {', '.join(named)}.")
    chosen = named[scenario] if scenario else files[world % len(files)]
    return RecordedEnv(read(chosen), seed_of(seed, world) >> 1, watch, delay, questions, reveal)
