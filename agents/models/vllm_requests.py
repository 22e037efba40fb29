"""Our requests in vLLM's terms, and its log-probabilities in ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simonides.sim.types import Request, TokenScore

SEEDS = (1 << 63) - 1
"""Mask that brings a seed of 64 bits into the range of signed ones, which is what engines take."""


def parameters_of(request: Request) -> Any:
    """Return vLLM's sampling parameters. Raises ValueError or one of vLLM's errors for what it refuses at once."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    bound: dict[str, Any] = {}
    if request.schema is not None:
        bound = {"json": dict(request.schema)}
    elif request.choices:
        bound = {"choice": list(request.choices)}
    elif request.regex:
        bound = {"regex": request.regex}
    return SamplingParams(
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed & SEEDS,
        stop=list(request.stop),
        max_tokens=request.max_tokens,
        logprobs=request.logprobs,
        prompt_logprobs=0 if request.prompt_logprobs else None,
        structured_outputs=StructuredOutputsParams(**bound) if bound else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def scores_of(tokens: Iterable[int], places: Iterable[Any]) -> tuple[TokenScore, ...]:
    """Return the scores of tokens from vLLM's map of token to log-probability for each place."""
    scores = []
    for token, place in zip(tokens, places, strict=True):
        ranked = sorted(place.values(), key=lambda entry: -entry.logprob)
        top: dict[str, float] = {}
        for entry in ranked:
            top.setdefault(entry.decoded_token or "", float(entry.logprob))
        own = place[token]
        scores.append(TokenScore(own.decoded_token or "", float(own.logprob), top))
    return tuple(scores)
