"""The perplexity filter refuses what a model finds unlikely, and lets fluent lies pass."""

from __future__ import annotations

import math
from typing import ClassVar

from defending import LIE, TRUTH, got, post, run, saw

from simonides.sim.types import Completion, ModelCard, TokenScore


class Unigrams:
    """Gives a word of a few letters a fair chance, and every other nearly none."""

    card: ClassVar[ModelCard] = ModelCard("unigrams", prompt_logprobs=True, pure=True)

    def __init__(self, scores=True):
        self.scores, self.asked = scores, 0

    async def complete(self, requests):
        self.asked += len(requests)
        return [self._scored(request.prompt.split()[1:]) for request in requests]

    def _scored(self, words):
        chances = [0.01 if word.strip(".").isalnum() and len(word) < 8 else 1e-6 for word in words]
        scored = tuple(TokenScore(word, math.log(p)) for word, p in zip(words, chances, strict=True))
        return Completion("", prompt_scores=scored if self.scores else ())

    async def close(self):
        pass


def guarded(model, **params):
    guard = post("perplexity", **params)
    guard.model = model
    return guard


def test_optimised_words_are_refused_and_sentences_are_not():
    async def story():
        model = Unigrams()
        guard = guarded(model)
        assert (await guard.write(got(1, "tower zq##orblax ><uninhabi $$kraftwerk [[]]"))).verdict == "refuse"
        assert (await guard.write(saw(2, TRUTH))).verdict == "admit"
        assert model.asked == 2

    run(story())


def test_unlikely_words_do_not_hide_in_a_long_text_from_a_window():
    async def story(**params):
        text = "we saw the tower and it was red then zq##orblax ><uninhabi $$kraftwerk and so we all went home again"
        return (await guarded(Unigrams(), **params).write(got(1, text))).verdict

    assert run(story(limit=2000.0)) == "admit"
    assert run(story(limit=2000.0, window=3)) == "refuse"
    assert run(story(limit=2000.0, window=500)) == "admit", "a window wider than the text is the whole of it"


def test_it_misses_a_lie_in_plain_words():
    async def story():
        return (await guarded(Unigrams()).write(got(1, LIE))).verdict

    assert run(story()) == "admit"


def test_what_cannot_be_scored_passes_and_so_does_a_single_word():
    async def story():
        assert (await guarded(Unigrams(scores=False)).write(got(1, "zq## [[ ]] $$"))).verdict == "admit"
        assert (await guarded(Unigrams()).write(got(1, "zq## [["))).verdict == "admit"

    run(story())
