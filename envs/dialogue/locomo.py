"""Load LoCoMo's conversations (snap-research/locomo, `locomo10.json`) into the common form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from simonides.envs.dialogue.conversation import (
    ADVERSARIAL,
    CATEGORIES,
    Conversation,
    Question,
    Session,
    Turn,
    heard_by_one,
)
from simonides.envs.dialogue.dates import LOCOMO, seconds
from simonides.envs.dialogue.env import DialogueEnv
from simonides.envs.dialogue.reading import field, find, pick, read_json
from simonides.sim.errors import DataError

WHAT = "LoCoMo"
FILES = ("locomo10.json", "locomo10*.json", "locomo/locomo10*.json")
_REF = re.compile(r"D:?(\d+):(\d+)")


def evidence_refs(written: list[Any], known: frozenset[str]) -> tuple[tuple[str, ...], int, int]:
    """Return the references that point to turns, how many entries were repaired, and how many were dropped.

    The release has entries such as "D8:6; D9:17", "D:11:26" and three joined by spaces, which can be read, and "D" or
    references to no turn, which cannot. Order is kept and doubles are left out.
    """
    refs: dict[str, None] = {}
    repaired = dropped = 0
    for entry in map(str, written):
        found = [f"D{s}:{t}" for s, t in _REF.findall(entry)]
        good = [ref for ref in found if ref in known]
        refs.update(dict.fromkeys(good))
        repaired += bool(good) and good != [entry]
        dropped += not good or len(good) < len(found)
    return tuple(refs), repaired, dropped


def _turn(entry: Any, time: float, where: str) -> Turn:
    return Turn(
        ref=field(entry, "dia_id", str, where),
        speaker=field(entry, "speaker", str, where),
        text=field(entry, "text", str, where),
        time=time,
        caption=entry.get("blip_caption", ""),
    )


def _session(number: int, talk: Mapping[str, Any], people: tuple[str, ...], where: str) -> Session:
    written = field(talk, f"session_{number}_date_time", str, where)
    try:
        time = seconds(written, LOCOMO)
    except ValueError:
        raise DataError(f"{where}: {written!r} is not a date like '1:56 pm on 8 May, 2023'.") from None
    # The publisher gives one time a session; a second between turns keeps their order in simulated time.
    turns = tuple(_turn(entry, time + i, where) for i, entry in enumerate(talk[f"session_{number}"]))
    return Session(number, time, turns, people)


def _sessions(talk: Mapping[str, Any], people: tuple[str, ...], where: str) -> tuple[Session, ...]:
    """Read the session lists, not the dates: one conversation has 19 sessions but 35 dates."""
    numbers = sorted(
        int(key.removeprefix("session_"))
        for key, value in talk.items()
        if re.fullmatch(r"session_\d+", key) and isinstance(value, list) and value
    )
    return tuple(_session(number, talk, people, where) for number in numbers)


def _question(entry: Any, id: str, asked: str, time: float, evidence: tuple[str, ...], where: str) -> Question:
    category = field(entry, "category", int, where)
    trap = entry.get("adversarial_answer", entry.get("answer", ""))
    return Question(
        id=id,
        text=field(entry, "question", str, where),
        answer="" if category == ADVERSARIAL else str(field(entry, "answer", (str, int, float), where)),
        category=category,
        kind=CATEGORIES.get(category, ""),
        evidence=evidence,
        asked=asked,
        time=time,
        adversarial=str(trap) if category == ADVERSARIAL else "",
    )


def conversation(entry: Any, where: str = WHAT) -> Conversation:
    """Return one entry of the release in the common form; questions go to the two speakers in turn.

    Raises DataError with `where` and the field that is missing or wrong.
    """
    talk = field(entry, "conversation", Mapping, where)
    people = (str(field(talk, "speaker_a", str, where)), str(field(talk, "speaker_b", str, where)))
    sessions = _sessions(talk, people, where)
    if not sessions:
        raise DataError(f"{where}: the conversation has no session_N list; is this another data set?")
    name = str(field(entry, "sample_id", str, where))
    known = frozenset(turn.ref for session in sessions for turn in session.turns)
    end = sessions[-1].turns[-1].time
    questions, repaired, dropped = [], 0, 0
    for i, item in enumerate(field(entry, "qa", list, where)):
        refs, mended, lost = evidence_refs(field(item, "evidence", list, where), known)
        questions.append(_question(item, f"{name}/q{i}", people[i % 2], end, refs, where))
        repaired, dropped = repaired + mended, dropped + lost
    return Conversation(name, people, (people,), sessions, tuple(questions), repaired=repaired, dropped=dropped)


def load(data: str) -> list[Conversation]:
    """Return all conversations of a file, or of the file in a folder. Raises DataError in one line."""
    path = find(data, FILES, WHAT)
    entries = read_json(path, list, WHAT)
    return [conversation(entry, f"{WHAT}: {path}, entry {i}") for i, entry in enumerate(entries)]


def choose(data: str, which: int | str) -> Conversation:
    """Return one conversation by its index or its sample_id. Raises DataError when there is none."""
    found = load(data)
    if isinstance(which, int):
        return found[pick(len(found), which, Path(data), WHAT)]
    named = {item.id: item for item in found}
    if which not in named:
        raise DataError(f"{WHAT}: {data} has no conversation {which!r}; known: {', '.join(named)}.")
    return named[which]


def locomo(
    data: str,
    world: int = 0,
    conversation: int | str | None = None,
    audience: Literal["reader", "speakers"] = "reader",
    categories: tuple[int, ...] = (),
    questions: Annotated[int, Field(ge=0)] = 0,
) -> DialogueEnv:
    """Return an environment over a recorded LoCoMo conversation.

    `data` is the published file or a folder with it. `conversation` is an index or a sample_id; by default it is the
    world's number. `audience` "reader" is the paper's protocol, one agent that hears all and is asked all; "speakers"
    makes both speakers agents, asked in turn. `categories` keeps only these, `questions` only the first so many
    (0 keeps all).
    """
    chosen = choose(data, world if conversation is None else conversation)
    kept = [q for q in chosen.questions if not categories or q.category in categories]
    chosen = replace(chosen, questions=tuple(kept[: questions or None]))
    return DialogueEnv(heard_by_one(chosen) if audience == "reader" else chosen)


def worlds(data: str, conversation: int | str | None = None, **_: object) -> int:
    """Return how many worlds a trial has by default: one a conversation, or one if the study picks one."""
    return len(load(data)) if conversation is None else 1


locomo.worlds = worlds  # type: ignore[attr-defined]
