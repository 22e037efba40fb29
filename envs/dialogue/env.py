"""The dialogue environment: agents hear a conversation turn by turn, then are asked about it.

One turn is one tick. In the telling phase the agents who are present hear the turn, and actions are ignored: the
lines are the recorded or generated ones. In the question phase each agent that still has questions is asked one a
tick; its action is the answer. The info of a tick describes that same tick: what `reset` returns is tick 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from gymnasium.spaces import Dict
from pettingzoo import ParallelEnv
from pydantic import Field

from simonides.envs.chat import Bubble, Pixels, draw_chat
from simonides.envs.dialogue.conversation import ADVERSARIAL, Conversation, Question, Session, Turn
from simonides.envs.dialogue.dates import day
from simonides.envs.dialogue.falsehood import falsehood
from simonides.envs.dialogue.generator import generate
from simonides.envs.inbox import Inbox
from simonides.envs.text_space import AnyText
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.seeds import seed_of
from simonides.sim.types import Plain

NO_ANSWER = ("no information available", "not mentioned")
"""LoCoMo's marks of a refused adversarial question (its official scorer looks for these two)."""

SHOWN = 24
"""Turns that a picture looks at: more than fit."""

Heard = dict[str, dict[str, str]]
Infos = dict[str, dict[str, Any]]


def plain(text: str) -> str:
    """Return a text in lower case without punctuation and articles, as exact matching compares it."""
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", re.sub(r"[^\w\s]", "", text.lower())).split())


def exact(question: Question, reply: str) -> bool:
    """Return whether a reply matches the answer word for word, or refuses an adversarial question."""
    if question.category == ADVERSARIAL:
        return any(mark in reply.lower() for mark in NO_ANSWER)
    return bool(question.answer) and plain(reply) == plain(question.answer)


class DialogueEnv(ParallelEnv[str, dict[str, str], str]):  # type: ignore[misc]
    """A PettingZoo ParallelEnv over one conversation.

    An observation is `{"text": ...}` (a Dict, because PettingZoo's AEC test takes no bare texts), an action is a text.
    `infos[agent]` holds `name`, `phase` ("telling" or "question"), `text`,
    `time`, `session`, `session_end`, `probe` and `experiences`; in the question phase also `question_id` and
    `answer_key`, which is for the trace and never for policies. The reward is 1.0 for an exact match, else 0.0; what
    an answer is worth is for metrics to say. Everybody terminates after the last question.

    Resetting with a seed changes nothing: the conversation was fixed when the environment was made. `teams` maps
    agents to the names of their teams.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "dialogue_v0", "render_modes": ["rgb_array"], "render_fps": 1, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels: Mapping[str, str] = {"message": "a note from outside the conversation that reaches one agent"}

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.possible_agents = [f"player_{i}" for i in range(len(conversation.people))]
        self.agents: list[str] = []
        self._names = dict(zip(self.possible_agents, conversation.people, strict=True))
        self._telling = [(session, turn) for session in conversation.sessions for turn in session.turns]
        self._asked = {
            agent: [q for q in conversation.questions if q.asked == name] for agent, name in self._names.items()
        }
        self.teams = {
            agent: f"team-{i}"
            for i, team in enumerate(conversation.teams)
            for agent, name in self._names.items()
            if name in team
        }
        self._spaces = {agent: (Dict({"text": AnyText()}), AnyText()) for agent in self.possible_agents}
        self._ticks = len(self._telling) + max(map(len, self._asked.values()), default=0)
        self._tick = 0
        self._inbox = Inbox(self.channels, self.possible_agents)

    def observation_space(self, agent: str) -> Dict:
        """Return the space of what an agent may hear: a Dict with one text."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> AnyText:
        """Return the space of texts that an agent may answer."""
        return self._spaces[agent][1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Heard, Infos]:
        """Go back to the first turn; `seed` and `options` have no effect."""
        self._tick = 0
        self._inbox.clear()
        self.agents = list(self.possible_agents)
        return self._views()

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent through a channel, with its next observation. Raises ContractBroken for neither."""
        self._inbox.put(agent, channel, text)

    def step(self, actions: dict[str, str]) -> tuple[Heard, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Take the answers, if this is a tick of questions, and go on by one turn."""
        questions = {agent: self._question(agent) for agent in self.agents}
        rewards = {a: float(q is not None and exact(q, str(actions.get(a, "")))) for a, q in questions.items()}
        self._tick += 1
        over = self._tick >= self._ticks
        observations, infos = self._views()
        ended = dict.fromkeys(self.agents, over)
        if over:
            self.agents = []
        return observations, rewards, ended, dict.fromkeys(ended, False), infos

    def render(self) -> Pixels:
        """Return uint8[640, 640, 3]: the last turns as a chat with speakers and dates, and below them what is asked."""
        told = self._telling[max(0, min(self._tick + 1, len(self._telling)) - SHOWN) : self._tick + 1]
        bubbles = [Bubble(turn.speaker, _said(turn), _heading(session, turn)) for session, turn in told]
        now = f", session {told[-1][0].number}, {day(told[-1][1].time)}" if told else ""
        speakers = list(dict.fromkeys(turn.speaker for _, turn in self._telling))
        return draw_chat(bubbles, speakers, self.conversation.id + now, self._posed())

    def _posed(self) -> list[str]:
        """Return what is asked now, as the picture shows it."""
        asked = {self._names[agent]: self._question(agent) for agent in self.possible_agents}
        return [f"{name} is asked: {question.text}" for name, question in asked.items() if question is not None]

    def close(self) -> None:
        """Do nothing: no resource is held."""

    def snapshot(self) -> bytes:
        """Return the position in the conversation, and its digest."""
        return encode(self._state())

    def _state(self) -> dict[str, Plain]:
        return {
            "conversation": self.conversation.digest,
            "tick": self._tick,
            "agents": list(self.agents),
            "inbox": self._inbox.plain(),
        }

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's position. Raises CorruptFile if it is of another conversation."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("conversation") != self.conversation.digest:
            raise CorruptFile(
                f"This snapshot is not of conversation {self.conversation.id!r}; build the same one first."
            )
        self._inbox.restore(state.get("inbox"))
        self._tick, self.agents = state["tick"], list(state["agents"])

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false statement about something that will be asked, for planting in a memory.

        Holds `text`, `speaker`, the false `value`, the `truth`, the `ref` of the true turn, the `question` and the
        `options` of its answer, the ids of the `questions` that it targets, the asked `agent`, and the `tick` of the
        last turn. Raises DataError if there is none.
        """
        made = falsehood(self.conversation, rng)
        agents = {name: agent for agent, name in self._names.items()}
        plain = {name: getattr(made, name) for name in ("text", "speaker", "value", "truth", "ref", "question")}
        ends = max(0, len(self._telling) - 1)
        return plain | {
            "options": list(made.options),
            "questions": list(made.questions),
            "agent": agents[made.asked],
            "tick": ends,
        }

    def _question(self, agent: str) -> Question | None:
        index = self._tick - len(self._telling)
        return self._asked[agent][index] if 0 <= index < len(self._asked[agent]) else None

    def _views(self) -> tuple[Heard, Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        return {agent: {"text": info["text"]} for agent, info in infos.items()}, infos

    def _info(self, agent: str) -> dict[str, Any]:
        if self._tick < len(self._telling):
            session, turn = self._telling[self._tick]
            return {"name": self._names[agent], "phase": "telling"} | self._heard(agent, session, turn)
        return {"name": self._names[agent], "phase": "question"} | self._question_info(agent)

    def _heard(self, agent: str, session: Session, turn: Turn) -> dict[str, Any]:
        present = self._names[agent] in session.hearers
        text = (turn.unit if self.conversation.quoted else turn.text) if present else ""
        experience = {"text": text, "speaker": turn.speaker, "metadata": {"ref": turn.ref}}
        return {
            "text": text,
            "time": turn.time,
            "session": session.number,
            "session_end": turn is session.turns[-1],
            "probe": False,
            "experiences": [experience] if present else [],
        }

    def _question_info(self, agent: str) -> dict[str, Any]:
        question = self._question(agent)
        last = self.conversation.sessions[-1] if self.conversation.sessions else None
        common = {
            "text": question.text if question else "",
            "time": question.time if question else (last.turns[-1].time if last else 0.0),
            "session": last.number if last else 0,
            "session_end": False,
            "probe": True,
            "experiences": [],
        }
        if question is None:
            return common
        return common | {"question_id": question.id, "answer_key": answer_key(question)}


def _said(turn: Turn) -> str:
    return f"{turn.text} [{turn.caption}]" if turn.caption else turn.text


def _heading(session: Session, turn: Turn) -> str:
    """Return what stands above the first turn of a session."""
    return f"Session {session.number}, {day(session.time)}" if turn is session.turns[0] else ""


def answer_key(question: Question) -> dict[str, Any]:
    """Return what the trace keeps of a question for metrics, as plain values."""
    return {
        "id": question.id,
        "text": question.text,
        "category": question.category,
        "kind": question.kind,
        "evidence": list(question.evidence),
        "answer": question.answer,
        "adversarial_answer": question.adversarial,
        "heard": question.heard,
        "reach": question.reach,
    }


def dialogue(
    seed: int = 0,
    world: int = 0,
    speakers: Annotated[int, Field(ge=2, le=24)] = 4,
    teams: Annotated[int, Field(ge=1)] = 2,
    sessions: Annotated[int, Field(ge=2, le=400)] = 10,
    turns_per_session: Annotated[int, Field(ge=4, le=400)] = 14,
    questions: Annotated[int, Field(ge=1)] = 24,
) -> DialogueEnv:
    """Return an environment over a generated dialogue of `sessions * turns_per_session` turns.

    `seed` and the number of the `world` fix the dialogue. Raises StudyError when there are more teams than pairs of
    speakers, or more questions than the dialogue can answer.
    """
    return DialogueEnv(
        generate(
            seed_of(seed, world),
            speakers=speakers,
            teams=teams,
            sessions=sessions,
            turns_per_session=turns_per_session,
            questions=questions,
        )
    )
