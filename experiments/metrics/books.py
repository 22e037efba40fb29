"""Read a Project Gutenberg book as running words, and find where its sentences start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simonides.experiments.metrics.rows import read_text
from simonides.sim.errors import DataError

Ints = npt.NDArray[np.int64]

_START = re.compile(r"^\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG EBOOK (.*?) ?\*\*\*$", re.MULTILINE)
_END = re.compile(r"^\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG EBOOK", re.MULTILINE)
_HEADING = re.compile(r"^ *(CHAPTER +([IVXLC]+|\d+)|PROLOGUE|EPILOGUE)\b.*$")
_BACK_MATTER = re.compile(r"^ *(THE END|INDEX|NOTES|TRANSCRIBER.?S? NOTES?.*|\[The end of .*)$", re.IGNORECASE)
_PICTURE = re.compile(r"\[Illustration[^\]]*\]")
_ENDED = re.compile(r"[.!?]+[\"'”’)\]_]*$")
_OPENS = re.compile(r"^[\"'“‘(\[_]*[A-Z]")
_TITLES = frozenset(("Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Mme.", "Prof.", "Capt.", "Col.", "Gen.", "Rev.", "Sgt."))


@dataclass(frozen=True, slots=True)
class Book:
    """A book's running text as words, without front matter, back matter and chapter headings."""

    id: str
    title: str
    words: tuple[str, ...]


def load_book(path: str | Path) -> Book:
    """Read a Project Gutenberg text file; its id is the file name up to the first "-".

    Raises DataError for a file that is missing, not text, without Gutenberg's start and end lines (a truncated file
    has no end line), or without prose between them.
    """
    where, text = Path(path), read_text(Path(path))
    start, end = _START.search(text), _END.search(text)
    if start is None:
        raise DataError(f"{where}: no '*** START OF THE PROJECT GUTENBERG EBOOK' line; is it a Gutenberg text?")
    if end is None:
        raise DataError(f"{where}: starts as a Gutenberg text but has no '*** END OF' line; fetch it again.")
    words = tuple(_prose(text[start.end() : end.start()]).split())
    if not words:
        raise DataError(f"{where}: no prose between Gutenberg's start and end lines.")
    return Book(where.stem.split("-")[0], start.group(1).title(), words)


def _prose(text: str) -> str:
    """Keep the lines from the first chapter on to the back matter, without headings, pictures and ornaments."""
    lines = _PICTURE.sub("", text).split("\n")
    start = next((n for n, line in enumerate(lines) if _HEADING.match(line)), None)
    start = _first_paragraph(lines) if start is None else start
    stop = next((n for n in range(start, len(lines)) if _BACK_MATTER.match(lines[n])), len(lines))
    kept: list[str] = []
    in_heading = False
    for line in lines[start:stop]:
        # A heading is followed by its centred title; the first line at the margin is prose again.
        in_heading = bool(_HEADING.match(line)) or (in_heading and (not line.strip() or line.startswith("    ")))
        if not in_heading and re.search(r"\w", line):
            kept.append(line)
    return "\n".join(kept)


def _first_paragraph(lines: Sequence[str]) -> int:
    """Return where a book without chapters begins: its first three lines in a row that stand at the margin."""
    margin = [bool(line) and not line.startswith((" ", "[")) for line in lines]
    return next((n for n in range(len(lines) - 2) if all(margin[n : n + 3])), len(lines))


def sentence_starts(words: Sequence[str]) -> Ints:
    """Return the positions of words that start a sentence: the first, and capitals after a full stop, ! or ?."""
    return np.array(
        [n for n, word in enumerate(words) if n == 0 or (_ends(words[n - 1]) and _OPENS.match(word))], dtype=np.int64
    )


def _ends(word: str) -> bool:
    # An initial ("J.") or a title ("Mr.") is followed by a name, not by a sentence; "I." may end one.
    return bool(_ENDED.search(word)) and word not in _TITLES and not re.fullmatch(r"[A-HJ-Z]\.", word)
