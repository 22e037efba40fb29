"""A device's own files, by absolute path: nothing outside of the device can be named."""

from __future__ import annotations

import fnmatch
import posixpath
import stat
from dataclasses import dataclass

from simonides.envs.android.device import FileEntry, SimulatedDevice


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one device, as a shell sees them."""

    device: SimulatedDevice

    def absolute(self, path: str, folder: str = "/") -> str:
        """Return a path without dots, from the root; `..` stops there."""
        return "/" + posixpath.normpath(posixpath.join(folder, path) or "/").lstrip("/")

    def stat(self, path: str) -> FileEntry:
        """Return one entry. Raises FileNotFoundError."""
        return self.device.stat(path)

    def exists(self, path: str) -> bool:
        """Say whether there is a file or folder."""
        try:
            self.device.stat(path)
        except FileNotFoundError:
            return False
        return True

    def is_folder(self, path: str) -> bool:
        """Say whether there is a folder."""
        return self.exists(path) and stat.S_ISDIR(self.device.stat(path).mode)

    def entries(self, path: str) -> list[FileEntry]:
        """Return a folder's entries by name. Raises FileNotFoundError."""
        return sorted(self.device.list_files(path), key=lambda entry: entry.name)

    def read(self, path: str) -> bytes:
        """Return a file. Raises FileNotFoundError or IsADirectoryError."""
        if self.is_folder(path):
            raise IsADirectoryError(path)
        return self.device.read_file(path)

    def write(self, path: str, data: bytes, append: bool = False, mode: int = 0o100644) -> None:
        """Write a file. Raises IsADirectoryError for a folder, FileNotFoundError if its folder is missing."""
        if self.is_folder(path):
            raise IsADirectoryError(path)
        if not self.is_folder(posixpath.dirname(path)):
            raise FileNotFoundError(path)
        before = self.device.read_file(path) if append and self.exists(path) else b""
        self.device.write_file(path, before + data, mode)

    def make(self, path: str) -> None:
        """Make a folder and those above it that are missing."""
        if not self.exists(path):
            self.device.make_folder(path)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it. Raises FileNotFoundError."""
        self.device.remove_file(path)

    def matching(self, pattern: str) -> list[str]:
        """Return the paths that fit a shell pattern, sorted."""
        found = ["/"]
        for piece in pattern.strip("/").split("/"):
            found = [posixpath.join(folder, name) for folder in found for name in self._fitting(folder, piece)]
        return sorted(found)

    def _fitting(self, folder: str, piece: str) -> list[str]:
        if not any(mark in piece for mark in "*?["):  # links have their place, but no entry above it
            return [piece] if self.exists(posixpath.join(folder, piece)) else []
        if not self.is_folder(folder):
            return []
        names = [entry.name for entry in self.entries(folder)]
        return [name for name in names if fnmatch.fnmatchcase(name, piece) and (name[0] != "." or piece[0] == ".")]


def reason(error: Exception) -> str:
    """Return why a file cannot be used, in the words of Android's tools."""
    said: dict[type[Exception], str] = {
        FileNotFoundError: "No such file or directory",
        IsADirectoryError: "Is a directory",
    }
    return said.get(type(error), str(error))
