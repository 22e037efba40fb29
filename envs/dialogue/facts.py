"""Generate a dialogue in which facts about absent people are told, time passes, and one of m values is asked for.

The values are those of the generated dialogues' closed lists; the sentences are a grammar's, so that they read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simonides.envs.dialogue.conversation import KNOWLEDGE_UPDATE, SINGLE_HOP, Conversation, Question, Session, Turn
from simonides.envs.dialogue.dates import DAY, seconds
from simonides.envs.dialogue.generator import DAY_SECONDS, START, TURN_SECONDS
from simonides.envs.dialogue.phrases import KINDS, LEADS, NAMES, OPENINGS, SMALL_TALK, TAILS
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.errors import StudyError
from simonides.sim.seeds import generator, seed_of

Seer = Literal["self", "other"]

GRAMMAR = Grammar(
    (
        Form("home", "{subject} lives in {value}.", "{subject} does not live in {value}."),
        Form("hobby", "{subject}'s hobby is {value}.", "{subject}'s hobby is not {value}."),
        Form("dog", "{subject}'s dog is called {value}.", "{subject}'s dog is not called {value}."),
        Form("dish", "{subject}'s favourite dish is {value}.", "{subject}'s favourite dish is not {value}."),
        Form("instrument", "{subject} plays the {value}.", "{subject} does not play the {value}."),
        Form("allergy", "{subject} is allergic to {value}.", "{subject} is not allergic to {value}."),
        Form("sibling", "{subject}'s sibling is called {value}.", "{subject}'s sibling is not called {value}."),
    )
)
"""The family's sentences; each attribute takes its values from the kind of `KINDS` that stands in `ATTRIBUTES`."""

ATTRIBUTES = {
    "home": ("city", "Where does {p} live?"),
    "hobby": ("club", "What is {p}'s hobby?"),
    "dog": ("pet name", "What is {p}'s dog called?"),
    "dish": ("dish", "What is {p}'s favourite dish?"),
    "instrument": ("instrument", "Which instrument does {p} play?"),
    "allergy": ("allergy", "What is {p} allergic to?"),
    "sibling": ("sibling", "What is {p}'s sibling called?"),
}
"""Attribute -> the kind whose values it has, and its question about a person `{p}`."""

MOST_OPTIONS = min(len(KINDS[kind].values) for kind, _ in ATTRIBUTES.values())


@dataclass(frozen=True, slots=True)
class Fact:
    """What is told of an absent person: `values` from the oldest to the true one, out of the sorted `options`."""

    subject: str
    attribute: str
    values: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def truth(self) -> str:
        """The value told last."""
        return self.values[-1]

    @property
    def question(self) -> str:
        """The question, without its options."""
        return ATTRIBUTES[self.attribute][1].format(p=self.subject)


@dataclass(frozen=True, slots=True)
class Posed:
    """A conversation whose questions ask for facts, in the same order; `seen` are the ticks of their last telling."""

    conversation: Conversation
    facts: tuple[Fact, ...]
    seen: tuple[int, ...]


class _Told:
    """What is being built: the generator of all draws, the facts, and the turns so far."""

    def __init__(self, rng: np.random.Generator, facts: tuple[Fact, ...], others: Sequence[str], reveal: bool) -> None:
        self.rng, self.facts, self.others, self.reveal = rng, facts, others, reveal
        self.sessions: list[Session] = []
        self.refs: dict[Fact, tuple[str, ...]] = {}
        self.ticks: dict[Fact, int] = {}
        self._said: list[tuple[str, str]] = []
        self._known: dict[tuple[str, str], str] = {}

    def choose(self, options: Sequence[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def say(self, speaker: str, text: str) -> None:
        self._said.append((speaker, text))

    def fact(self, speaker: str, fact: Fact, value: str) -> None:
        """Let a speaker tell a fact; where facts are hidden, small talk that was drawn either way stands for it."""
        told = self._worded(Claim(fact.subject, fact.attribute, value))
        instead = self.choose(SMALL_TALK)
        if self.reveal:
            self.refs[fact] = (*self.refs.get(fact, ()), f"D{len(self.sessions) + 1}:{len(self._said) + 1}")
            self.ticks[fact] = sum(len(session.turns) for session in self.sessions) + len(self._said)
        self.say(speaker, told if self.reveal else instead)

    def distractor(self, speaker: str) -> None:
        """Let a speaker tell, of somebody whom nobody asks about, a fact of the same kind."""
        fact = self.facts[int(self.rng.integers(len(self.facts)))]
        key = (self.choose(self.others), fact.attribute)
        value = self._known.setdefault(key, self.choose(fact.options))
        self.say(speaker, self._worded(Claim(*key, value)))

    def _worded(self, claim: Claim) -> str:
        return " ".join(filter(None, (self.choose(LEADS), GRAMMAR.say(claim), self.choose(TAILS))))

    def end(self, hearers: tuple[str, ...]) -> None:
        """End the session: date its turns and begin the next one."""
        number = len(self.sessions) + 1
        time = seconds(START, DAY) + DAY_SECONDS * number + 3600.0 * float(self.rng.integers(9, 20))
        turns = tuple(
            Turn(f"D{number}:{n}", speaker, text, time + TURN_SECONDS * n)
            for n, (speaker, text) in enumerate(self._said, 1)
        )
        self.sessions.append(Session(number, time, turns, hearers))
        self._said = []


def pose(
    seed: int,
    *,
    speakers: int = 3,
    options: int = 4,
    questions: int = 1,
    delay: int = 12,
    distractors: int = 4,
    sessions: int = 2,
    changes: int = 0,
    seer: Seer = "self",
    reveal: bool = True,
) -> Posed:
    """Return the dialogue of a seed and its sizes; `reveal` and nothing else decides whether the facts are told.

    One speaker tells another `questions` facts, `changes` times with values that the next session replaces. Then follow
    `delay` turns, `distractors` of them about other people, in which `sessions` sessions end. Who is asked heard the
    facts ("self"), or was away while another heard them ("other"). Raises StudyError for sizes that do not go together.
    """
    _check(speakers, options, delay, distractors, sessions, changes, seer)
    rng = generator(seed_of("facts", seed, speakers, options, questions, delay, distractors, sessions, changes, seer))
    names = [NAMES[i] for i in rng.permutation(len(NAMES))]
    people, subjects, others = names[:speakers], names[speakers : speakers + questions], names[speakers + questions :]
    facts = tuple(_fact(rng, subject, options, changes + 1) for subject in subjects)
    told = _Told(rng, facts, others, reveal)
    teller, hearer = people[:2]
    asked = hearer if seer == "self" else people[2]
    for version in range(changes + 1):
        if version:
            told.end((teller, hearer))
        told.say(hearer, told.choose(OPENINGS).format(o=teller))
        for fact in facts:
            told.fact(teller, fact, fact.values[version])
    _fill(told, people, asked, delay, distractors, sessions)
    return Posed(_conversation(told, people, asked, seed), facts, tuple(told.ticks.get(fact, -1) for fact in facts))


def _check(speakers: int, options: int, delay: int, distractors: int, sessions: int, changes: int, seer: Seer) -> None:
    wrong = {
        f"distractors: {distractors} of {delay} turns; use at most `delay`": distractors > delay,
        f"sessions: {sessions} in {delay} turns; each needs one, so use at most `delay` + 1": sessions > delay + 1,
        f"changes: {changes} with {options} options; each value is told once, so use fewer": changes >= options,
        f"speakers: {speakers} with seer 'other', which needs somebody away; use 3": seer == "other" and speakers < 3,
    }
    for text, is_so in wrong.items():
        if is_so:
            raise StudyError(f"dialogue-choices.{text}.")


def _fact(rng: np.random.Generator, subject: str, options: int, versions: int) -> Fact:
    attribute = sorted(ATTRIBUTES)[int(rng.integers(len(ATTRIBUTES)))]
    values = KINDS[ATTRIBUTES[attribute][0]].values
    drawn = [values[i] for i in rng.permutation(len(values))[:options]]
    return Fact(subject, attribute, tuple(drawn[:versions]), tuple(sorted(drawn)))


def _fill(told: _Told, people: Sequence[str], asked: str, delay: int, distractors: int, sessions: int) -> None:
    """Let `delay` turns pass in `sessions` sessions; in all but the first of them the asked one takes part."""
    apart = set(told.rng.permutation(delay)[:distractors].tolist())
    pair, turn = (people[0], people[1]), 0
    # The first part is the shortest: it goes on with the session in which the facts are told.
    for n, length in enumerate(sorted(len(part) for part in np.array_split(np.arange(delay), sessions))):
        if n:
            pair = (asked, told.choose([person for person in people if person != asked]))
        for _ in range(length):
            speaker = pair[turn % 2]
            if turn in apart:
                told.distractor(speaker)
            else:
                told.say(speaker, told.choose(SMALL_TALK))
            turn += 1
        told.end(pair)


def _conversation(told: _Told, people: Sequence[str], asked: str, seed: int) -> Conversation:
    time = told.sessions[-1].turns[-1].time + TURN_SECONDS
    questions = tuple(
        _question(fact, f"q{n}", told, asked, time + TURN_SECONDS * n) for n, fact in enumerate(told.facts)
    )
    return Conversation(
        f"dialogue-choices-{seed:016x}", tuple(people), (tuple(people),), tuple(told.sessions), questions
    )


def _question(fact: Fact, id: str, told: _Told, asked: str, time: float) -> Question:
    category = KNOWLEDGE_UPDATE if len(fact.values) > 1 else SINGLE_HOP
    kind = "knowledge-update" if len(fact.values) > 1 else "single-hop"
    heard = told.reveal and asked in told.sessions[0].hearers
    return Question(
        id, fact.question, fact.truth, category, kind, told.refs.get(fact, ())[-1:], asked, time,
        heard=heard, reach="private" if heard else "team",
        alternatives=tuple(value for value in fact.options if value != fact.truth),
    )  # fmt: skip
