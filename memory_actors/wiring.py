"""Say who may read and write which spaces: private, team, global, hub, or over a networkx graph.

Each function takes the agents of a trial and returns its spaces sorted by name; none creates a memory system. Names:
a private space is "WORLD/AGENT", a team's "team/TEAM", the shared ones "global" and "hub".
"""

from __future__ import annotations

import inspect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import networkx as nx
from pydantic import Field

from simonides.sim.errors import StudyError, near
from simonides.sim.seeds import seed_of
from simonides.sim.types import Plain
from simonides.sim.wiring import AgentRef, SpaceSpec

Spaces = tuple[SpaceSpec, ...]


def private(agents: Sequence[AgentRef]) -> Spaces:
    """One space an agent, which it alone reads and writes."""
    return _sorted(_own(agents))


def team(
    agents: Sequence[AgentRef],
    team_of: Mapping[AgentRef, str] | None = None,
    also_private: bool = False,
) -> Spaces:
    """One space a team, which its members read and write; an agent without a team belongs to its world's.

    `also_private` adds the agents' private spaces.
    """
    teams: dict[str, set[AgentRef]] = defaultdict(set)
    for agent in agents:
        teams[(team_of or {}).get(agent, agent.world)].add(agent)
    shared = [_shared(f"team/{name}", members) for name, members in teams.items()]
    return _sorted(shared + (_own(agents) if also_private else []))


def everyone(agents: Sequence[AgentRef], also_private: bool = False) -> Spaces:
    """One space, "global", which all agents read and write; `also_private` adds the agents' private spaces."""
    shared = [_shared("global", agents)] if agents else []
    return _sorted(shared + (_own(agents) if also_private else []))


def hub(
    agents: Sequence[AgentRef],
    hubs: Annotated[int, Field(ge=1)] = 1,
    spokes_write: bool = False,
) -> Spaces:
    """A star: hub agents read every spoke's private space and write the space "hub", which everyone reads.

    The first `hubs` agents in sorted order are the hub, the others are spokes. What a spoke learns thus reaches
    another spoke only through a hub agent, which is the one place to attack or to defend. With `spokes_write` the
    spokes write to "hub" directly too, which makes it a common board that hub agents moderate.
    Raises StudyError when there are fewer agents than hubs.
    """
    if agents and hubs > len(agents):
        raise StudyError(f"wiring.hubs: {hubs} hub agents were asked for, found {len(agents)} agents; ask for fewer.")
    everybody = frozenset(agents)
    centre = frozenset(sorted(everybody)[:hubs])
    spaces = [
        spec if spec.writers <= centre else SpaceSpec(spec.name, spec.readers | centre, spec.writers)
        for spec in _own(agents)
    ]
    shared = [SpaceSpec("hub", everybody, everybody if spokes_write else centre)] if agents else []
    return _sorted(spaces + shared)


def graph(
    agents: Sequence[AgentRef],
    seed: int,
    graph: str = "watts_strogatz_graph",
    parameters: Mapping[str, Plain] | None = None,
    write: Literal["own", "neighbours"] = "own",
) -> Spaces:
    """Each agent owns a space that its neighbours in a networkx graph may read, and with `write` also write.

    `graph` is the name of a networkx generator ("watts_strogatz_graph", "barabasi_albert_graph", "cycle_graph", ...)
    and `parameters` are its arguments; its number of nodes `n` defaults to the number of agents, and its random
    `seed` is drawn from the trial's. Nodes in the order of the graph are agents in sorted order. In a directed graph
    an edge u -> v lets v read the space of u. Raises StudyError for an unknown generator or parameter, and for a graph
    that has not one node an agent.
    """
    if not agents:
        return ()
    built = _build(graph, dict(parameters or {}), len(set(agents)), seed)
    agent_at = dict(zip(built, sorted(set(agents)), strict=True))
    spaces = []
    for node, owner in agent_at.items():
        both = frozenset({owner, *(agent_at[other] for other in built.adj[node])})
        spaces.append(SpaceSpec(str(owner), both, both if write == "neighbours" else frozenset({owner})))
    return _sorted(spaces)


def _own(agents: Iterable[AgentRef]) -> list[SpaceSpec]:
    return [_shared(str(agent), {agent}) for agent in agents]


def _shared(name: str, members: Iterable[AgentRef]) -> SpaceSpec:
    return SpaceSpec(name, frozenset(members), frozenset(members))


def _sorted(spaces: Iterable[SpaceSpec]) -> Spaces:
    """Return the spaces by name; two of one name would share their records, so that is refused."""
    ordered = tuple(sorted(spaces, key=lambda spec: spec.name))
    twice = [name for name, count in Counter(spec.name for spec in ordered).items() if count > 1]
    if twice:
        raise StudyError(f"wiring: two spaces are called {twice[0]!r}; rename a world, a team or an agent.")
    return ordered


def _generators() -> dict[str, Callable[..., Any]]:
    """Return networkx's public graph generators by name."""
    return {
        name: part
        for name in dir(nx)
        if name.endswith("_graph") and callable(part := getattr(nx, name)) and "generators" in part.__module__
    }


def _build(name: str, parameters: dict[str, Plain], nodes: int, seed: int) -> nx.Graph[Any]:
    """Return the named graph with `nodes` nodes. Raises StudyError."""
    known = _generators()
    if name not in known:
        raise StudyError(
            f"wiring.graph: networkx has no generator called {name!r}.{near(name, known)} "
            "Any of its functions called ..._graph will do, such as cycle_graph or watts_strogatz_graph."
        )
    accepted = inspect.signature(known[name]).parameters
    for key in sorted(set(parameters) - set(accepted)):
        raise StudyError(
            f"wiring.parameters.{key}: {name} has no such parameter.{near(key, accepted)} Known: {', '.join(accepted)}."
        )
    # Some generators seed numpy's RandomState, which takes 32 bits.
    given: dict[str, Plain] = {"n": nodes, "seed": seed_of(seed, "wiring", name) % 2**32}
    defaults = {key: value for key, value in given.items() if key in accepted}
    try:
        built: nx.Graph[Any] = known[name](**defaults | parameters)
    except Exception as error:  # networkx raises its own errors, TypeError or ValueError for bad parameters
        raise StudyError(f"wiring.parameters: networkx refused {name}({parameters}): {error}.") from None
    if len(built) != nodes:
        raise StudyError(
            f"wiring.parameters: {name}({parameters}) has {len(built)} nodes, but the trial has {nodes} agents; "
            "one node an agent is needed."
        )
    return built
