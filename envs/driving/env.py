"""A town where cars make trips and memory decides the route: a PettingZoo ParallelEnv over any simulator of scenes.

It knows trips, facts, needs and verdicts; how cars move is the simulator's affair, and how they are driven the
controller's, which remembers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from simonides.envs.driving import telling
from simonides.envs.driving.facts import GRAMMAR, fact
from simonides.envs.driving.motion import COLUMNS, FAR, LANES, NEIGHBOURS, Array, histories, observed
from simonides.envs.driving.ride import Frame, Order, Progress, Ride
from simonides.envs.driving.scene import Picture, Scene, Simulator
from simonides.envs.driving.trips import Leg, Shape, Site, nominal_ticks, plan
from simonides.envs.inbox import Inbox
from simonides.envs.words import schema_of
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Verdict
from simonides.sim.seeds import seed_of

DAWN, DAY = 1_767_600_000.0, 86_400.0
"""Simulated time of the first trip, 5 January 2026 at 8 in the morning UTC; a trip a day."""
RADIO = "Traffic radio"
RAW_SECONDS = 0.5
"""Simulated seconds of a tick under raw control."""
CHANNELS = {
    "sign": "A road sign, which anybody may have put up.",
    "report": "A report that another car or the traffic radio sends.",
}

_STATE = ("seed", "trip", "leg", "tick", "arrived", "over", "clock", "log", "needed", "lines", "lived", "news",
          "illegal")  # fmt: skip
"""What a snapshot holds beside the known facts, by attribute."""

Infos = dict[str, dict[str, Any]]
Control = Literal["roads", "raw"]


class DrivingEnv(ParallelEnv[str, Array, Any]):  # type: ignore[misc]
    """Cars in a town of named junctions, over days.

    An observation is float32[84], 12 rows with the columns `motion.COLUMNS` in the ego's frame: the ego, up to 7
    vehicles or obstacles in sight, and on each of up to 4 roads to choose among a point 8 m ahead of the car. All zero
    for who does not drive now. (Flat, as PettingZoo's tests take a matrix for a picture.)

    With `control="roads"` an action is a number: 0 to wait, 1 to drive on, and from 2 the choices at a junction. A tick
    lasts until every car that moves has come to its stop line or the end of its leg. With `control="raw"` it is
    float32[2], steering and acceleration in [-1, 1], for half a second of simulated time; the choice is then the road
    that the car drives into, and no need is posed, as nothing names the way to act on it.

    A car that does not come through gets another one: each leg starts afresh. The reward is 1.0 for a need met.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "driving_v0", "render_modes": ["rgb_array"], "render_fps": 2, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels = CHANNELS
    message_channel = "report"

    def __init__(
        self, simulator: Callable[[], Simulator], shape: Shape, seed: int, *, reveal: bool, told: bool, traffic: int,
        control: Control, name: str,
    ) -> None:  # fmt: skip
        """`simulator` is called when the first scene is needed."""
        self.metadata = {**type(self).metadata, "name": f"{name}_v0"}
        self._make = simulator
        self._simulator: Simulator | None = None
        self.shape, self.reveal, self.told, self.traffic, self.control = shape, reveal, told, traffic, control
        self.possible_agents = [f"player_{i}" for i in range(shape.cars)]
        self.teams = dict.fromkeys(self.possible_agents, "town")
        self.agents: list[str] = []
        high = np.full((1 + NEIGHBOURS + LANES) * len(COLUMNS), FAR, np.float32)
        self._seen_space = {agent: Box(-high, high, dtype=np.float32) for agent in self.possible_agents}
        raw = Box(-1.0, 1.0, (2,), np.float32)
        listed: Discrete[Any] = Discrete(telling.FIRST + max(shape.roads, 2))
        self._act_space = dict.fromkeys(self.possible_agents, raw if control == "raw" else listed)
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._begin(seed)

    def observation_space(self, agent: str) -> Box:
        """Return the space of float32[84]."""
        return self._seen_space[agent]

    def action_space(self, agent: str) -> Any:
        """Return the space of the choices, or of steering and acceleration."""
        return self._act_space[agent]

    # The course of an episode.

    def _begin(self, seed: int) -> None:
        self._seed = seed
        self.town = plan(self.shape, seed)
        self._trip = self._leg = self._tick = 0
        self._arrived, self._over, self._clock = False, False, DAWN
        self._ride: Ride | None = None
        self._log: list[Any] = []
        self._known: dict[int, tuple[int, int]] = {}
        """Site -> tick and trip at which its fact was last learnt."""
        self._needed: dict[str, int] = {}
        """Agent -> tick at which its present need was posed."""
        self._lines: dict[str, list[str]] = {agent: [] for agent in self.possible_agents}
        self._lived: dict[str, list[dict[str, Any]]] = {agent: [] for agent in self.possible_agents}
        self._news: dict[str, dict[str, Any]] = {agent: {} for agent in self.possible_agents}
        self._illegal = dict.fromkeys(self.possible_agents, 0)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Array], Infos]:
        """Start again, with the town of another seed if one is given."""
        self._begin(self._seed if seed is None else seed)
        self._inbox.clear()
        self.agents = list(self.possible_agents)
        self._set_off()
        return self._views()

    def _set_off(self) -> None:
        """Set the scene of the present leg."""
        leg = self._at
        if self.told and leg.entry == "cross":
            self._tell(leg, RADIO)
        self._log = []
        self._ride = self._scenery()

    def _scenery(self) -> Ride:
        leg, site, task = self._at, self._site, self.town.task
        main = leg.entry == "main"
        blocked = tuple(b for b in range(len(site.roads)) if b != site.branch) if main and task.obstacle else ()
        scene = Scene(
            tuple(self.possible_agents[car] for car in leg.cars), leg.entry, len(site.roads), task.obstacle, blocked,
            main and task.rival, self.traffic, site.shape, seed_of("leg", self._seed, self._trip, self._leg) >> 33,
        )  # fmt: skip
        if self._simulator is None:
            self._simulator = self._make()
        return Ride(self._simulator, scene, site.truth == site.crossing)

    @property
    def _at(self) -> Leg:
        return self.town.trips[self._trip].legs[self._leg]

    @property
    def _site(self) -> Site:
        return self.town.sites[self._at.site]

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let every car do what it is asked, and go on to the next leg or trip when all are through."""
        present = self.agents
        self._tick += 1
        for agent in present:
            self._lines[agent], self._lived[agent], self._news[agent] = [], [], {}
        over = self._over = self._arrived and self._trip + 1 == len(self.town.trips)
        rewards = dict.fromkeys(present, 0.0)
        if self._arrived:
            self._arrive(actions, over)
        elif self.control == "raw":
            rewards |= self._move({agent: self._raw(actions.get(agent)) for agent in self._drivers()})
        else:
            rewards |= self._move(self._orders(actions))
        observations, infos = self._views()
        if over:
            self.agents = []
        return observations, rewards, dict.fromkeys(present, over), dict.fromkeys(present, False), infos

    def _arrive(self, actions: Mapping[str, Any], over: bool) -> None:
        """Pass the tick at a trip's end."""
        if self.control == "roads":
            for agent in self.agents:
                self._asked(agent, actions.get(agent, telling.WAIT), [{"text": "rest", "value": telling.WAIT}])
        if not over:
            self._arrived, self._trip, self._leg = False, self._trip + 1, 0
            self._clock = DAWN + DAY * self._trip
            self._set_off()

    def _drivers(self) -> list[str]:
        return [car for car in (self._ride.cars if self._ride else ()) if not self._progress(car).ending]

    def _progress(self, agent: str) -> Progress:
        assert self._ride is not None
        return self._ride.cars[agent]

    def _orders(self, actions: Mapping[str, Any]) -> dict[str, Order]:
        """Return what each car is to do; one who asks for what is not legal waits."""
        orders, drivers = {}, self._drivers()
        for agent in self.agents:
            asked = actions.get(agent, telling.WAIT)
            if agent not in drivers:
                self._asked(agent, asked, [{"text": "rest", "value": telling.WAIT}])
                continue
            listed = telling.legal(self._site, self.town.task, self._progress(agent).at_line)
            asked = self._asked(agent, asked, listed)
            named = list(telling.choices(self._site, self.town.task).values())
            orders[agent] = (Order("hold"), Order("on"), *named)[asked]
        return orders

    def _asked(self, agent: str, asked: Any, listed: list[dict[str, Any]]) -> int:
        """Return the action, or to wait where it is none of the legal ones, which is counted."""
        number = int(asked) if isinstance(asked, int | np.integer) else None
        if number in [one["value"] for one in listed]:
            return int(number or 0)
        self._illegal[agent] += 1
        shown = number if number is not None else str(asked)[:80]
        self._news[agent]["illegal"] = {"asked": shown, "legal": [one["text"] for one in listed]}
        return telling.WAIT

    def _raw(self, action: Any) -> tuple[float, float]:
        pair = np.nan_to_num(np.asarray(action if action is not None else (0.0, -1.0), np.float64).ravel()[:2])
        steering, acceleration = np.clip(pair, -1.0, 1.0).tolist() if pair.size == 2 else (0.0, -1.0)
        return float(steering), float(acceleration)

    def _move(self, orders: Mapping[str, Any]) -> dict[str, float]:
        """Drive, tell what came of it, and return the rewards."""
        assert self._ride is not None
        before, started = set(self._drivers()), self._ride.seconds
        self._log.append({agent: _plain(order) for agent, order in orders.items()})
        self._carry_out(orders)
        self._clock += self._ride.seconds - started
        rewards = {agent: self._end(agent) for agent in sorted(before) if self._progress(agent).ending}
        if self._ride.over:
            self._next()
        return rewards

    def _carry_out(self, orders: Mapping[str, Any]) -> None:
        assert self._ride is not None
        if self.control == "raw":
            self._ride.steer(orders, RAW_SECONDS)
        else:
            self._ride.drive(orders)

    def _next(self) -> None:
        """Go on to the trip's next leg, or arrive."""
        leg = self._at
        if leg.entry == "cross" and not self.told:
            self._tell(leg, "")
        if self._leg + 1 < len(self.town.trips[self._trip].legs):
            self._leg += 1
            self._set_off()
        else:
            self._arrived = True

    def _end(self, agent: str) -> float:
        """Tell a driver what came of its leg, with a verdict if it had to choose; return the reward."""
        assert self._ride is not None
        leg, site, task, car = self._at, self._site, self.town.task, self._progress(agent)
        chosen = self._chosen(agent, car)
        met = car.ending == "reached" and (chosen == site.truth or not chosen)
        said = telling.ended(site, task, car, leg.entry == "cross", met)
        self._lines[agent].append(said)
        frames = list(self._ride.frames)
        self._lived[agent].append({"text": said, "metadata": {"vectors": histories(agent, frames, car.path)}})
        if leg.entry == "cross":
            return 0.0
        verdict = self._verdict(agent, site, chosen or (site.truth if met else ""), met, car.reason)
        self._news[agent]["verdict"] = verdict
        if met or len(site.values) == 2:
            self._news[agent]["outcome"] = {"need": verdict["need"], "truth": site.truth}
        return float(met)

    def _chosen(self, agent: str, car: Progress) -> str:
        """Return the value acted on; "" where none was, or none can be told, as under raw control before a rival."""
        orders = [one[agent] for one in self._log if agent in one]
        if self.control == "raw":
            return "" if self.town.task.rival or car.branch < 0 else self._site.roads[car.branch]
        named = [Order(*one) for one in orders if one[0] in ("take", "give way")]
        return telling.acted_on(self._site, self.town.task, named[-1]) if named else ""

    def _verdict(self, agent: str, site: Site, chosen: str, met: bool, reason: str) -> dict[str, Any]:
        task, (seen, trip) = self.town.task, self._known.get(self._at.site, (-1, self._trip))
        verdict = Verdict(
            self._need_name(agent), task.name, site.name, task.attribute, site.values, site.truth, chosen, met, seen,
            self._needed.pop(agent, self._tick - 1), self.shape.distractors, self._trip - trip,
        )  # fmt: skip
        if reason:
            self._news[agent]["reason"] = {"need": self._need_name(agent), "text": reason}
        return verdict.plain()

    def _need_name(self, agent: str) -> str:
        return f"{agent}-{self._trip}-{self._leg}"

    def _tell(self, leg: Leg, said_by: str) -> None:
        """Let the cars of a leg learn what is so at its junctions, unless they did not get there."""
        for car in leg.cars:
            agent = self.possible_agents[car]
            if not said_by and self._progress(agent).ending != "reached":
                continue
            for number in leg.tells:
                if number >= self.town.targets or self.reveal:
                    self._learn(agent, number, said_by)

    def _learn(self, agent: str, number: int, said_by: str) -> None:
        site = self.town.sites[number]
        text = fact(site.name, self.town.task.attribute, site.truth, said_by)
        self._lines[agent].append(text)
        channel = {"channel": "report", "speaker": said_by} if said_by else {}
        self._lived[agent].append({"text": text, **channel})
        self._known[number] = (self._tick, self._trip)

    # What is shown.

    def _views(self) -> tuple[dict[str, Array], Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        return {agent: self._observation(agent) for agent in self.agents}, infos

    def _observation(self, agent: str) -> Array:
        if self._ride is None or agent not in self._ride.cars or not self._ride.frames:
            return np.zeros(self._seen_space[agent].shape, np.float32)
        now = Frame(self._ride.seconds, dict(self._ride.bodies()))
        return observed(agent, now, list(self._ride.paths.values())).ravel()

    def _info(self, agent: str) -> dict[str, Any]:
        driving = not self._arrived and agent in self._drivers()
        info: dict[str, Any] = {
            "time": self._clock, "session": self._trip, "session_end": self._arrived and not self._over,
            "to_move": driving,
            "noop": telling.WAIT if self.control == "roads" else np.zeros(2, np.float32),
        }  # fmt: skip
        news = self._news[agent]
        lines = list(self._lines[agent])
        if driving:
            info |= self._asking(agent, lines)
        else:
            lines.append("You have arrived." if self._arrived else "You are not driving now.")
            info |= {"legal_actions": [{"text": "rest", "value": telling.WAIT}], "plan": "rest"}
        if self.control == "raw":
            info.pop("legal_actions", None)
            info.pop("plan", None)
            info["action_schema"] = schema_of(self._act_space[agent])
        verdicts = [news["verdict"]] if "verdict" in news else []
        key = {"verdicts": verdicts, "illegal": self._illegal[agent]}
        key |= {"reason": news["reason"]} if "reason" in news else {}
        info |= {"text": " ".join(lines), "experiences": list(self._lived[agent]), "answer_key": key}
        return info | {key: news[key] for key in ("outcome", "illegal") if key in news}

    def _asking(self, agent: str, lines: list[str]) -> dict[str, Any]:
        """Return what a driver is asked and may do, and add where it is to its lines."""
        site, task, cross = self._site, self.town.task, self._at.entry == "cross"
        at_line = self._progress(agent).at_line or (self.control == "raw" and not cross)
        trip = self.town.trips[self._trip]
        lines.append(telling.approaching(site, task, trip, cross, at_line))
        info: dict[str, Any] = {"legal_actions": telling.legal(site, task, at_line), "plan": "drive on"}
        if at_line:
            self._needed.setdefault(agent, self._tick)
            need = telling.need(site, task, self._need_name(agent))
            info |= {"question": need.question, "phase": "deciding"}
            if self.control == "roads":
                info |= {"plan": "", "need": need.plain()}
        return info

    # What others do to it.

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation. Raises ContractBroken for an unknown agent or channel."""
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a wrong value of a fact that is decided on, told by another car to one who decides, before it does."""
        known, needed = nominal_ticks(self.town)
        number = int(rng.integers(self.town.targets))
        site, attribute = self.town.sites[number], self.town.task.attribute
        wrong = [value for value in site.values if value != site.truth]
        leg = next(leg for leg in self.town.trips[-1].legs if leg.site == number)
        value, car = wrong[int(rng.integers(len(wrong)))], leg.cars[int(rng.integers(len(leg.cars)))]
        return {
            "text": fact(site.name, attribute, value, f"Car {int(rng.integers(100, 1000))}"), "channel": "report",
            "tick": int(rng.integers(known[number], needed[number])), "agent": self.possible_agents[car],
            "subject": site.name, "attribute": attribute, "value": value, "truth": site.truth,
            "question": self.town.task.question.format(site.name), "options": list(site.values),
            "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    # State.

    @property
    def _configuration(self) -> dict[str, Any]:
        own = {"reveal": self.reveal, "told": self.told, "traffic": self.traffic, "control": self.control}
        return asdict(self.shape) | own | {"name": self.metadata["name"]}

    def snapshot(self) -> bytes:
        """Return the state as bytes: the seed, where the episode stands, and the present leg's orders."""
        own = {name: getattr(self, f"_{name}") for name in _STATE}
        known = [[site, *at] for site, at in sorted(self._known.items())]
        return encode({"configuration": self._configuration, "agents": self.agents, "known": known,
                       "inbox": self._inbox.plain(), **own})  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state; the present leg is driven again. Raises CorruptFile for another configuration's."""
        state = decode(data)
        if not isinstance(state, dict) or state.get("configuration") != self._configuration:
            raise CorruptFile("This snapshot is of another town; build the environment with the same parameters first.")
        self._begin(state["seed"])
        for name in _STATE:
            setattr(self, f"_{name}", state[name])
        self._inbox.restore(state["inbox"])
        self._known = {site: (tick, trip) for site, tick, trip in state["known"]}
        self.agents = list(state["agents"])
        self._ride = self._scenery()
        for orders in self._log:
            self._carry_out({agent: _order(order) for agent, order in orders.items()})

    def render(self) -> Picture:
        """Return the present scene from above, uint8[h, w, 3]; black before the first reset."""
        if self._simulator is None or self._ride is None:
            return np.zeros((400, 640, 3), np.uint8)
        return self._simulator.picture(list(self._ride.cars))

    def close(self) -> None:
        """Close the simulator."""
        if self._simulator is not None:
            self._simulator.close()
            self._simulator = None


def _plain(order: Order | tuple[float, float]) -> list[Any]:
    """Return an order, or a raw control, as plain data."""
    return [order.kind, order.branch] if isinstance(order, Order) else list(order)


def _order(plain: list[Any]) -> Any:
    return Order(*plain) if isinstance(plain[0], str) else tuple(plain)
