"""Compare the environments of all families inside our loop, alone and many a process, with the same steps done bare.

The bare steps are those of an episode that was lived: the same seed and the same actions. The share of bare speed is
that of the environment's own calls in an episode's processor time, leaving out what reading the clock takes and what
the player takes to think, which a bare episode would need, too: two runs of a few steps each, of which one is bare,
differ by more than our loop costs.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from simonides.experiments.benchmarks.measure import Figure, Result, Scale, Timing, clocked
from simonides.experiments.benchmarks.trials import trial_of
from simonides.experiments.elsewhere import attribute
from simonides.sim.config import Layout, Trial
from simonides.sim.errors import MissingExtra
from simonides.sim.inline import live_all
from simonides.sim.protocols import PolicyContext
from simonides.sim.trial import Models, assemble, environment_of, open_worlds, services_of, world_name
from simonides.sim.types import Action, Observation, Plain, Query, Recall
from simonides.sim.world import environment_seed

FAMILIES: Mapping[str, Mapping[str, Plain]] = {
    "claims": {"name": "claims"},
    "dialogue-choices": {"name": "dialogue-choices"},
    "android": {"name": "android", "sessions": 4, "delay": 24, "distractors": 3},
    "manipulation": {"name": "manipulation"},
    "metaworld-chain": {"name": "metaworld-chain"},
    "highway": {"name": "highway"},
    "metadrive": {"name": "metadrive"},
}
"""What is timed: environments with their default task; on the phone one of several sessions, so that what an episode
begins and ends with does not weigh more than its ticks."""

ALONE = frozenset({"metadrive"})
"""Environments of which a process holds one at a time."""

READINGS = 10_000
"""Readings of the clock by which the cost of one is known."""

MANY = 4
"""Worlds of the larger run."""

CONTROL = "simonides.envs.manipulation.speed:control_steps"

DEAR = 1e-3
"""Seconds of a bare step from which on nine tenths of bare speed are aimed at."""


class Noted:
    """An environment that notes the actions it was given, and the seconds of the processor that it took itself."""

    def __init__(self, env: Any) -> None:
        self._env = env
        self.given: list[dict[str, Any]] = []
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset."""
        began = process_time()
        found = self._env.reset(seed=seed, options=options)
        self.seconds += process_time() - began
        return found

    def step(self, actions: dict[str, Any]) -> Any:
        """Note the actions, and step."""
        self.given.append(dict(actions))
        began = process_time()
        found = self._env.step(actions)
        self.seconds += process_time() - began
        return found


class Thinking:
    """A policy that notes the seconds of the processor that it took, and how often they were read."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self.seconds = 0.0
        self.readings = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def queries(self, observation: Observation, ctx: PolicyContext) -> Sequence[Query]:
        """Ask."""
        began = process_time()
        asked = self._policy.queries(observation, ctx)
        self.seconds += process_time() - began
        self.readings += 1
        return asked  # type: ignore[no-any-return]

    async def act(self, observation: Observation, recalls: Sequence[Recall], ctx: PolicyContext) -> Action:
        """Decide; a scripted policy never waits, so that all of the time between is its own."""
        began = process_time()
        action = await self._policy.act(observation, recalls, ctx)
        self.seconds += process_time() - began
        self.readings += 1
        return action  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Life:
    """What a lived trial took a step, the environments' share of it without the players', what the first was given."""

    step: Timing
    share: float
    given: list[dict[str, Any]]


def families(scale: Scale) -> Result:
    """Return, of each environment, the cost of a bare step and the share of its speed that our loop keeps."""
    figures: list[Figure] = []
    for name, part in FAMILIES.items():
        try:
            figures += _of(name, part, max(3, scale.of(5)))
        except MissingExtra as error:
            figures.append(Figure(f"{name}: {error}", 0.0, ""))
    return Result("environments", (*figures, *_arms(scale)))


def _arms(scale: Scale) -> list[Figure]:
    """Return the control steps a second of the work cell, in the processor's time."""
    try:
        speed = attribute(CONTROL)
    except MissingExtra:
        return []
    found = {arms: speed(arms=arms, steps=scale.of(1000, 100)) for arms in (1, 2, 4)}
    one = Figure.at_least("manipulation, one arm: control steps a second", found.pop(1), 1000, "steps/s")
    return [one, *(Figure(f"manipulation, {n} arms: control steps a second", x, "steps/s") for n, x in found.items())]


def _of(name: str, part: Mapping[str, Plain], repeats: int) -> list[Figure]:
    lives = [_lived(_trial(part, 1)) for _ in range(repeats)]
    bare = median(_bare(_trial(part, 1), life.given).cpu for life in lives)
    share = median(life.share for life in lives)
    told = Figure.at_least(f"{name}: share of bare speed", 100 * share, 90, "%") if bare >= DEAR else Figure(
        f"{name}: share of bare speed", 100 * share, "%"
    )  # fmt: skip
    found = [Figure(f"{name}: a bare step", 1e3 * bare, "ms"), told]
    if name not in ALONE:
        ratio = median(_lived(_trial(part, MANY)).step.cpu / life.step.cpu for life in lives[:3])
        found.append(Figure(f"{name}: a step with {MANY} worlds in a process, against one", ratio, "x"))
    return found


def _trial(part: Mapping[str, Plain], worlds: int) -> Trial:
    return trial_of(environment=dict(part), policy="believer", worlds=worlds)


def _bare(trial: Trial, actions: list[dict[str, Any]]) -> Timing:
    """Return the seconds of a step where the steps of a trial are done bare."""
    with closing(environment_of(trial.study, trial.seed, 0)) as env:

        def steps() -> None:
            env.reset(seed=environment_seed(trial.seed, world_name(0)))
            for given in actions:
                env.step(given)

        return clocked(steps).each(len(actions))


@cache
def _reading() -> float:
    """Return the seconds that reading the processor's clock takes outside of what is read, a system call each time."""
    seconds, began = 0.0, process_time()
    for _ in range(READINGS):
        start = process_time()
        seconds += process_time() - start
    return (process_time() - began - seconds) / READINGS


def _lived(trial: Trial) -> Life:
    with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
        services = services_of(trial.study, None, Models())
        worlds = open_worlds(assemble(trial, services), Layout(), 0, Path(folder), services, {})
        noted = [Noted(world.environment) for world in worlds]
        players = []
        for world, env in zip(worlds, noted, strict=True):
            world.environment = env
            world.policies = {agent: Thinking(policy) for agent, policy in world.policies.items()}
            players += list(world.policies.values())
        cpu, wall = process_time(), perf_counter()
        results = asyncio.run(live_all(worlds))
        timing = Timing(perf_counter() - wall, process_time() - cpu)
        for env in noted:
            env.close()
    for result in results:
        if result.failure is not None:
            raise RuntimeError(result.text)
    thinking = [player for player in players if isinstance(player, Thinking)]
    readings = sum(len(env.given) + 1 for env in noted) + sum(player.readings for player in thinking)
    other = sum(player.seconds for player in thinking) + readings * _reading()
    share = sum(env.seconds for env in noted) / (timing.cpu - other)
    return Life(timing.each(sum(len(env.given) for env in noted)), share, noted[0].given)
