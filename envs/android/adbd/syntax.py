"""Read a shell command line: words, quotes, variables, redirections, pipes and lists, as Android's mksh does.

Loops, conditions and functions are not read; a line with them is a syntax error that says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<comment>(?<![^\s;|&(){}])#[^\n]*)|(?P<redirect>[0-2]?>>|[0-2]?>&[0-2]|[0-2]?>|<)"
    r"|(?P<operator>&&|\|\||[;&|()\n])"
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*)|([?$#0-9]))")
RESERVED = frozenset("if then else elif fi for while until do done case esac function select { } !".split())
REDIRECT = re.compile(r"([0-2]?)(>>|>&|>|<)([0-2]?)")


class ShellSyntaxError(Exception):
    """A line that is not a command of this shell."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: `quoted` ones are not split or matched against file names, `open` ones take variables."""

    text: str
    quoted: bool
    open: bool
    command: bool = False
    """The output of this text, run as a line of its own."""


Word = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where one stream goes: a file, or another stream's number."""

    stream: int
    kind: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its words and redirections, or a list in parentheses."""

    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    group: Sequence | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Pipelines in order; before each stands "", "&&" or "||"."""

    steps: tuple[tuple[str, tuple[Simple, ...]], ...]


def parse(line: str) -> Sequence:
    """Return what a line says. Raises ShellSyntaxError."""
    tokens = _tokens(line)
    sequence, end = _sequence(tokens, 0)
    if end < len(tokens):
        raise ShellSyntaxError(f"syntax error: unexpected '{tokens[end]}'")
    return sequence


def _tokens(line: str) -> list[str | Word | Redirect]:
    tokens: list[str | Word | Redirect] = []
    place = 0
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:
            word, place = _word(line, place)
            tokens.append(word)
            continue
        place = match.end()
        if match.lastgroup == "operator":
            tokens.append(match.group())
        elif match.lastgroup == "redirect":
            redirect, place = _redirect(match.group(), line, place)
            tokens.append(redirect)
    return tokens


def _redirect(mark: str, line: str, place: int) -> tuple[Redirect, int]:
    number, kind, other = REDIRECT.fullmatch(mark).groups()  # type: ignore[union-attr]
    stream = int(number) if number else int(kind != "<")
    if kind == ">&":
        return Redirect(stream, kind, (Piece(other, True, False),)), place
    while place < len(line) and line[place] in " \t":
        place += 1
    if place == len(line) or _TOKEN.match(line, place):
        raise ShellSyntaxError("syntax error: unexpected 'newline'")
    target, place = _word(line, place)
    return Redirect(stream, kind, target), place


def _word(line: str, place: int) -> tuple[Word, int]:
    pieces: list[Piece] = []
    while place < len(line) and (line[place] == "#" or not _TOKEN.match(line, place) or _digit(line, place)):
        if line[place] == "'":
            end = _closing(line, place, "'")
            pieces.append(Piece(line[place + 1 : end], True, False))
            place = end + 1
        elif line[place] == '"':
            place = _double(line, place + 1, pieces)
        elif line[place] == "\\":
            if line[place + 1 : place + 2] != "\n":
                pieces.append(Piece(line[place + 1 : place + 2], True, False))
            place += 2
        elif line[place] == "`" or line.startswith("$(", place):
            place = _substitution(line, place, pieces, False)
        else:
            end = place + 1
            while end < len(line) and line[end] not in "'\"\\`$" and not _TOKEN.match(line, end):
                end += 1
            pieces.append(Piece(line[place:end], False, True))
            place = end
    return tuple(_joined(pieces)), place


def _digit(line: str, place: int) -> bool:
    """Say whether a number before > belongs to the word that is being read, as in `a2>b`."""
    return line[place].isdigit() and place > 0 and line[place - 1] not in " \t;&|()\n"


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Return pieces with plain neighbours made one, so that a variable's name is whole."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and (last.quoted, last.open, last.command) == (piece.quoted, piece.open, False) and piece.open:
            joined[-1] = Piece(last.text + piece.text, piece.quoted, piece.open)
        else:
            joined.append(piece)
    return joined


def _closing(line: str, place: int, mark: str) -> int:
    end = line.find(mark, place + 1)
    if end < 0:
        raise ShellSyntaxError(f"no closing quote {mark}")
    return end


def _double(line: str, place: int, pieces: list[Piece]) -> int:
    pieces.append(Piece("", True, False))
    while place < len(line) and line[place] != '"':
        if line[place] == "\\" and line[place + 1 : place + 2] in ('"', "\\", "$", "`"):
            pieces.append(Piece(line[place + 1], True, False))
            place += 2
        elif line[place] == "`" or line.startswith("$(", place):
            place = _substitution(line, place, pieces, True)
        else:
            pieces.append(Piece(line[place], True, True))
            place += 1
    if place == len(line):
        raise ShellSyntaxError('no closing quote "')
    return place + 1


def _substitution(line: str, place: int, pieces: list[Piece], quoted: bool) -> int:
    if line[place] == "`":
        end = _closing(line, place, "`")
        pieces.append(Piece(line[place + 1 : end], quoted, False, True))
        return end + 1
    depth, end = 1, place + 2
    while end < len(line) and depth:
        depth += {"(": 1, ")": -1}.get(line[end], 0)
        end += 1
    if depth:
        raise ShellSyntaxError("no closing )")
    pieces.append(Piece(line[place + 2 : end - 1], quoted, False, True))
    return end


def _sequence(tokens: list[str | Word | Redirect], place: int) -> tuple[Sequence, int]:
    steps: list[tuple[str, tuple[Simple, ...]]] = []
    link = ""
    while place < len(tokens) and tokens[place] != ")":
        if tokens[place] in ("\n", ";") and link == "" and (steps or tokens[place] == "\n"):
            place += 1
            continue
        pipeline, place = _pipeline(tokens, place)
        steps.append((link, pipeline))
        link = ""
        if place < len(tokens) and tokens[place] in ("&&", "||", ";", "&", "\n"):
            token = tokens[place]
            link = token if token in ("&&", "||") else ""
            place += 1
    if link:
        raise ShellSyntaxError("syntax error: unexpected end of line")
    return Sequence(tuple(steps)), place


def _pipeline(tokens: list[str | Word | Redirect], place: int) -> tuple[tuple[Simple, ...], int]:
    command, place = _simple(tokens, place)
    commands = [command]
    while place < len(tokens) and tokens[place] == "|":
        command, place = _simple(tokens, place + 1)
        commands.append(command)
    return tuple(commands), place


def _simple(tokens: list[str | Word | Redirect], place: int) -> tuple[Simple, int]:
    words: list[Word] = []
    redirects: list[Redirect] = []
    group = None
    if place < len(tokens) and tokens[place] == "(":
        group, place = _sequence(tokens, place + 1)
        if place == len(tokens):
            raise ShellSyntaxError("no closing )")
        place += 1
    while place < len(tokens) and not isinstance(token := tokens[place], str):
        (redirects if isinstance(token, Redirect) else words).append(token)  # type: ignore[arg-type]
        place += 1
    if not words and not redirects and group is None:
        found = tokens[place] if place < len(tokens) else "end of line"
        raise ShellSyntaxError(f"syntax error: unexpected '{found}'".replace("'\n'", "'newline'"))
    if words and len(words[0]) == 1 and not words[0][0].quoted and words[0][0].text in RESERVED:
        raise ShellSyntaxError(f"syntax error: '{words[0][0].text}': this shell knows lists, pipes and files only")
    return Simple(tuple(words), tuple(redirects), group), place


def expanded(text: str, variables: dict[str, str]) -> str:
    """Return a text with its variables' values; unknown ones are empty."""
    return _VARIABLE.sub(lambda match: variables.get(next(filter(None, match.groups())), ""), text)
