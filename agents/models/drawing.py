"""Draw the tokens of a batch row by row: what a row draws depends on its own request and scores, never on the others.

Runs inside transformers' `generate`, as its logits processor and stopping criterion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from simonides.agents.models.grammars import Grammar
from simonides.sim.types import Request, TokenScore


class Row:
    """One request on its way: its tokens so far, their scores, how it ended ("" while it goes on).

    The ending token counts as a token of the reply. Log-probabilities are those of the model itself, before
    temperature, nucleus and grammar.
    """

    def __init__(self, request: Request, prompt: list[int], cut: int, tokenizer: Any, grammar: Grammar | None) -> None:
        self.request = request
        self.prompt = prompt
        self.cut = cut
        self.tokens: list[int] = []
        self.scores: list[TokenScore] = []
        self.finish = "" if request.max_tokens > 0 else "length"
        self._tokenizer = tokenizer
        self._grammar = grammar
        self._draws = torch.Generator().manual_seed(request.seed & (2**63 - 1))
        self._stopped: str | None = None

    @property
    def text(self) -> str:
        """The reply so far, without special tokens; up to the first stop string once one has come."""
        return self._decoded() if self._stopped is None else self._stopped

    def advance(self, logits: torch.Tensor, ends: frozenset[int]) -> int:
        """Draw, keep and return the next token, given float32[vocabulary]."""
        allowed = self._grammar.allowed(logits) if self._grammar else logits
        token = self._draw(allowed)
        if self.request.logprobs is not None:
            self.scores.append(scored(logits, token, self.request.logprobs, self._tokenizer))
        if self._grammar:
            self._grammar.accept(token)
        self.tokens.append(token)
        self._end(token, ends)
        return token

    def _draw(self, logits: torch.Tensor) -> int:
        r = self.request
        if r.temperature <= 0:
            return int(logits.argmax())
        return sample(logits.double() / r.temperature, r.top_p, self._draws)

    def _end(self, token: int, ends: frozenset[int]) -> None:
        if token in ends:
            self.finish = "stop"
        elif self.request.stop and (at := self._first_stop(text := self._decoded())) >= 0:
            self.finish, self._stopped = "stop", text[:at]
        elif len(self.tokens) >= self.request.max_tokens:
            self.finish = "length"

    def _first_stop(self, text: str) -> int:
        return min((at for stop in self.request.stop if (at := text.find(stop)) >= 0), default=-1)

    def _decoded(self) -> str:
        return str(self._tokenizer.decode(self.tokens, skip_special_tokens=True))


def sample(logits: torch.Tensor, top_p: float, draws: torch.Generator) -> int:
    """Return one token, drawn by the Gumbel-max rule: the largest of probability / exponential noise.

    Rounding changes such a draw only when the two largest are nearly equal, or a token at the nucleus's edge wins; an
    inverted cumulative sum would shift all tokens by that edge. `top_p` keeps the most probable tokens up to that mass
    (Holtzman et al. 2020), at least one.
    """
    probabilities = logits.softmax(-1)
    if top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        beyond = ordered.cumsum(-1) - ordered >= top_p
        beyond[0] = False
        probabilities = probabilities.index_fill(0, order[beyond], 0.0)
    noise = torch.empty(len(probabilities), dtype=torch.float64).exponential_(generator=draws)
    return int((probabilities / noise.to(probabilities.device)).argmax())


def scored(logits: torch.Tensor, token: int, alternatives: int, tokenizer: Any) -> TokenScore:
    """Return a token's log-probability under float32[vocabulary], and those of the most probable alternatives."""
    logprobs = logits.float().log_softmax(-1)
    top: dict[str, float] = {}
    if alternatives:
        best = logprobs.topk(min(alternatives, len(logprobs)))
        for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            top.setdefault(str(tokenizer.decode([index])), value)
        top.setdefault(str(tokenizer.decode([token])), float(logprobs[token]))
    return TokenScore(str(tokenizer.decode([token])), float(logprobs[token]), top)


class Draws:
    """The logits processor of a batch: leaves, in each row, nothing but the token that the row has drawn."""

    def __init__(self, rows: Sequence[Row], ends: frozenset[int], pad: int) -> None:
        self._rows = rows
        self._ends = ends
        self._pad = pad

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return float32[rows, vocabulary] with one finite entry a row."""
        drawn = [self._pad if r.finish else r.advance(scores[i], self._ends) for i, r in enumerate(self._rows)]
        left = torch.full_like(scores, -torch.inf)
        left[torch.arange(len(drawn)), drawn] = 0.0
        return left


class Finished:
    """The stopping criterion of a batch: which rows have ended."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **more: Any) -> torch.Tensor:
        """Return bool[rows]."""
        return torch.tensor([bool(row.finish) for row in self._rows], device=input_ids.device)
