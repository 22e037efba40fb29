"""What a multi-session dialogue is, whether it was recorded or generated: frozen plain data.

The form follows LoCoMo (Maharana et al. 2024): dated sessions of turns with references such as "D3:7", then questions
with the references of their evidence. It adds who heard a session and who is asked, so that sharing memory matters.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from simonides.sim.codec import encode

MULTI_HOP, TEMPORAL, OPEN_DOMAIN, SINGLE_HOP, ADVERSARIAL, KNOWLEDGE_UPDATE = 1, 2, 3, 4, 5, 6
CATEGORIES = {
    MULTI_HOP: "multi-hop",
    TEMPORAL: "temporal",
    OPEN_DOMAIN: "open-domain",
    SINGLE_HOP: "single-hop",
    ADVERSARIAL: "adversarial",
    KNOWLEDGE_UPDATE: "knowledge-update",
}
"""LoCoMo's five numbers with their official names, and ours for facts that changed."""

Reach = Literal["private", "team", "global"]
READER = "reader"
"""The name of the listener who stands in for all speakers when a recorded dialogue is given to one agent."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. `caption` says what a shared image shows; `time` is simulated seconds since the Unix epoch."""

    ref: str
    speaker: str
    text: str
    time: float
    caption: str = ""

    @property
    def unit(self) -> str:
        """The turn as LoCoMo's retrieval unit: who said what, and what they shared."""
        shared = f" and shared {self.caption}" if self.caption else ""
        return f'{self.speaker} said, "{self.text}"{shared}'


@dataclass(frozen=True, slots=True)
class Session:
    """One meeting: its turns, and the people who heard them (agents by name, speakers among them)."""

    number: int
    time: float
    turns: tuple[Turn, ...]
    hearers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one agent.

    `category` is a key of `CATEGORIES` or 0 for questions outside them, `kind` the publisher's own label. `evidence`
    are refs of turns; `adversarial` is the tempting wrong answer of category 5. `heard`: the asked agent was present
    at all of the evidence; `reach`: the narrowest sharing (own memory, team's, everybody's) that covers it.
    `alternatives` are other values that would be as plausible, for planted falsehoods.
    """

    id: str
    text: str
    answer: str
    category: int
    kind: str
    evidence: tuple[str, ...]
    asked: str
    time: float
    adversarial: str = ""
    heard: bool = True
    reach: Reach = "private"
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A whole dialogue. `people` become the agents player_0, player_1, ... in this order.

    `quoted` says that experiences read 'X said, "..."'; otherwise they are the bare text. `repaired` and `dropped`
    count evidence references of the source that were malformed and could, or could not, be read.
    """

    id: str
    people: tuple[str, ...]
    teams: tuple[tuple[str, ...], ...]
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]
    quoted: bool = True
    repaired: int = 0
    dropped: int = 0

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns in order."""
        return tuple(turn for session in self.sessions for turn in session.turns)

    def turn(self, ref: str) -> Turn:
        """Return the turn with this reference. Raises KeyError."""
        return {turn.ref: turn for turn in self.turns}[ref]

    @property
    def digest(self) -> str:
        """The sha256 of the canonical encoding, as hex."""
        return hashlib.sha256(encode(self)).hexdigest()


def heard_by_one(conversation: Conversation) -> Conversation:
    """Return the dialogue as heard by a single listener, who is asked every question: LoCoMo's own protocol."""
    sessions = tuple(replace(session, hearers=(READER,)) for session in conversation.sessions)
    questions = tuple(replace(q, asked=READER, heard=True, reach="private") for q in conversation.questions)
    return replace(conversation, people=(READER,), teams=((READER,),), sessions=sessions, questions=questions)


def reach_of(
    evidence: tuple[str, ...], asked: str, sessions: tuple[Session, ...], teams: tuple[tuple[str, ...], ...]
) -> Reach:
    """Return the narrowest sharing through which `asked` can reach every turn of `evidence`."""
    hearers = {turn.ref: set(session.hearers) for session in sessions for turn in session.turns}
    mates = next((set(team) for team in teams if asked in team), {asked})
    if all(asked in hearers[ref] for ref in evidence):
        return "private"
    return "team" if all(mates & hearers[ref] for ref in evidence) else "global"
