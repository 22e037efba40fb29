"""Models for tests of serving: no reply twice the same, each telling which process gave it; one that dies."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from toys import die_once

from simonides.sim.errors import ModelDied, ModelFailed
from simonides.sim.types import Completion, ModelCard


class Served:
    """Answers reader.answer with its process and the time; runs in replicas on Ray."""

    served = True
    card = ModelCard("served")

    def __init__(self, log: str = "", die_after: int = -1, how: str = "kill", marker: str = "") -> None:
        self.log, self.die_after, self.how, self.marker = log, die_after, how, marker
        self.asked = 0

    async def complete(self, requests):
        await asyncio.sleep(0.01)
        found = []
        for request in requests:
            self.asked += 1
            if self.asked > self.die_after >= 0:
                self._die()
            if self.log:
                with open(self.log, "a") as file:
                    file.write(f"{os.getpid()} {request.caller} {request.purpose}\n")
            found.append(Completion(f'{{"answer": "{os.getpid()} at {time.time_ns()}"}}', 10, 5))
        return found

    def _die(self) -> None:
        if self.how == "kill":
            die_once(self.marker)
        if self.how == "engine" and not Path(self.marker).exists():
            Path(self.marker).touch()
            raise ModelDied("the engine is gone")
        if self.how == "always":
            raise ModelFailed("the engine refuses: no memory left")

    def counters(self):
        return {"asked": float(self.asked)}

    async def close(self):
        """Nothing was started."""


class Dialled(Served):
    """The same, asked over a network: it runs in the gate."""

    served = False
