"""How fast the kernel is, against what it stands on: each benchmark compares both sides in one run."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

BENCHMARKS: dict[str, str] = {
    "overhead": "stepping:overhead",
    "vector": "stepping:vector",
    "messages": "messages:messages",
    "exchange": "exchange:exchange",
    "agents": "crowd:crowd",
    "environments": "families:families",
    "doors": "doors:doors",
    "vllm": "serving:vllm",
    "mem0": "mem0:mem0",
}
"""Name -> module:function of this folder, in the order in which they run."""


def load(name: str) -> Callable[..., Any]:
    """Return a benchmark by name, importing what it needs."""
    module, _, function = BENCHMARKS[name].partition(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)  # type: ignore[no-any-return]
