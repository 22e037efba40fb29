"""The platform's own loop against the same process as arrays: the same draws must infect the same agents, every round.

What follows from arrays of up to millions of agents then holds for spaces, memory systems, lineage and trace. Infection
in the loop is read from lineage, not from what a text says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simonides.experiments.elsewhere import attribute
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.spread import descents
from simonides.experiments.theory.comparison import P0
from simonides.sim.config import Trial, parse_study
from simonides.sim.errors import UserError
from simonides.sim.inline import run_inline
from simonides.sim.world import environment_seed

Flags = NDArray[np.bool_]
WORLD = "w0000"
ALBUM, ALPHA, BETA = 10, 0.8, 0.6


@dataclass(frozen=True, slots=True)
class Looped:
    """One run of Process F in the loop, and the same as arrays; both bool[rounds + 1, agents], before each round."""

    album: int
    alpha: float
    beta: float
    loop: Flags
    arrays: Flags
    seconds: float
    """Processor time of the loop."""

    @property
    def agents(self) -> int:
        """How many agents there are."""
        return int(self.loop.shape[1])

    @property
    def rounds(self) -> int:
        """How many rounds were played."""
        return len(self.loop) - 1

    @property
    def unequal(self) -> int:
        """Rounds with another set of infected agents."""
        return int((self.loop != self.arrays).any(axis=1).sum())


def in_the_loop(
    agents: int, rounds: int, seed: int = 0, album: int = ALBUM, alpha: float = ALPHA, beta: float = BETA
) -> Looped:
    """Play Process F in the loop and as arrays, from the same `P0` of the agents. Raises UserError for odd agents."""
    arrays_of = attribute("simonides.envs.contagion.vectorised:AlbumWorld")
    drawn = environment_seed(seed, WORLD)
    arrays = arrays_of(agents, album, alpha, beta, round(P0 * agents), drawn)
    trial = _trial(np.flatnonzero(arrays.infected).tolist(), agents, rounds, seed, album, alpha, beta)
    with TemporaryDirectory(prefix="simonides-loop-") as folder:
        began = process_time()
        outcome = run_inline(trial, Path(folder))
        seconds = process_time() - began
        if outcome.errors:
            raise UserError(f"The loop failed: {outcome.errors[0]}")
        infected = _infected(Reading(Path(folder)), agents, rounds)
    return Looped(album, alpha, beta, infected, _played(arrays, rounds), seconds)


def _trial(
    patients: list[int], agents: int, rounds: int, seed: int, album: int, alpha: float, beta: float
) -> Trial:  # fmt: skip
    study = {
        "name": "loop",
        "environment": {
            "name": "album", "agents": agents, "album": album, "alpha": alpha, "beta": beta, "rounds": rounds,
        },
        "policy": "album-keeper", "memory": {"name": "window", "turns": album}, "wiring": "private",
        "interventions": [{"kind": "attack", "attack": {"name": "agent-smith", "patients": patients}, "tick": 1}],
        "seeds": [seed], "manage_every": 0, "checkpoint_every": 0, "time_limit": 3600,
    }  # fmt: skip
    (trial,) = parse_study(study).trials()
    return trial


def _infected(reading: Reading, agents: int, rounds: int) -> Flags:
    """Return whose album holds what descends from the virus, before each round and after the last."""
    asking = attribute("simonides.envs.contagion.album:asking_tick")
    ticks = [asking(number) for number in range(rounds + 1)]
    (descent,) = descents(reading)
    found = np.zeros((rounds + 1, agents), np.bool_)
    for number in range(agents):
        found[:, number] = descent.spaces[f"{WORLD}/player_{number}"][ticks]
    return found


def _played(world: Any, rounds: int) -> Flags:
    found = [world.infected]
    for _ in range(rounds):
        world.step()
        found.append(world.infected)
    return np.array(found)
