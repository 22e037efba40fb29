"""Time calls to a model that vLLM serves, a study's own among them, against vLLM's offline engine on the same prompts.

The model is `SIMONIDES_MODEL`: a folder, a hub id or the name of a prepared model (default: smollm2), in the precision
`SIMONIDES_DTYPE` (default: auto).
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from simonides.experiments.benchmarks.actors import Served, actors
from simonides.experiments.benchmarks.measure import Figure, Load, Result, Scale, Timing, clocked, in_turns
from simonides.experiments.benchmarks.studying import Studied
from simonides.sim.config import Part
from simonides.sim.protocols import Model
from simonides.sim.types import Message, Plain, Request

OFFLINE = "simonides.agents.models.vllm_offline"
MODEL, DTYPE = "SIMONIDES_MODEL", "SIMONIDES_DTYPE"
CALLERS = 32
WARM = 2
"""Calls that are made before any is timed."""

TOKENS = 24
"""Of a reply, at most."""

WORDS = "the harbour wall was painted again and nobody could say who had paid for it before the winter storms came "


def vllm(scale: Scale) -> Result:
    """Return tokens/s through the platform and offline, where the time between goes, and what batching gains."""
    if importlib.util.find_spec("vllm") is None:
        return Result("vllm", skipped="vllm is not installed: pip install 'simonides[vllm]', or make test-vllm")
    model, calls = os.environ.get(MODEL, "smollm2"), scale.of(96, 16)
    arguments: dict[str, Plain] = {"max_model_len": 1024, "dtype": os.environ.get(DTYPE, "auto")}
    with actors() as ray, tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
        part = Part.model_validate({"name": "vllm", "model": model, **arguments})
        served = ray.served(part, Path(folder))
        offline = importlib.import_module(OFFLINE).Offline(model, arguments)
        try:
            direct = _direct(served, offline, calls, scale)
            studied = Studied(ray, served, offline, part, Path(folder))
            found = studied.figures(scale, direct["record"] - direct["offline"])
            return Result("vllm", (*_figures(direct), *found, *_crowds(served, calls, scale)))
        finally:
            offline.close()
            served.close()


def _direct(served: Served, offline: Any, calls: int, scale: Scale) -> dict[str, float]:
    """Return the seconds a token of requests that are all asked at once: offline, and through more and more of ours."""
    with asyncio.Runner() as runner:
        ways: dict[str, Load] = {
            "offline": Calls(offline.generate, calls),
            "actor": Calls(_together(runner, served.actor), calls),
            "gate": Calls(_together(runner, served.gate), calls),
            "record": Calls(_together(runner, served.recorded), calls),
        }
        return {name: timing.wall for name, timing in in_turns(ways, scale.repeats).items()}


def _figures(found: Mapping[str, float]) -> tuple[Figure, ...]:
    return (
        Figure("offline: LLM.generate", 1 / found["offline"], "tokens/s"),
        Figure("through recorder, gate and actor", 1 / found["record"], "tokens/s"),
        Figure.at_least("share of offline", found["offline"] / found["record"], 0.9),
        Figure("asynchronous engine and actor, against offline", _more(found, "actor", "offline"), "ms a token"),
        Figure("the gate", _more(found, "gate", "actor"), "ms a token"),
        Figure("the recorder", _more(found, "record", "gate"), "ms a token"),
    )


def _crowds(served: Served, calls: int, scale: Scale) -> tuple[Figure, ...]:
    with asyncio.Runner() as runner:
        crowds: dict[str, Load] = {
            "one": Calls(_one_by_one(runner, served.recorded), max(4, calls // 12), by_call=True),
            "many": Calls(_together(runner, served.recorded), CALLERS, by_call=True),
        }
        batched = {name: timing.wall for name, timing in in_turns(crowds, max(1, scale.repeats - 2)).items()}
    return (
        Figure("one caller after another", 1 / batched["one"], "requests/s"),
        Figure(f"{CALLERS} callers at once", 1 / batched["many"], "requests/s"),
        Figure.at_least("callers at once against one after another", batched["one"] / batched["many"], 5),
    )


def _more(found: Mapping[str, float], longer: str, shorter: str) -> float:
    return (found[longer] - found[shorter]) * 1e3


class Calls:
    """A load: requests that were never asked before, so that no record and no prefix cache knows them."""

    numbers = count()

    def __init__(self, ask: Callable[[Sequence[Request]], int], calls: int, by_call: bool = False) -> None:
        """`ask` answers requests and returns how many tokens were generated; times are by token or by call."""
        self._ask, self._calls, self._by_call = ask, calls, by_call
        self._time(WARM)  # the engine is up, and its kernels are warm

    def __call__(self) -> Timing:
        """Ask them all."""
        return self._time(self._calls)

    def _time(self, calls: int) -> Timing:
        requests = [_request(next(self.numbers)) for _ in range(calls)]
        generated: list[int] = []
        timing = clocked(lambda: generated.append(self._ask(requests)))
        return timing.each(len(requests) if self._by_call else generated[0])


def _request(number: int) -> Request:
    """Return a chat of about 65 tokens that begins with its number."""
    messages = (Message("system", f"Note {number}. Go on with the tale."), Message("user", WORDS * 2))
    return Request("bench.tale", seed=number, max_tokens=TOKENS, temperature=0.8, messages=messages, caller=f"{number}")


def _together(runner: asyncio.Runner, model: Model) -> Callable[[Sequence[Request]], int]:
    """Return the way in which a study's agents ask: each on its own, all at the same time."""

    async def ask(requests: Sequence[Request]) -> int:
        found = await asyncio.gather(*(model.complete([request]) for request in requests))
        return sum(completion.completion_tokens for (completion,) in found)

    return lambda requests: runner.run(ask(requests))


def _one_by_one(runner: asyncio.Runner, model: Model) -> Callable[[Sequence[Request]], int]:
    async def ask(requests: Sequence[Request]) -> int:
        return sum([(await model.complete([request]))[0].completion_tokens for request in requests])

    return lambda requests: runner.run(ask(requests))
