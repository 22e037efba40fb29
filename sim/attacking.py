"""What an attack is told before a trial begins: who is there, what can be said falsely, what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simonides.sim.attacks import Goal, Guarded, Reach
from simonides.sim.claims import Form, Grammar
from simonides.sim.config import Trial
from simonides.sim.errors import StudyError
from simonides.sim.protocols import Embedder, Environment
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import FloatArray, Plain
from simonides.sim.wiring import SpaceSpec
from simonides.sim.world import environment_seed

TRIES = 8
"""Falsehoods asked for, for each that is wanted: environments draw them at random, and may repeat themselves."""


class Briefing:
    """Implements `AttackContext` for the n-th intervention of a trial."""

    def __init__(
        self,
        trial: Trial,
        n: int,
        environments: Mapping[str, Environment],
        specs: Sequence[SpaceSpec],
        embedder: Embedder | None,
    ) -> None:
        self._trial, self._n, self._environments, self._embedder = trial, n, environments, embedder
        self._rng: np.random.Generator | None = None
        self.agents = tuple(f"{w}/{agent}" for w, env in environments.items() for agent in env.possible_agents)
        self.spaces = {spec.name: Reach(_names(spec.readers), _names(spec.writers)) for spec in specs}

    @property
    def environment(self) -> str:
        """Name of the environment that is attacked: the trial's first."""
        return self._trial.study.environment.name

    @property
    def channels(self) -> Mapping[str, str]:
        """The channels of the first world's environment."""
        first = next(iter(self._environments.values()))
        return dict(getattr(first, "channels", {})) if hasattr(first, "inject") else {}

    @property
    def defences(self) -> Sequence[Guarded]:
        """The defences that the trial begins with."""
        return tuple(Guarded(part.name, part.params) for part in self._trial.study.defences)

    @property
    def rng(self) -> np.random.Generator:
        """One generator for the whole plan."""
        if self._rng is None:
            self._rng = generator(seed_of(self._trial.seed, "attack", self._n))
        return self._rng

    def goals(self, count: int) -> list[Goal]:
        """Return at most `count` falsehoods about different facts. Raises StudyError where there is none."""
        found: dict[tuple[str, ...], Goal] = {}
        for world, environment in self._environments.items():
            maker: Any = getattr(environment, "falsehood", None)
            if maker is None:
                continue
            environment.reset(seed=environment_seed(self._trial.seed, world))  # many draw their truths here
            for k in range(TRIES * count):
                if len(found) >= count:
                    return list(found.values())
                goal = goal_of(world, maker(generator(seed_of(self._trial.seed, "goal", self._n, world, k))))
                about = (goal.subject, goal.attribute) if goal.subject else (goal.text,)
                found.setdefault(about if len(self._environments) == 1 else (world, *about), goal)
        if not found:
            raise StudyError(
                f"interventions.{self._n}: environment {self.environment!r} can say nothing false of itself: it "
                "offers no `falsehood`, so an attack has no goal there."
            )
        return list(found.values())

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, d] unit vectors. Raises StudyError when the study names no embedder."""
        if self._embedder is None:
            raise StudyError(
                f"interventions.{self._n}: this attack needs an embedder: add embedder: {{name: hashing}}."
            )
        return self._embedder.embed(texts)


def goal_of(world: str, told: Mapping[str, Any]) -> Goal:
    """Return the goal behind what an environment's `falsehood` told."""
    grammar = told.get("grammar")
    return Goal(
        agent=f"{world}/{told['agent']}",
        text=str(told["text"]),
        value=str(told.get("value", "")),
        truth=str(told.get("truth", "")),
        subject=str(told.get("subject", "")),
        attribute=str(told.get("attribute", "")),
        question=str(told.get("question", "")),
        options=tuple(told.get("options", ())),
        channel=str(told.get("channel", "")),
        tick=int(told.get("tick", 0)),
        questions=tuple(told.get("questions", ())),
        speaker=str(told.get("speaker", "")),
        grammar=Grammar(Form(*form) for form in grammar) if grammar else None,
    )


def _names(refs: frozenset[Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, refs)))


Told = Mapping[str, Plain]
"""What an environment's `falsehood(rng)` returns: `text`, `agent`, `tick`, `value`, `truth`, and where it has them
`subject`, `attribute`, `question`, `options`, `grammar`, `channel`, `speaker`, `questions`."""
