"""The memory task of the dialogue family: a fact about somebody is told, time passes, and one of m values is asked for.

| task | the fact | when it is told | when it is needed |
|---|---|---|---|
| `told-fact` | one of seven attributes of an absent person, m values | in the first session | after `delay` turns |
| `changed-fact` | the same, told `changes` times before with other values | the same | the same |

`interdependent: true` takes the tasks of `tour.py` instead.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from simonides.envs.dialogue.conversation import Question
from simonides.envs.dialogue.env import DialogueEnv, Heard, Infos
from simonides.envs.dialogue.facts import GRAMMAR, MOST_OPTIONS, Fact, Posed, Seer, pose
from simonides.envs.dialogue.tour import CITIES, TourEnv
from simonides.sim.claims import Claim
from simonides.sim.codec import decode
from simonides.sim.errors import StudyError
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import seed_of
from simonides.sim.types import Plain

LISTEN, SILENT = "listen", "say nothing"
"""What "" is called while turns are told, and when something is asked."""


class ChoicesEnv(DialogueEnv):
    """A dialogue whose questions are needs: the answer is one of the options, and the tick after it says what was true.

    Beside what a dialogue's infos hold: `legal_actions`, `noop`, `plan`, `need`, `outcome`, `illegal`, and in
    `answer_key` the `verdicts` and the number of `illegal` actions. An action is the text of an option or "".
    """

    def __init__(self, posed: Posed, distractors: int, sessions: int) -> None:
        super().__init__(posed.conversation)
        self.metadata = self.metadata | {"name": "dialogue_choices_v0"}
        self._distractors, self._sessions = distractors, sessions
        facts = zip(posed.conversation.questions, posed.facts, posed.seen, strict=True)
        self._facts: dict[str, tuple[Fact, int]] = {question.id: (fact, seen) for question, fact, seen in facts}
        self._ticks += 1  # in which the last answer's truth shows
        self._forget()

    def _forget(self) -> None:
        self._chosen: dict[str, str] = {}
        self._illegal = dict.fromkeys(self.possible_agents, 0)
        self._refused: dict[str, dict[str, Plain]] = {}

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Heard, Infos]:
        """Go back to the first turn; `seed` and `options` have no effect."""
        self._forget()
        return super().reset(seed, options)

    def step(self, actions: dict[str, str]) -> tuple[Heard, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Take the answers, refusing those that are none of the options, and go on by one turn."""
        self._refused = {}
        taken = {agent: self._taken(agent, actions.get(agent, "")) for agent in self.agents}
        for agent, value in taken.items():
            question = self._question(agent)
            if question is not None:
                self._chosen[question.id] = value
        return super().step(taken)

    def _taken(self, agent: str, asked: Any) -> str:
        legal = [str(one["value"]) for one in self._legal(agent)]
        if isinstance(asked, str) and asked in legal:
            return asked
        self._illegal[agent] += 1
        self._refused[agent] = {"asked": f"{asked!r:.80}", "legal": [str(one["text"]) for one in self._legal(agent)]}
        return ""

    def _legal(self, agent: str) -> list[dict[str, Plain]]:
        question = self._question(agent)
        if question is None:
            return [{"text": LISTEN, "value": ""}]
        said: list[dict[str, Plain]] = [{"text": one, "value": one} for one in self._facts[question.id][0].options]
        return [*said, {"text": SILENT, "value": ""}]

    def _info(self, agent: str) -> dict[str, Any]:
        info = super()._info(agent)
        question, answered = self._question(agent), self._answered(agent)
        info |= {"legal_actions": self._legal(agent), "noop": "", "to_move": question is not None}
        info |= self._posing(question) if question is not None else {"plan": LISTEN}
        if agent in self._refused:
            info["illegal"] = self._refused[agent]
        if answered is not None:
            fact, _ = self._facts[answered.id]
            info["outcome"] = {"need": answered.id, "truth": fact.truth}
            info["text"] = f"The answer to the last question was {fact.truth}. {info['text']}".strip()
        verdicts: list[Plain] = [] if answered is None else [self._verdict(answered).plain()]
        info["answer_key"] = {**info.get("answer_key", {}), "verdicts": verdicts, "illegal": self._illegal[agent]}
        return info

    def _posing(self, question: Question) -> dict[str, Any]:
        fact, _ = self._facts[question.id]
        plan = {value: value for value in fact.options}
        need = Need(question.id, question.text, fact.subject, fact.attribute, fact.options, plan, GRAMMAR)
        text = f"{question.text} Choose one: {', '.join(fact.options)}."
        return {"need": need.plain(), "question": question.text, "text": text}

    def _answered(self, agent: str) -> Question | None:
        """Return the question that the agent answered with its last action."""
        index = self._tick - len(self._telling) - 1
        return self._asked[agent][index] if 0 <= index < len(self._asked[agent]) else None

    def _verdict(self, question: Question) -> Verdict:
        fact, seen = self._facts[question.id]
        chosen = self._chosen.get(question.id, "")
        needed = len(self._telling) + self._asked_of(question).index(question)
        task = "changed-fact" if len(fact.values) > 1 else "told-fact"
        return Verdict(
            question.id, task, fact.subject, fact.attribute, fact.options, fact.truth, chosen, chosen == fact.truth,
            seen, needed, self._distractors, self._sessions,
        )  # fmt: skip

    def _asked_of(self, question: Question) -> list[Question]:
        return next(asked for asked in self._asked.values() if question in asked)

    def _posed(self) -> list[str]:
        asked = {self._names[agent]: self._question(agent) for agent in self.possible_agents}
        open_ = {name: question for name, question in asked.items() if question is not None}
        lines = [f"{name} is asked: {question.text}" for name, question in open_.items()]
        return lines + [", ".join(self._facts[question.id][0].options) for question in open_.values()]

    def _state(self) -> dict[str, Plain]:
        return super()._state() | {
            "chosen": dict(self._chosen),
            "illegal": dict(self._illegal),
            "refused": dict(self._refused),
        }

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's position. Raises CorruptFile if it is of another conversation."""
        super().restore(data)
        state = decode(data)
        self._chosen, self._illegal, self._refused = state["chosen"], state["illegal"], state["refused"]

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about something that will be asked, as a note that comes with the last turn told.

        Holds `text`, `tick`, `agent` (who is asked), `channel`, `subject`, `attribute`, the false `value`, the `truth`
        and the ids of the `questions` that it targets.
        """
        question = self.conversation.questions[int(rng.integers(len(self.conversation.questions)))]
        fact, _ = self._facts[question.id]
        wrong = [value for value in fact.options if value != fact.truth]
        value = wrong[int(rng.integers(len(wrong)))]
        agent = next(agent for agent, name in self._names.items() if name == question.asked)
        return {
            "text": GRAMMAR.say(Claim(fact.subject, fact.attribute, value)), "tick": len(self._telling) - 1,
            "agent": agent, "channel": "message", "subject": fact.subject, "attribute": fact.attribute,
            "value": value, "truth": fact.truth, "questions": [question.id], "question": question.text,
            "options": list(fact.options), "grammar": GRAMMAR.plain(),
        }  # fmt: skip


def dialogue_choices(
    seed: int = 0,
    world: int = 0,
    speakers: Annotated[int, Field(ge=2, le=6)] = 3,
    options: Annotated[int, Field(ge=2, le=MOST_OPTIONS)] = 4,
    questions: Annotated[int, Field(ge=1, le=8)] = 1,
    delay: Annotated[int, Field(ge=0, le=10_000)] = 12,
    distractors: Annotated[int, Field(ge=0, le=10_000)] = 4,
    sessions: Annotated[int, Field(ge=1, le=400)] = 2,
    changes: Annotated[int, Field(ge=0, le=MOST_OPTIONS - 1)] = 0,
    seer: Seer = "self",
    reveal: bool = True,
    interdependent: bool = False,
) -> ChoicesEnv | TourEnv:
    """Return a dialogue that tells `questions` facts and asks for them, each with `options` values to choose from.

    Between the last telling and the first question lie `delay` turns, `distractors` of them facts about other people,
    and the ends of `sessions` sessions, one a day. `changes` are earlier values of each fact, told before. `seer`
    "other": who is asked was away while another heard it. `reveal=False` puts small talk where the facts were told.
    `seed` and the number of the `world` fix everything. Raises StudyError for sizes that do not go together.

    `interdependent` sessions plan a tour: the end of each of `sessions` sessions chooses a stop, from where the one
    before really was; then all are asked for again. `delay` turns with `distractors` other visits stand before each
    choice, and with `seer` "other" two agents choose in turn.
    """
    if interdependent:
        _check_tour(options, questions, delay, distractors, changes)
        return TourEnv(seed_of(seed, world), sessions, options, delay, distractors, 1 if seer == "self" else 2, reveal)
    posed = pose(
        seed_of(seed, world), speakers=speakers, options=options, questions=questions, delay=delay,
        distractors=distractors, sessions=sessions, changes=changes, seer=seer, reveal=reveal,
    )  # fmt: skip
    return ChoicesEnv(posed, distractors, sessions)


def _check_tour(options: int, questions: int, delay: int, distractors: int, changes: int) -> None:
    wrong = {
        f"options: {options} of {len(CITIES)} places; use at most as many": options > len(CITIES),
        f"distractors: {distractors} of {delay} turns; use at most `delay`": distractors > delay,
        f"questions: {questions}; interdependent sessions choose one stop each": questions != 1,
        f"changes: {changes}; a stop stays where it was, so use 0": changes != 0,
    }
    for text, is_so in wrong.items():
        if is_so:
            raise StudyError(f"dialogue-choices.{text}.")
