"""What interventions do to one world: agents come and go, routes change; and the conditions that it looks out for.

The world's own operations of a tick are to act and to step, so a change of tick s is made between recall and act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simonides.sim.changes import FOREVER, Halt, halted
from simonides.sim.codec import canonical
from simonides.sim.context import Usage
from simonides.sim.director import DIRECTOR
from simonides.sim.errors import PartFailed
from simonides.sim.exchange import Read, Write
from simonides.sim.interventions import Condition, Scheduled
from simonides.sim.passing import inject
from simonides.sim.seeds import identity
from simonides.sim.turns import look
from simonides.sim.types import Experience, Observation, Place, Plain, Query, Recall

if TYPE_CHECKING:
    from simonides.sim.world import Route, World


@dataclass(frozen=True, slots=True)
class Coming:
    """An agent of the world that is removed or added."""

    kind: str
    agent: str


@dataclass(frozen=True, slots=True)
class Injected:
    """A text that the environment shows to an agent through a channel; the rest is for the trace alone."""

    agent: str
    channel: str
    text: str
    tainted: bool = True
    about: Mapping[str, Plain] = field(default_factory=dict)

    def plain(self) -> dict[str, Plain]:
        """Return what the trace says of it."""
        told: dict[str, Plain] = {"agent": self.agent, "channel": self.channel, "text": self.text}
        return told | {"tainted": self.tainted, "about": dict(self.about)}


@dataclass(frozen=True, slots=True)
class WorldChange:
    """One intervention, or one step of it, as a world meets it.

    An agent comes or goes, a text is injected, an attack ends, or the agents' routes are others from then on.
    """

    id: str
    kind: str
    tick: int | None
    what: Coming | Injected | Halt | Mapping[str, Route]
    cause: str = ""
    after: int = 0

    @property
    def intervention(self) -> str:
        """The id of the intervention that it is, or is a step of."""
        return self.cause or self.id


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a study changes in a world, and what the world looks out for."""

    changes: tuple[WorldChange, ...] = ()
    expected: tuple[tuple[str, Scheduled], ...] = ()
    """Interventions by id whose beginning worlds have to tell."""

    @property
    def any(self) -> bool:
        """True when there is something to do at all."""
        return bool(self.changes or self.expected)


@dataclass(slots=True)
class Interference:
    """The interventions of one world, between ticks."""

    plan: Schedule
    starts: dict[str, int] = field(default_factory=dict)
    """Id -> first tick, of those whose tick is known by now."""
    begun: set[str] = field(default_factory=set)
    """Ids of the world's own changes that were made."""
    news: list[tuple[str, int]] = field(default_factory=list)
    """What the world learned at its last step, for the spaces."""
    dormant: dict[str, int] = field(default_factory=dict)
    """Id -> sessions that still have to end, of those whose time has come."""
    paid: dict[str, float] = field(default_factory=dict)
    """Rewards so far, where a condition asks for them."""
    row: list[Plain] = field(default_factory=list)
    """What this tick's row says of interventions."""

    def __post_init__(self) -> None:
        self.starts |= {one.id: one.tick for one in self.plan.changes if one.tick is not None}

    def routes(self, first: Mapping[str, Route], tick: int) -> Mapping[str, Route]:
        """Return the agents' routes in force at a tick."""
        found, latest = first, -1
        for one in self.plan.changes:
            start = self.starts.get(one.id, FOREVER)
            if isinstance(one.what, Mapping) and latest <= start <= tick:
                found, latest = one.what, start
        return found

    @property
    def injected(self) -> dict[str, tuple[str, str]]:
        """The injections made so far: id -> (agent, text)."""
        made = ((c.id, c.what) for c in self.plan.changes if c.id in self.begun)
        return {id: (what.agent, what.text) for id, what in made if isinstance(what, Injected)}

    def hear(self, told: Recall | None) -> None:
        """Take what the director says has begun; what is new goes to the spaces with the next exchange."""
        self.row, self.news = [], []
        for item in told.items if told is not None else ():
            if item.record_id not in self.starts:
                start = int(item.score)
                self.starts[item.record_id] = start
                self.starts |= {c.id: start + c.after for c in self.plan.changes if c.cause == item.record_id}
                self.news.append((item.record_id, start))

    def due(self, tick: int) -> list[WorldChange]:
        """Return the world's own changes that begin now, in the study's order, and note that they did."""
        new = [c for c in self.plan.changes if c.id not in self.begun and self.starts.get(c.id, FOREVER) <= tick]
        ends = {one.id for one in new if isinstance(one.what, Halt)}
        over = halted(self.plan.changes, self.begun | ends)
        new = [one for one in new if one.intervention not in over]
        self.begun |= {one.id for one in new}
        return new

    @property
    def open(self) -> list[tuple[str, Scheduled]]:
        """What nobody has seen begin yet."""
        return [(id, one) for id, one in self.plan.expected if id not in self.starts]

    def plain(self) -> dict[str, Plain]:
        """Return the state for a checkpoint."""
        known = {one.id for one in self.plan.changes if one.tick is not None}
        told = {id: start for id, start in self.starts.items() if id not in known}
        return {
            "told": told, "begun": sorted(self.begun), "news": list(self.news), "dormant": dict(self.dormant),
            "paid": dict(self.paid),
        }  # fmt: skip

    def restore(self, state: Mapping[str, Plain]) -> None:
        """Go on from a checkpoint; what a fork has left out is forgotten."""
        known = {one.id for one in self.plan.changes} | {id for id, _ in self.plan.expected}
        steps = {c.id: c for c in self.plan.changes if c.cause in state["told"] and c.cause in known}
        self.starts |= {id: start for id, start in state["told"].items() if id in known}
        self.starts |= {id: state["told"][c.cause] + c.after for id, c in steps.items()}
        self.begun = known & set(state["begun"])
        self.news = [(id, start) for id, start in state["news"] if id in known]
        self.dormant = {id: left for id, left in state["dormant"].items() if id in known}
        self.paid = dict(state["paid"])


async def interfere(world: World, told: Recall | None, seen: dict[str, Observation]) -> None:
    """Make the changes that begin now, and see which conditions hold. `seen` loses the agents that are gone.

    Raises PartFailed from whatever the environment raises.
    """
    state = world.interference
    if state is None:
        return
    state.hear(told)
    for change in state.due(world.tick):
        if isinstance(change.what, Coming):
            come_and_go(world, change.what)
            if change.kind == "remove_agent":
                seen.pop(change.what.agent, None)
        details: Mapping[str, Plain] = {}
        if isinstance(change.what, Injected):
            call = inject(world.environment, change.what.agent, change.what.channel, change.what.text)
            if not world.saves:
                world.actions.append(call)
            details = canonical(change.what.plain())
        state.row.append((change.id, change.kind, details))
    begins = [id for id, one in state.open if await _holds(world, state, id, one, seen)]
    port = world.port_of(DIRECTOR)
    if begins and port is not None:
        place = Place(world.tick, world.name, "")
        made = identity(world.setup.seed, DIRECTOR, world.name, place, 0)
        said = Experience(made, world.name, "", world.tick, world.time, "", metadata={"begins": begins})
        port.outbox.append(Write(DIRECTOR, said, 0))
        state.row.extend((id, "decided", {}) for id in begins)


def come_and_go(world: World, what: Coming) -> None:
    """Remove an agent from the environment, or add it. Where actions are replayed, so is this."""
    method: Any = getattr(world.environment, what.kind)
    try:
        method(what.agent)
    except Exception as error:
        raise PartFailed(f"the environment raised {type(error).__name__}: {error}") from error
    if not world.saves:
        world.actions.append([what.kind, what.agent])


async def _holds(world: World, state: Interference, id: str, one: Scheduled, seen: Mapping[str, Observation]) -> bool:
    """Return True when an intervention begins with the next tick, as far as this world can see."""
    if one.world not in (None, world.name):
        return False
    session = max((int(o.info.get("session", 0)) for o in seen.values()), default=0)
    ends = any(o.info.get("session_end") for o in seen.values())
    if id not in state.dormant:
        if one.session is not None:
            return session + ends >= one.session + one.dormancy
        come = one.tick <= world.tick if one.tick is not None else False
        if not come and (one.when is None or not await _shown(world, state, one.when, seen)):
            return False
        state.dormant[id] = one.dormancy
    state.dormant[id] -= int(ends)
    return state.dormant[id] <= 0


async def _shown(world: World, state: Interference, when: Condition, seen: Mapping[str, Observation]) -> bool:
    if when.space is not None:
        return await _space_shows(world, when)
    if when.world not in (None, world.name):
        return False
    agents = [agent for agent in seen if when.agent in (None, agent)]
    if when.reward is not None and sum(state.paid.get(agent, 0.0) for agent in agents) < when.reward:
        return False
    return bool(agents) and (when.contains is None or any(when.contains in seen[agent].text for agent in agents))


async def _space_shows(world: World, when: Condition) -> bool:
    """Ask a space, as it stands for this tick's readers; False for one that this world is no member of."""
    if world.port_of(str(when.space)) is None:
        return False
    asked = Query("", probe=True, filter={"records": when.records, "contains": when.contains})
    return bool((await look(world, Read(str(when.space), "", 0, asked), Usage())).items)


def settle_rewards(world: World, rewards: Mapping[str, float], agents: Sequence[str]) -> None:
    """Add what agents were paid, where a condition asks for it."""
    state = world.interference
    if state is not None and any(one.when is not None and one.when.reward is not None for _, one in state.open):
        for agent in agents:
            state.paid[agent] = state.paid.get(agent, 0.0) + float(rewards.get(agent, 0.0))
