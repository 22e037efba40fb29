"""Hashing embedders that note their calls: one that declares nothing, one that batches, one that waits."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from simonides.memory_actors.embedders.hashing import HashingEmbedder


class Plain(HashingEmbedder):
    """Notes its calls, and the threads that made them."""

    log: ClassVar[list[list[str]]] = []
    """The calls of all of a class, newest last."""

    def __init_subclass__(cls) -> None:
        cls.log = []

    def __init__(self, dimension: int = 8, pause: float = 0.0) -> None:
        super().__init__(dimension)
        self.calls: list[list[str]] = []
        self.threads: set[int] = set()
        self.pause = pause
        self.active = self.most_active = 0

    def embed(self, texts):
        self.calls.append(list(texts))
        self.log.append(list(texts))
        self.threads.add(threading.get_ident())
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        time.sleep(self.pause)
        self.active -= 1
        return super().embed(texts)


class Batching(Plain):
    batches: ClassVar[bool] = True


class Waiting(Plain):
    waits: ClassVar[bool] = True
