"""The junctions that MetaDrive offers: a fixed list of candidates, and those that a driver told the road comes through.

The rule, fixed before anything was measured: a candidate is every junction block of MetaDrive that leads to two or more
roads (X, T in its three forms, O), with one lane a direction, at the smallest and the largest value of the one
parameter that sets its size, where it has one. A candidate is kept when an arm that is told the right road reaches the
end of every road in at least 95 % of the drives; docs/driving.md has the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
from metadrive.component.map.pg_map import PGMap
from metadrive.component.pg_space import Parameter
from metadrive.component.pgblock.first_block import FirstPGBlock
from metadrive.component.pgblock.intersection import InterSection
from metadrive.component.pgblock.roundabout import Roundabout
from metadrive.component.pgblock.t_intersection import TInterSection
from metadrive.manager.pg_map_manager import PGMapManager

from simonides.envs.driving.scene import Floats

APPROACH, EXIT, LANE_WIDTH = 100.0, 110.0, 3.5
"""m: the road up to the junction, the roads from it, and MetaDrive's own width of a lane."""

Route = list[tuple[str, str]]


@dataclass(frozen=True)
class Candidate:
    """One junction: MetaDrive's block, its parameters, and how many roads lead on."""

    name: str
    block: type[Any]
    roads: int
    config: Mapping[str, Any] = field(default_factory=dict)
    radius: float | None = None


CANDIDATES: tuple[Candidate, ...] = (
    Candidate("crossing, radius 10 m", InterSection, 3, radius=10.0),
    Candidate("crossing, radius 15 m", InterSection, 3, radius=15.0),
    Candidate("T without the road to the right", TInterSection, 2, {Parameter.t_intersection_type: 0}),
    Candidate("T without the road ahead", TInterSection, 2, {Parameter.t_intersection_type: 1}),
    Candidate("T without the road to the left", TInterSection, 2, {Parameter.t_intersection_type: 2}),
    Candidate(
        "roundabout, radius 15 m",
        Roundabout,
        3,
        {Parameter.radius_exit: 5, Parameter.radius_inner: 15, Parameter.angle: 60},
    ),
    Candidate(
        "roundabout, radius 45 m",
        Roundabout,
        3,
        {Parameter.radius_exit: 15, Parameter.radius_inner: 45, Parameter.angle: 60},
    ),
)
"""In the order of MetaDrive's documentation; a scene's map is a place in this tuple."""


class JunctionMap(PGMap):  # type: ignore[misc]
    """A road up to one junction, and the roads from it."""

    def _generate(self) -> None:
        chosen = CANDIDATES[self.config["seed"]]
        parent, physics = self.engine.worldNP, self.engine.physics_world
        first = FirstPGBlock(self.road_network, LANE_WIDTH, 1, parent, physics, length=APPROACH)
        chosen.block.EXIT_PART_LENGTH = EXIT  # a class attribute in MetaDrive, which its own maps set likewise
        extra = {"radius": chosen.radius} if chosen.radius else {}
        junction = chosen.block(1, first.get_socket(index=0), self.road_network, random_seed=1,
                                ignore_intersection_checking=False, **extra)  # fmt: skip
        if chosen.block is InterSection:
            junction.enable_u_turn(False)
        config = dict(chosen.config)
        if chosen.block is not Roundabout:
            config |= {Parameter.change_lane_num: 0, Parameter.decrease_increase: 0}
        if chosen.block is TInterSection:
            config[Parameter.radius] = 10
        junction.construct_block(parent, physics, extra_config=config)
        self.blocks += [first, junction]
        self.road_network.after_init()


class JunctionMaps(PGMapManager):  # type: ignore[misc]
    """MetaDrive's manager of maps, with one map a candidate; the scenario's number is the candidate's."""

    def reset(self) -> None:
        """Make the scenario's map, or take it out again."""
        number = self.engine.global_seed
        if self.maps[number] is None:
            config = self.engine.global_config.copy()["map_config"]
            config.update({"seed": number})
            self.maps[number] = self.spawn_object(JunctionMap, map_config=config, random_seed=None)
        self.load_map(self.maps[number])


class Routes:
    """The lanes of a map as routes: from the approach to each road, and back home from each."""

    def __init__(self, built: JunctionMap) -> None:
        """Read them off a map that MetaDrive has built."""
        self._net = built.road_network
        junction = built.blocks[-1]
        # MetaDrive numbers a junction's roads from the right, against the clock.
        sockets = [junction.get_socket_list()[i] for i in range(len(junction.get_socket_list()))]
        self.exits = [(one.positive_road.start_node, one.positive_road.end_node) for one in sockets]
        self.entries = [(one.negative_road.start_node, one.negative_road.end_node) for one in sockets]

    def out(self, number: int) -> Route:
        """Return the route from the approach to the end of one road."""
        return self._between(">", self.exits[number][1])

    def home(self, number: int) -> Route:
        """Return the route from the far end of one road back along the approach."""
        return self._between(self.entries[number][0], "->")

    def across(self, entry: int, leave: int) -> Route:
        """Return the route from one road into another."""
        return self._between(self.entries[entry][0], self.exits[leave][1])

    def _between(self, start: str, end: str) -> Route:
        roads = nx.DiGraph((a, b) for a, following in self._net.graph.items() for b in following)
        nodes = nx.shortest_path(roads, start, end)
        return list(pairwise(nodes))

    def points(self, route: Route) -> Floats:
        """Return float64[n, 2], the middle of the route's lanes, a point a metre or less."""
        found: list[Floats] = []
        for start, end in route:
            lane = self._net.graph[start][end][0]
            steps = max(2, int(np.ceil(lane.length)))
            found += [np.array(lane.position(s, 0.0)) for s in np.linspace(0, lane.length, steps, endpoint=False)]
        lane = self._net.graph[route[-1][0]][route[-1][1]][0]
        return np.array([*found, np.array(lane.position(lane.length, 0.0))], np.float64)
