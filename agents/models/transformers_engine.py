"""A causal language model on transformers, loaded into this process: batched generation and the scores of prompts."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, DynamicCache, GenerationConfig
from transformers.utils import logging

from simonides.agents.models.drawing import Draws, Finished, Row, scored
from simonides.agents.models.fitting import Fitting, Overflow
from simonides.agents.models.grammars import Grammars
from simonides.agents.models.weights import locate
from simonides.sim.errors import ModelDied, ModelFailed
from simonides.sim.types import Completion, Request, TokenScore

PIECE = 256
"""Tokens of a prompt that are scored at once: their scores take vocabulary * 4 bytes each."""

SOURCE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")
"""Time and line of C++ that xgrammar puts before what it says."""

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")


class Engine:
    """A loaded model. Not for two threads at once: `answer` lets one in."""

    def __init__(
        self, identity: str, model: str, dtype: str, device: str, context: int, overflow: Overflow, revision: str | None
    ) -> None:
        """Load the weights. `context` 0 is the model's own. Raises ModelFailed, in one line, for whatever is wrong."""
        self._identity = identity
        where = locate(model)
        try:
            logging.disable_progress_bar()
            self.device = _device(device)
            self._tokenizer = AutoTokenizer.from_pretrained(where, revision=revision or "main")
            self._model = _weights(where, dtype, revision or "main").to(self.device).eval()
            self._ends, self._pad = _special(self._model, self._tokenizer)
            vocabulary = self._model.get_output_embeddings().weight.shape[0]
            self._grammars = Grammars(self._tokenizer, vocabulary, self._ends)
        except Exception as error:  # transformers, safetensors and torch raise a dozen kinds, most of them their own
            raise ModelFailed(f"{identity} could not be loaded from {where}: {_line(error)}.") from None
        self._fitting = Fitting(identity, self._tokenizer, _context(self._model.config, context), overflow)
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(("requests", "batches", "prompt_tokens", "completion_tokens"), 0.0)

    @property
    def context(self) -> int:
        """The most tokens of prompt and reply together."""
        return self._fitting.context

    def counters(self) -> Mapping[str, float]:
        """Return how much was answered so far."""
        return dict(self._counts)

    def close(self) -> None:
        """Give the memory back."""
        del self._model
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def answer(self, requests: Sequence[Request]) -> list[Completion | Exception]:
        """Return a completion or ModelFailed for each request: all that can be answered make one batch."""
        with self._lock, torch.inference_mode():
            rows = [self._row(request) for request in requests]
            return self._answer(rows)

    def _row(self, request: Request) -> Row | ModelFailed:
        try:
            fitted = self._fitting.fit(request)
            grammar = self._grammars.of(request)
        except ModelFailed as error:
            return error
        except (RuntimeError, ValueError, TypeError) as error:
            return ModelFailed(f"{self._identity}: {request.purpose} has a form that xgrammar refuses: {_line(error)}.")
        return Row(request, fitted.tokens, fitted.cut, self._tokenizer, grammar)

    def _answer(self, rows: Sequence[Row | ModelFailed]) -> list[Completion | Exception]:
        good = [row for row in rows if isinstance(row, Row)]
        try:
            self._generate([row for row in good if not row.finish])
            done = {id(row): self._completion(row) for row in good}
        except Exception as error:
            return self._without(rows, error)
        self._count(done.values())
        return [done[id(row)] if isinstance(row, Row) else row for row in rows]

    def _without(self, rows: Sequence[Row | ModelFailed], error: Exception) -> list[Completion | Exception]:
        """Answer a batch that did not fit into memory in two halves; tell any other error, and that of a single one."""
        if not _out_of_memory(error):
            kind = ModelDied if isinstance(error, torch.AcceleratorError) else ModelFailed
            return [row if isinstance(row, ModelFailed) else kind(self._told(row, error)) for row in rows]
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(rows) == 1:
            return [row if isinstance(row, ModelFailed) else ModelFailed(self._told(row, error)) for row in rows]
        again = [self._row(row.request) if isinstance(row, Row) else row for row in rows]
        half = len(rows) // 2
        return [*self._answer(again[:half]), *self._answer(again[half:])]

    def _told(self, row: Row, error: Exception) -> str:
        asked = f"{row.request.purpose} ({len(row.prompt)} tokens)"
        return f"{self._identity} on {self.device} failed on {asked}: {_line(error)}."

    def _generate(self, rows: Sequence[Row]) -> None:
        """Let rows advance to their ends, prompts padded on the left."""
        if not rows:
            return
        width = max(len(row.prompt) for row in rows)
        ids = torch.tensor([[self._pad] * (width - len(row.prompt)) + row.prompt for row in rows], device=self.device)
        mask = torch.tensor(
            [[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows], device=self.device
        )
        self._model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=max(row.request.max_tokens for row in rows),
            logits_processor=[Draws(rows, self._ends, self._pad)],
            stopping_criteria=[Finished(rows)],
        )

    def _completion(self, row: Row) -> Completion:
        scores = self._prompt_scores(row.prompt) if row.request.prompt_logprobs else ()
        return Completion(row.text, len(row.prompt), len(row.tokens), row.finish, row.cut, tuple(row.scores), scores)

    def _prompt_scores(self, prompt: list[int]) -> tuple[TokenScore, ...]:
        """Return the scores of a prompt's tokens from the second on, computed alone, a piece at a time."""
        cache, found = DynamicCache(), []
        for start in range(0, len(prompt) - 1, PIECE):
            piece = torch.tensor([prompt[start : min(start + PIECE, len(prompt) - 1)]], device=self.device)
            logits = self._model(input_ids=piece, past_key_values=cache, use_cache=True).logits[0]
            following = prompt[start + 1 : start + 1 + len(logits)]
            found += [scored(row, token, 0, self._tokenizer) for row, token in zip(logits, following, strict=True)]
        return tuple(found)

    def _count(self, completions: Any) -> None:
        self._counts["batches"] += 1
        for completion in completions:
            self._counts["requests"] += 1
            self._counts["prompt_tokens"] += completion.prompt_tokens
            self._counts["completion_tokens"] += completion.completion_tokens


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    torch.empty(1, device=device)  # an unknown or absent device says so here
    return device


def _weights(where: str, dtype: str, revision: str) -> Any:
    """Return the model. Raises ValueError when weights are missing, which transformers would make up at random."""
    wanted = dtype if dtype == "auto" else getattr(torch, dtype)
    config = AutoConfig.from_pretrained(where, revision=revision)
    model, found = AutoModelForCausalLM.from_pretrained(
        where, config=config, dtype=wanted, revision=revision, output_loading_info=True
    )
    missing = sorted(found["missing_keys"])
    if missing:
        raise ValueError(f"its files lack {len(missing)} tensors, such as {missing[0]}")
    return model


def _special(model: Any, tokenizer: Any) -> tuple[frozenset[int], int]:
    """Return the tokens that end a reply and the one that pads; from here on `generate` knows these settings alone."""
    given = model.generation_config.eos_token_id
    ends = {*(given if isinstance(given, list) else [given]), tokenizer.eos_token_id} - {None}
    pad = next((i for i in (tokenizer.pad_token_id, *sorted(ends)) if i is not None), 0)
    model.generation_config = GenerationConfig(do_sample=False, eos_token_id=sorted(ends) or None, pad_token_id=pad)
    return frozenset(ends), pad


def _context(config: Any, wanted: int) -> int:
    own = int(getattr(config.get_text_config(), "max_position_embeddings", 0) or 0)
    return min(wanted, own) if wanted and own else wanted or own


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in str(error).lower() for words in OUT_OF_MEMORY
    )


def _line(error: Exception) -> str:
    """Return an error as one line, without its last full stop."""
    text = SOURCE.sub("", " ".join(str(error).split()))[:300] or type(error).__name__
    return ("out of memory: " + text if _out_of_memory(error) else text).rstrip(".")
