"""Read a choice among labels off the log-probabilities of a reply's first token."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simonides.sim.types import Completion

SPACES = " \u2581\u0120"
"""How tokenizers spell the space before a word: as it is, SentencePiece's, byte-level BPE's."""


def likeliest(log_probabilities: Mapping[str, float], labels: Sequence[str]) -> str | None:
    """Return the label of the likeliest token that is one, None if none is; a tie goes to the label listed first.

    A token counts with or without a leading space, however its tokenizer spells that space.
    """
    best = dict.fromkeys(labels, -math.inf)
    for token, value in log_probabilities.items():
        label = token.lstrip(SPACES)
        if label in best:
            best[label] = max(value, best[label])
    found = max(labels, key=lambda label: best[label])
    return found if best[found] > -math.inf else None


def first_token(completion: Completion) -> dict[str, float]:
    """Return the natural-log probabilities of a reply's first token, by token; {} when the model gave none."""
    if not completion.scores:
        return {}
    score = completion.scores[0]
    return {score.token: score.logprob, **score.top}
