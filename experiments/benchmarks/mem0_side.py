"""Mem0's side of the comparison, run by the Python of an environment of its own; it knows nothing of Simonides.

Reads lines of JSON, each a list of (kind, owner, text); answers each with [seconds, processor seconds, results]. The
embedder is the same fake one as on our side, there is no model (`infer=False`), and telemetry is off.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import warnings
from time import perf_counter, process_time
from typing import Any

os.environ["MEM0_TELEMETRY"] = "False"
os.environ["MEM0_DIR"] = sys.argv[1]
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from mem0 import Memory  # noqa: E402
from mem0.configs.base import MemoryConfig  # noqa: E402
from mem0.utils.factory import EmbedderFactory, LlmFactory  # noqa: E402

DIMENSION = 384


class Fake:
    """The fake embedder: bytes of shake_128 as a unit vector."""

    config = None

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """Return one unit vector."""
        row = hashlib.shake_128(text.encode()).digest(DIMENSION)
        length = sum(value * value for value in row) ** 0.5
        return [value / length for value in row]

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        """Return one unit vector a text."""
        return [self.embed(text) for text in texts]


def memory(folder: str) -> Any:
    """Return Mem0 with local Qdrant on disk."""
    EmbedderFactory.create = staticmethod(lambda *_: Fake())
    LlmFactory.create = staticmethod(lambda *_: None)
    store = {"path": f"{folder}/qdrant", "embedding_model_dims": DIMENSION, "on_disk": True}
    fields = {"vector_store": {"provider": "qdrant", "config": store}, "history_db_path": f"{folder}/history.db"}
    return Memory(MemoryConfig(**fields))


def say(value: Any) -> None:
    """Answer one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer until the input ends."""
    mem0 = memory(sys.argv[1])
    say("ready")
    for line in sys.stdin:
        calls = json.loads(line)
        cpu, wall, found = process_time(), perf_counter(), 0
        for kind, owner, text in calls:
            if kind == "add":
                mem0.add(text, user_id=owner, infer=False)
            else:
                answer = mem0.search(text, filters={"user_id": owner}, top_k=10, threshold=0.0)
                found += len(answer["results"])
        say([perf_counter() - wall, process_time() - cpu, found])


main()
