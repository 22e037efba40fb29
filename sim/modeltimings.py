"""What models and the gates before them did in the course of a run, by the clock: no part of traces or digests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from simonides.sim.codec import decode, pack
from simonides.sim.framing import FrameWriter, read_frames

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
    for path in sorted(folder.glob(PATTERN)):
        for frame in read_frames(path):
            yield Sample(*decode(frame.payload))
