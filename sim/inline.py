"""Run a trial in this process: one event loop, every part a debugger's step away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simonides.sim.config import Layout, Trial
from simonides.sim.host import SpaceHost
from simonides.sim.hung import InProgress
from simonides.sim.line import Line
from simonides.sim.loop import live
from simonides.sim.modelcalls import Mode
from simonides.sim.trial import Models, assemble, hosted, open_host, open_worlds, services_of
from simonides.sim.world import Exchange, World, WorldResult

Watch = Callable[[Sequence[World]], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a trial ended: its worlds by name, and one line for every failure."""

    worlds: tuple[WorldResult, ...]
    errors: tuple[str, ...] = ()
    reproducible: bool = True

    @property
    def cut(self) -> str:
        """Which budget ended it, or ""."""
        return next((world.cut for world in self.worlds if world.cut), "")

    @property
    def failed(self) -> bool:
        """True when any part failed."""
        return bool(self.errors)


class Inline:
    """Runs trials in this process, one after another, in one event loop; models live as long as it does."""

    def __init__(self, cache: Path | None = None, calls: Path | None = None, mode: Mode = "record") -> None:
        """`cache` is the folder of the embedding cache, `calls` that of the recorded model calls."""
        self.cache = cache
        self._models = Models(calls, mode)
        self._runner = asyncio.Runner()

    def run(self, trial: Trial, folder: Path, layout: Layout | None = None, watch: Watch | None = None) -> TrialOutcome:
        """Run one trial to its end, or on from its checkpoints if the folder has any; return how its worlds ended.

        `watch` is started beside the worlds and cancelled after them: a progress bar, a debugger's stop.
        """
        return self._runner.run(_run(trial, folder, layout or Layout(), self.cache, self._models, watch))

    def close(self) -> None:
        """End the models."""
        self._runner.run(self._models.close())
        self._runner.close()

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def run_inline(
    trial: Trial,
    folder: Path,
    layout: Layout | None = None,
    cache: Path | None = None,
    watch: Watch | None = None,
    calls: Path | None = None,
) -> TrialOutcome:
    """Run one trial in this process, with models of its own; see `Inline.run`."""
    layout = layout or Layout()
    with Inline(cache, calls, layout.calls) as inline:
        return inline.run(trial, folder, layout, watch)


async def _run(
    trial: Trial, folder: Path, layout: Layout, cache: Path | None, models: Models, watch: Watch | None
) -> TrialOutcome:
    services = services_of(trial.study, cache, models)
    assembly = assemble(trial, services)
    hosts = {index: open_host(assembly, layout, index, folder, services) for index in hosted(assembly, layout)}
    exchanges: dict[int, Callable[[], Exchange]] = {index: partial(_line, host) for index, host in hosts.items()}
    worlds: list[World] = []
    for index in range(layout.world_actors):
        worlds.extend(open_worlds(assembly, layout, index, folder, services, exchanges))
    for host in hosts.values():
        host.start()
    everyone = [*hosts.values(), *(world.local for world in worlds if world.local is not None)]
    parts = [host.progress for host in everyone] + [world.progress for world in worlds]
    helpers = [asyncio.ensure_future(watchdog(parts, trial.study.time_limit))]
    if watch is not None:
        helpers.append(asyncio.ensure_future(watch(worlds)))
    try:
        results = await live_all(worlds)
        if trial.pause is not None:
            for host in hosts.values():
                host.save_all(trial.pause)
    finally:
        for helper in helpers:
            helper.cancel()
        for host in everyone:
            host.close()
        for world in worlds:
            world.trace.close()
    return outcome(results, [text for host in everyone for text in host.texts])


def _line(host: SpaceHost) -> Exchange:
    return Line(host.exchange).exchange


async def live_all(worlds: Sequence[World]) -> list[WorldResult]:
    """Run worlds beside each other; the first that cannot even leave ends them all."""
    tasks = [asyncio.ensure_future(live(world)) for world in worlds]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        for world in worlds:
            world.environment.close()


async def watchdog(parts: Sequence[InProgress], limit: float) -> None:
    """Cancel what waits longer than `limit` seconds for one tick, one read or one round of decisions."""
    while True:
        await asyncio.sleep(min(1.0, limit / 4))
        for part in parts:
            part.cancel_stalled(limit)


def outcome(results: Sequence[WorldResult], texts: Sequence[str]) -> TrialOutcome:
    """Return the outcome of a trial from its worlds' results and its hosts' failure lines."""
    errors = [*texts, *(r.text for r in results if r.failure and r.failure.part == r.name)]
    hung = any("TimeoutError" in text for text in errors)
    timed = any(result.timed for result in results)
    return TrialOutcome(tuple(sorted(results, key=lambda r: r.name)), tuple(errors), not (hung or timed))
