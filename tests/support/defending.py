"""A post at the doors of a space, and the few people and things that tests of defences are about."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from simonides.memory_actors.embedders.hashing import HashingEmbedder
from simonides.sim.checks.post import Post, lived
from simonides.sim.registry import registry
from simonides.sim.types import Experience

TRUTH, LIE = "The colour of tower 3 is red.", "The colour of tower 3 is blue."
ASKED = "What is the colour of tower 3?"


def post(name: str, **params: Any) -> Post:
    """Return a registered defence at its post, with real parameters checked as a study's."""
    return Post(registry("defence").build(name, params), embedder=HashingEmbedder(256))


def saw(n: int, text: str = TRUTH, agent: str = "ana") -> Experience:
    """Return what an agent observed itself."""
    return lived(n, text, agent)


def got(n: int, text: str = LIE, agent: str = "ana", channel: str = "message") -> Experience:
    """Return what reached an agent through a channel."""
    return lived(n, text, agent, channel=channel)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a test's coroutine."""
    return asyncio.run(work)


async def shown(guard: Post, asked: str = ASKED, reader: str = "ana", k: int = 5) -> list[str]:
    """Return the texts that a reader gets."""
    return [item.text for item in (await guard.read(asked, k, reader)).items]
