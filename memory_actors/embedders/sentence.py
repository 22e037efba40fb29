"""Turn texts into vectors with any model of the sentence-transformers library, on the CPU or a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from simonides.sim.errors import MissingExtra
from simonides.sim.types import FloatArray


class SentenceTransformer:
    """Unit vectors from a sentence-transformers model: a folder, or a name on the Hugging Face hub.

    A name is looked up in the local cache only, unless `download`. The last bits of a vector may change with
    `batch_size`, device and library version: keep them in a `CachedEmbedder`, which makes the first ones stay.
    """

    def __init__(
        self,
        model: str = "sentence-transformers/all-MiniLM-L6-v2",
        batch_size: int = 32,
        device: str | None = None,
        download: bool = False,
    ) -> None:
        """Load the model. Raises MissingExtra when sentence-transformers is not installed."""
        try:
            library = import_module("sentence_transformers")
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"The embedder 'sentence-transformers' needs {error.name}, which is not installed: "
                "pip install 'simonides[sentence-transformers]'."
            ) from None
        self._batch_size = batch_size
        self._identity = f"sentence-transformers/{library.__version__}/{model}"
        self._model: Any = library.SentenceTransformer(model, device=device, local_files_only=not download)
        self._dimension = int(self._model.get_sentence_embedding_dimension())

    @property
    def dimension(self) -> int:
        """Number of columns, as the model says."""
        return self._dimension

    @property
    def identity(self) -> str:
        """The library's version and the model's name."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension], rows of unit length (zero for an empty text)."""
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        if rows:
            vectors[rows] = self._model.encode(
                [texts[row] for row in rows],
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return vectors
