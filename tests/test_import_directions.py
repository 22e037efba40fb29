"""The five outer folders import the kernel and never each other, and heavy libraries stay in their own rooms.

Read from the source with `ast`: nothing is imported. A part of another folder is reached by its registry name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("agents", "cluster", "envs", "experiments", "memory_actors", "sim")
KERNEL_LIBRARIES = frozenset({"numpy", "msgpack", "pydantic"})

ROOMS = {
    "ray": ("cluster/",),
    "torch": ("agents/models/", "agents/attacks/gradients.py"),
    "transformers": ("agents/models/", "agents/attacks/gradients.py"),
    "vllm": ("agents/models/", "memory_actors/embedders/"),
    "openai": ("agents/models/",),
    "httpx": ("agents/models/", "envs/datasets.py", "memory_actors/embedders/"),
    "requests": (),
    "aiohttp": (),
    "qdrant_client": ("memory_actors/indexes/",),
    "qdrant_edge": ("memory_actors/indexes/",),
    "onnxruntime": ("memory_actors/embedders/",),
    "sentence_transformers": ("memory_actors/embedders/",),
    "mujoco": ("envs/manipulation/",),
    "metadrive": ("envs/driving/",),
    "highway_env": ("envs/driving/",),
    "adbutils": ("envs/android/",),
    "uiautomator2": ("envs/android/",),
    "android_env": ("envs/android/",),
}
"""Import name of a heavy library -> the only paths that may import it."""


def imported(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that a module imports, inside functions too."""
    package = ["simonides", *Path(path).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            names = [[alias.name] for alias in node.names] if base == ["simonides"] else [[]]
            yield from ((node.lineno, ".".join(base + name)) for name in names)


def complaint(path: str, name: str) -> str:
    """Return why a file may not import a module, or nothing."""
    folder = path.split("/")[0]
    top, _, rest = name.partition(".")
    if top == "simonides":
        room = rest.split(".")[0]
        return "" if room in (folder, "sim") else f"{folder}/ may import only simonides.sim and itself"
    if top in FOLDERS:
        return f"say simonides.{top}: a plain {top!r} is another package"
    if top in sys.stdlib_module_names:
        return ""
    if folder == "sim" and top not in KERNEL_LIBRARIES:
        return f"the kernel imports only the standard library, {', '.join(sorted(KERNEL_LIBRARIES))}"
    if top in ROOMS and not path.startswith(ROOMS[top]):
        return f"{top} belongs in {' and '.join(ROOMS[top]) or 'no folder: use httpx'}"
    return ""


def violations(path: str, source: str) -> list[str]:
    """Return one line for each forbidden import of a file, and for each use of `__file__` to find data."""
    tree = ast.parse(source, path)
    found = [(line, f"imports {name}: {why}") for line, name in imported(path, tree) if (why := complaint(path, name))]
    found += [
        (node.lineno, "uses __file__: read data through importlib.resources")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "__file__"
    ]
    return [f"{path}:{line} {what}" for line, what in sorted(found)]


def test_the_whole_tree_keeps_the_directions():
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    assert len(files) > 10
    found = [line for path in files for line in violations(path.relative_to(ROOT).as_posix(), path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "path, source, reason",
    [
        ("agents/a.py", "from simonides.envs import dialogue", "agents/ may import only simonides.sim and itself"),
        ("agents/a.py", "from simonides import memory_actors", "agents/ may import only"),
        ("agents/models/a.py", "from ...envs import x", "agents/ may import only"),
        ("envs/a.py", "def f():\n    import simonides.cluster.runtime", "a.py:2 imports simonides.cluster.runtime"),
        ("sim/trial.py", "import simonides.experiments", "sim/ may import only"),
        ("sim/trial.py", "import networkx", "the kernel imports only the standard library, msgpack, numpy, pydantic"),
        ("experiments/cli.py", "import ray", "ray belongs in cluster/"),
        ("agents/prompted.py", "import torch.nn as nn", "torch belongs in agents/models/"),
        ("envs/dialogue/env.py", "import httpx", "httpx belongs in agents/models/ and envs/datasets.py"),
        ("memory_actors/systems/a.py", "from qdrant_edge import EdgeShard", "belongs in memory_actors/indexes/"),
        ("envs/driving/a.py", "import mujoco", "mujoco belongs in envs/manipulation/"),
        ("envs/a.py", "import requests", "belongs in no folder: use httpx"),
        ("cluster/a.py", "from sim.types import Record", "say simonides.sim"),
        ("envs/a.py", "DATA = open(__file__)", "uses __file__"),
    ],
)
def test_a_forbidden_import_is_named_with_its_line(path, source, reason):
    (found,) = violations(path, source)
    assert reason in found


@pytest.mark.parametrize(
    "path, source",
    [
        ("agents/a.py", "from simonides.sim.types import Action\nfrom simonides.agents import prompted\nimport numpy"),
        ("agents/models/a.py", "import httpx, torch\nfrom . import b\nfrom ..c import d"),
        ("cluster/runtime.py", "import ray\nfrom simonides import sim"),
        ("envs/datasets.py", "import httpx"),
        ("sim/a.py", "import asyncio, numpy as np, msgpack\nfrom pydantic import BaseModel"),
        ("memory_actors/indexes/a.py", "import qdrant_client"),
    ],
)
def test_what_the_design_allows_is_allowed(path, source):
    assert violations(path, source) == []
