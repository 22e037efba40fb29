"""Who may read and write what, for each wiring."""

from __future__ import annotations

import networkx as nx
import pytest

from simonides.memory_actors import wiring
from simonides.sim.codec import encode
from simonides.sim.errors import StudyError
from simonides.sim.registry import registry
from simonides.sim.wiring import AgentRef, SpaceSpec

AGENTS = [AgentRef(world, agent) for world in ("w2", "w1") for agent in ("bo", "al", "cy")]
AL, BO, CY = (AgentRef("w1", name) for name in ("al", "bo", "cy"))
RING = {"graph": "cycle_graph"}


def by_name(spaces: tuple[SpaceSpec, ...]) -> dict[str, SpaceSpec]:
    assert [spec.name for spec in spaces] == sorted(spec.name for spec in spaces)
    return {spec.name: spec for spec in spaces}


def test_a_private_space_is_read_and_written_by_its_agent_alone():
    spaces = by_name(wiring.private(AGENTS))
    assert len(spaces) == 6
    assert spaces["w1/al"].readers == spaces["w1/al"].writers == {AL}


def test_a_team_is_the_world_unless_said_otherwise():
    spaces = by_name(wiring.team(AGENTS, {AL: "red", AgentRef("w2", "al"): "red"}))
    assert list(spaces) == ["team/red", "team/w1", "team/w2"]
    assert spaces["team/red"].writers == {AL, AgentRef("w2", "al")}
    assert spaces["team/w1"].readers == {BO, CY}


@pytest.mark.parametrize("name, shared", [("team", 2), ("global", 1)])
def test_mixed_wiring_adds_private_spaces(name, shared):
    alone = registry("wiring").build(name, {}, agents=AGENTS, team_of={}, seed=1)
    mixed = registry("wiring").build(name, {"also_private": True}, agents=AGENTS, team_of={}, seed=1)
    assert len(alone) == shared
    assert set(mixed) == set(alone) | set(wiring.private(AGENTS))


def test_everyone_shares_the_global_space():
    (space,) = wiring.everyone(AGENTS)
    assert space == SpaceSpec("global", frozenset(AGENTS), frozenset(AGENTS))


def test_the_hub_reads_all_spokes_and_alone_writes_what_all_read():
    spaces = by_name(wiring.hub(AGENTS, hubs=2))
    assert spaces["hub"].readers == set(AGENTS)
    assert spaces["hub"].writers == {AL, BO}
    assert spaces["w1/cy"].readers == {AL, BO, CY}
    assert spaces["w1/cy"].writers == {CY}
    assert spaces["w1/al"].readers == {AL}
    assert by_name(wiring.hub(AGENTS, spokes_write=True))["hub"].writers == set(AGENTS)


def test_more_hubs_than_agents_is_an_error():
    with pytest.raises(StudyError, match="7 hub agents were asked for, found 6 agents"):
        wiring.hub(AGENTS, hubs=7)
    with pytest.raises(StudyError, match=r"wiring\.hubs"):
        registry("wiring").build("hub", {"hubs": 0}, agents=AGENTS, path="wiring")


def test_neighbours_in_the_graph_read_and_write_only_where_said():
    spaces = by_name(wiring.graph(AGENTS, 1, **RING))
    assert spaces["w1/bo"].readers == {AL, BO, CY}
    assert spaces["w1/bo"].writers == {BO}
    assert spaces["w1/al"].readers == {AL, BO, AgentRef("w2", "cy")}
    assert by_name(wiring.graph(AGENTS, 1, write="neighbours", **RING))["w1/bo"].writers == {AL, BO, CY}


def test_a_directed_edge_lets_its_end_read_its_start():
    spaces = by_name(wiring.graph(AGENTS, 3, "gn_graph"))
    built = nx.gn_graph(6, seed=wiring.seed_of(3, "wiring", "gn_graph") % 2**32)
    order = sorted(AGENTS)
    assert sum(len(spec.readers) - 1 for spec in spaces.values()) == built.number_of_edges()
    for start, end in built.edges:
        assert order[end] in spaces[str(order[start])].readers
        assert order[start] not in spaces[str(order[end])].readers


def test_a_random_graph_follows_the_trial_seed_and_not_the_order_of_agents():
    draw = {"graph": "watts_strogatz_graph", "parameters": {"k": 2, "p": 0.9}}
    assert wiring.graph(AGENTS, 5, **draw) == wiring.graph(AGENTS[::-1], 5, **draw)
    assert len({encode(wiring.graph(AGENTS, seed, **draw)) for seed in range(10)}) > 1


@pytest.mark.parametrize(
    "params, message",
    [
        ({"graph": "watts_strogats_graph"}, "Did you mean 'watts_strogatz_graph'"),
        ({"graph": "pagerank"}, "no generator called 'pagerank'"),
        ({"graph": "watts_strogatz_graph", "parameters": {"k": 2, "prob": 0.1}}, r"wiring\.parameters\.prob"),
        ({"graph": "watts_strogatz_graph", "parameters": {"k": 2}}, "refused"),
        ({"graph": "barabasi_albert_graph", "parameters": {"m": 9}}, "refused"),
        ({"graph": "star_graph"}, "7 nodes, but the trial has 6 agents"),
        ({"graph": "cycle_graph", "write": "all"}, r"wiring\.write"),
    ],
)
def test_a_wrong_graph_is_one_clear_line(params, message):
    with pytest.raises(StudyError, match=message) as error:
        registry("wiring").build("graph", params, agents=AGENTS, seed=1, path="wiring")
    assert "\n" not in str(error.value)


def test_two_spaces_of_one_name_are_refused():
    odd = [AgentRef("team", "w1"), AL]
    with pytest.raises(StudyError, match="two spaces are called 'team/w1'"):
        wiring.team(odd, also_private=True)


def test_no_agents_make_no_spaces():
    for name in registry("wiring").names():
        assert registry("wiring").build(name, {}, agents=[], team_of={}, seed=0) == ()
