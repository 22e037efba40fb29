"""What theory says of infection: mean-field laws of albums and of memoryless agents, their thresholds and fixed points.

The reference that simulations are measured against: it imports numpy and nothing of the simulator. Shares are of all
agents, time is in rounds, `alpha_beta` is the probability that a questioner's virus is retrieved and infects.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]


def album_start(album: int, p0: float) -> Shares:
    """Return the shares x[0..album] at the start: `p0` hold the virus as their newest item, all others are clean.

    x[j] is the share of agents whose newest copy of the virus is evicted after j more stores.
    """
    _check(album, p0)
    shares = np.zeros(album + 1)
    shares[album], shares[0] = p0, 1.0 - p0
    return shares


def album_step(shares: Shares, alpha_beta: float) -> Shares:
    """Return the shares x[0..album] after one round of the album law.

    Half of the agents answer and store one item: the virus with probability h = alpha_beta p, else a benign one.
    """
    stored = (1.0 - alpha_beta * shares[1:].sum()) / 2.0
    after = shares / 2.0
    after[:-1] += stored * shares[1:]
    after[0] += stored * shares[0]
    after[-1] += alpha_beta * shares[1:].sum() / 2.0
    return after


def album_curve(album: int, alpha_beta: float, p0: float, rounds: int) -> Shares:
    """Return the infected share p[0..rounds] of the album law."""
    _check(album, alpha_beta)
    shares = album_start(album, p0)
    curve = [p0]
    for _ in range(rounds):
        shares = album_step(shares, alpha_beta)
        curve.append(float(shares[1:].sum()))
    return np.array(curve)


def album_spreads(album: int, alpha_beta: float) -> bool:
    """Return whether the virus persists: album alpha_beta > 1."""
    return album * alpha_beta > 1.0


def album_fixed_point(album: int, alpha_beta: float) -> float:
    """Return the infected share in the long run, the largest p with p = 1 - (1 - alpha_beta p)^album."""
    _check(album, alpha_beta)
    if not album_spreads(album, alpha_beta):
        return 0.0
    return _root(lambda p: 1.0 - (1.0 - alpha_beta * p) ** album - p)


def album_growth(album: int, alpha_beta: float) -> float:
    """Return the factor by which few infected agents grow a round: the law's largest eigenvalue where all are clean."""
    _check(album, alpha_beta)
    matrix = np.eye(album) / 2.0 + np.eye(album, k=1) / 2.0
    matrix[-1] += alpha_beta / 2.0
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def album_extinction(album: int, alpha_beta: float) -> float:
    """Return the probability that one infected agent among very many clean ones starts no epidemic.

    A branching process: each round an agent with j stores left asks with probability 1/2, and then infects with
    probability alpha_beta, or answers a clean agent and has j - 1 left. q[j] is its probability to die out, so
    q[j] = ((1 - alpha_beta) q[j] + alpha_beta q[j] q[album] + q[j-1]) / 2 with q[0] = 1; returned is q[album].
    """
    _check(album, alpha_beta)
    if not album_spreads(album, alpha_beta):
        return 1.0
    # q[j] = q[j-1] / (1 + alpha_beta (1 - q[album])): a chain of equal factors.
    return 1.0 - _root(lambda s: 1.0 - (1.0 + alpha_beta * s) ** -album - s)


def memoryless_curve(beta: float, gamma: float, p0: float, rounds: int) -> Shares:
    """Return the infected share p[0..rounds] of the map p' = p + beta p (1 - p) / 2 - gamma p."""
    _check(1, beta, gamma, p0)
    curve = [p0]
    for _ in range(rounds):
        p = curve[-1]
        curve.append(p + beta * p * (1.0 - p) / 2.0 - gamma * p)
    return np.array(curve)


def memoryless_spreads(beta: float, gamma: float) -> bool:
    """Return whether the virus persists: beta > 2 gamma."""
    return beta > 2.0 * gamma


def memoryless_fixed_point(beta: float, gamma: float) -> float:
    """Return the infected share in the long run: 1 - 2 gamma / beta, or 0 at and below the threshold."""
    _check(1, beta, gamma)
    return 1.0 - 2.0 * gamma / beta if memoryless_spreads(beta, gamma) else 0.0


def _root(excess: Callable[[float], float]) -> float:
    """Return the positive zero of a concave function on [0, 1] that is 0 at 0 and rises there, by bisection."""
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2.0) not in (low, high):
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return high


def _check(album: int, *shares: float) -> None:
    if album < 1:
        raise ValueError(f"An album holds at least 1 item; asked for {album}.")
    if wrong := [share for share in shares if not 0.0 <= share <= 1.0]:
        raise ValueError(f"Probabilities and shares are in [0, 1]; found {wrong[0]}.")
