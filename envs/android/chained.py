"""Interdependent sessions on a phone: each takes a decision in another app, by what the session before came to.

Session 0 shows where it starts. Session k is looking around, then a decision whose instruction says what follows from
each value that session k-1 may have come to; which of them it was is not said. What was decided is confirmed in one of
five apps, read, and deleted; a wrong decision is not put right. What was done may still be seen in its own app on the
phone of who did it: no plan looks there, and with two agents the other phone shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simonides.envs.android.device import Device
from simonides.envs.android.elements import Screen
from simonides.envs.android.facts import DECISIONS, GRAMMAR, SOURCES
from simonides.envs.android.memory import TITLES, Errand, Fact, Sessions
from simonides.envs.android.simulated.world import some
from simonides.envs.stages import TASK, Stages, draw
from simonides.sim.errors import StudyError
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

MOST = 30
"""Sessions for which every decision has a subject of its own."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What is drawn: the stages, and the fact that each comes to, whose value holds where all decisions are right."""

    stages: Stages
    facts: tuple[Fact, ...]
    others: tuple[Fact, ...]
    """Facts of the first one's kind, which nobody needs."""


class Chained(Sessions):
    """The course of interdependent sessions; agents decide in turn."""

    def __init__(self, agents: int, options: int, delay: int, distractors: int, sessions: int, reveal: bool) -> None:
        """`agents` is 1, or 2 who take turns. Raises StudyError for more sessions than there are things to decide."""
        if sessions > MOST:
            raise StudyError(f"android.sessions: {sessions} interdependent sessions; use at most {MOST}.")
        super().__init__(agents, 1, options, delay, distractors, sessions, reveal)

    # --- what there is to do ---

    def _set_up(self, devices: Mapping[str, Device], seed: int) -> None:
        self._chain = self._linked(generator(seed_of("android chain", seed, self.sessions, self.options)))
        self._came: list[str] = [self._chain.stages.start]
        self._decided = 0
        super()._set_up(devices, seed)

    def _linked(self, rng: np.random.Generator) -> Chain:
        kinds = [DECISIONS[name] for name in some(rng, sorted(DECISIONS), len(DECISIONS))]
        stages = draw(rng, [kinds[k % len(kinds)].values for k in range(self.sessions + 1)], self.options)
        subjects = {kind.attribute: some(rng, kind.subjects, len(kind.subjects)) for kind in kinds}
        titles = {app: some(rng, names, len(names)) for app, names in TITLES.items()}
        facts = []
        for k, value in enumerate(stages.right):
            kind, turn = kinds[k % len(kinds)], k // len(kinds)
            source = [one for one in SOURCES if one.app != kind.app][int(rng.integers(len(SOURCES) - 1))]
            title = titles[source.app][k % len(titles[source.app])]
            subject = subjects[kind.attribute][turn]
            facts.append(Fact(f"stage {k}", kind, subject, value, stages.values[k], source, title, True))
        return Chain(stages, tuple(facts), tuple(self._beside(rng, facts[0], subjects[kinds[0].attribute], titles)))

    def _beside(
        self, rng: np.random.Generator, first: Fact, subjects: Sequence[str], titles: Mapping[str, Sequence[str]]
    ) -> list[Fact]:
        """Return the facts about other subjects that are read with the first one, each under a title of its own."""
        found = []
        for n in range(self.distractors):
            value = first.options[int(rng.integers(self.options))]
            title = titles[first.source.app][-1 - n]
            found.append(replace(first, id=f"other {n}", subject=subjects[-1 - n], value=value, title=title,
                                 wanted=False))  # fmt: skip
        return found

    def _drawn(self, rng: np.random.Generator) -> list[Fact]:
        return [self._chain.facts[0], *self._chain.others]

    def _planned(self) -> list[Errand]:
        rng, first = generator(seed_of("android order", self._seed)), self.agents[0]
        errands = [Errand("read", 0, first, fact) for fact in some(rng, self._facts, len(self._facts))]
        errands.append(Errand("close", 0, first))
        for k in range(1, self.sessions + 1):
            who = self.agents[k % len(self.agents)]
            errands += [Errand("browse", k, who, steps=self.delay)] if self.delay else []
            errands += [Errand(kind, k, who, self._chain.facts[k]) for kind in ("decide", "read")]
            errands.append(Errand("close", k, who))
        return errands

    def _read_by(self, agent: str, session: int) -> Sequence[Fact]:
        if session == 0:
            return super()._read_by(agent, session)
        return [one.fact for one in self._errands if (one.kind, one.session, one.agent) == ("read", session, agent)
                and one.fact is not None]  # fmt: skip

    @property
    def _decider(self) -> str:
        return self.agents[self._decided % len(self.agents)]

    # --- what is told ---

    def _task(self, fact: Fact) -> str:
        before, onward = self._before(fact), self._chain.stages.onward[_stage(fact) - 1]
        ways = "; ".join(f"after {one} take {after}" for one, after in sorted(onward.items()))
        task = fact.decision.task.format(subject=fact.subject)
        return f"{task} Which it is follows from the {before.decision.attribute} of the {before.subject}: {ways}."

    def _before(self, fact: Fact) -> Fact:
        return self._chain.facts[_stage(fact) - 1]

    def _need(self, fact: Fact, screen: Screen) -> Need:
        before, onward = self._before(fact), self._chain.stages.onward[_stage(fact) - 1]
        plan = {one: fact.decision.route(fact.subject, after).next(screen) for one, after in onward.items()}
        attribute = before.decision.attribute
        question = f"What is the {attribute} of the {before.subject}?"
        return Need(fact.id, question, before.subject, attribute, before.options, plan, GRAMMAR)

    # --- what comes of it ---

    def _judge(self, fact: Fact, chosen: str) -> None:
        k, before, stages = _stage(fact), self._before(fact), self._chain.stages
        success = chosen == stages.right[k]
        self._verdicts.append(
            Verdict(
                fact.id, TASK, before.subject, before.decision.attribute, before.options, self._came[k - 1],
                stages.believed(k, chosen), success, self._seen.get(before.subject, -1), self._needed,
                self.distractors + k - 1, 1,
            )
        )  # fmt: skip
        self._reward, self._decided = self._reward + float(success), k
        self._confirm(k, chosen or self._adrift(k))

    def _adrift(self, k: int) -> str:
        """Return what a session comes to in which nothing was decided."""
        values = self._chain.stages.values[k]
        return values[int(generator(seed_of("adrift", self._seed, k)).integers(len(values)))]

    def _confirm(self, k: int, value: str) -> None:
        """Let the session come to a value, and put it where it will be read."""
        self._came.append(value)
        self._settle(k)
        errand = next(one for one in self._errands if (one.kind, one.session) == ("read", k))
        assert errand.fact is not None
        phone = self._phone(errand.agent)
        errand.fact.source.put(phone, errand.fact.title, self._text(errand.fact))
        phone.refresh()

    def _settle(self, k: int) -> None:
        """Note what a session came to in what is read of it."""
        for i, one in enumerate(self._errands):
            if (one.kind, one.session) == ("read", k) and one.fact is not None:
                self._errands[i] = replace(one, fact=replace(one.fact, value=self._came[k]))

    def state(self) -> dict[str, Plain]:
        """Return where the course is, and what each session came to."""
        return super().state() | {"came": list(self._came), "decided": self._decided}

    def resume(self, devices: Mapping[str, Device], seed: int, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        super().resume(devices, seed, state)
        self._came, self._decided = list(state["came"]), state["decided"]
        for k in range(1, len(self._came)):
            self._settle(k)


def _stage(fact: Fact) -> int:
    return int(fact.id.removeprefix("stage "))
