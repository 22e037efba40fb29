"""Ask a model after a run, outside of any trial: in this process, or through a gate and replicas on Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from simonides.experiments.elsewhere import attribute
from simonides.sim.config import Layout, Part
from simonides.sim.protocols import Model
from simonides.sim.trial import Models

RAY = "simonides.cluster.runtime:OnRay"

T = TypeVar("T")


def ask(part: Part, layout: Layout, folder: Path, work: Callable[[Model], Awaitable[T]]) -> T:
    """Return what `work` makes of a model that is recorded in a folder; the model ends with it.

    Raises UserError for wrong parameters and for a Ray that cannot be reached, and what `work` raises.
    """
    if layout.runtime == "inline":
        return asyncio.run(_work(Models(folder, layout.calls), part, work))
    Models().build(part)  # a mistake is told before Ray is started
    with attribute(RAY)(layout, calls=folder) as ray:
        return asyncio.run(_work(ray.models(part), part, work))


async def _work(models: Models, part: Part, work: Callable[[Model], Awaitable[T]]) -> T:
    try:
        return await work(models.of(part))
    finally:
        await models.close()
