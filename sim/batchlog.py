"""The log of what a host admitted: what is not in it is not acknowledged."""

from __future__ import annotations

import struct
from pathlib import Path

from simonides.sim.exchange import Batch, unpack_batch
from simonides.sim.framing import FrameWriter, cut_torn_tail, read_frames

BATCH = 1
EPOCH = struct.Struct("<I")


class BatchLog:
    """Every batch that a host admitted, in order of arrival, each with the host's epoch.

    What is logged survives the death of this process; with `sync` that of the machine too, for an fsync a batch.
    """

    def __init__(self, path: Path, epoch: int, sync: bool = False) -> None:
        self.path = path
        self.epoch = epoch
        self.sync = sync
        if path.exists():
            cut_torn_tail(path)
        self._file = FrameWriter(path)

    def append(self, raw: bytes) -> None:
        """Append one packed batch; it is with the operating system (or the disk) on return. Raises NotWritten."""
        self._file.append_now(BATCH, EPOCH.pack(self.epoch) + raw, self.sync)

    def batches(self) -> list[Batch]:
        """Return the batches in order; those that an orphan wrote after its successor had begun are left out."""
        newest, found = 0, []
        for frame in read_frames(self.path):
            (epoch,) = EPOCH.unpack_from(frame.payload)
            newest = max(newest, epoch)
            if epoch == newest:
                found.append(unpack_batch(frame.payload[EPOCH.size :]))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()
