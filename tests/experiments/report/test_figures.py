"""Figures show estimates with their intervals, and none where there is none."""

import polars as pl
import pytest

from simonides.experiments.report import figures
from simonides.sim.errors import ContractBroken


def test_a_dot_has_its_interval_on_both_sides():
    table = pl.DataFrame({"condition": ["a"], "score": [0.5], "low": [0.4], "high": [0.8]})
    dot = figures.score_by_condition(table).data[0]
    assert dot.error_x.array == pytest.approx((0.3,))
    assert dot.error_x.arrayminus == pytest.approx((0.1,))


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_an_unknown_interval_draws_no_bar(unknown):
    table = pl.DataFrame(
        {"condition": ["a"], "category": ["temporal"], "recall": [0.5], "low": [unknown], "high": [unknown]},
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )
    bar = figures.recall_by_category(table).data[0]
    assert (tuple(bar.error_y.array), tuple(bar.error_y.arrayminus)) == ((0,), (0,))


def test_each_condition_is_one_legend_entry_in_the_tables_order():
    table = pl.DataFrame(
        {"condition": ["z", "a", "z"], "tick": [2, 1, 1], "share": [0.2, 0.1, 0.0], "low": [0.1, None, 0.0],
         "high": [0.3, None, 0.1]}
    )  # fmt: skip
    drawn = [trace for trace in figures.contamination_over_ticks(table).data if trace.showlegend is not False]
    assert sorted(trace.name for trace in drawn) == ["a", "z"]
    (z,) = [trace for trace in drawn if trace.name == "z"]
    assert list(z.x) == [1, 2]


def test_shares_are_drawn_on_the_whole_unit_axis_and_other_measures_are_not():
    table = pl.DataFrame({"condition": ["a"], "score": [0.5], "low": [0.4], "high": [0.8]})
    assert tuple(figures.score_by_condition(table).layout.xaxis.range) == (-0.02, 1.02)
    assert figures.score_by_condition(table.with_columns(high=pl.lit(3.0))).layout.xaxis.range is None


def test_more_conditions_than_colours_still_draw():
    table = pl.DataFrame(
        {"condition": [str(n) for n in range(20)], "session": 1, "value": 2.0, "low": 1.0, "high": 3.0}
    )
    assert len(figures.measure_by_session(table, "Tokens").data) == 20


def test_a_missing_column_is_named():
    with pytest.raises(ContractBroken, match=r"the table has no low, high \(found: condition, score\)"):
        figures.score_by_condition(pl.DataFrame({"condition": ["a"], "score": [0.5]}))
