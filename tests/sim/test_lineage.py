"""Lineage through derivation of any depth, against a reference; taint by descent, in the trace only."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from toys import toy_study

from simonides.sim.config import parse_study
from simonides.sim.context import Context, Services
from simonides.sim.inline import run_inline
from simonides.sim.lineage import Lineage
from simonides.sim.rows import space_row
from simonides.sim.trace import SPACE, Trace
from simonides.sim.types import Experience, Place

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["record", "derive", "revise"]), st.lists(st.integers(0, 50), max_size=4), st.integers(0, 30)
    ),
    min_size=1,
    max_size=40,
)


def experience(n: int) -> Experience:
    return Experience(f"{n:032x}", "w", "a", n, float(n), f"text {n}")


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_origins_are_the_union_over_any_graph_of_derivations(steps):
    records, reference = [], []
    for tick, (kind, picks, n) in enumerate(steps):
        ctx = Context("s", Place(tick, "w", "a"), float(tick), "write", 1, Services())
        parents = sorted({pick % len(records) for pick in picks}) if records else []
        union = set().union(*(reference[i] for i in parents)) if parents else set()
        if kind == "derive" and parents:
            records.append(ctx.derive([records[i] for i in parents], "derived", experiences=[experience(n)]))
            reference.append(union | {experience(n).id})
        elif kind == "revise" and parents:
            target = parents[0]
            version = records[target].version
            records[target] = ctx.revise(records[target], text="revised", parents=[records[i] for i in parents])
            reference[target] = reference[target] | union
            assert records[target].version == version + 1
        else:
            records.append(ctx.record(experience(n)))
            reference.append({experience(n).id})
    assert [set(record.origins) for record in records] == reference
    assert len({record.id for record in records}) == len(records)


def study_with_a_plant(**fields):
    plant = {"kind": "plant", "tick": 3, "space": "global", "text": "said1 word7 false", "speaker": "nobody"}
    return toy_study(interventions=[{**plant, **fields}])


def test_taint_follows_a_planted_record_through_every_merge(tmp_path):
    (trial,) = parse_study(study_with_a_plant()).trials()
    run_inline(trial, tmp_path)
    trace = Trace(tmp_path)
    lineage = Lineage.of(trace)
    (planted,) = lineage.tainted
    by_descent = {planted}
    records = [stored for row in trace.of(SPACE) for stored in space_row(row).records]
    bad = {s.id for s in records if planted in s.origins}
    assert len(bad) > 1, "the toy memory merges, so the plant must have descendants"
    for stored in records:  # a reference by parents alone, not by origins
        assert (stored.id in bad) == bool(set(stored.parents) & bad or by_descent & set(stored.origins))
    shares = [(tick, tainted) for space, tick, _, tainted in lineage.contamination() if space == "global"]
    assert max(tainted for _, tainted in shares) >= 1
    assert all(tainted == 0 for tick, tainted in shares if tick < 3)


def test_a_benign_plant_is_not_tainted_and_says_so_nowhere_else(tmp_path):
    for name, tainted in (("bad", True), ("benign", False)):
        (trial,) = parse_study(study_with_a_plant(tainted=tainted)).trials()
        run_inline(trial, tmp_path / name)
    bad, benign = Lineage.of(Trace(tmp_path / "bad")), Lineage.of(Trace(tmp_path / "benign"))
    assert bad.tainted and not benign.tainted
    assert bad.versions == benign.versions  # nothing that acts or remembers could tell the two apart
    (planted,) = bad.tainted
    made = [v for versions in bad.versions.values() for v in versions if v.stored.origins == (planted,)]
    assert {v.stored.writer for v in made} == {"player_0"}  # it looks like one of the agents' own


def test_content_at_a_tick_is_what_the_system_held(tmp_path):
    (trial,) = parse_study(toy_study(ticks=8)).trials()
    run_inline(trial, tmp_path)
    lineage = Lineage.of(Trace(tmp_path))
    assert lineage.content("global", 0) == []
    held = lineage.content("global", 8)
    assert 0 < len(held) <= 6
    assert all(version.until is None for version in held)


def test_a_record_derived_from_nothing_is_refused():
    import pytest

    from simonides.sim.errors import ContractBroken

    ctx = Context("s", Place(0, "w", "a"), 0.0, "write", 1, Services())
    with pytest.raises(ContractBroken, match="no parents"):
        ctx.derive([], "out of thin air")


def test_two_draws_at_two_places_differ_and_one_place_repeats():
    def draw(tick):
        return Context("s", Place(tick, "w", "a"), 0.0, "write", 1, Services()).rng.random()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_an_embedder_that_is_not_named_is_asked_for_clearly():
    import pytest

    from simonides.sim.errors import UserError

    ctx = Context("s", Place(0, "w", "a"), 0.0, "write", 1, Services())
    with pytest.raises(UserError, match="names no embedder"):
        asyncio.run(ctx.embed(["x"]))
