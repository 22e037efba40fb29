"""What theory says of SIS on a network: the threshold of its spectrum, and the individual mean field.

Both neglect that neighbours' states depend on each other, so they are bounds: below the threshold an infection dies out
on every network (Wang et al. 2003, SRDS), and the individual mean field never lies below the process's infected share
(Van Mieghem, Omic and Kooij 2009, IEEE/ACM ToN 17(1); Cator and Van Mieghem 2014, Phys. Rev. E 89, 052802). They are
close where many neighbours average out, and far off on a ring. Imports nothing of the simulator but its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from scipy.sparse.linalg import eigsh  # type: ignore[import-untyped]

from simonides.sim.errors import UnknownName, near

NETWORKS: dict[str, Callable[[int, int], nx.Graph[Any]]] = {
    "ring": lambda nodes, seed: nx.cycle_graph(nodes),
    "small world": lambda nodes, seed: nx.watts_strogatz_graph(nodes, 6, 0.1, seed=seed),
    "scale-free": lambda nodes, seed: nx.barabasi_albert_graph(nodes, 3, seed=seed),
    "complete": lambda nodes, seed: nx.complete_graph(nodes),
}
"""Watts and Strogatz with 6 neighbours, of which 10 % are rewired; Barabási and Albert with 3 links a new node."""

RING_CRITICAL = 1.6489
"""beta / gamma above which SIS in continuous time (the contact process) persists on an infinite ring, where the
spectrum says 0.5 (Jensen and Dickman 1993, J. Stat. Phys. 71, 89)."""


def network(name: str, nodes: int, seed: int) -> csr_array:
    """Return the links of a network as a symmetric matrix of 0 and 1, of shape (nodes, nodes). Raises UnknownName."""
    if name not in NETWORKS:
        raise UnknownName(f"No network is called {name!r}.{near(name, list(NETWORKS))} Known: {', '.join(NETWORKS)}.")
    return csr_array(nx.to_scipy_sparse_array(NETWORKS[name](nodes, seed), dtype=np.dtype(np.float64), format="csr"))


def spectral_threshold(links: csr_array) -> float:
    """Return 1 / lambda_max of the links: below this beta / gamma every infection dies out."""
    start = np.ones(links.shape[0])  # drawn at random otherwise
    (largest,) = eigsh(links, k=1, which="LA", v0=start, return_eigenvectors=False)
    return float(1.0 / largest)


def mean_field_step(shares: NDArray[np.float64], links: csr_array, beta: float, gamma: float) -> NDArray[np.float64]:
    """Return each node's probability to be infected after a round, of shape (nodes,), from those before it."""
    with np.errstate(divide="ignore"):  # a certain infection is exp(-inf)
        escapes = np.exp(links @ np.log1p(-beta * shares))
    after: NDArray[np.float64] = (1.0 - gamma) * shares + (1.0 - shares) * (1.0 - escapes)
    return after


def mean_field_share(links: csr_array, beta: float, gamma: float, rounds: int = 5_000) -> float:
    """Return the infected share that the individual mean field settles at, within 1e-9 a round."""
    shares = np.ones(links.shape[0])
    for _ in range(rounds):
        before, shares = shares, mean_field_step(shares, links, beta, gamma)
        if np.abs(before - shares).max() < 1e-9:
            break
    return float(shares.mean())
