"""Panels over sessions and of what spreads say what their tables hold, and are left out where there is no course."""

from dataclasses import replace

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.conditions import factors
from simonides.experiments.metrics.persistence import DESCENT, DORMANCY
from simonides.experiments.metrics.tables import NAMES
from simonides.experiments.report.horizon import lasting, success
from simonides.experiments.report.spreading import infection, sharing
from simonides.sim.config import parse_study

STUDY = {
    "name": "courses", "environment": "claims", "memory": "bm25", "policy": "believer", "seeds": 2,
    "factors": {"wiring": ["private", "global"]},
}  # fmt: skip
METRICS = {"metric": pl.String, "part": pl.String, "value": pl.Float64}


def marked(rows, schema=None):
    """Return a table of rows (wiring, seed, {column: value}), each with the columns of a run."""
    full = [
        {**dict.fromkeys(schema or {}), **row, "trial": f"{wiring}{seed}", "condition": wiring, "wiring": wiring,
         "seed": seed, "unit": str(seed)}
        for wiring, seed, row in rows
    ]  # fmt: skip
    return pl.DataFrame(full, infer_schema_length=None)


def tables(**given):
    study = parse_study(STUDY)
    empty = {name: pl.DataFrame() for name in (*NAMES, "metrics")}
    return RunTables(
        study=study, factors=factors(study), unit="seed", missing=(), **{"trials": pl.DataFrame(), **empty, **given}
    )


CELLS = [(wiring, seed) for wiring in ("private", "global") for seed in (0, 1)]


def lasts(days):
    hits = {"private": lambda d: d < 1, "global": lambda _: True}
    dormancy = [(w, s, {"item": "x", "tainted": True, "since": d, "hit": hits[w](d)}) for w, s in CELLS for d in days]
    copies = [(w, s, {"item": "x", "tainted": True, "since": d, "copies": 1 + d}) for w, s in CELLS for d in days]
    return tables(dormancy=marked(dormancy, DORMANCY), descent=marked(copies, DESCENT))


def test_what_lasts_is_told_for_the_last_session_and_drawn_for_all():
    panel = lasting(lasts((0, 5, 9)))
    assert panel is not None
    assert panel.answer == "Share that acts on it 9 sessions later: global 1.00; private 0.00."
    rows = {(r["condition"], r["sessions since"]): (r["acts on it"], r["copies"]) for r in panel.table.to_dicts()}
    assert rows["private", 0] == (1.0, 1.0) and rows["private", 9] == (0.0, 10.0) and len(panel.multiples) == 2


def test_two_points_are_no_course_and_benign_plants_are_not_shown():
    assert lasting(lasts((0, 5))) is None
    full = lasts((0, 5, 9))
    assert lasting(replace(full, dormancy=full.dormancy.with_columns(tainted=pl.lit(False)))) is None
    assert lasting(tables()) is None and success(tables()) is None


def test_success_by_session_names_who_loses_most():
    needs = [(w, s, {"session": n, "success": w == "private" or n < 2}) for w, s in CELLS for n in range(4)]
    slopes = [(w, s, {"metric": "success-by-session", "part": "slope", "value": -0.4 * (w == "global")})
              for w, s in CELLS]  # fmt: skip
    panel = success(tables(needs=marked(needs), metrics=marked(slopes, METRICS)))
    assert panel is not None and panel.answer == "global loses most: -0.4000 of success a session."
    assert panel.figure is not None and panel.table["condition"].to_list() == ["global", "private"]


def spreads():
    rows = [
        (w, s, {"origin": "attack", "of": "agent", "tick": tick, "units": 4, "current": now, "cumulative": now})
        for w, s in CELLS
        for tick, now in ((0, 0), (2, 1), (8, 4 if w == "global" else 1))
    ]
    values = {"infection peak": {"global": 1.0, "private": 0.25}, "transmission T": {"global": 0.5}}
    metrics = [
        (w, s, {"metric": name.split()[0], "part": name.split()[1], "value": by[w]})
        for name, by in values.items()
        for w, s in CELLS
        if w in by
    ]
    return tables(spread=marked(rows), metrics=marked(metrics, METRICS))


def test_the_curves_hold_their_last_value_and_the_worst_condition_is_named():
    panel = infection(spreads())
    assert panel is not None
    assert panel.answer == "At the most 100% of the agents are infected at once (global, attack)."
    assert [title for title, _ in panel.multiples] == ["attack: infected now", "attack: infected ever"]
    (line,) = [one for one in panel.multiples[0][1].data if one.name == "global"]
    assert list(line.x) == list(range(9)) and list(line.y) == [0, 0, *[0.25] * 6, 1]
    assert {row["condition"]: row["T"] for row in panel.table.to_dicts()} == {"private": None, "global": 0.5}


def test_where_nothing_was_brought_in_there_is_no_panel_of_infection():
    assert infection(tables()) is None and sharing(tables()) is None


def test_gain_is_told_with_what_it_lets_in():
    needs = [(w, s, {"world": "w", "agent": a, "need": "n", "success": w == "global" or a == "a"})
             for w, s in CELLS for a in "ab"]  # fmt: skip
    rates = [(w, s, {"metric": "poisoning", "part": "ASR-t", "value": 0.75}) for w, s in CELLS]
    panel = sharing(tables(needs=marked(needs), metrics=marked(rates, METRICS)))
    assert panel is not None and panel.answer.startswith("global gains most over private memory: +0.50 success.")
    assert "ASR-t is 0.75 there" in panel.answer and "exploratory" in panel.answer
    (row,) = panel.table.to_dicts()
    assert (row["sharing"], row["gain"], row["tasks better"], row["tasks worse"]) == ("global", 0.5, 0.5, 0.0)
    assert row["p (Holm)"] <= 1 and len(panel.multiples) == 2
