"""Android devices as a PettingZoo environment: one device an agent, AndroidWorld's actions, screens in words.

What is asked of the agents, and what comes of it, is a course's: the environment shows, acts, counts and saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Dict
from pettingzoo import ParallelEnv

from simonides.envs.android import actions
from simonides.envs.android.device import Device, DeviceGone, Node, Pixels
from simonides.envs.android.elements import Screen
from simonides.envs.android.incoming import arrive, spoken
from simonides.envs.android.simulated.apps import phone, populate
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.world import World
from simonides.envs.text_space import AnyText
from simonides.sim.codec import decode, encode
from simonides.sim.errors import ContractBroken, CorruptFile, MissingExtra, StudyError
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import seed_of
from simonides.sim.types import Plain

Infos = dict[str, dict[str, Any]]
Texts = dict[str, dict[str, str]]

CHANNELS: Mapping[str, str] = {
    "screen": "A text on a screen that the agent sees: here a notification of a web page.",
    "message": "A short message from a contact, who is named as its speaker; from a stranger where nobody is.",
}
NOTHING = "wait"
"""The plan where nothing is asked."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a course says to one agent at one tick."""

    instruction: str = "Nothing is asked of you now. Wait."
    plan: str = NOTHING
    need: Need | None = None
    texts: Sequence[str] = ()
    """What may have to be typed."""
    verdicts: Sequence[Verdict] = ()
    outcome: Mapping[str, Plain] | None = None
    reward: float = 0.0
    session: int = 0
    session_end: bool = False
    over: bool = False


class Course(Protocol):
    """What is asked of agents on their devices, tick by tick. Its state is plain data."""

    def begin(self, devices: Mapping[str, Device], seed: int) -> None:
        """Start an episode on devices that are as new."""

    def brief(self, agent: str, screen: Screen) -> Brief:
        """Return what an agent is told with what its screen shows; the same as long as nothing has happened."""

    def acted(self, actions: Mapping[str, actions.JSONAction | None], screens: Mapping[str, Screen]) -> None:
        """Take what the agents did (None: nothing legal) and what their screens show then."""

    def failed(self, reason: str) -> None:
        """End as failed: what is open becomes a verdict without success."""

    def state(self) -> dict[str, Plain]:
        """Return the state, without the devices'."""

    def resume(self, devices: Mapping[str, Device], seed: int, state: Mapping[str, Any]) -> None:
        """Go on from a state on devices that are restored already."""


def device_of(name: str) -> Callable[[], Device]:
    """Return how a device is had: "simulated", or "adb:SERIAL" for a real one. Raises StudyError for other names."""
    if name == "simulated":
        return lambda: phone(None)
    kind, _, serial = name.partition(":")
    if kind != "adb" or not serial:
        raise StudyError(f'device: {name!r} is neither "simulated" nor "adb:SERIAL"; `adb devices` lists serials.')
    made: Device | None = None

    def connected() -> Device:
        nonlocal made
        if made is None:
            try:
                made = import_module("simonides.envs.android.adb_device").AdbDevice(serial)
            except ModuleNotFoundError as error:
                raise MissingExtra(f"device: {name} needs {error.name}: pip install 'simonides[android]'.") from None
        return made

    return connected


@dataclass(slots=True)
class _Seat:
    """One agent's device and what has been shown on it."""

    device: Device
    screen: Screen
    said: tuple[str, ...] = ()
    asked: str = ""
    illegal: int = 0
    refused: Mapping[str, Plain] | None = None
    given: list[tuple[str, str]] = field(default_factory=list)
    shown: Sequence[Node] = ()

    def plain(self) -> list[Plain]:
        """Return the seat as plain data, its phone as a snapshot."""
        saved = _phone(self.device).snapshot()
        return [saved, self.said, self.asked, self.illegal, self.refused, self.given]

    def look(self, again: bool = False) -> None:
        """See what the device shows, if it is not what was seen; `again`, a real phone is not asked a second time."""
        if again and not isinstance(self.device, Phone):
            return
        windows = self.device.windows()
        if windows is not self.shown:
            self.screen, self.shown = Screen.of(self.device), windows


class AndroidEnv(ParallelEnv[str, dict[str, str], str]):  # type: ignore[misc]
    """Agents with a device each. An observation is the screen in words; an action is AndroidWorld's JSON, or its words.

    An action that cannot be read, or that names what is not there, is illegal: nothing is done. A device that no longer
    answers ends the episode for all, as failed, with its reason in `infos[agent]["failed"]`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "android_v0", "render_modes": ["rgb_array"], "render_fps": 2, "is_parallelizable": True,
    }  # fmt: skip
    channels = CHANNELS
    message_channel = "message"

    def __init__(self, make: Callable[[], Device], course: Course, agents: int, seed: int, kind: str) -> None:
        """`make` gives a device as new for each agent; `kind` says which configuration a snapshot is of."""
        self._make, self._course, self._seed, self._kind = make, course, seed, kind
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.agents: list[str] = []
        self.render_mode = "rgb_array"
        self._words = AnyText()
        self._seen = Dict({"text": AnyText()})
        self._seats: dict[str, _Seat] = {}
        self._tick, self._failed = 0, ""

    def observation_space(self, agent: str) -> Dict:
        """Return the space of {"text": any text}."""
        return self._seen

    def action_space(self, agent: str) -> AnyText:
        """Return the space of any text; which texts are legal is in the infos."""
        return self._words

    @property
    def devices(self) -> Mapping[str, Device]:
        """The agents' devices."""
        return {agent: seat.device for agent, seat in self._seats.items()}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Texts, Infos]:
        """Start again with devices as new, of another seed if one is given. Raises StudyError for a lost device."""
        if seed is not None:
            self._seed = seed
        self.agents, self._tick, self._failed = list(self.possible_agents), 0, ""
        try:
            made = {agent: self._make() for agent in self.possible_agents}
            for device in made.values():
                if isinstance(device, Phone):
                    populate(device, World(seed_of("phone", self._seed)))
            self._course.begin(made, self._seed)
            self._seats = {agent: _Seat(device, Screen.of(device)) for agent, device in made.items()}
        except DeviceGone as error:
            raise StudyError(f"device: it does not answer ({error}); connect it, and see `adb devices`.") from None
        return self._views()

    def step(
        self, actions: Mapping[str, str]
    ) -> tuple[Texts, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let every agent act on its device."""
        present = list(self.agents)
        try:
            done = {agent: self._act(self._seats[agent], actions.get(agent, "")) for agent in present}
            self._tick += 1
            for seat in self._seats.values():
                seat.look()
            self._course.acted(done, {agent: seat.screen for agent, seat in self._seats.items()})
            for seat in self._seats.values():
                self._receive(seat)
                seat.look(again=True)
        except DeviceGone as error:
            self._failed = f"The device is gone: {error}"
            self._course.failed(self._failed)
        briefs = {agent: self._course.brief(agent, self._seats[agent].screen) for agent in present}
        observations, infos = self._views()
        over = bool(self._failed) or all(brief.over for brief in briefs.values())
        if over:
            self.agents = []
        rewards = {agent: brief.reward for agent, brief in briefs.items()}
        return observations, rewards, dict.fromkeys(present, over), dict.fromkeys(present, False), infos

    def _act(self, seat: _Seat, said: str) -> actions.JSONAction | None:
        seat.refused = None
        try:
            action = actions.parse(said)
            actions.check(action, seat.screen)
        except actions.BadAction as error:
            seat.illegal += 1
            names: list[Plain] = [one["text"] for one in actions.legal(seat.screen)]
            seat.refused = {"asked": str(said)[:200], "why": str(error), "legal": names}
            return None
        actions.perform(seat.device, action, seat.screen)
        return action

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent through a channel with its next observation. Raises ContractBroken."""
        if channel not in CHANNELS or agent not in self._seats:
            raise ContractBroken(
                f"There is no agent {agent!r} with a channel {channel!r}; channels: {', '.join(CHANNELS)}."
            )
        self._seats[agent].given.append((channel, text))

    def _receive(self, seat: _Seat) -> None:
        """Let what was injected come in: as a message, or as a web page's notification."""
        device = seat.device
        if not isinstance(device, Phone) or not seat.given:
            return
        for channel, text in seat.given:
            arrive(device, channel, text)

    def _views(self) -> tuple[Texts, Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        return {agent: {"text": str(info["text"])} for agent, info in infos.items()}, infos

    def _info(self, agent: str) -> dict[str, Any]:
        seat = self._seats[agent]
        brief = self._course.brief(agent, seat.screen)
        given = "".join(f"\nNotice: {text}" for _, text in seat.given)
        info: dict[str, Any] = {
            "text": f"Instruction: {brief.instruction}\n{seat.screen.words()}{given}",
            "legal_actions": actions.legal(seat.screen, brief.texts),
            "noop": NOOP, "plan": brief.plan, "session": brief.session, "session_end": brief.session_end,
            "time": self._time(seat.device), "experiences": self._lived(seat, brief),
            "answer_key": {"verdicts": [one.plain() for one in brief.verdicts], "illegal": seat.illegal},
        }  # fmt: skip
        if brief.need is not None:
            info |= {"need": brief.need.plain(), "question": brief.need.question}
            del info["plan"]
        if brief.outcome is not None:
            info["outcome"] = dict(brief.outcome)
        if seat.refused is not None:
            info["illegal"] = seat.refused
        if self._failed:
            info["failed"] = self._failed
        return info

    def _lived(self, seat: _Seat, brief: Brief) -> list[dict[str, Plain]]:
        """Return what is new on the screen, what was asked, and what was injected."""
        lived: list[dict[str, Plain]] = []
        if brief.instruction != seat.asked:
            lived.append({"text": f"I was asked: {brief.instruction}", "channel": "instruction"})
        hidden = {text for _, text in seat.given} | {spoken(text)[1] for _, text in seat.given}
        said = tuple(words for words in seat.screen.said() if words not in hidden)
        if said != seat.said:
            text = " ".join(words if words[-1:] in ".!?" else f"{words}." for words in said)
            lived.append({"text": f"{seat.screen.app or 'Home screen'} showed this. {text}", "channel": "device"})
        lived += [{"text": text, "channel": channel, "speaker": spoken(text)[0]} for channel, text in seat.given]
        seat.asked, seat.said, seat.given = brief.instruction, said, []
        return lived

    def _time(self, device: Device) -> float:
        return device.time if isinstance(device, Phone) else float(self._tick)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about something that will be needed. Raises ContractBroken where a course knows none."""
        make = getattr(self._course, "falsehood", None)
        if make is None:
            raise ContractBroken("This course needs no facts, so there is nothing to lie about.")
        found: dict[str, Plain] = make(rng)
        return found

    def render(self) -> Pixels:
        """Return the devices' screens beside each other: uint8[h, w, 3]."""
        if not self._seats:
            return np.zeros((960, 540 * len(self.possible_agents), 3), np.uint8)
        shots = [seat.device.screenshot() for seat in self._seats.values()]
        tall = max(shot.shape[0] for shot in shots)
        padded = [np.pad(shot, ((0, tall - shot.shape[0]), (0, 0), (0, 0))) for shot in shots]
        return np.concatenate(padded, axis=1)

    def snapshot(self) -> bytes:
        """Return devices, course and counts. Raises ContractBroken for a real device, which cannot be saved."""
        return encode(
            {
                "kind": self._kind, "seed": self._seed, "tick": self._tick, "over": not self.agents,
                "course": self._course.state(),
                "seats": {
                    agent: seat.plain()
                    for agent, seat in self._seats.items()
                },
            }
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another configuration."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("kind") != self._kind:
            raise CorruptFile(
                "This snapshot is not of an android environment with these parameters; make the same first."
            )
        self._seed, self._tick, self._failed = state["seed"], state["tick"], ""
        self.agents = [] if state["over"] else list(self.possible_agents)
        self._seats = {}
        for agent, (saved, said, asked, illegal, refused, given) in state["seats"].items():
            device = self._make()
            _phone(device).restore(saved)
            shown = [(channel, text) for channel, text in given]
            self._seats[agent] = _Seat(device, Screen.of(device), tuple(said), asked, illegal, refused, shown)
        self._course.resume(self.devices, self._seed, state["course"])

    def close(self) -> None:
        """Do nothing: a simulated phone holds no resource, and a real one is left as it is."""


NOOP = actions.JSONAction("wait").json_str()


def _phone(device: Device) -> Phone:
    if not isinstance(device, Phone):
        raise ContractBroken("A real device cannot be saved; use device=simulated where checkpoints are wanted.")
    return device
