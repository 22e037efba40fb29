"""What models and the gates before them did in the course of a run, by the clock: no part of traces or digests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from simonides.sim.codec import decode, pack
from simonides.sim.framing import FrameWriter, read_frames
from simonides.sim.types import Completion

PATTERN = "model-timings-*.msgpack"
SAMPLE = 1
"""Type tag of a sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The counters of one source at one moment. They count from the start of their process."""

    seconds: float
    """Since its writer was made."""
    identity: str
    source: str
    """Where: "process" for a model beside the worlds that ask it; on Ray "gate", and "replica 0" and so on."""
    counters: Mapping[str, float]


class ModelTimings:
    """Appends samples to the file of this process in the folder of a run."""

    def __init__(self, folder: Path) -> None:
        self._writer = FrameWriter(folder / f"model-timings-{os.getpid()}.msgpack")
        self._began = monotonic()

    def write(self, identity: str, source: str, counters: Mapping[str, float]) -> None:
        """Append the counters of one source as they are now. Raises NotWritten when the disk is full."""
        values = {name: float(value) for name, value in counters.items()}
        self._writer.append_now(SAMPLE, pack([monotonic() - self._began, identity, source, values]))

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def read_model_timings(folder: Path) -> Iterator[Sample]:
    """Yield the samples of a run, process by process, each in the order in which they were taken."""
    for samples in model_timings_by_process(folder):
        yield from samples


def model_timings_by_process(folder: Path) -> Iterator[list[Sample]]:
    """Yield the samples of each process that wrote any, in the order in which they were taken."""
    for path in sorted(folder.glob(PATTERN)):
        yield [Sample(*decode(frame.payload)) for frame in read_frames(path)]


class Meter:
    """Counts what a model is asked, the tokens of it, and the seconds in which it had something to answer."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("asked", "asked_tokens", "reply_tokens", "busy_seconds", "most_at_once"), 0.0)
        self._open = 0
        self._since = 0.0

    @contextmanager
    def asking(self, requests: int) -> Iterator[None]:
        """Count so many requests as asked from now to the end of the block."""
        self.counts["asked"] += requests
        if not self._open:
            self._since = monotonic()
        self._open += requests
        self.counts["most_at_once"] = max(self.counts["most_at_once"], self._open)
        try:
            yield
        finally:
            self._open -= requests
            if not self._open:
                self.counts["busy_seconds"] += monotonic() - self._since

    def answered(self, completions: Iterable[Completion]) -> None:
        """Count the tokens of replies and of what was asked."""
        for completion in completions:
            self.counts["asked_tokens"] += completion.prompt_tokens
            self.counts["reply_tokens"] += completion.completion_tokens
