"""The reference laws have the values computed for them elsewhere."""

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from simonides.experiments.theory import infection


@pytest.mark.parametrize(
    "album, alpha_beta, curve",
    [
        (10, 0.48, [0.01, 0.012376, 0.01530948, 0.0189275, 0.02338413, 0.02886508]),
        (3, 0.81, [0.05, 0.0692375, 0.09533719, 0.1250442]),
        (1, 0.81, [0.05, 0.04525, 0.04095125]),
    ],
)
def test_the_album_law_gives_its_check_vectors(album, alpha_beta, curve):
    found = infection.album_curve(album, alpha_beta, curve[0], len(curve) - 1)
    np.testing.assert_allclose(found, curve, rtol=0, atol=6e-9)


@pytest.mark.parametrize(
    "album, alpha_beta, p, digits", [(10, 1, 1, 3), (10, 0.48, 0.9985, 4), (10, 0.25, 0.929, 3), (3, 0.48, 0.719, 3)]
)
def test_the_album_law_ends_in_its_fixed_point(album, alpha_beta, p, digits):
    fixed = infection.album_fixed_point(album, alpha_beta)
    assert round(fixed, digits) == p
    assert infection.album_curve(album, alpha_beta, 0.05, 2_000)[-1] == pytest.approx(fixed, abs=1e-9)


@pytest.mark.parametrize("album", [1, 3, 10])
@pytest.mark.parametrize("times", [0.9, 1.0, 1.1])
def test_growth_spread_and_extinction_turn_at_one_threshold(album, times):
    alpha_beta = min(times / album, 1.0)
    spreads = infection.album_spreads(album, alpha_beta)
    assert spreads == (album * alpha_beta > 1)
    assert (infection.album_growth(album, alpha_beta) > 1 + 1e-12) == spreads
    assert (infection.album_extinction(album, alpha_beta) < 1) == spreads
    assert (infection.album_fixed_point(album, alpha_beta) > 0) == spreads


def test_few_infected_agents_grow_by_the_largest_eigenvalue():
    curve = infection.album_curve(10, 0.48, 1e-12, 60)
    assert curve[-1] / curve[-2] == pytest.approx(infection.album_growth(10, 0.48), rel=1e-6)


def test_the_probability_of_extinction_solves_its_branching_process():
    q = np.eye(11)[0]  # iterated from 0 on, as a branching process demands; 1 solves it too
    for _ in range(5_000):
        q[1:] = ((1 - 0.48) * q[1:] + 0.48 * q[1:] * q[10] + q[:-1]) / 2
    assert q[10] == pytest.approx(infection.album_extinction(10, 0.48), abs=1e-12)


def test_the_memoryless_map_ends_in_its_fixed_point():
    assert infection.memoryless_curve(1, 0.05, 0.05, 1)[1] == pytest.approx(0.05 + 0.05 * 0.95 / 2 - 0.0025)
    assert infection.memoryless_curve(0.6, 0.1, 0.05, 1_000)[-1] == pytest.approx(1 - 0.2 / 0.6)
    assert infection.memoryless_fixed_point(0.6, 0.1) == pytest.approx(1 - 0.2 / 0.6)
    assert infection.memoryless_fixed_point(0.2, 0.1) == 0 == infection.memoryless_fixed_point(0, 0)


def test_what_is_no_probability_is_named():
    with pytest.raises(ValueError, match=r"in \[0, 1\]; found 1.5"):
        infection.album_curve(10, 1.5, 0.05, 3)
    with pytest.raises(ValueError, match="at least 1 item; asked for 0"):
        infection.album_fixed_point(0, 0.5)


def test_the_reference_imports_nothing_of_the_simulator():
    source = Path(importlib.util.find_spec(infection.__name__).origin).read_text()
    names = [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
    ]
    assert {name.split(".")[0] for name in names} == {"__future__", "collections", "numpy"}
