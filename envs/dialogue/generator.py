"""Generate multi-session dialogues from a seed: who meets whom when, who tells what, and what can be asked.

Loosely after LoCoMo's construction (personas, a causal event graph, dated sessions, questions with evidence), with
sentence templates of our own in place of a language model. Everything follows from the seed and the sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simonides.envs.dialogue.asking import Told, ask
from simonides.envs.dialogue.conversation import Conversation, Session, Turn
from simonides.envs.dialogue.dates import DAY, day, moment, seconds
from simonides.envs.dialogue.lives import Cast, Event, cast, life
from simonides.envs.dialogue.phrases import (
    DISTRACTORS,
    KINDS,
    LEADS,
    MENTIONED,
    OPENINGS,
    REPLIES,
    SMALL_TALK,
    TAILS,
    article,
)
from simonides.sim.errors import StudyError
from simonides.sim.seeds import generator, seed_of

START = "2024-01-08"
TURN_SECONDS = 30.0
DAY_SECONDS = 86_400.0
TURNS_A_FACT = 3
"""One turn in three tells something that can be asked; the others answer it or chat."""
WITHIN_TEAM = 0.5
"""Share of meetings inside one team; the others mix teams, so that some news crosses."""
HEARSAY = 0.25
"""Chance that a turn of chat repeats an outdated fact about an absent person, if there is one."""
STRAY = 0.15
"""Chance that a turn of chat mentions some value without meaning anybody."""

Say = Callable[[str, str], Turn]


@dataclass(frozen=True, slots=True)
class Date:
    """How a date is said in a session, and how an answer states it."""

    phrase: str
    answer: str


@dataclass
class _Plan:
    """What is being built: each life, what of it waits to be told, meetings left, and what was told when."""

    rng: np.random.Generator
    cast: Cast
    lives: dict[str, list[Event]] = field(default_factory=dict)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    when: dict[tuple[str, int], int] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def choose(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]


def generate(
    seed: int, *, speakers: int, teams: int, sessions: int, turns_per_session: int, questions: int
) -> Conversation:
    """Return the dialogue of a seed and its sizes.

    Raises StudyError when teams are too many for the speakers, or the dialogue is too short for the questions.
    """
    if teams * 2 > speakers and teams > 1:
        raise StudyError(f"dialogue: {teams} teams of {speakers} speakers; a team needs two, so use fewer teams.")
    rng = generator(seed_of("dialogue", seed, speakers, teams, sessions, turns_per_session, questions))
    plan = _Plan(rng, cast(rng, speakers, teams))
    groups = _groups(plan, sessions)
    for person in plan.cast.people:
        plan.left[person] = sum(person in group for group in groups)
        plan.lives[person] = life(rng, person, plan.left[person])
        plan.waiting[person] = list(range(len(plan.lives[person])))
    time = seconds(START, DAY)
    held = []
    for number, group in enumerate(groups, 1):
        time += DAY_SECONDS * float(rng.integers(3, 13))
        held.append(_session(plan, number, group, time + 3600.0 * float(rng.integers(9, 20)), turns_per_session))
    asked = ask(rng, plan.cast, plan.told, tuple(held), questions, time + 2 * DAY_SECONDS)
    return Conversation(f"dialogue-{seed:016x}", plan.cast.people, plan.cast.teams, tuple(held), asked)


def _groups(plan: _Plan, sessions: int) -> list[tuple[str, ...]]:
    """Return who meets in each session: two or three people, one of them who has met least so far."""
    met = dict.fromkeys(plan.cast.people, 0)
    groups = []
    for _ in range(sessions):
        host = min(plan.cast.people, key=lambda person: met[person])
        team = next(team for team in plan.cast.teams if host in team)
        inside = [person for person in team if person != host]
        pool = inside if plan.rng.random() < WITHIN_TEAM else [p for p in plan.cast.people if p not in team]
        pool = pool or inside
        size = min(len(pool), 1 if plan.rng.random() < 0.75 else 2)
        group = (host, *(pool[i] for i in plan.rng.permutation(len(pool))[:size]))
        for person in group:
            met[person] += 1
        groups.append(group)
    return groups


def _session(plan: _Plan, number: int, group: tuple[str, ...], time: float, turns: int) -> Session:
    """Return one meeting: a greeting, then news with replies and small talk between, until the turns are used up."""
    news = _news(plan, number, group, max(1, turns // TURNS_A_FACT))
    said: list[Turn] = []

    def say(speaker: str, text: str) -> Turn:
        said.append(Turn(f"D{number}:{len(said) + 1}", speaker, text, time + TURN_SECONDS * len(said)))
        return said[-1]

    say(group[0], plan.choose(OPENINGS).format(o=group[1]))
    for i, (teller, event) in enumerate(news):
        _tell(plan, number, time, group, teller, event, say)
        other = _listener(plan, group, teller)
        say(other, plan.choose(REPLIES).format(o=teller))
        free = turns - len(said) - 2 * (len(news) - i - 1)
        if free > 0 and plan.rng.random() < 0.7:
            say(_listener(plan, group, other), _chat(plan, group))
    while len(said) < turns:
        say(_listener(plan, group, said[-1].speaker), _chat(plan, group))
    return Session(number, time, tuple(said), group)


def _listener(plan: _Plan, group: tuple[str, ...], speaker: str) -> str:
    return plan.choose(tuple(person for person in group if person != speaker))


def _news(plan: _Plan, number: int, group: tuple[str, ...], room: int) -> list[tuple[str, int]]:
    """Return (person, event index) told in this session, spread evenly over the meetings that each still has.

    An event waits for what must come before it to be told in an earlier session: that is what makes facts depend
    across sessions.
    """
    news: list[tuple[str, int]] = []
    for person in group:
        events, waiting = plan.lives[person], plan.waiting[person]
        share = -(-len(waiting) // plan.left[person])
        plan.left[person] -= 1
        ready = [i for i in waiting if all(plan.when.get((person, j), number) < number for j in events[i].after)]
        news.extend((person, i) for i in ready[:share])
    return [news[int(i)] for i in plan.rng.permutation(len(news))[:room]]


def _tell(plan: _Plan, number: int, time: float, group: tuple[str, ...], person: str, index: int, say: Say) -> None:
    """Let a person tell an event of theirs, in one turn."""
    event = plan.lives[person][index]
    kind = KINDS[event.kind]
    statement = plan.choose(kind.first if event.initial else kind.tell)
    when = _when(plan, time) if "{when}" in statement else Date("", "")
    text = " ".join(
        part
        for part in (
            plan.choose(LEADS),
            statement.format(v=event.value, a=article(event.value), when=when.phrase),
            plan.choose(TAILS),
        )
        if part
    )
    turn = say(person, text)
    plan.told.append(Told(event, index, turn.ref, group, when.answer))
    plan.when[person, index] = number
    plan.waiting[person].remove(index)


def _when(plan: _Plan, time: float) -> Date:
    """Return a date a few days before `time`: how it is said, and what the answer to "when" is."""
    back = int(plan.rng.integers(1, 7))
    then = moment(time - back * DAY_SECONDS)
    weekday = f"{then:%A}"
    return (
        Date({1: "yesterday", 2: "two days ago"}.get(back, f"{back} days ago"), day(then.timestamp())),
        Date(f"last {weekday}", f"The {weekday} before {day(time)}"),
        Date("last week", f"The week before {day(time)}"),
        Date(f"on {then.day} {then:%B}", day(then.timestamp())),
    )[int(plan.rng.integers(4))]


def _chat(plan: _Plan, group: tuple[str, ...]) -> str:
    """Return a turn that tells nothing new: small talk, a stray mention of some value, or outdated hearsay."""
    draw = plan.rng.random()
    stale = _outdated(plan, group) if draw < HEARSAY else []
    if stale:
        event = stale[int(plan.rng.integers(len(stale)))]
        return plan.choose(KINDS[event.kind].hearsay).format(p=event.person, v=event.value, a=article(event.value))
    if draw < HEARSAY + STRAY:
        kind = plan.choose(MENTIONED)
        return plan.choose(DISTRACTORS).format(v=plan.choose(KINDS[kind].values))
    return plan.choose(SMALL_TALK)


def _outdated(plan: _Plan, group: tuple[str, ...]) -> list[Event]:
    """Return facts told by people who are absent now and that a later event has replaced."""
    latest: dict[tuple[str, str], Event] = {}
    stale = []
    for told in plan.told:
        key = (told.event.person, told.event.kind)
        if KINDS[told.event.kind].hearsay and told.event.person not in group:
            stale.extend([latest[key]] if key in latest else [])
            latest[key] = told.event
    return stale
