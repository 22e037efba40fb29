"""The digest on Ray equals the one inline, in every layout, and after a part was killed."""

import itertools

import pytest
from meddling import EVERYTHING, MIXED, TELLING
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace

pytestmark = pytest.mark.ray

WIRINGS = {"shared": "global", "private": "private", "mixed": {"name": "global", "also_private": True}}
# Pairwise cover of {1, 3 world actors} x {1, 2 memory actors} x {co-located, in actors} x {shared, private, mixed}.
CASES = [
    (1, 1, "colocated", "shared"),
    (3, 2, "actors", "shared"),
    (1, 2, "colocated", "private"),
    (3, 1, "actors", "private"),
    (1, 2, "actors", "mixed"),
    (3, 1, "colocated", "mixed"),
]


def test_the_cases_cover_every_pair():
    values = [(1, 3), (1, 2), ("colocated", "actors"), tuple(WIRINGS)]
    for (i, left), (j, right) in itertools.combinations(enumerate(values), 2):
        for pair in itertools.product(left, right):
            assert any((case[i], case[j]) == pair for case in CASES), pair


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_digest_on_ray_equals_the_one_inline(tmp_path, ray_session, case):
    from simonides.cluster.runtime import run_ray

    worlds, memories, private, wiring = case
    (trial,) = parse_study(toy_study(wiring=WIRINGS[wiring])).trials()
    run_inline(trial, tmp_path / "inline")
    layout = Layout(runtime="ray", world_actors=worlds, memory_actors=memories, private=private)
    outcome = run_ray(trial, tmp_path / "ray", layout)
    assert outcome.errors == ()
    assert Trace(tmp_path / "ray").digest() == Trace(tmp_path / "inline").digest()


@pytest.mark.parametrize("die_at", [0, 4, 8])
@pytest.mark.parametrize("part", ["memory", "environment"])
def test_a_killed_actor_restarts_into_the_same_digest(tmp_path, ray_session, part, die_at):
    from simonides.cluster.runtime import run_ray

    marker = tmp_path / "died"
    fields = toy_study(wiring=WIRINGS["mixed"])
    fields[part] = {**fields[part], "die_at": die_at, "marker": str(marker)}
    (trial,) = parse_study(fields).trials()
    outcome = run_ray(trial, tmp_path / "ray", Layout(runtime="ray", world_actors=2, memory_actors=2))
    assert marker.exists()
    assert outcome.errors == ()
    run_inline(trial, tmp_path / "inline")
    assert Trace(tmp_path / "ray").digest() == Trace(tmp_path / "inline").digest()


def test_interventions_and_probes_give_the_digests_of_inline(tmp_path, ray_session):
    from simonides.cluster.runtime import run_ray

    probes = [{"every": 3, "question": "said1"}]
    (trial,) = parse_study(toy_study(wiring=MIXED, interventions=EVERYTHING, probes=probes, policy=TELLING)).trials()
    run_inline(trial, tmp_path / "inline")
    layout = Layout(runtime="ray", world_actors=2, memory_actors=2, private="actors")
    assert run_ray(trial, tmp_path / "ray", layout).errors == ()
    there, here = Trace(tmp_path / "ray"), Trace(tmp_path / "inline")
    assert (there.digest(), there.probes_digest()) == (here.digest(), here.probes_digest())
