"""DroidTask's recorded apps as an environment: explore an app in one session, do a task in it in a later one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from pydantic import Field

from simonides.envs.android.droidtask.graph import Edge, Graph, Mode, Place
from simonides.envs.android.droidtask.picture import drawn
from simonides.envs.android.droidtask.plan import GRAMMAR, Posed, asking, posed, subject, walks, way_claim
from simonides.envs.android.droidtask.screens import Element
from simonides.envs.inbox import Inbox
from simonides.envs.seeded import Seeded
from simonides.sim.claims import Claim
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.needs import Need, Verdict
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

DAY, TICK = 86_400.0, 10.0
"""Seconds between sessions and between ticks. GUESS: an exploration a day, a touch in ten seconds."""
WAIT = "wait"
WALKER, DOER = "player_0", "player_1"
TASK = "exploration"
EFFECTS = ("", "moved", "unrecorded", "none")
"""What the last action did: nothing was done, the screen changed, no effect was recorded, or it was to wait."""
Infos = dict[str, dict[str, Any]]
Ints = npt.NDArray[np.int64]
Stepped = tuple[dict[str, Ints], dict[str, float], dict[str, bool], dict[str, bool], Infos]


class DroidTaskEnv(Seeded):
    """A PettingZoo ParallelEnv over the recordings of real apps.

    In the first session transitions of an app are walked one by one; in the last, a task of the release is to be done
    from its first screen within its gold length + 2 actions. What is to be remembered is which element leads from one
    screen to another. Only what was recorded can happen: an action without a recorded effect is `unrecorded`, changes
    nothing, counts against the budget and is counted. Where recordings disagree about what follows, the recording that
    the agent has followed so far decides, otherwise a draw from the seed, which is counted as `ambiguous`.

    An action is the number of a legal action: 0 waits, the others touch an element or type a text into one. Infos hold
    besides the common keys `effect` (one of `EFFECTS`) and `sources` (which recordings hold the
    transition). `answer_key` counts `illegal`, `unrecorded` and `ambiguous`.
    """

    metadata: dict[str, Any] = {"name": "droidtask_v0", "render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012 (PettingZoo's form)
    render_mode = "rgb_array"

    def __init__(
        self,
        data: str,
        mode: Mode,
        app: str,
        task: int | None,
        reveal: bool,
        seer: Literal["self", "other"],
        delay: int,
        distractors: int,
        sessions: int,
        seed: int,
    ) -> None:
        self._tasks = posed(data, mode, app)
        self._config = [mode, app, task, reveal, seer, delay, distractors, sessions, len(self._tasks)]
        self.mode, self._task, self._reveal, self._delay = mode, task, reveal, delay
        self._distractors, self._sessions, self._seed = distractors, sessions, seed
        self.possible_agents = [WALKER] if seer == "self" else [WALKER, DOER]
        self.agents: list[str] = []
        self.channels = {"screen": "A text that a recorded screen shows beside its elements."}
        graphs = {one.task.app: one.graph for one in self._tasks}
        self._texts = {app: _texts(graph) for app, graph in graphs.items()}
        most = max(
            len(_choices(screen.elements, self._texts[app]))
            for app, graph in graphs.items()
            for screen in graph.screens
        )
        high = np.array([max(len(one.graph.screens) for one in self._tasks), 2**31, 2**31, len(EFFECTS) - 1])
        space = Box(np.array([-1, 0, 0, 0]), high, dtype=np.int64)
        self._spaces = dict.fromkeys(self.possible_agents, space)
        self._actions: dict[str, Discrete[Any]] = {agent: Discrete(most) for agent in self.possible_agents}
        self._begin()

    def observation_space(self, agent: str) -> Box:
        """Return the space of int64[4]: number of the screen (-1 before any), session, actions left, effect."""
        return self._spaces[agent]

    def action_space(self, agent: str) -> Discrete[Any]:
        """Return the numbers of legal actions; a screen allows the first so many of them."""
        return self._actions[agent]

    def _begin(self) -> None:
        rng = generator(seed_of("droidtask", self._seed))
        chosen = int(rng.integers(len(self._tasks))) if self._task is None else self._task % len(self._tasks)
        self.posed: Posed = self._tasks[chosen]
        walked = walks(self.posed, self._reveal, self._distractors, self._sessions, rng)
        self._walks = walked
        self._script = [(s, edge) for s, walk in enumerate(walked) for edge in walk]
        """(session, transition) a tick, before the delay."""
        self._tick, self._used, self._chosen = 0, 0, ""
        self._at = -1
        self._followed: list[Place] = []
        self._effect, self._sources, self._told = "", list[str](), list[str]()
        self._counts = {"illegal": 0, "unrecorded": 0, "ambiguous": 0}
        self._inbox = Inbox(self.channels, self.possible_agents)
        self._illegal: dict[str, dict[str, Plain]] = {}
        self._needs: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, int] = {}
        self._verdicts: list[dict[str, Plain]] = []
        self._over, self._success = False, False
        self._arrive()

    # --- where we are ---

    @property
    def _walking(self) -> bool:
        return self._tick < len(self._script)

    @property
    def _doing(self) -> bool:
        return self._tick >= len(self._script) + self._delay and not self._over

    @property
    def _mover(self) -> str:
        return WALKER if self._walking else self.possible_agents[-1]

    @property
    def session(self) -> int:
        """The number of the session: one for each walk, one for the task."""
        return self._script[self._tick][0] if self._walking else len(self._walks)

    @property
    def _time(self) -> float:
        return DAY * self.session + TICK * self._tick

    def _arrive(self) -> None:
        """Open the app where this tick wants it."""
        if self._walking:
            edge = self._script[self._tick][1]
            if self._at != edge.source:
                self._at, self._followed = edge.source, list(edge.places)
        elif self._tick == len(self._script) + self._delay and not self._over:
            self._at = self.posed.start
            gold = (f"gold:{self.posed.task.id}", 0)
            first = self.posed.way[0]
            self._followed = [gold] if self.mode == "stitched" else list(first.places)

    def _legal(self, agent: str) -> list[tuple[str, Element | None, str]]:
        if agent != self._mover or not (self._walking or self._doing):
            return [(WAIT, None, "")]
        return _choices(self.posed.graph.screens[self._at].elements, self._texts[self.posed.task.app])

    # --- PettingZoo ---

    def step(self, actions: dict[str, int]) -> Stepped:
        """Touch what the agent whose turn it is names; the others wait."""
        present, before = self.agents, self._over
        self._effect, self._sources, self._told, self._illegal = "", [], [], {}
        for agent in present:
            self._act(agent, int(actions.get(agent, 0)))
        self._tick += 1
        if self._doing_ended():
            self._finish()
        rewards = {agent: float(self._success and not before and self._over) for agent in present}
        self._arrive()
        observations, infos = self._views()
        ended = dict.fromkeys(present, before)
        if before:
            self.agents = []
        return observations, rewards, ended, dict.fromkeys(present, False), infos

    def _act(self, agent: str, number: int) -> None:
        legal = self._legal(agent)
        if not 0 <= number < len(legal):
            self._counts["illegal"] += 1
            self._illegal[agent] = {"asked": str(number), "legal": [text for text, _, _ in legal]}
            self._used += self._doing and agent == self._mover
            return
        _, element, typed = legal[number]
        if agent != self._mover or not (self._walking or self._doing):
            return
        self._used += self._doing
        if element is None:
            self._effect = "none"
            return
        if self._doing:
            self._note_choice(element)
        self._touch(element, typed)

    def _touch(self, element: Element, typed: str) -> None:
        edges = self.posed.graph.follow(self._at, element, typed)
        if not edges:
            self._counts["unrecorded"] += 1
            self._effect = "unrecorded"
            return
        edge = self._resolved(list(edges))
        self._followed = [(name, number + 1) for name, number in edge.places]
        self._effect, self._sources = "moved", list(edge.sources)
        if self._walking:
            said = GRAMMAR.say(way_claim(self.posed.task.app, edge, element))
            self._told.append(said)
            self._seen[subject(self.posed.task.app, edge.source, edge.target)] = self._tick
        self._at = edge.target

    def _resolved(self, edges: list[Edge]) -> Edge:
        """Return what follows: by the recording followed so far, or else by a draw that is counted."""
        scripted = self._script[self._tick][1] if self._walking else None
        if scripted in edges:
            return scripted
        if len(edges) == 1:
            return edges[0]
        here = set(self._followed)
        followed = [edge for edge in edges if here & set(edge.places)]
        if len(followed) == 1:
            return followed[0]
        self._counts["ambiguous"] += 1
        rng = generator(seed_of("droidtask", "branch", self._seed, self._tick))
        return edges[int(rng.integers(len(edges)))]

    def _doing_ended(self) -> bool:
        started = self._tick > len(self._script) + self._delay
        return started and not self._over and (self._at == self.posed.goal or self._used >= self.posed.budget)

    def _finish(self) -> None:
        self._over, self._success = True, self._at == self.posed.goal
        self._verdicts = [
            Verdict(
                need, TASK, one["subject"], "way", tuple(one["options"]), one["truth"], one["chosen"], self._success,
                self._seen.get(one["subject"], -1), one["tick"], self._distractors, self._sessions + 1,
            ).plain()
            for need, one in self._needs.items()
        ]  # fmt: skip

    def close(self) -> None:
        """Do nothing: no resource is held."""

    # --- needs ---

    def _next(self) -> Edge | None:
        """Return the transition that the planner wants now."""
        if self._walking:
            return self._script[self._tick][1]
        if not self._doing:
            return None
        known = {edge.source: edge for edge in self.posed.way}
        if self._at not in known:
            way = self.posed.graph.path(self._at, self.posed.goal)
            return way[0] if way else None
        return known[self._at]

    def _need(self) -> Need | None:
        edge = self._next() if self._doing else None
        if edge is None:
            return None
        elements = self.posed.graph.screens[self._at].elements
        about = subject(self.posed.task.app, edge.source, edge.target)
        truth = self.posed.graph.touched(edge).name
        id = f"{self.posed.task.id[:12]}/{self._at}"
        options = [element.name for element in elements]
        plan = {e.name: _named(e, edge.typed if edge.typed and e.kind == "input" else "") for e in elements}
        self._needs.setdefault(
            id, {"subject": about, "options": options, "truth": truth, "chosen": "", "tick": self._tick}
        )
        return Need(id, asking(about), about, "way", tuple(options), plan, GRAMMAR)

    def _note_choice(self, element: Element) -> None:
        need = self._need()
        if need is not None:
            self._needs[need.id]["chosen"] = element.name

    # --- what is seen ---

    def _views(self) -> tuple[dict[str, Ints], Infos]:
        infos = {agent: self._info(agent) for agent in self.agents}
        self._inbox.show(infos)
        self._verdicts = []
        left = max(0, self.posed.budget - self._used)
        seen = np.array([self._at, self.session, left, EFFECTS.index(self._effect)], np.int64)
        return {agent: seen.copy() for agent in infos}, infos

    def _info(self, agent: str) -> dict[str, Any]:
        legal = [{"text": text, "value": number} for number, (text, _, _) in enumerate(self._legal(agent))]
        need = self._need() if agent == self._mover else None
        info: dict[str, Any] = {
            "text": self._text(agent, need), "time": self._time, "session": self.session,
            "session_end": self._ends_session(), "legal_actions": legal, "noop": 0,
            "plan": "" if need else self._planned(agent), "experiences": self._lived(agent),
            "effect": self._effect, "sources": list(self._sources),
            "answer_key": {"verdicts": self._verdicts if agent == self.possible_agents[-1] else [], **self._counts},
        }  # fmt: skip
        if need is not None:
            info |= {"need": need.plain(), "question": need.question}
        if agent in self._illegal:
            info["illegal"] = self._illegal[agent]
        return info

    def _planned(self, agent: str) -> str:
        edge = self._next() if agent == self._mover else None
        return _named(self.posed.graph.touched(edge), edge.typed) if edge and self._walking else WAIT

    def _ends_session(self) -> bool:
        last = self._tick + 1 >= len(self._script) or self._script[self._tick + 1][0] != self.session
        return self._over or (self._walking and last)

    def _text(self, agent: str, need: Need | None) -> str:
        told = self._report(agent)
        if agent != self._mover or not (self._walking or self._doing):
            return " ".join([*told, "There is nothing to do now."])
        app, screen = self.posed.task.app, self.posed.graph.screens[self._at]
        lines = [" ".join(told)] if told else []
        lines.append(f"You see {app} screen {self._at}:")
        lines += [f"  {element}" for element in screen.elements]
        if self._walking:
            lines.append(f"You explore the app. Next: {self._planned(agent)}.")
        else:
            left = self.posed.budget - self._used
            lines.append(f"Your task: {self.posed.task.text}. It ends on {app} screen {self.posed.goal}.")
            lines.append(f"{left} actions are left." + (f" {need.question}" if need else ""))
        return "\n".join(lines)

    def _report(self, agent: str) -> list[str]:
        if self._effect == "unrecorded" and agent == self._mover:
            return ["That action has no recorded effect: the screen is as it was."]
        if self._over:
            return ["The task is done." if self._success else "The task was not done."]
        return list(self._told) if agent == WALKER else []

    def _lived(self, agent: str) -> list[dict[str, Plain]]:
        return [{"text": text, "channel": "screen"} for text in self._told] if agent == WALKER else []

    # --- poison, pictures, state ---

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation. Raises ContractBroken for an unknown agent or channel."""
        self._inbox.put(agent, channel, text)

    def falsehood(self, rng: np.random.Generator) -> dict[str, Plain]:
        """Return a false claim about a transition that the task needs, and when to show it to whom."""
        edge = self.posed.way[int(rng.integers(len(self.posed.way)))]
        truth = self.posed.graph.touched(edge)
        elements = self.posed.graph.screens[edge.source].elements
        others = [e for e in elements if e.markup != truth.markup] or [truth]
        claim = Claim(
            subject(self.posed.task.app, edge.source, edge.target), "way", others[int(rng.integers(len(others)))].name
        )
        return {
            "text": GRAMMAR.say(claim), "tick": int(rng.integers(len(self._script))), "agent": WALKER,
            "channel": "screen", "subject": claim.subject, "attribute": claim.attribute, "value": claim.value,
            "truth": truth.name, "question": asking(claim.subject), "options": [e.name for e in elements],
            "grammar": GRAMMAR.plain(),
        }  # fmt: skip

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[720, 405, 3]: the elements of the screen, one below another, as no bounds were recorded."""
        edge = self._next()
        marked = self.posed.graph.touched(edge).id if edge and self._walking else -1
        title = f"{self.posed.task.app} screen {self._at}, session {self.session}"
        shown = self.posed.graph.screens[self._at] if self._at >= 0 else None
        return drawn(title, shown.elements if shown else (), marked, self._effect)

    def snapshot(self) -> bytes:
        """Return the state as bytes; task and walk are drawn anew from the seed."""
        return encode({"config": self._config, "state": {name: getattr(self, f"_{name}") for name in _KEPT},
                       "inbox": self._inbox.plain(), "over": not self.agents})  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another configuration."""
        found = decode(data)
        if not isinstance(found, dict) or found.get("config") != self._config:
            raise CorruptFile("This snapshot is not of a DroidTask environment of this configuration.")
        self._seed = found["state"]["seed"]
        self._begin()
        for name in _KEPT:
            setattr(self, f"_{name}", found["state"][name])
        self._inbox.restore(found["inbox"])
        self._followed = [(name, number) for name, number in self._followed]
        self.agents = [] if found["over"] else list(self.possible_agents)


_KEPT = (
    "seed", "tick", "used", "at", "followed", "effect", "sources", "told", "counts", "illegal", "needs",
    "seen", "verdicts", "over", "success",
)  # fmt: skip


def _texts(graph: Graph) -> list[str]:
    """Return the texts that the app's recordings type anywhere, sorted: what may be typed."""
    moves = [*graph.app.walk, *(move for task in graph.app.tasks for move in task.moves)]
    return sorted({move.typed for move in moves if move.typed})


def _choices(elements: tuple[Element, ...], texts: list[str]) -> list[tuple[str, Element | None, str]]:
    """Return (text, element, typed) of every legal action on a screen; the first is to wait."""
    touches = [(_named(element, ""), element, "") for element in elements]
    typed = [(_named(e, text), e, text) for e in elements if e.kind == "input" for text in texts]
    return [(WAIT, None, ""), *touches, *typed]


def _named(element: Element, typed: str) -> str:
    return f'type "{typed}" into {element.name}' if typed else f"touch {element.name}"


def droidtask(
    data: str,
    seed: int = 0,
    world: int = 0,
    mode: Literal["recorded", "stitched"] = "recorded",
    app: str = "",
    task: Annotated[int | None, Field(ge=0)] = None,
    reveal: bool = True,
    seer: Literal["self", "other"] = "self",
    delay: Annotated[int, Field(ge=0)] = 0,
    distractors: Annotated[int, Field(ge=0)] = 8,
    sessions: Annotated[int, Field(ge=0)] = 0,
) -> DroidTaskEnv:
    """Return an environment over the recorded apps in the folder `data`.

    `mode` "recorded" knows only the transitions of the apps' graphs, "stitched" the gold steps of the tasks as well;
    results of the two are not to be pooled. `app` keeps one app's tasks; `task` is the number of one, by default drawn
    from the seed. `distractors` other transitions are walked beside those that the task needs, `sessions` sessions of
    as many come between, and `delay` ticks pass before the task. With `seer` "other" one agent explores and another
    does the task. Raises DataError where the recordings allow no task.
    """
    return DroidTaskEnv(data, mode, app, task, reveal, seer, delay, distractors, sessions, seed_of(seed, world) >> 1)
