"""Bind replies to a JSON schema, a list of choices or a regular expression, by xgrammar's token masks."""

from __future__ import annotations

import json
from typing import Any

import torch
import xgrammar

from simonides.sim.types import Request


class Grammar:
    """Where one reply stands in its grammar."""

    def __init__(self, compiled: Any, vocabulary: int) -> None:
        self._matcher = xgrammar.GrammarMatcher(compiled)
        self._mask = xgrammar.allocate_token_bitmask(1, vocabulary)

    def allowed(self, logits: torch.Tensor) -> torch.Tensor:
        """Return float32[vocabulary] scores with minus infinity for the tokens that may not come next."""
        self._matcher.fill_next_token_bitmask(self._mask)
        masked = logits.clone().unsqueeze(0)
        xgrammar.apply_token_bitmask_inplace(masked, self._mask.to(logits.device))
        return masked[0]

    def accept(self, token: int) -> None:
        """Go on by the token that was drawn."""
        self._matcher.accept_token(token)


class Grammars:
    """The grammars of one model: each is compiled once."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: frozenset[int]) -> None:
        """`vocabulary` is the width of the model's scores, `ends` the tokens that end a reply."""
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=sorted(ends))
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1)
        self._vocabulary = vocabulary

    def of(self, request: Request) -> Grammar | None:
        """Return a new grammar for a request's reply, None when nothing binds it. Raises what xgrammar raises."""
        if request.schema is not None:
            compiled = self._compiler.compile_json_schema(json.dumps(request.schema), any_whitespace=False)
        elif request.choices:
            lines = " | ".join(json.dumps(choice, ensure_ascii=False) for choice in request.choices)
            compiled = self._compiler.compile_grammar(f"root ::= {lines}")
        elif request.regex:
            compiled = self._compiler.compile_regex(request.regex)
        else:
            return None
        return Grammar(compiled, self._vocabulary)
