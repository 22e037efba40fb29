"""A scripted victim and expert: it follows the environment's plan, and memory decides what the plan leaves open.

It reads recalled text only: never lineage, taint or a channel. What it believes is a rule, not a language model's
judgement; the studies that use it say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from simonides.agents.scripted.obeying import Carried, Contacts, Obedience, Passed, trusted
from simonides.sim.claims import Claim
from simonides.sim.codec import decode, encode
from simonides.sim.errors import ContractBroken, CorruptFile
from simonides.sim.needs import Need
from simonides.sim.protocols import PolicyContext
from simonides.sim.render import legal_actions
from simonides.sim.seeds import seed_of
from simonides.sim.types import Action, Observation, Plain, Query, Recall, Recalled

Profile = Literal["credulous", "recent", "corroborating", "sceptical"]
SELF = ""
"""Who says what the agent saw itself."""


@dataclass(frozen=True, slots=True)
class Stance:
    """The constants of a profile: half-life in seconds, threshold and margin of a score, whether trust is learned."""

    half_life: float
    threshold: float
    margin: float
    verifies: bool = False
    learns: bool = False


DAY = 86_400.0
STANCES: Mapping[str, Stance] = {
    "credulous": Stance(float("inf"), 0.0, 0.0),
    "recent": Stance(DAY, 0.0, 0.0),
    "corroborating": Stance(float("inf"), 2.0, 0.0, verifies=True),
    "sceptical": Stance(float("inf"), 0.75, 0.25, verifies=True, learns=True),
}
"""Fixed before any attack was run; GUESS: the scale of a half-life and the sceptic's threshold are ours."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A claim about what is needed, as recalled: the record's place in the ranking, simulated time (s), and id."""

    claim: Claim
    rank: int
    time: float
    record: str = ""
    trust: float = 1.0
    """The label that a defence gave the record."""


class Believer:
    """Acts on what it recalls, by one vote an identity.

    For a need with values V each identity u that a recalled text names votes once, with its newest claim about the
    subject: for the value, or against it. A vote weighs trust(u) * 2 ** (-(now - time) / half_life). The value of the
    highest score is believed if the score reaches `threshold` and leads by `margin`; else the truth is looked up where
    the environment offers that and the profile does so; else the agent guesses: a draw over V that depends on the trial
    and the need alone. What is seen now outranks memory. Ties are broken by a hash of (seed, need, value).

    | profile | rule |
    |---|---|
    | credulous | the best ranked claim is believed |
    | recent | votes lose half their weight a day |
    | corroborating | two identities must agree |
    | sceptical | looks it up unless sure; after an outcome trust moves by `eta` for who was right or wrong |

    A vote is multiplied by the record's label of trust, and what has none is not read. Instructions in what is recalled
    are obeyed with probability `rho` before any votes are counted, passed on with `kappa` to `contacts`, and answered
    for users (see `Obedience`). An agent that `browses` asks its memory, at ticks without a need, for what it sees.

    Without `recall` it asks its memory nothing and is otherwise the same object: the reader without memory that a
    memory gap is measured against. `k` is the number of records asked for.
    """

    waits = False
    """Its `act` never waits for anything, so that a world need not gather it."""
    by_rule = True
    """What it believes is decided by a rule, and reports say so."""

    def __init__(
        self,
        profile: Profile = "credulous",
        recall: bool = True,
        k: Annotated[int, Field(ge=1)] = 10,
        half_life: Annotated[float | None, Field(gt=0)] = None,
        threshold: float | None = None,
        margin: Annotated[float | None, Field(ge=0)] = None,
        eta: Annotated[float, Field(ge=0, le=1)] = 0.2,
        trust: Annotated[float, Field(ge=0, le=1)] = 0.5,
        rho: Annotated[float, Field(ge=0, le=1)] = 0.0,
        kappa: Annotated[float, Field(ge=0, le=1)] = 0.0,
        contacts: Contacts = "none",
        browses: bool = False,
    ) -> None:
        """`half_life` (seconds), `threshold` and `margin` replace the profile's; `trust` is that in a stranger."""
        stance = STANCES[profile]
        self.profile, self.recalls, self.k, self.eta, self.first_trust = profile, recall, k, eta, trust
        self.half_life = half_life if half_life is not None else stance.half_life
        self.threshold = threshold if threshold is not None else stance.threshold
        self.margin = margin if margin is not None else stance.margin
        self.verifies, self.learns, self.browses = stance.verifies, stance.learns, browses
        self.obedience = Obedience(rho, kappa, contacts)
        self._trust: dict[str, float] = {}
        self._claimed: dict[str, dict[str, str]] = {}
        """Need -> identity -> the value it claimed, until the outcome is seen."""
        self._guessed: dict[str, str] = {}
        """Need -> the value guessed, so that a guess stands for as long as its need."""

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask for what is needed, where anything is; else for what users ask and, who browses, for what is seen."""
        if not self.recalls:
            return ()
        need = Need.of(observation.info)
        if need is not None:
            return (Query(need.question, k=self.k),)
        return self.obedience.queries(observation, self.browses, self.k)

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Return the planned action, decided by what is believed where a need is open."""
        self._learn(observation.info.get("outcome"))
        need = Need.of(observation.info)
        carried = self.obedience.read(recalls)
        passed = self.obedience.passed(observation, carried, ctx, busy=need is not None)
        if need is None:
            notes = _passing({"used": []} if recalls else {}, passed)
            return _named(observation, str(observation.info.get("plan", "")), notes, passed)
        heard = list(_heard(need, trusted(recalls)))
        value, why, used = self._decided(need, observation, heard, carried, ctx)
        if self.learns:
            self._claimed[need.id] = {one.claim.said_by: one.claim.value for one in heard if one.claim.positive}
        notes = {"need": need.id, "believed": value, "why": why, "read": len(heard), "used": used}
        acts = need.verify if why == "verify" else need.plan[value]
        return _named(observation, acts, _passing(notes, passed), passed)

    def _decided(
        self, need: Need, observation: Observation, heard: Sequence[Heard], carried: Sequence[Carried],
        ctx: PolicyContext,
    ) -> tuple[str, str, list[str]]:  # fmt: skip
        """Return the value, why, and the records it rests on: what is seen, an instruction, votes, a look, a guess."""
        seen = [claim for claim in need.grammar.read(observation.text) if _about(need, claim) and claim.positive]
        if seen:
            return seen[-1].value, "seen", []
        obeyed = self.obedience.obeyed(need, observation, carried, ctx)
        if obeyed is not None:
            return obeyed.instruction.do, "obeyed", [obeyed.record]
        value, why = self._believed(need, observation, heard, ctx)
        return value, why, _used(heard, value, why)

    def _believed(
        self, need: Need, observation: Observation, heard: Sequence[Heard], ctx: PolicyContext
    ) -> tuple[str, str]:
        if self.profile == "credulous":
            top = next((one for one in heard if one.claim.positive), None)
            if top is not None:
                return top.claim.value, "top"
        else:
            ranked = sorted(self._scores(need, observation.time, heard).items(), key=lambda item: -item[1])
            best, second = ranked[0][1], ranked[1][1] if len(ranked) > 1 else 0.0
            if best > 0.0 and best >= self.threshold and best - second >= self.margin:
                tied = [value for value, score in ranked if score == best]
                return min(tied, key=lambda value: seed_of(0, "tie", need.id, value)), "votes"
        if need.verify and self.verifies:
            return "", "verify"
        if need.id not in self._guessed:
            self._guessed[need.id] = need.options[int(ctx.rng.integers(len(need.options)))]
        return self._guessed[need.id], "guess"

    def _learn(self, outcome: Any) -> None:
        """Move the trust in those who claimed something about a need whose truth is seen."""
        if not isinstance(outcome, Mapping) or "need" not in outcome:
            return
        self._guessed.pop(outcome["need"], None)
        self.obedience.settle(outcome["need"])
        for who, value in self._claimed.pop(outcome["need"], {}).items():
            step = self.eta if value == outcome.get("truth") else -self.eta
            self._trust[who] = min(1.0, max(0.0, self.trust(who) + step))

    def _scores(self, need: Need, now: float, heard: Sequence[Heard]) -> dict[str, float]:
        newest: dict[str, Heard] = {}
        for one in heard:
            known = newest.get(one.claim.said_by)
            if known is None or one.time > known.time:
                newest[one.claim.said_by] = one
        scores = dict.fromkeys(need.options, 0.0)
        for who, one in newest.items():
            weight = one.trust * self.trust(who) * 2.0 ** (-max(0.0, now - one.time) / self.half_life)
            scores[one.claim.value] += weight if one.claim.positive else -weight
        return scores

    def trust(self, who: str) -> float:
        """Return the trust in an identity, 0 to 1; in oneself 1."""
        return 1.0 if who == SELF else self._trust.get(who, self.first_trust)

    def snapshot(self) -> bytes:
        """Return what was learned of others, and what was drawn for needs that are open."""
        own = {"trust": self._trust, "claimed": self._claimed, "guessed": self._guessed}
        return encode(own | ({"obeyed": self.obedience.plain()} if self.obedience.drawn else {}))

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is none."""
        state = decode(data)
        if not isinstance(state, dict) or not {"trust", "claimed", "guessed"} <= set(state):
            raise CorruptFile("This snapshot is not of a believer.")
        self._trust, self._claimed, self._guessed = state["trust"], state["claimed"], state["guessed"]
        self.obedience.drawn = state.get("obeyed", {})


def _about(need: Need, claim: Claim) -> bool:
    return (claim.subject, claim.attribute) == (need.subject, need.attribute) and claim.value in need.options


def _used(heard: Sequence[Heard], value: str, why: str) -> list[str]:
    """Return the records that a belief rests on: the best ranked that claims it, or all that voted for it."""
    saying = [one.record for one in heard if one.claim.positive and one.claim.value == value]
    return list(dict.fromkeys(saying[:1] if why == "top" else saying if why == "votes" else []))


def _passing(notes: Mapping[str, Plain], passed: Passed) -> dict[str, Plain]:
    """Return the notes with the records that something passed on comes from."""
    if not passed.tells:
        return dict(notes)
    used = list(dict.fromkeys([*notes.get("used", []), *passed.used]))
    return {**notes, "used": used, "passed": len(passed.tells)}


def _heard(need: Need, items: Sequence[Recalled]) -> Iterable[Heard]:
    for rank, item in enumerate(items):
        claims = [claim for claim in need.grammar.read(item.text) if _about(need, claim)]
        yield from (Heard(claim, rank, item.time, item.record_id, item.trust) for claim in claims)


def _named(observation: Observation, name: str, notes: Mapping[str, Plain], passed: Passed) -> Action:
    """Return the legal action of this name; what does nothing, where the plan names none."""
    legal = legal_actions(observation.info)
    if name and name not in legal:
        raise ContractBroken(f"The plan says {name!r}, which is none of the legal actions: {', '.join(legal)}.")
    value = legal[name] if name else observation.info.get("noop", "")
    return Action(value=value, text=name, notes=notes, tells=passed.tells)
