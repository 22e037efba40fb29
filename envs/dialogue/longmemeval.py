"""Load LongMemEval's instances (xiaowu0162/LongMemEval) into the common form: its own files, or a pool of evidence.

An official file is a list of instances, each a question with its haystack of sessions; every instance is a world. An
evidence file (.jsonl) holds questions with their evidence turns only; its questions share one world, where each
one's evidence distracts from the others'. That is not LongMemEval_S and is to be reported under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from simonides.envs.dialogue.conversation import (
    ADVERSARIAL,
    KNOWLEDGE_UPDATE,
    MULTI_HOP,
    OPEN_DOMAIN,
    READER,
    SINGLE_HOP,
    TEMPORAL,
    Conversation,
    Question,
    Session,
    Turn,
)
from simonides.envs.dialogue.dates import LONGMEMEVAL, seconds
from simonides.envs.dialogue.env import DialogueEnv
from simonides.envs.dialogue.reading import field, find, pick, read_json, read_jsonl
from simonides.sim.errors import DataError

WHAT = "LongMemEval"
FILES = (
    "longmemeval_s*.json", "longmemeval_oracle*.json", "longmemeval_m*.json", "longmemeval*.jsonl", "oracle*.json",
    "longmemeval/longmemeval*.json*",
)  # fmt: skip
Unit = Literal["turn", "session"]

TYPES = {
    "multi-session": MULTI_HOP,
    "temporal-reasoning": TEMPORAL,
    "single-session-preference": OPEN_DOMAIN,
    "single-session-user": SINGLE_HOP,
    "single-session-assistant": SINGLE_HOP,
    "knowledge-update": KNOWLEDGE_UPDATE,
}
"""The publisher's question types, and the category that comes nearest; abstention questions count as adversarial."""


def _time(written: str, where: str) -> float:
    try:
        return seconds(written, LONGMEMEVAL)
    except ValueError:
        raise DataError(f"{where}: {written!r} is not a date like '2023/05/25 (Thu) 20:21'.") from None


def _session(
    entries: list[Any], name: str, number: int, time: float, unit: Unit, assistant: bool, where: str
) -> tuple[Session, frozenset[str]]:
    """Return a session in retrieval units, and the refs of those with the answer.

    As in the publisher's retrieval code a unit is one user turn, `{session}_{n}` with n counting all turns from 1, or
    all user turns joined by spaces. `assistant` adds the other side's turns, which are no targets.
    """
    turns, answers = [], set()
    for n, entry in enumerate(entries, 1):
        role, text = field(entry, "role", str, where), field(entry, "content", str, where)
        if role != "user" and not assistant:
            continue
        turns.append(Turn(f"{name}_{n}", role, text, time + n))
        if role == "user" and entry.get("has_answer"):
            answers.add(turns[-1].ref)
    if unit == "session" and turns:
        turns = [Turn(name, "user", " ".join(turn.text for turn in turns), time)]
        answers = {name} if answers else set()
    return Session(number, time, tuple(turns), (READER,)), frozenset(answers)


def _question(entry: Mapping[str, Any], evidence: tuple[str, ...], end: float, where: str) -> Question:
    """Return an entry's question, asked on its date or, where the file has none, at the `end` of all sessions."""
    name, kind = field(entry, "question_id", str, where), field(entry, "question_type", str, where)
    if kind not in TYPES:
        raise DataError(f"{where}: unknown question_type {kind!r}; known: {', '.join(TYPES)}.")
    abstains = "_abs" in name
    date = field(entry, "question_date", (str, type(None)), where)
    return Question(
        id=name,
        text=field(entry, "question", str, where),
        answer=str(field(entry, "answer", (str, int, float), where)),
        category=ADVERSARIAL if abstains else TYPES[kind],
        kind=kind,
        evidence=evidence,
        asked=READER,
        time=end if date is None else _time(date, where),
    )


def instance(entry: Any, unit: Unit = "turn", assistant: bool = False, where: str = WHAT) -> Conversation:
    """Return one official instance, its sessions in order of date. Raises DataError with the field that is wrong."""
    names = field(entry, "haystack_session_ids", list, where)
    dates = field(entry, "haystack_dates", list, where)
    talks = field(entry, "haystack_sessions", list, where)
    if not len(names) == len(dates) == len(talks):
        raise DataError(
            f"{where}: {len(talks)} sessions, {len(names)} ids and {len(dates)} dates; they should be equally many."
        )
    rows = sorted(zip((_time(date, where) for date in dates), range(len(names)), names, talks, strict=True))
    sessions, targets = [], []
    for number, (time, _, name, talk) in enumerate(rows, 1):
        session, answers = _session(talk, str(name), number, time, unit, assistant, where)
        if session.turns:
            sessions.append(session)
            targets += sorted(answers)
    question = _question(entry, tuple(targets), rows[-1][0] if rows else 0.0, where)
    return Conversation(question.id, (READER,), ((READER,),), tuple(sessions), (question,), quoted=False)


def pooled(entries: list[Any], unit: Unit = "turn", assistant: bool = False, where: str = WHAT) -> Conversation:
    """Return one world of all questions of an evidence file: every evidence session once, in order of date."""
    found: dict[tuple[str, str], tuple[float, list[Any]]] = {}
    wanted: list[tuple[Any, list[tuple[str, str]]]] = []
    for n, entry in enumerate(entries):
        keys = []
        for talk in field(entry, "evidence_sessions", list, f"{where}, entry {n}"):
            date, turns = field(talk, "date", str, where), field(talk, "turns", list, where)
            keys.append((date, str(turns)))
            found.setdefault(keys[-1], (_time(date, where), [turn | {"has_answer": True} for turn in turns]))
        wanted.append((entry, keys))
    sessions, targets = [], {}
    for number, (key, (time, turns)) in enumerate(sorted(found.items(), key=lambda item: (item[1][0], item[0])), 1):
        session, answers = _session(turns, f"s{number}", number, time, unit, assistant, where)
        targets[key] = sorted(answers)
        if session.turns:
            sessions.append(session)
    end = sessions[-1].time if sessions else 0.0
    questions = tuple(
        _question(entry, tuple(ref for key in keys for ref in targets[key]), end, where) for entry, keys in wanted
    )
    return Conversation("evidence-pool", (READER,), ((READER,),), tuple(sessions), questions, quoted=False)


def load(data: str, unit: Unit = "turn", assistant: bool = False) -> list[Conversation]:
    """Return the conversations of a file, or of the first file that fits in a folder. Raises DataError in one line."""
    path = find(data, FILES, WHAT)
    if path.suffix == ".jsonl":
        return [pooled(read_jsonl(path, WHAT), unit, assistant, f"{WHAT}: {path}")]
    make = partial(instance, unit=unit, assistant=assistant)
    return [make(entry, where=f"{WHAT}: {path}, entry {i}") for i, entry in enumerate(read_json(path, list, WHAT))]


def longmemeval(
    data: str,
    world: int = 0,
    instance: Annotated[int, Field(ge=0)] | None = None,
    unit: Unit = "turn",
    assistant: bool = False,
    questions: Annotated[int, Field(ge=0)] = 0,
) -> DialogueEnv:
    """Return an environment over one LongMemEval instance (or the one pool of an evidence file), heard by one agent.

    `instance` is its number, by default the world's. `unit` is what one tick tells; `assistant` adds the assistant's
    turns. `questions` keeps only the first so many (0 keeps all).
    """
    found = load(data, unit, assistant)
    chosen = found[pick(len(found), world if instance is None else instance, Path(data), WHAT)]
    return DialogueEnv(replace(chosen, questions=chosen.questions[: questions or None]))


def worlds(data: str, instance: int | None = None, **_: object) -> int:
    """Return how many worlds a trial has by default: one an instance, one for a pool."""
    return len(load(data)) if instance is None else 1


longmemeval.worlds = worlds  # type: ignore[attr-defined]
