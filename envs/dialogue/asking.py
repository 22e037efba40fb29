"""Make the questions of a generated dialogue: by category, with evidence, balanced over who could know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simonides.envs.dialogue.conversation import (
    ADVERSARIAL,
    CATEGORIES,
    KNOWLEDGE_UPDATE,
    MULTI_HOP,
    OPEN_DOMAIN,
    SINGLE_HOP,
    TEMPORAL,
    Question,
    Reach,
    Session,
)
from simonides.envs.dialogue.lives import Cast, Event
from simonides.envs.dialogue.phrases import KINDS, SENSE, SENSE_QUESTIONS, SENSE_REASONS, Kind, article
from simonides.sim.errors import StudyError

ORDER = (SINGLE_HOP, MULTI_HOP, TEMPORAL, OPEN_DOMAIN, ADVERSARIAL, KNOWLEDGE_UPDATE)
"""Questions are dealt from the categories in this order, one each in turn."""
ALTERNATIVES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was told: its index in the life, the turn, who heard it, and its date as an answer states it."""

    event: Event
    index: int
    ref: str
    hearers: tuple[str, ...]
    date: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A question before anybody is chosen to be asked."""

    category: int
    text: str
    answer: str
    evidence: tuple[Told, ...]
    adversarial: str = ""


class _Record:
    """What was told, by person and kind, in the order of telling."""

    def __init__(self, rng: np.random.Generator, told: list[Told]) -> None:
        self.rng = rng
        self.told = told
        self.by_kind: dict[tuple[str, str], list[Told]] = {}
        self.by_index = {(t.event.person, t.index): t for t in told}
        for item in told:
            self.by_kind.setdefault((item.event.person, item.event.kind), []).append(item)

    def word(self, options: tuple[str, ...], **words: str) -> str:
        return options[int(self.rng.integers(len(options)))].format(**words)


def ask(
    rng: np.random.Generator, cast: Cast, told: list[Told], sessions: tuple[Session, ...], count: int, time: float
) -> tuple[Question, ...]:
    """Return `count` questions, dealt evenly from the six categories as far as each goes.

    The asked agent is chosen so that own memory, a team-mate's and somebody else's suffice about equally often.
    Raises StudyError if the dialogue does not tell enough.
    """
    record = _Record(rng, told)
    piles: dict[int, list[_Draft]] = {category: [] for category in ORDER}
    for draft in _drafts(record, cast):
        piles[draft.category].append(draft)
    for pile in piles.values():
        order = rng.permutation(len(pile))
        pile[:] = [pile[int(i)] for i in order]
    available = sum(map(len, piles.values()))
    if available < count:
        raise StudyError(
            f"dialogue.questions: asked for {count}, but {len(sessions)} sessions of this size tell enough for "
            f"{available} only; use more sessions or turns, or fewer questions."
        )
    drafts: list[_Draft] = []
    while len(drafts) < count:
        drafts.extend(piles[category].pop() for category in ORDER if piles[category])
    chosen = [drafts[int(i)] for i in rng.permutation(count)]
    balance: Counter[Reach] = Counter()
    return tuple(_question(record, cast, draft, f"q{i}", time, balance) for i, draft in enumerate(chosen))


def _drafts(record: _Record, cast: Cast) -> Iterator[_Draft]:
    for (person, name), items in record.by_kind.items():
        kind = KINDS[name]
        yield from _values(record, kind, person, items)
        for item in items:
            yield from _one(record, kind, person, item)
            yield from _traps(record, kind, item, cast)


def _values(record: _Record, kind: Kind, person: str, items: list[Told]) -> Iterator[_Draft]:
    """Yield questions about all that a person told of one kind: the only value, the newest, the list."""
    newest = items[-1]
    if kind.ask and len(items) == 1:
        yield _Draft(SINGLE_HOP, record.word(kind.ask, p=person), newest.event.value, (newest,))
    if kind.now and len(items) > 1:
        yield _Draft(KNOWLEDGE_UPDATE, record.word(kind.now, p=person), newest.event.value, (newest,))
    if kind.listed and len(items) > 1:
        values = ", ".join(item.event.value for item in items)
        yield _Draft(MULTI_HOP, record.word(kind.listed, p=person), values, tuple(items))


def _one(record: _Record, kind: Kind, person: str, item: Told) -> Iterator[_Draft]:
    """Yield questions about one event: its date, its value by way of its cause, what common sense makes of it."""
    value = item.event.value
    if item.date and kind.ask_when:
        yield _Draft(TEMPORAL, record.word(kind.ask_when, p=person, v=value), item.date, (item,))
    cause = record.by_index.get((person, item.event.cause))
    if kind.joined and cause:
        text = record.word(kind.joined, p=person, c=cause.event.value, ac=article(cause.event.value))
        yield _Draft(MULTI_HOP, text, value, (cause, item))
    if kind.name in SENSE:
        yield _sense(record, kind.name, person, item)


def _sense(record: _Record, kind: str, person: str, item: Told) -> _Draft:
    value = item.event.value
    things = SENSE[kind]
    others = sorted(things.keys() - {value})
    fits = bool(record.rng.random() < 0.5)
    thing = things[value if fits else others[int(record.rng.integers(len(others)))]]
    reason = SENSE_REASONS[kind].format(p=person, v=value)
    text = SENSE_QUESTIONS[kind].format(p=person, o=thing)
    return _Draft(OPEN_DOMAIN, text, f"{'Yes' if fits else 'No'}; {reason}", (item,))


def _traps(record: _Record, kind: Kind, item: Told, cast: Cast) -> Iterator[_Draft]:
    """Yield a question that attributes an event to somebody who never told anything of its kind."""
    innocent = [p for p in cast.people if (p, kind.name) not in record.by_kind]
    if not innocent:
        return
    person = innocent[int(record.rng.integers(len(innocent)))]
    if kind.ask:
        yield _Draft(ADVERSARIAL, record.word(kind.ask, p=person), "", (item,), item.event.value)
    if kind.ask_when and item.date:
        text = record.word(kind.ask_when, p=person, v=item.event.value)
        yield _Draft(ADVERSARIAL, text, "", (item,), item.date)


def _reach(cast: Cast, evidence: tuple[Told, ...], person: str) -> Reach:
    mates = next(team for team in cast.teams if person in team)
    if all(person in item.hearers for item in evidence):
        return "private"
    return "team" if all(set(mates) & set(item.hearers) for item in evidence) else "global"


def _question(record: _Record, cast: Cast, draft: _Draft, id: str, time: float, balance: Counter[Reach]) -> Question:
    reaches = {person: _reach(cast, draft.evidence, person) for person in cast.people}
    rarest = min(sorted(set(reaches.values())), key=lambda reach: balance[reach])
    balance[rarest] += 1
    able = [person for person in cast.people if reaches[person] == rarest]
    return Question(
        id=id,
        text=draft.text,
        answer=draft.answer,
        category=draft.category,
        kind=CATEGORIES[draft.category],
        evidence=tuple(item.ref for item in draft.evidence),
        asked=able[int(record.rng.integers(len(able)))],
        time=time,
        adversarial=draft.adversarial,
        heard=rarest == "private",
        reach=rarest,
        alternatives=_alternatives(record, draft),
    )


def _alternatives(record: _Record, draft: _Draft) -> tuple[str, ...]:
    """Return other values of the same kind that nobody said of this person."""
    last = draft.evidence[-1].event
    if draft.answer != last.value:
        return ()
    said = {item.event.value for item in record.by_kind[last.person, last.kind]}
    free = [value for value in KINDS[last.kind].values if value not in said]
    return tuple(free[int(i)] for i in record.rng.permutation(len(free))[:ALTERNATIVES])
