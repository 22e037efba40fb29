"""What the tests of manipulation share: an episode read by the scripted believer, with or without memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import simonides.envs.manipulation  # noqa: F401 (before mujoco: it chooses how pictures are drawn without a screen)
from simonides.agents.scripted.believer import Believer
from simonides.sim.types import Recall, Recalled


@dataclass
class Played:
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    actions: list[tuple[str, str]] = field(default_factory=list)
    infos: dict[str, Any] = field(default_factory=dict)

    @property
    def succeeded(self) -> list[bool]:
        return [bool(verdict["success"]) for verdict in self.verdicts]


def chosen(reader: Believer, info: Any, memory: list[tuple[str, float]], rng: np.random.Generator) -> Any:
    """Drive one decision by hand: the newest records first, as full context gives them."""
    seen = SimpleNamespace(info=info, text=info["text"], time=info["time"], raw=None)
    recalls = []
    if reader.queries(seen, None):
        items = [Recalled(str(n), text, 1.0, time=time) for n, (text, time) in enumerate(memory)]
        recalls = [Recall(tuple(reversed(items)))]
    try:
        reader.act(seen, recalls, SimpleNamespace(rng=rng)).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a believer never waits")


def play(env: Any, seed: int, recall: bool = True, shared: bool = False) -> Played:
    """Play an episode; `shared` lets all agents read what any of them lived through."""
    played, rng = Played(), np.random.default_rng(seed)
    readers = {agent: Believer(recall=recall) for agent in env.possible_agents}
    memory: dict[str, list[tuple[str, float]]] = {agent: [] for agent in env.possible_agents}
    _, infos = env.reset(seed=seed)
    while env.agents:
        for agent, info in infos.items():
            memory[agent] += [(one["text"], info["time"]) for one in info["experiences"]]
            played.verdicts += info["answer_key"]["verdicts"]
            played.texts.append(info["text"])
        actions = {}
        for agent in env.agents:
            known = [one for each in memory.values() for one in each] if shared else memory[agent]
            action = chosen(readers[agent], infos[agent], known, rng)
            played.actions.append((agent, action.text))
            actions[agent] = action.value
        played.infos = infos
        *_, infos = env.step(actions)
    return played


@pytest.fixture
def played():
    return play
