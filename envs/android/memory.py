"""Sessions on phones in which an early one shows facts, and a late one needs them in other apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from simonides.envs.android.actions import JSONAction
from simonides.envs.android.device import Device
from simonides.envs.android.elements import Screen
from simonides.envs.android.env import CHANNELS, NOTHING, AndroidEnv, Brief, device_of
from simonides.envs.android.facts import DECISIONS, GRAMMAR, SOURCES, Decision, Source
from simonides.envs.android.routes import click
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.world import FIRST, LAST, some
from simonides.sim.claims import Claim
from simonides.sim.errors import StudyError
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

HIDDEN = "What stood here under {title} was removed by its author."
"""What stands in a fact's place where it is not revealed."""
READ = "status: complete"
"""What an agent says when it has read what it was to read."""
LIMIT = 16
"""GUESS: ticks after which an errand is given up; the longest way here takes seven."""
BETWEEN = 3 * 86_400.0
"""GUESS: seconds between two sessions."""
TITLES = {
    "Messages": [f"{first} {last}" for first, last in zip(FIRST, reversed(LAST), strict=True)],
    "Notes": ["Remember", "From the phone call", "Scribbled", "For later", "Told at lunch", "Keep this", "Found out"],
    "Calendar": ["Look at this", "Reminder", "Details", "Once more", "Please note", "To know", "Heads-up", "Important"],
    "Browser": ["Aaa board", "Bulletin", "Bazaar", "Almanac", "Announcements", "Amber pages", "Billboard", "Back page"],
    "Files": [f"{name}.txt" for name in ("aside", "brief", "clip", "digest", "extract", "form", "gist", "hint")],
}  # fmt: skip
"""Under what sentences are found, by app; those of a browser come first among the bookmarks."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know: about what, what it is, and where it is read."""

    id: str
    decision: Decision
    subject: str
    value: str
    options: tuple[str, ...]
    source: Source
    title: str
    wanted: bool
    """False for one that nobody will need."""

    @property
    def question(self) -> str:
        """What one asks who needs it."""
        return f"What is the {self.decision.attribute} of the {self.subject}?"

    @property
    def sentence(self) -> str:
        """The fact in words."""
        return GRAMMAR.say(Claim(self.subject, self.decision.attribute, self.value))


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that an agent is asked to do: read a fact, look around, close a session, or decide."""

    kind: Literal["read", "browse", "close", "decide"]
    session: int
    agent: str
    fact: Fact | None = None
    steps: int = 0
    """Of looking around."""


class Sessions:
    """The course of a memory task: facts are read in session 0 and taken away; the last session needs them."""

    def __init__(
        self, agents: int, needs: int, options: int, delay: int, distractors: int, sessions: int, reveal: bool
    ) -> None:
        """`agents` is 1 where who sees also needs, 2 where the first sees and the second needs."""
        self.agents = [f"player_{i}" for i in range(agents)]
        self.needs, self.options, self.delay = needs, options, delay
        self.distractors, self.sessions, self.reveal = distractors, sessions, reveal
        self._devices: Mapping[str, Device] = {}
        self._errands: list[Errand] = []

    # --- what there is to do ---

    def begin(self, devices: Mapping[str, Device], seed: int) -> None:
        """Draw the facts, and put them where they will be read."""
        self._set_up(devices, seed)
        self._at = self._steps = self._tick = 0
        self._since, self._needed = 0.0, -1
        self._seen: dict[str, int] = {}
        self._verdicts: list[Verdict] = []
        self._reward, self._over, self._closing = 0.0, False, False
        phone = self._phone(self.agents[0])
        for fact in self._facts:
            fact.source.put(phone, fact.title, self._text(fact))
        phone.refresh()

    def _set_up(self, devices: Mapping[str, Device], seed: int) -> None:
        self._devices, self._seed = devices, seed
        self._facts = self._drawn(generator(seed_of("android memory", seed)))
        self._errands = list(self._planned())

    def _text(self, fact: Fact) -> str:
        """Return what stands where a fact is read: its sentence, or that it is not there."""
        return fact.sentence if self.reveal or not fact.wanted else HIDDEN.format(title=fact.title)

    def _phone(self, agent: str) -> Phone:
        device = self._devices[agent]
        if not isinstance(device, Phone):
            raise StudyError("device: this task seeds the apps with facts, which a real phone does not allow.")
        return device

    def _drawn(self, rng: np.random.Generator) -> list[Fact]:
        titles = {app: some(rng, names, len(names)) for app, names in TITLES.items()}
        facts: list[Fact] = []
        for number, attribute in enumerate(some(rng, sorted(DECISIONS), self.needs)):
            decision = DECISIONS[attribute]
            options = tuple(some(rng, decision.values, self.options))
            for i, subject in enumerate(some(rng, decision.subjects, 1 + self.distractors)):
                elsewhere = [source for source in SOURCES if source.app != decision.app and titles[source.app]]
                source = elsewhere[int(rng.integers(len(elsewhere)))]
                value = options[int(rng.integers(len(options)))]
                facts.append(
                    Fact(f"need {number}", decision, subject, value, options, source, titles[source.app].pop(), i == 0)
                )
        return facts

    def _planned(self) -> list[Errand]:
        """Return all errands in their order; those who have none wait."""
        first, last = self.agents[0], self.agents[-1]
        rng = generator(seed_of("android order", self._seed))
        errands = [Errand("read", 0, first, fact) for fact in some(rng, self._facts, len(self._facts))]
        between = max(1, self.sessions - 1)
        shares = [self.delay // between + (i < self.delay % between) for i in range(between)]
        for number, share in enumerate(shares, start=0 if self.sessions == 1 else 1):
            if number > 0:
                errands.append(Errand("close", number - 1, last))
            if share:
                errands.append(Errand("browse", number, last, steps=share))
        errands.append(Errand("close", self.sessions - 1, last))
        wanted = [fact for fact in self._facts if fact.wanted]
        errands += [Errand("decide", self.sessions, last, fact) for fact in some(rng, wanted, len(wanted))]
        return [*errands, Errand("close", self.sessions, last)]

    # --- what an agent is told ---

    def brief(self, agent: str, screen: Screen) -> Brief:
        """Return the errand in words, with the plan or the need."""
        errand = self._errands[self._at]
        mine = errand.agent == agent
        ended = errand.kind == "close"
        last = agent == self._decider
        common: dict[str, Any] = {
            "session": errand.session, "session_end": ended, "over": self._over,
            "verdicts": self._verdicts if last else (), "reward": self._reward if last else 0.0,
        }  # fmt: skip
        if last and self._verdicts:
            common["outcome"] = {"need": self._verdicts[-1].need, "truth": self._verdicts[-1].truth}
        if ended or not mine:
            return Brief(
                "Nothing is asked of you now. Put the phone away." if ended else "Nothing is asked of you now. Wait.",
                NOTHING,
                **common,
            )
        if errand.kind == "browse":
            return Brief("Look around in the apps as you like.", self._wander(screen), **common)
        assert errand.fact is not None
        fact = errand.fact
        if errand.kind == "read":
            route = fact.source.route(fact.title)
            plan = READ if screen.shows(self._text(fact)) else route.next(screen)
            return Brief(f"In {route.app}, read {fact.title!r}.", plan, **common)
        return Brief(self._task(fact), need=self._need(fact, screen), **common)

    @property
    def _decider(self) -> str:
        """The agent that the last verdict was about."""
        return self.agents[-1]

    def _task(self, fact: Fact) -> str:
        """Return what is asked of who is to decide by a fact."""
        return fact.decision.task.format(subject=fact.subject)

    def _need(self, fact: Fact, screen: Screen) -> Need:
        plan = {value: fact.decision.route(fact.subject, value).next(screen) for value in fact.options}
        return Need(fact.id, fact.question, fact.subject, fact.decision.attribute, fact.options, plan, GRAMMAR)

    def _wander(self, screen: Screen) -> str:
        """Return a step of looking around: open an app, open something in it, go back."""
        if self._steps % 3 == 0:
            rng = generator(seed_of("wander", self._seed, self._at, self._steps))
            return f"open_app: {screen.apps[int(rng.integers(len(screen.apps)))]}"
        if self._steps % 3 == 2:
            return "navigate_back"
        rows = [
            i for i, one in enumerate(screen.elements) if one.is_clickable and (one.resource_id or "").endswith(ROWS)
        ]
        return click(screen, rows[self._tick % len(rows)]) if rows else NOTHING

    # --- what comes of it ---

    def acted(self, actions: Mapping[str, JSONAction | None], screens: Mapping[str, Screen]) -> None:
        """Go on to the next errand when this one is done."""
        self._tick += 1
        self._steps += 1
        self._verdicts, self._reward = [], 0.0
        errand = self._errands[self._at]
        screen, action = screens[errand.agent], actions.get(errand.agent)
        stated = action is not None and action.action_type == "status"
        if errand.kind == "close":
            if self._at + 1 == len(self._errands):
                self._over = True
                return
            self._next_session(errand.session + 1)
            self._go_on()
        elif errand.kind == "browse":
            if self._steps >= errand.steps:
                self._go_on()
        elif errand.kind == "read":
            self._reading(errand, screen, stated)
        else:
            self._deciding(errand, stated)

    def _reading(self, errand: Errand, screen: Screen, stated: bool) -> None:
        assert errand.fact is not None
        if screen.shows(errand.fact.sentence):
            self._seen[errand.fact.subject] = self._tick
        if stated or self._steps >= LIMIT:
            self._go_on()

    def _deciding(self, errand: Errand, stated: bool) -> None:
        assert errand.fact is not None
        fact = errand.fact
        chosen = fact.decision.chosen(self._phone(errand.agent), fact.subject, self._since)
        if chosen or stated or self._steps >= LIMIT:
            self._judge(fact, chosen)
            self._go_on()

    def _judge(self, fact: Fact, chosen: str) -> None:
        success = chosen == fact.value
        self._verdicts.append(
            Verdict(
                fact.id, f"android {fact.decision.attribute}", fact.subject, fact.decision.attribute, fact.options,
                fact.value, chosen, success, self._seen.get(fact.subject, -1), self._needed, self.distractors,
                self.sessions,
            )
        )  # fmt: skip
        self._reward += float(success)

    def _go_on(self) -> None:
        self._at, self._steps = self._at + 1, 0
        errand = self._errands[self._at]
        phone, fact = self._phone(errand.agent), errand.fact
        self._since = phone.time
        if errand.kind == "decide" and fact is not None:
            self._needed = self._tick
            fact.decision.offer(phone, fact.subject, sorted(fact.options))
        if fact is not None:  # the way begins where the app does
            phone.stop(_package(phone, fact.source.app if errand.kind == "read" else fact.decision.app))

    def _next_session(self, number: int) -> None:
        """Let days pass, restart the phones, and take away what was read."""
        for agent in self.agents:
            phone = self._phone(agent)
            for fact in self._read_by(agent, number - 1):
                fact.source.take(phone, fact.title)
            phone.advance(BETWEEN)
            for package in phone.packages():
                phone.stop(package)
            phone.clear()
            phone.home()
            phone.refresh()

    def _read_by(self, agent: str, session: int) -> Sequence[Fact]:
        """Return what an agent was to read in a session."""
        return self._facts if agent == self.agents[0] and session == 0 else ()

    def failed(self, reason: str) -> None:
        """Give up all that is still to be decided."""
        self._verdicts, self._reward, self._over = [], 0.0, True
        for errand in self._errands[self._at :]:
            if errand.kind == "decide" and errand.fact is not None:
                self._needed = self._tick
                self._judge(errand.fact, "")
        self._reward = 0.0

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about a fact that will be needed, for a tick between reading and needing."""
        wanted = [fact for fact in self._facts if fact.wanted]
        fact = wanted[int(rng.integers(len(wanted)))]
        others = [value for value in fact.options if value != fact.value]
        value = others[int(rng.integers(len(others)))]
        channel = sorted(CHANNELS)[int(rng.integers(len(CHANNELS)))]
        reads = 3 * len(self._facts)
        text = GRAMMAR.say(Claim(fact.subject, fact.decision.attribute, value))
        return {
            "text": text, "tick": reads + int(rng.integers(0, max(1, self.delay))) + 1, "agent": self.agents[-1],
            "channel": channel, "subject": fact.subject, "attribute": fact.decision.attribute, "value": value,
            "truth": fact.value, "question": fact.question, "options": list(fact.options), "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    # --- state ---

    def state(self) -> dict[str, Plain]:
        """Return where the course is."""
        return {
            "at": self._at, "steps": self._steps, "tick": self._tick, "since": self._since, "needed": self._needed,
            "seen": self._seen, "verdicts": [one.plain() for one in self._verdicts], "reward": self._reward,
            "over": self._over,
        }  # fmt: skip

    def resume(self, devices: Mapping[str, Device], seed: int, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._set_up(devices, seed)
        self._at, self._steps, self._tick = state["at"], state["steps"], state["tick"]
        self._since, self._needed, self._seen = state["since"], state["needed"], dict(state["seen"])
        self._verdicts = [Verdict(**{**one, "options": tuple(one["options"])}) for one in state["verdicts"]]
        self._reward, self._over = state["reward"], state["over"]


ROWS = (":id/contact", ":id/note", ":id/event", ":id/product", ":id/link", ":id/item_root", ":id/stop", ":id/order")
"""Rows that are opened when looking around: nothing is changed by it."""


def _package(phone: Phone, app: str) -> str:
    return next(package for package, name in phone.packages().items() if name == app)


class Free:
    """No task: an agent with a device and an instruction, for as many ticks as wanted."""

    def __init__(self, instruction: str, ticks: int) -> None:
        """`ticks` is the length of an episode; `status` ends it earlier."""
        self._instruction, self._ticks, self._tick, self._over = instruction, ticks, 0, False

    def begin(self, devices: Mapping[str, Device], seed: int) -> None:
        """Start to count."""
        self._tick, self._over = 0, False

    def brief(self, agent: str, screen: Screen) -> Brief:
        """Return the instruction."""
        return Brief(self._instruction, over=self._over, texts=quoted(self._instruction))

    def acted(self, actions: Mapping[str, JSONAction | None], screens: Mapping[str, Screen]) -> None:
        """End when time is up, or when the agent says so."""
        self._tick += 1
        stated = any(action is not None and action.action_type == "status" for action in actions.values())
        self._over = stated or self._tick >= self._ticks

    def failed(self, reason: str) -> None:
        """End."""
        self._over = True

    def state(self) -> dict[str, Plain]:
        """Return how long it has been."""
        return {"tick": self._tick, "over": self._over}

    def resume(self, devices: Mapping[str, Device], seed: int, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._tick, self._over = state["tick"], state["over"]


def quoted(words: str) -> Sequence[str]:
    """Return what stands in double quotes: what an instruction wants typed."""
    return words.split('"')[1::2]


def android(
    seed: int = 0,
    world: int = 0,
    needs: Annotated[int, Field(ge=1, le=len(DECISIONS))] = 2,
    options: Annotated[int, Field(ge=2, le=6)] = 4,
    delay: Annotated[int, Field(ge=0)] = 6,
    distractors: Annotated[int, Field(ge=0, le=3)] = 1,
    sessions: Annotated[int, Field(ge=1)] = 2,
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    interdependent: bool = False,
    device: str = "simulated",
    instruction: str = "",
    ticks: Annotated[int, Field(ge=1)] = 30,
) -> AndroidEnv:
    """Return agents with Android devices and, by default, a memory task over several sessions.

    In session 0 `needs` facts, each with `distractors` more of its kind, are read in five apps and then deleted;
    `delay` ticks of looking around follow, spread over the sessions between; after `sessions` ends of sessions each
    fact decides what to touch among `options` values in another app. With `seer` "other" player_0 reads and
    player_1 needs, each on its own phone. With an `instruction` there is no memory task: the device is the agent's
    for `ticks` ticks, with double quotes around what may have to be typed. `device` is "simulated", or "adb:SERIAL"
    for a real phone, which takes instructions only. Raises StudyError for other devices, and for a real one without
    an instruction.

    `interdependent` sessions each take one decision that follows from what the session before came to (`chained.py`):
    `sessions` of them, with `delay` ticks of looking around before each; with `seer` "other" two agents decide in turn.
    """
    make = device_of(device)
    if device != "simulated" and not instruction:
        raise StudyError(f"device: {device} cannot be filled with facts; give an instruction, or device: simulated.")
    sizes = f"{needs} {options} {delay} {distractors} {sessions}"
    kind = f"{sizes} {reveal} {seer} {interdependent} {device} {instruction} {ticks}"
    agents = 1 if instruction or seer == "self" else 2
    course: Sessions | Free = Free(instruction, ticks)
    if not instruction and interdependent:
        course = import_module("simonides.envs.android.chained").Chained(
            agents, options, delay, distractors, sessions, reveal
        )
    elif not instruction:
        course = Sessions(agents, needs, options, delay, distractors, sessions, reveal)
    return AndroidEnv(make, course, agents, seed_of(seed, world) >> 1, kind)
