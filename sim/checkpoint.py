"""Checkpoints: the state of a world or a space at a tick, one file each, written whole or not at all."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from simonides.sim.errors import CorruptFile
from simonides.sim.framing import read_file, replace_file


def slug(name: str) -> str:
    """Return a file name for any part's name: readable, and apart from every other by 10 hex digits of its sha256."""
    return f"{re.sub(r'[^A-Za-z0-9._]+', '_', name)[:60]}.{hashlib.sha256(name.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class Saved:
    """A state and the tick at which it stood: all operations of earlier ticks, nothing of later ones."""

    tick: int
    data: bytes


class CheckpointStore:
    """The checkpoints of one trial, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []
        """One line for each file that could not be read and was passed over for an earlier one."""

    def save(self, kind: str, name: str, tick: int, data: bytes) -> None:
        """Write the state of one part at a tick, durably."""
        replace_file(self.folder / f"{kind}-{slug(name)}-{tick:09d}.ckpt", data)

    def ticks(self, kind: str, name: str) -> list[int]:
        """Return the ticks for which a part has a checkpoint, ascending."""
        return sorted(int(path.stem.rsplit("-", 1)[1]) for path in self.folder.glob(f"{kind}-{slug(name)}-*.ckpt"))

    def load(self, kind: str, name: str, tick: int) -> Saved:
        """Return the state at exactly this tick. Raises CorruptFile or FileNotFoundError."""
        return Saved(tick, read_file(self.folder / f"{kind}-{slug(name)}-{tick:09d}.ckpt"))

    def latest(self, kind: str, name: str, at_most: int | None = None) -> Saved | None:
        """Return the newest whole state not after `at_most`; damaged files are noted and passed over."""
        for tick in reversed(self.ticks(kind, name)):
            if at_most is not None and tick > at_most:
                continue
            try:
                return self.load(kind, name, tick)
            except CorruptFile as error:
                self.damaged.append(str(error))
        return None
