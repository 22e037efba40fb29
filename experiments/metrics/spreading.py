"""Numbers of an outbreak for the registry of metrics: its curve, its tree, and how readily it passes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from simonides.experiments.metrics.tables import TrialTables

Values = dict[str, float]
SHARES = (0.1, 0.5, 0.9)
"""Shares of the agents whose first times are told."""
RISING = (0.05, 0.95)
"""Between these shares the slope of the logit is a growth rate: few agents are chance, nearly all are saturation."""


def infection(tables: TrialTables) -> Values:
    """Return the curve of infected agents in numbers; those of the benign control start with "benign".

    `peak`, `end` and `ever` are shares of agents; `t 50 %` ticks from the first item to that share; `growth` the slope
    of the logit a tick while it rises; `half-life` ticks from the peak to half of it; `recovery` ticks from the first
    purge or wipe until nobody is infected for good. What never came is left out.
    """
    return {
        f"{_prefix(origin)}{name}": value
        for origin, curve in _curves(tables, "agent")
        for name, value in _of_curve(curve, tables.outbreaks.filter(pl.col("origin") == origin)).items()
    }


def infected_spaces(tables: TrialTables) -> Values:
    """Return what spaces hold at the end: infected share of spaces, mean and largest tainted share of a space."""
    curves = _curves(tables, "space")
    found = {f"{_prefix(origin)}infected": float(one["current"][-1] / one["units"][-1]) for origin, one in curves}
    ends = tables.contamination.group_by("space").last().filter(pl.col("held") > 0)
    if "infected" not in found or not ends.height:
        return found
    shares = ends["tainted"] / ends["held"]
    return found | {"mean share": float(shares.sum()) / ends.height, "largest share": float(shares.max())}  # type: ignore[arg-type]


def cascade(tables: TrialTables) -> Values:
    """Return the tree of who reached whom: agents reached, depth, breadth (most agents at one depth), mean children."""
    found: Values = {}
    for (origin,), rows in tables.cascade.group_by("origin", maintain_order=True):
        sizes = rows.group_by("depth").len()["len"]
        children = rows.filter(pl.col("by") != "").height
        named = {
            "reached": rows.height, "depth": rows["depth"].max(), "breadth": sizes.max(),
            "children": children / rows.height,
        }  # fmt: skip
        found |= {f"{_prefix(str(origin))}{name}": float(value) for name, value in named.items()}  # type: ignore[arg-type]
    return found


def transmission(tables: TrialTables) -> Values:
    """Return T (contacts that passed it), gamma (1 / the mean life of what was taken in), R0 = T lambda1 / gamma.

    `lambda1` is of the measured contacts a tick, so that R0 compares with 1 whatever a round is. `T read` is the share
    of exposures by reading that the reader passed on. Where nothing is forgotten there is no gamma and no R0; `R0
    trial` = T lambda1 times the mean stay within the trial is, and `R0 read` the same of reads: passings for every
    agent whose writing was read, times lambda1 of all reads of what others wrote, times that stay. Both grow with the
    trial's length. What was not measured is left out.
    """
    found: Values = {}
    for row in tables.outbreaks.iter_rows(named=True):
        rate = row["passed"] / row["contacts"] if row["contacts"] else math.nan
        gamma = 1.0 / row["life"] if row["life"] else math.nan
        r0 = rate * row["lambda1"] / gamma if gamma else math.nan
        named = {"T": rate, "gamma": gamma, "lambda1": row["lambda1"], "R0": r0, "contacts": float(row["contacts"])}
        named["R0 trial"] = rate * row["lambda1"] * row["stay"]
        if row["exposures"]:
            named["T read"] = row["passed_on"] / row["exposures"]
            named["R0 read"] = row["passed_on"] / row["edges"] * row["lambda_read"] * row["stay"]
        found |= {f"{_prefix(row['origin'])}{name}": value for name, value in named.items()}
    return found


def _prefix(origin: str) -> str:
    return "" if origin == "attack" else f"{origin} "


def _curves(tables: TrialTables, of: str) -> list[tuple[str, dict[str, npt.NDArray[np.float64]]]]:
    """Return (origin, columns by name) with a value a tick."""
    found = []
    for (origin,), rows in tables.spread.filter(pl.col("of") == of).group_by("origin", maintain_order=True):
        ticks = np.arange(int(rows["tick"].max()) + 1)  # type: ignore[arg-type]
        at = np.searchsorted(rows["tick"].to_numpy(), ticks, side="right") - 1
        names = ("units", "current", "cumulative")
        found.append((str(origin), {name: rows[name].to_numpy()[at].astype(np.float64) for name in names}))
    return found


def _of_curve(curve: dict[str, npt.NDArray[np.float64]], outbreak: pl.DataFrame) -> Values:
    shares, ever = curve["current"] / curve["units"], curve["cumulative"] / curve["units"]
    began, purged = outbreak["began"][0], outbreak["purged"][0]
    found = {"peak": float(shares.max()), "end": float(shares[-1]), "ever": float(ever[-1])}
    for share in SHARES:
        found[f"t {share:.0%}".replace("%", " %")] = _first(shares >= share, began)
    top = int(shares.argmax())
    found["growth"] = growth(shares[: top + 1])
    found["half-life"] = _first(shares[top:] <= shares[top] / 2.0, 0) if shares[top] else math.nan
    if purged is not None:
        ill = np.flatnonzero(shares[purged:])
        found["recovery"] = float(ill[-1] + 1 if len(ill) else 0) if shares[-1] == 0.0 else math.nan
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _first(when: npt.NDArray[np.bool_], since: int) -> float:
    found = np.flatnonzero(when)
    return float(found[0] - since) if len(found) else math.nan


def growth(shares: npt.NDArray[np.float64]) -> float:
    """Return the least-squares slope of log(p / (1 - p)) a tick where p is within `RISING`.

    nan below 3 such ticks, or where p stands still.
    """
    ticks = np.flatnonzero((shares >= RISING[0]) & (shares <= RISING[1]))
    inside = shares[ticks]
    if len(ticks) < 3 or inside.min() == inside.max():
        return math.nan
    return float(np.polyfit(ticks.astype(np.float64), np.log(inside / (1.0 - inside)), 1)[0])
