"""Draw who the speakers are and what happens to them: personas, and a causal graph of events for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simonides.envs.dialogue.phrases import CHAINS, FIRST, KINDS, NAMES, SOME

OF_SOME = 2
CHAINS_A_SESSION = 0.45
"""Causal chains that begin in a person's life per session attended: about one event a session with its sequels."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a person: what kind, which value, and the index of the event that caused it (or -1).

    `after` are the indices of events that must have been told in an earlier session: the cause, the fact that this
    one replaces, the end of the last chain of the same schema. `initial` marks what was so from the beginning: it is
    told as a state, without a date.
    """

    person: str
    kind: str
    value: str
    cause: int = -1
    after: tuple[int, ...] = ()
    initial: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part, and in which teams (no team has fewer than two, if that can be)."""

    people: tuple[str, ...]
    teams: tuple[tuple[str, ...], ...]


def cast(rng: np.random.Generator, speakers: int, teams: int) -> Cast:
    """Return `speakers` people dealt into `teams` teams whose sizes differ by one at most."""
    people = tuple(NAMES[i] for i in rng.permutation(len(NAMES))[:speakers])
    return Cast(people, tuple(people[i::teams] for i in range(teams)))


class _Values:
    """Values of one person's facts, each used once, so that a question has one answer."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._left = {name: [kind.values[i] for i in rng.permutation(len(kind.values))] for name, kind in KINDS.items()}

    def take(self, kind: str) -> str | None:
        left = self._left[kind]
        return left.pop() if left else None


def life(rng: np.random.Generator, person: str, meetings: int) -> list[Event]:
    """Return a person's events for so many meetings, causes before their effects.

    First come the persona's facts, then causal chains, that of a new job before the others.
    """
    values = _Values(rng)
    names = [*FIRST, *(SOME[i] for i in rng.permutation(len(SOME))[:OF_SOME])]
    events = [Event(person, names[i], values.take(names[i]) or "", initial=True) for i in rng.permutation(len(names))]
    count = max(2, round(CHAINS_A_SESSION * meetings))
    order = [0, *(int(i) for _ in range(-(-count // len(CHAINS))) for i in rng.permutation(len(CHAINS)))]
    for index in order[:count]:
        _append_chain(events, values, person, CHAINS[index])
    return events


def _append_chain(events: list[Event], values: _Values, person: str, kinds: tuple[str, ...]) -> None:
    """Add the events of one causal chain; it ends early where a kind has no unused value left."""
    cause = -1
    for kind in kinds:
        value = values.take(kind)
        if value is None:
            return
        earlier = [i for i, event in enumerate(events) if event.kind in kinds and i != cause]
        after = tuple(sorted({cause, *earlier[-1:], *(i for i in earlier if events[i].initial)} - {-1}))
        events.append(Event(person, kind, value, cause, after))
        cause = len(events) - 1
