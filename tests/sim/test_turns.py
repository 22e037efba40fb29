"""Turn-based and parallel worlds in one trial: a round of turns is one step of the parallel world."""

import pytest
from toys import ToyWorld, toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import StudyError
from simonides.sim.inline import run_inline
from simonides.sim.rows import world_row
from simonides.sim.trace import WORLD, Trace

MIXED = {"more_environments": [{"name": "turns:TurnWorld", "length": 24}], "worlds": 2}


def test_sharing_without_ticks_per_round_is_refused(tmp_path):
    (trial,) = parse_study(toy_study(**MIXED)).trials()
    with pytest.raises(StudyError, match=r"^ticks_per_round: .* share the space 'global'"):
        run_inline(trial, tmp_path)


def test_private_worlds_of_both_kinds_need_no_rounds(tmp_path):
    (trial,) = parse_study(toy_study(**MIXED, wiring="private")).trials()
    assert run_inline(trial, tmp_path).errors == ()


def test_a_parallel_world_steps_once_a_round(tmp_path):
    (trial,) = parse_study(toy_study(**MIXED, ticks_per_round=2)).trials()
    layouts = [Layout(), Layout(world_actors=2, memory_actors=2, private="actors", memory_budget=0)]
    for i, layout in enumerate(layouts):
        assert run_inline(trial, tmp_path / str(i), layout).errors == ()
    assert len({Trace(tmp_path / str(i)).digest() for i in range(len(layouts))}) == 1
    rows = [world_row(row) for row in Trace(tmp_path / "0").of(WORLD)]
    assert [row.tick for row in rows if row.world == "w0000"] == list(range(0, 24, 2))
    assert [row.tick for row in rows if row.world == "w0001"] == list(range(24))


def test_the_toy_is_parallel():
    assert not getattr(ToyWorld, "turn_based", False)
