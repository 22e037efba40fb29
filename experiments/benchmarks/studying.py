"""Time a study of prompted agents on the platform against an offline engine that answers the same calls at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

from simonides.experiments.benchmarks.actors import Actors, Served
from simonides.experiments.benchmarks.measure import Figure, Scale, clocked
from simonides.experiments.benchmarks.trials import trial_of
from simonides.sim.config import Layout, Part, Trial
from simonides.sim.modelcalls import FILE, Call, read_calls, request_of
from simonides.sim.types import Request

WORLDS = 32
"""Conversations of four speakers that run beside each other, each with a memory that its speakers share."""

DIALOGUE = {"name": "dialogue", "speakers": 4, "teams": 1, "turns_per_session": 6, "sessions": 3, "questions": 6}
SAMPLING = {"max_tokens": 48, "temperature": 0.8}
LAYOUT = Layout(runtime="ray")


class Offline(Protocol):
    """What `simonides.agents.models.vllm_offline:Offline` offers."""

    def generate(self, requests: Sequence[Request]) -> int:
        """Answer requests in one call; return how many tokens were generated."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one study: as it ran, when its record knew every call, and offline; tokens of each; its calls."""

    study: float
    known: float
    offline: float
    tokens: int
    offline_tokens: int
    calls: int
    prompt: int
    """Tokens of all prompts."""

    @property
    def share(self) -> float:
        """Return tokens/s of the study as a part of those offline."""
        return (self.tokens / self.study) / (self.offline_tokens / self.offline)


class Studied:
    """Runs studies whose calls no record and no engine knows; then has the offline engine answer the same calls."""

    def __init__(self, ray: Actors, served: Served, offline: Offline, model: Part, folder: Path) -> None:
        """`model` is the part behind `served`, whose record is in `folder`."""
        self._ray, self._served, self._offline, self._model, self._folder = ray, served, offline, model, folder

    def figures(self, scale: Scale, serving: float) -> tuple[Figure, ...]:
        """Return the throughput of a study, and where the time between goes: medians of several studies.

        `serving` are the seconds a token that asynchronous engine, actor, gate and recorder add to offline, for calls
        that are all asked at once.
        """
        self.run(0, 1)  # both engines have compiled the form of the replies
        took = [self.run(seed, scale.of(WORLDS, 4)) for seed in range(1, max(1, scale.repeats - 2) + 1)]
        return tuple(_figures(took, serving))

    def run(self, seed: int, worlds: int) -> Took:
        """Run one study, the same again with all its calls known, and its calls offline."""
        seen = {call.key for call in self._recorded()}
        trial = self._trial(seed, worlds)
        study = self._ray.live(trial, self._folder / f"study-{seed}", LAYOUT, self._served)
        calls = [call for call in self._recorded() if call.key not in seen]
        generated: list[int] = []
        offline = clocked(lambda: generated.append(self._offline.generate([request_of(call) for call in calls])))
        known = self._ray.live(trial, self._folder / f"again-{seed}", LAYOUT, self._served)
        tokens = sum(call.completion.completion_tokens for call in calls)
        return Took(study, known, offline.wall, tokens, generated[0], len(calls), _prompts(calls))

    def _recorded(self) -> list[Call]:
        return list(read_calls(self._folder)) if (self._folder / FILE).exists() else []

    def _trial(self, seed: int, worlds: int) -> Trial:
        return trial_of(
            environment=DIALOGUE,
            worlds=worlds,
            policy={"name": "prompted", "budget": 200},
            wiring="team",
            model=self._model.model_dump(),
            sampling=SAMPLING,
            seeds=[seed],
            time_limit=1800.0,
        )


def _prompts(calls: Sequence[Call]) -> int:
    return sum(call.completion.prompt_tokens for call in calls)


def _figures(took: Sequence[Took], serving: float) -> Iterator[Figure]:
    between = median(t.study / t.tokens - t.offline / t.offline_tokens for t in took)
    known = median(t.known / t.tokens for t in took)
    yield Figure("a study's calls", median(t.calls for t in took), "")
    yield Figure("their prompts", median(t.prompt / t.calls for t in took), "tokens")
    yield Figure("offline: LLM.generate on them", median(t.offline_tokens / t.offline for t in took), "tokens/s")
    yield Figure("the study on the platform", median(t.tokens / t.study for t in took), "tokens/s")
    yield Figure.at_least("the study's share of offline", median(t.share for t in took), 0.9)
    yield Figure("the study, against offline", between * 1e3, "ms a token")
    yield Figure("of it worlds, memories, and reading what is recorded", known * 1e3, "ms a token")
    yield Figure("of it recorder, gate, actor and asynchronous engine, as above", serving * 1e3, "ms a token")
    yield Figure("of it the rest: agents wait for replies, so that batches are smaller",
                 (between - known - serving) * 1e3, "ms a token")  # fmt: skip
