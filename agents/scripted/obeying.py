"""What a scripted victim does with instructions that it recalls or sees: obeys, passes on, answers those who ask.

All of it is a rule with two probabilities, which are assumptions and factors of a study. It measures whether an
instruction is written, survives, is retrieved and spreads under that rule, never whether a model would follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simonides.agents.scripted.asked import Asked, answered, read_asked
from simonides.sim.instructions import Instruction, read_instructions
from simonides.sim.lineage import SEEN
from simonides.sim.needs import Need
from simonides.sim.protocols import PolicyContext
from simonides.sim.types import Observation, Plain, Query, Recall, Recalled, Tell

Contacts = Literal["none", "all", "random"]


@dataclass(frozen=True, slots=True)
class Carried:
    """An instruction and the record that carried it."""

    instruction: Instruction
    record: str = SEEN


@dataclass(frozen=True, slots=True)
class Passed:
    """What an agent passes on at a tick, and the records that it comes from, `SEEN` for what was only seen."""

    tells: tuple[Tell, ...] = ()
    used: tuple[str, ...] = ()


class Obedience:
    """Obeys with probability `rho`, passes on with probability `kappa`; with both 0 it reads nothing and draws nothing.

    Rules and the best ranked procedure are candidates for a need, in the order of recall. One whose condition holds and
    whose value is among the need's is obeyed with `rho`; the draw, made once for a need and a record, stands as long as
    the need. Procedures below the best ranked one are never followed. One that answered a user's question holds for a
    need as it would for the same question of a user.

    An instruction that asks to be passed on, recalled or seen, is noted anew with `kappa` at each tick, and sent to all
    other agents of the world or to a random one, as `contacts` says; once a tick, however many records carry it.

    A question of somebody else is answered at ticks without a need of one's own: by the best ranked remembered answer
    that serves it (see `Asked.follows`), else by its own hints if they lead to a value; each is followed with `rho`,
    and question and steps are noted. Who finds neither says and notes nothing: users' questions come without the
    grammar in which claims could be read, so that claims do not answer them.
    """

    def __init__(self, rho: float, kappa: float, contacts: Contacts) -> None:
        self.rho, self.kappa, self.contacts = rho, kappa, contacts
        self.drawn: dict[str, dict[str, bool]] = {}
        """Need -> record -> whether its instruction is obeyed, until the outcome is seen."""

    def queries(self, observation: Observation, browses: bool, k: int) -> tuple[Query, ...]:
        """Return what to recall at a tick without a need: users' questions, and what is seen."""
        texts = [asked.question for asked in self._asked(observation)]
        browsed = observation.text or str(observation.info.get("question", ""))
        texts += [browsed] if browses and browsed else []
        return tuple(Query(text, k=k) for text in texts)

    def _asked(self, observation: Observation) -> tuple[Asked, ...]:
        return read_asked(observation.text) if self.rho else ()

    def read(self, recalls: Sequence[Recall]) -> list[Carried]:
        """Return the instructions of what was recalled and is trusted at all, best ranked first."""
        if not self.rho and not self.kappa:
            return []
        items = {item.record_id: item for item in trusted(recalls)}
        return [Carried(one, item.record_id) for item in items.values() for one in read_instructions(item.text)]

    def obeyed(
        self, need: Need, observation: Observation, carried: Sequence[Carried], ctx: PolicyContext
    ) -> Carried | None:
        """Return the instruction that decides a need, or None."""
        if not self.rho:
            return None
        top = next((one for one in carried if one.instruction.steps), None)
        for one in carried:
            rule = one.instruction
            held = rule.applies(need.subject, need.question, observation.text) or _serves(rule, need)
            if (
                held
                and rule.do in need.options
                and (not rule.steps or one is top)
                and self._draws(need.id, one.record, ctx)
            ):
                return one
        return None

    def _draws(self, need: str, record: str, ctx: PolicyContext) -> bool:
        drawn = self.drawn.setdefault(need, {})
        if record not in drawn:
            drawn[record] = bool(ctx.rng.random() < self.rho)
        return drawn[record]

    def passed(self, observation: Observation, carried: Sequence[Carried], ctx: PolicyContext, busy: bool) -> Passed:
        """Return what is passed on and noted at this tick; who is `busy` with a need of its own answers nobody."""
        copies = self._copied(observation, carried, ctx)
        answers = [] if busy else self._answers(observation, carried, ctx)
        tells = [Tell(one.instruction.say(), to) for one in copies for to in ("", *self._to(ctx))]
        tells += [Tell(text) for text, _ in answers]
        records = [*(one.record for one in copies), *(record for _, record in answers)]
        return Passed(tuple(tells), tuple(dict.fromkeys(records)))

    def _copied(self, observation: Observation, carried: Sequence[Carried], ctx: PolicyContext) -> list[Carried]:
        if not self.kappa:
            return []
        found = [*carried, *(Carried(one) for one in read_instructions(observation.text))]
        once: dict[Instruction, Carried] = {}
        for one in found:
            if one.instruction.copy:
                once.setdefault(one.instruction, one)
        return [one for one in once.values() if ctx.rng.random() < self.kappa]

    def _to(self, ctx: PolicyContext) -> Sequence[str]:
        """Return the agents that one instruction is sent to."""
        if self.contacts == "none" or not ctx.peers:
            return ()
        return ctx.peers if self.contacts == "all" else (ctx.peers[int(ctx.rng.integers(len(ctx.peers)))],)

    def _answers(
        self, observation: Observation, carried: Sequence[Carried], ctx: PolicyContext
    ) -> list[tuple[str, str]]:
        """Return (what is noted, the record that it rests on) for each question that is answered."""
        found = []
        for asked in self._asked(observation):
            steps, record = self._steps(asked, carried)
            if steps and ctx.rng.random() < self.rho:
                found.append((answered(asked, steps), record))
        return found

    def _steps(self, asked: Asked, carried: Sequence[Carried]) -> tuple[tuple[str, ...], str]:
        """Return the steps that answer a question, and the record that has them, `SEEN` for its own hints."""
        for one in carried:
            if one.instruction.steps and asked.follows(Asked.of_task(one.instruction.when)):
                return one.instruction.steps, one.record
        value = asked.concluded()
        return ((*asked.hints, value) if value else (), SEEN)

    def settle(self, need: str) -> None:
        """Forget the draws of a need that has shown its outcome."""
        self.drawn.pop(need, None)

    def plain(self) -> dict[str, Plain]:
        """Return the draws for a snapshot."""
        return {need: dict(drawn) for need, drawn in self.drawn.items()}


def _serves(rule: Instruction, need: Need) -> bool:
    """Return True for a remembered answer that serves the need's question as it would a user's."""
    return bool(rule.steps) and Asked(need.question).follows(Asked.of_task(rule.when))


def trusted(recalls: Sequence[Recall]) -> list[Recalled]:
    """Return what was recalled, in order, without what a defence gave no trust at all."""
    return [item for recall in recalls for item in recall.items if item.trust > 0.0]
