"""What a phone keeps: a SQLite database for each app, files with their modes and times, settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from posixpath import dirname, normpath
from typing import Any

from simonides.envs.android.device import FileEntry

_FOLDER, _LINKS = 0o040771, {"/sdcard": "/storage/emulated/0", "/storage/self/primary": "/storage/emulated/0"}
_PAGE = 512
"""Bytes of a database's page, SQLite's smallest: a snapshot holds every database."""


class Databases:
    """One database in memory for each app."""

    def __init__(self) -> None:
        self._open: dict[str, sqlite3.Connection] = {}

    def create(self, package: str, schema: str) -> sqlite3.Connection:
        """Return a new database with a schema, in place of any earlier one."""
        self.drop(package)
        connection = _connection()
        connection.executescript(f"PRAGMA page_size={_PAGE}; VACUUM; {schema}")
        self.load(package, connection.serialize())  # a database that was loaded counts its changes, a new one does not
        connection.close()
        return self._open[package]

    def drop(self, package: str) -> None:
        """Close and forget an app's database, if it has one."""
        if package in self._open:
            self._open.pop(package).close()

    def __getitem__(self, package: str) -> sqlite3.Connection:
        """Return an app's database. Raises KeyError where there is none."""
        return self._open[package]

    def __contains__(self, package: str) -> bool:
        return package in self._open

    def dump(self, package: str) -> bytes:
        """Return an app's database as SQLite's file format."""
        return self._open[package].serialize()

    def load(self, package: str, data: bytes) -> None:
        """Replace an app's database by a file's content."""
        self.drop(package)
        self._open[package] = _connection()
        self._open[package].deserialize(data)

    def plain(self) -> dict[str, bytes]:
        """Return all databases as bytes."""
        return {package: self.dump(package) for package in sorted(self._open)}

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Go to the databases of `plain`."""
        for package in list(self._open):
            self.drop(package)
        for package, data in state.items():
            self.load(package, data)


def _connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def real(path: str) -> str:
    """Return a path without links, dots or a slash at its end."""
    path = normpath("/" + path.lstrip("/"))
    for link, target in _LINKS.items():
        if path == link or path.startswith(link + "/"):
            return target + path[len(link) :]
    return path


class Files:
    """Files by path. Folders are there when something is in them or `mkdir` made them."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, int, int]] = {}
        self._folders: dict[str, int] = {"/": 0}

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises FileNotFoundError, IsADirectoryError."""
        path = real(path)
        if path in self._folders:
            raise IsADirectoryError(path)
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path][0]

    def write(self, path: str, data: bytes, time: int, mode: int = 0o100644) -> None:
        """Write a file, making the folders above it."""
        path = real(path)
        if path in self._folders:
            raise IsADirectoryError(path)
        self.mkdir(dirname(path), time)
        self._files[path] = (bytes(data), mode | 0o100000, time)

    def mkdir(self, path: str, time: int) -> None:
        """Make a folder and those above it."""
        path = real(path)
        while path not in self._folders:
            self._folders[path] = time
            path = dirname(path)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it. Raises FileNotFoundError."""
        path = real(path)
        self.stat(path)
        below = path.rstrip("/") + "/"
        self._files = {
            name: value for name, value in self._files.items() if name != path and not name.startswith(below)
        }
        self._folders = {name: t for name, t in self._folders.items() if name != path and not name.startswith(below)}

    def stat(self, path: str) -> FileEntry:
        """Return one entry. Raises FileNotFoundError."""
        path = real(path)
        name = path.rsplit("/", 1)[-1]
        if path in self._folders:
            return FileEntry(name, _FOLDER, 4096, self._folders[path])
        if path not in self._files:
            raise FileNotFoundError(path)
        data, mode, time = self._files[path]
        return FileEntry(name, mode, len(data), time)

    def list(self, path: str) -> Sequence[FileEntry]:
        """Return a folder's entries, by name. Raises FileNotFoundError."""
        path = real(path)
        if path not in self._folders:
            raise FileNotFoundError(path)
        inside = [name for name in (*self._files, *self._folders) if name != "/" and dirname(name) == path]
        return [self.stat(name) for name in sorted(inside)]

    def plain(self) -> dict[str, Any]:
        """Return all files and folders."""
        return {"files": {name: list(entry) for name, entry in self._files.items()}, "folders": dict(self._folders)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the files of `plain`."""
        self._files = {name: (entry[0], entry[1], entry[2]) for name, entry in state["files"].items()}
        self._folders = dict(state["folders"])
