"""Load MemoryBank's histories (zhongwanjun/MemoryBank-SiliconFriend): simulated users talking with an AI companion.

The publisher gives probing questions without answers or evidence: they are asked, recorded, and left unscored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from simonides.envs.dialogue.conversation import READER, Conversation, Question, Session, Turn
from simonides.envs.dialogue.dates import DAY, seconds
from simonides.envs.dialogue.env import DialogueEnv
from simonides.envs.dialogue.reading import field, find, pick, read_json, read_jsonl
from simonides.sim.errors import DataError

WHAT = "MemoryBank"
COMPANION = "AI companion"
NOON = 43_200.0
EXCHANGE_SECONDS = 60.0
Language = Literal["en", "cn"]


def _session(number: int, date: str, entries: Any, user: str, where: str) -> Session:
    """Return one day's talk. The publisher gives the day only: it starts at noon, an exchange takes a minute."""
    if not isinstance(entries, list):
        raise DataError(f"{where}: the history of {date!r} should be a list, found {type(entries).__name__}.")
    try:
        time = seconds(date, DAY) + NOON
    except ValueError:
        raise DataError(f"{where}: {date!r} is not a date like '2023-04-27'.") from None
    turns = []
    for i, entry in enumerate(entries):
        at = time + EXCHANGE_SECONDS * i
        turns.append(Turn(f"D{number}:{2 * i + 1}", user, field(entry, "query", str, where), at))
        turns.append(
            Turn(f"D{number}:{2 * i + 2}", COMPANION, field(entry, "response", str, where), at + EXCHANGE_SECONDS / 2)
        )
    return Session(number, time, tuple(turns), (READER,))


def conversation(user: str, entry: Any, probes: list[str], where: str = WHAT) -> Conversation:
    """Return one user's history, and the probing questions as questions of category 0. Raises DataError."""
    history = field(entry, "history", Mapping, where)
    days = sorted(history)
    sessions = tuple(_session(n, date, history[date], user, where) for n, date in enumerate(days, 1) if history[date])
    if not sessions:
        raise DataError(f"{where}: the history of {user!r} is empty.")
    end = sessions[-1].turns[-1].time
    questions = tuple(
        Question(f"{user}/q{i}", text, "", 0, "probing", (), READER, end) for i, text in enumerate(probes)
    )
    return Conversation(user, (READER,), ((READER,),), sessions, questions)


def load(data: str, language: Language = "en") -> list[Conversation]:
    """Return every user's conversation, from the history file or a folder with it. Raises DataError in one line.

    The questions are read from `probing_questions_{language}.jsonl` beside it, when that exists.
    """
    path = find(data, (f"memory_bank_{language}.json", f"memorybank/memory_bank_{language}.json"), WHAT)
    probes: dict[str, list[str]] = {}
    beside = path.with_name(f"probing_questions_{language}.jsonl")
    if beside.is_file():
        for line in read_jsonl(beside, WHAT):
            probes.update({user.strip(): [str(text) for text in texts] for user, texts in line.items()})
    entries = read_json(path, dict, WHAT)
    named = [(user.strip(), entry) for user, entry in entries.items()]  # the English file has names such as " Jason "
    return [conversation(user, entry, probes.get(user, []), f"{WHAT}: {path}, {user}") for user, entry in named]


def memorybank_histories(
    data: str, world: int = 0, user: Annotated[int, Field(ge=0)] | None = None, language: Language = "en"
) -> DialogueEnv:
    """Return an environment over one simulated user's history, heard by one agent.

    `user` is the user's number in the file, by default the world's.
    """
    found = load(data, language)
    return DialogueEnv(found[pick(len(found), world if user is None else user, Path(data), WHAT)])


def worlds(data: str, user: int | None = None, language: Language = "en", **_: object) -> int:
    """Return how many worlds a trial has by default: one a user."""
    return len(load(data, language)) if user is None else 1


memorybank_histories.worlds = worlds  # type: ignore[attr-defined]
