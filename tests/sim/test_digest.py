"""One digest, wherever a trial runs inline: any number of hosts, placement, budget, wiring; restarted or not."""

import itertools

import pytest
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace

LAYOUTS = [
    {"world_actors": w, "memory_actors": m, "private": p, "memory_budget": b}
    for w, m, p, b in itertools.product([1, 3], [1, 2], ["colocated", "actors"], [None, 0])
]


def digest(study, folder, **layout):
    (trial,) = parse_study(study).trials()
    outcome = run_inline(trial, folder, Layout(**layout))
    return Trace(folder).digest(), outcome


@pytest.mark.parametrize("wiring", ["private", "team", "global", {"name": "global", "also_private": True}])
def test_the_digest_is_the_same_in_every_layout(tmp_path, wiring):
    study = toy_study(wiring=wiring)
    found = {}
    for i, layout in enumerate(LAYOUTS):
        found[i], outcome = digest(study, tmp_path / str(i), **layout)
        assert not outcome.errors
    assert len(set(found.values())) == 1
    assert Trace(tmp_path / "0").rows


def test_another_seed_gives_another_digest(tmp_path):
    one, _ = digest(toy_study(seeds=(1,)), tmp_path / "a")
    two, _ = digest(toy_study(seeds=(2,)), tmp_path / "b")
    assert one != two
