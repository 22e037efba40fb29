"""Run command lines on a simulated device, as `adb shell` does: lists, pipes, files, variables, exit statuses."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Event, RLock

from simonides.envs.android.adbd.files import Files, reason
from simonides.envs.android.adbd.syntax import (
    Piece,
    Redirect,
    Sequence,
    ShellSyntaxError,
    Simple,
    Word,
    expanded,
    parse,
)
from simonides.envs.android.device import SimulatedDevice

SPACE = " \t\n"
NOT_FOUND = 127
READ_WITHOUT_FILES = frozenset({"cat", "grep", "head", "tail", "wc", "md5sum", "sha256sum", "base64", "sh", "tee"})
"""Commands that read their input, if anything connects it."""
UNLOCKED = frozenset("logcat app_process sh toybox busybox exec command nohup timeout".split())
"""Commands that wait for their client to go, or run another: they let the others act."""


class Stop(Exception):
    """`exit`: the line ends here with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class Target:
    """The device behind a daemon, with what the daemon itself keeps about it."""

    device: SimulatedDevice
    serial: str
    lock: RLock = field(default_factory=RLock)
    """Held while a command acts, so that clients take turns."""
    clipboard: str = ""
    started: set[str] = field(default_factory=set)
    """Packages that were started, or seen in front, and not stopped since."""

    @property
    def files(self) -> Files:
        """The device's files."""
        return Files(self.device)


@dataclass
class Call:
    """One command as it is run: its arguments, its input, and what it writes."""

    target: Target
    shell: Shell
    name: str
    arguments: list[str]
    input: bytes = b""
    out: bytearray = field(default_factory=bytearray)
    error: bytearray = field(default_factory=bytearray)

    @property
    def device(self) -> SimulatedDevice:
        """The device that the command acts on."""
        return self.target.device

    @property
    def files(self) -> Files:
        """The device's files."""
        return self.target.files

    def say(self, text: str) -> int:
        """Write a line and return success."""
        self.out += text.encode() + b"\n"
        return 0

    def complain(self, text: str, status: int = 1) -> int:
        """Write a line to the error stream and return a status."""
        self.error += text.encode() + b"\n"
        return status

    def path(self, path: str) -> str:
        """Return a path from the root, seen from the shell's folder."""
        return self.files.absolute(path, self.shell.folder)


Command = Callable[[Call], int]
COMMANDS: dict[str, Command] = {}


def command(*names: str) -> Callable[[Command], Command]:
    """Make a function a command under some names."""

    def add(function: Command) -> Command:
        COMMANDS.update(dict.fromkeys(names, function))
        return function

    return add


class Shell:
    """One shell on a device. `read` returns all that comes as its input; it is called at most once, and may wait."""

    def __init__(self, target: Target, read: Callable[[], bytes] = bytes) -> None:
        self.target = target
        self.closed = Event()
        """Set when the client has gone: what only waits for that ends."""
        self.ended = False
        """Whether `exit` was said."""
        self.folder = "/"
        self.variables = {"?": "0", "$": "4242", "0": "/system/bin/sh", "HOME": "/", "PATH": "/system/bin", "PWD": "/"}
        self._read = read

    def run(self, line: str, merged: bool = False) -> tuple[int, bytes, bytes]:
        """Return status, output and errors of a line; `merged` puts errors into the output, where they come."""
        out = bytearray()
        error = out if merged else bytearray()
        try:
            status = self._sequence(parse(line), None, out, error)
        except ShellSyntaxError as wrong:
            error += f"/system/bin/sh: {wrong}\n".encode()
            status = 1
        except Stop as stop:
            status, self.ended = stop.status, True
        self.variables["?"] = str(status)
        return status, bytes(out), b"" if merged else bytes(error)

    def _sequence(self, sequence: Sequence, given: bytes | None, out: bytearray, error: bytearray) -> int:
        status = int(self.variables["?"])
        for link, pipeline in sequence.steps:
            if (link == "&&" and status) or (link == "||" and not status):
                continue
            status = self._pipeline(pipeline, given, out, error)
            self.variables["?"] = str(status)
        return status

    def _pipeline(self, pipeline: tuple[Simple, ...], given: bytes | None, out: bytearray, error: bytearray) -> int:
        status = 0
        for place, simple in enumerate(pipeline):
            last = place == len(pipeline) - 1
            into = out if last else bytearray()
            status = self._redirected(simple, given, into, error)
            given = given if last else bytes(into)
        return status

    def _redirected(self, simple: Simple, given: bytes | None, out: bytearray, error: bytearray) -> int:
        streams: dict[int, bytearray] = {1: out, 2: error}
        files: list[tuple[str, bytearray, bool]] = []
        try:
            for redirect in simple.redirects:
                if redirect.kind == "<":
                    given = self._file(redirect, reading=True)[1]
                elif redirect.kind == ">&":
                    streams[redirect.stream] = streams.get(int(redirect.target[0].text), error)
                else:
                    path, _ = self._file(redirect, reading=False)
                    streams[redirect.stream] = bytearray()
                    files.append((path, streams[redirect.stream], redirect.kind == ">>"))
        except OSError as wrong:
            error += f"/system/bin/sh: can't open {_why(wrong)}\n".encode()
            return 1
        status = self._command(simple, given, streams[1], streams[2])
        try:
            for path, written, append in files:
                if path != "/dev/null":
                    with self.target.lock:
                        self.target.files.write(path, bytes(written), append)
        except OSError as wrong:  # the command itself put a folder there, or took its folder away
            error += f"/system/bin/sh: can't write {_why(wrong)}\n".encode()
            return 1
        return status

    def _file(self, redirect: Redirect, reading: bool) -> tuple[str, bytes]:
        words = self._fields(redirect.target)
        path = self.target.files.absolute(" ".join(words), self.folder)
        with self.target.lock:
            if path == "/dev/null":
                return path, b""
            if reading:
                return path, self.target.files.read(path)
            if redirect.kind != ">>" or not self.target.files.exists(path):
                self.target.files.write(path, b"")
        return path, b""

    def _command(self, simple: Simple, given: bytes | None, out: bytearray, error: bytearray) -> int:
        if simple.group is not None:
            return self._sequence(simple.group, given, out, error)
        words = list(simple.words)
        while words and (assigned := self._assignment(words[0])):
            self.variables.update(assigned)
            words.pop(0)
        fields = [piece for word in words for piece in self._fields(word)]
        if not fields:
            return 0
        return self.execute(fields, given, out, error)

    def execute(self, fields: list[str], given: bytes | None, out: bytearray, error: bytearray) -> int:
        """Run one command of some words; return its status."""
        name = posixpath.basename(fields[0]) if fields[0].startswith(("/system/bin/", "/bin/")) else fields[0]
        found = COMMANDS.get(name)
        if found is None:
            missing = "No such file or directory" if "/" in fields[0] else "inaccessible or not found"
            error += f"/system/bin/sh: {fields[0]}: {missing}\n".encode()
            return NOT_FOUND
        if given is None and name in READ_WITHOUT_FILES:
            given = b"" if _names_files(name, fields[1:]) else self._read()
        call = Call(self.target, self, name, fields[1:], given or b"", out, error)
        try:
            with nullcontext() if name in UNLOCKED else self.target.lock:
                return found(call)
        except OSError as wrong:
            return call.complain(f"{name}: {_why(wrong)}")
        except (ValueError, IndexError, re.error):
            return call.complain(f"{name}: Invalid argument: {' '.join(fields[1:])}")

    def another(self, given: bytes | None = None) -> Shell:
        """Return a shell below this one, in its folder, with `given` as its input."""
        shell = Shell(self.target, self._read if given is None else lambda: given)
        shell.folder, shell.closed, shell.variables = self.folder, self.closed, dict(self.variables)
        return shell

    def _assignment(self, word: Word) -> dict[str, str]:
        name, mark, value = word[0].text.partition("=")
        if word[0].quoted or not mark or not name.isidentifier():
            return {}
        rest = (Piece(value, False, True), *word[1:])
        return {name: "".join(self._text(piece) for piece in rest)}

    def _text(self, piece: Piece) -> str:
        if piece.command:
            _, out, _ = self.another().run(piece.text)
            return out.decode(errors="replace").rstrip("\n")
        return expanded(piece.text, self.variables) if piece.open else piece.text

    def _fields(self, word: Word) -> list[str]:
        """Return the arguments that a word becomes: variables put in, split, file names found."""
        fields: list[str] = []
        current, pattern, any_of_it = "", False, False
        for piece in word:
            text = self._text(piece)
            if piece.quoted:
                current, any_of_it = current + text, True
                continue
            pattern = pattern or (piece.open and any(mark in piece.text for mark in "*?["))
            parts = _split(text) if text != piece.text else [text]
            for place, part in enumerate(parts):
                if place:
                    fields += self._found(current, pattern) if any_of_it else []
                    current, any_of_it = "", False
                current, any_of_it = current + part, any_of_it or bool(part)
        return [*fields, *self._found(current, pattern)] if any_of_it else fields

    def _found(self, text: str, pattern: bool) -> list[str]:
        if not pattern:
            return [text]
        with self.target.lock:
            found = self.target.files.matching(self.target.files.absolute(text, self.folder))
        if not text.startswith("/"):
            found = [posixpath.relpath(path, self.folder) for path in found]
        return found or [text]


def _names_files(name: str, arguments: list[str]) -> bool:
    """Say whether a command's arguments name files, so that it does not read its input."""
    words = [word for flag, word in options(arguments, "-n -c" if name in ("head", "tail") else "") if not flag]
    return len(words) > (name == "grep")


def _split(text: str) -> list[str]:
    """Return a text cut at each run of white space; an empty end says that there was some."""
    parts = text.split()
    before = [""] if text[:1] and text[0] in SPACE else []
    after = [""] if parts and text[-1] in SPACE else []
    return [*before, *parts, *after] or [""]


def _why(wrong: OSError) -> str:
    """Return an error as toybox says it."""
    return f"{wrong.filename if wrong.filename is not None else wrong}: {reason(wrong)}"


def options(arguments: list[str], with_value: str = "") -> Iterator[tuple[str, str]]:
    """Yield the options and other arguments of a command: ("-n", value), ("-p", "") and ("", argument)."""
    rest = iter(arguments)
    for word in rest:
        if word.startswith("-") and len(word) > 1:
            yield word, next(rest, "") if word in with_value.split() else ""
        else:
            yield "", word
