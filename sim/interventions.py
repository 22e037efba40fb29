"""What a study changes while it runs: interventions by kind, and when each begins. Data only; `sim/changes.py` acts.

Another kind is a class here, one case in `sim/changing.py` (which makes changes of configurations), and one where it is
applied: in `Changes` for spaces, in `sim/interfering.py` for worlds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simonides.sim.types import Plain

Tick = Annotated[int, Field(ge=0)]
Span = Annotated[int, Field(ge=1)]


class Condition(BaseModel):
    """What a space or a world shows. A world without a name is any world; all that is asked for must hold.

    A space is looked at as a read at that tick finds it; a world by what its agents see and were paid so far.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    space: str | None = None
    records: Annotated[int, Field(ge=1)] | None = None
    """The space holds at least so many records."""
    world: str | None = None
    agent: str | None = None
    """Only what this agent of the world sees and is paid."""
    reward: float | None = None
    """The world's agents, or the one named, were paid at least this much together."""
    contains: str | None = None
    """A record of the space, or an observation's text, contains these characters."""

    @model_validator(mode="after")
    def _of_one(self) -> Condition:
        of_world = [name for name in ("world", "agent", "reward") if getattr(self, name) is not None]
        if self.space is not None and of_world:
            raise ValueError(f"a condition is of a space or of a world: space and {of_world[0]} do not go together")
        if self.space is None and self.records is not None:
            raise ValueError("records is a condition of a space: name the space")
        if self.records is None and self.reward is None and self.contains is None:
            raise ValueError("say what must be shown: records, contains or reward")
        return self


class Scheduled(BaseModel):
    """When an intervention begins: at a tick, with a session of a world, or the tick after a condition holds.

    The operations of its tick are the first that meet it; what is read at that tick still shows what stood before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    tick: Tick | None = None
    session: Tick | None = None
    """The session, by the number that the environment gives it, with whose first tick it begins."""
    when: Condition | None = None
    """Looked at every tick; what holds at t is effective at t + 1. Only the first time counts."""
    world: str | None = None
    """The world whose sessions count; by default whichever gets there first."""
    dormancy: Annotated[int, Field(ge=0)] = 0
    """Sessions of that world that pass, untouched, between the time told above and the beginning."""

    @model_validator(mode="after")
    def _once(self) -> Scheduled:
        told = [name for name in ("tick", "session", "when") if getattr(self, name) is not None]
        if len(told) > 1:
            raise ValueError(f"it begins once: give {' or '.join(told)}, not both")
        if not told and not self.by_itself:
            raise ValueError("say when it begins: tick, session or when")
        return self

    @property
    def by_itself(self) -> bool:
        """True for a kind that finds its own tick when none is given."""
        return False

    @property
    def conditional(self) -> bool:
        """True when worlds have to tell that it begins: nobody knows the tick before."""
        return self.session is not None or self.when is not None or self.dormancy > 0


class Plant(Scheduled):
    """A record put into a space. Without `text` the environment is asked for a falsehood about a question."""

    kind: Literal["plant"] = "plant"
    agent: str | None = None
    """The agent into whose first writable space it goes, as world/agent; by default the first agent that is asked."""
    space: str | None = None
    """The space it goes to, instead of an agent's."""
    text: str | None = None
    speaker: str = ""
    tainted: bool = True
    """False for a benign control of the same form."""
    about: dict[str, Plain] = Field(default_factory=dict)
    """For the trace alone: what it claims (`subject`, `attribute`, `value`), or the ids of the `questions` that it is
    about with the `value` it gives. An environment's falsehood says so itself."""

    @property
    def by_itself(self) -> bool:
        """The environment's falsehood says when: by default the last tick before its questions begin."""
        return True


class Purge(Scheduled):
    """What descends from chosen experiences is forgotten, by the memory system's own `forget`.

    Chosen are the experiences that meet all that is given. What could not be removed is recorded in the trace.
    """

    kind: Literal["purge"]
    space: str | None = None
    """The space it is about; by default all of them."""
    origins: Literal["planted"] | tuple[str, ...] | None = None
    """Experiences by their ids, or all that the study planted."""
    writer: str | None = None
    """Experiences of this agent, as world/agent."""
    since: Tick | None = None
    until: Tick | None = None
    """Experiences lived in these ticks, both included."""

    @model_validator(mode="after")
    def _chosen(self) -> Purge:
        if all(getattr(self, name) is None for name in ("origins", "writer", "since", "until")):
            raise ValueError("say what is purged: origins, writer, since or until; `wipe` empties a whole space")
        return self


class Wipe(Scheduled):
    """A space is emptied: a new memory system of its kind takes its place."""

    kind: Literal["wipe"]
    space: str


class Rewire(Scheduled):
    """Another wiring from here on. Spaces that it does not have stay as they are, with nobody to read or write them."""

    kind: Literal["rewire"]
    wiring: str | dict[str, Plain]


class Cut(Scheduled):
    """What an agent asks of a space or writes to it is lost, for a span of ticks or for good."""

    kind: Literal["cut"]
    agent: str
    """As world/agent."""
    space: str
    rights: Literal["read", "write", "both"] = "both"
    ticks: Span | None = None


class Delay(Scheduled):
    """What an agent writes to a space arrives some ticks late. Reads are never late: nothing here is stale."""

    kind: Literal["delay"]
    agent: str
    space: str
    by: Span
    ticks: Span | None = None


class RemoveAgent(Scheduled):
    """An agent acts no more; what it remembers stays. The environment must offer `remove_agent(agent)`."""

    kind: Literal["remove_agent"]
    agent: str


class AddAgent(Scheduled):
    """An agent that was removed acts again, from the next tick. The environment must offer `add_agent(agent)`."""

    kind: Literal["add_agent"]
    agent: str


class Inject(Scheduled):
    """A text that the environment shows to an agent with its next observation, through one of its channels.

    The environment must offer `inject(agent, channel, text)`. What the agent lives then and holds the text is marked in
    the trace.
    """

    kind: Literal["inject"]
    agent: str
    """As world/agent."""
    text: Annotated[str, Field(min_length=1)]
    channel: str | None = None
    """By default the environment's first."""
    tainted: bool = True
    about: dict[str, Plain] = Field(default_factory=dict)
    """For the trace alone, as a plant's."""


class Attack(Scheduled):
    """A registered attack: it plans its injections before the trial; they follow from the tick at which it begins."""

    kind: Literal["attack"]
    attack: str | dict[str, Plain]
    """Its name, or its name and parameters."""
    ticks: Span | None = None
    """How long it lasts: what it would inject later is left out."""

    @property
    def by_itself(self) -> bool:
        """By default it begins with the trial."""
        return True

    @property
    def name(self) -> str:
        """The attack's registered name."""
        return self.attack if isinstance(self.attack, str) else str(self.attack.get("name", ""))


class Stop(Scheduled):
    """An attack ends: what it has not injected yet is left out."""

    kind: Literal["stop"]
    of: str
    """The attack's registered name; all interventions with that attack end."""


class Defend(Scheduled):
    """Other defences stand at the doors from here on; `[]` for none. What the former ones had learned is gone.

    What waits in quarantine goes on waiting, for whichever defence releases it.
    """

    kind: Literal["defend"]
    defences: tuple[str | dict[str, Plain], ...]
    space: str | None = None
    """The space that it is about; by default all of them."""


KINDS = (
    "plant", "inject", "attack", "stop", "defend", "purge", "wipe", "rewire", "cut", "delay", "remove_agent",
    "add_agent",
)  # fmt: skip
Intervention = Annotated[
    Plant | Inject | Attack | Stop | Defend | Purge | Wipe | Rewire | Cut | Delay | RemoveAgent | AddAgent,
    Field(discriminator="kind"),
]


def with_kind(value: Any) -> Any:
    """Return an intervention's fields with the kind that `plant` need not say."""
    return {"kind": "plant", **value} if isinstance(value, Mapping) else value


def ids_of(interventions: tuple[Intervention, ...]) -> tuple[str, ...]:
    """Return a name for each intervention, of its kind and content, so that a fork knows those that it kept."""
    seen: dict[str, int] = {}
    names = []
    for one in interventions:
        content = hashlib.blake2b(one.model_dump_json().encode(), digest_size=4).hexdigest()
        name = f"{one.kind}-{content}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(names)
