"""A trial that goes on from another one's tick: unchanged it ends in the same digest, changed it differs."""

import pytest
from meddling import EVERYTHING, MIXED, ONE, rows
from toys import toy_study

from simonides.sim.config import Forked, Layout, parse_study
from simonides.sim.errors import StudyError
from simonides.sim.fork import Origin, fork
from simonides.sim.inline import run_inline
from simonides.sim.lineage import Lineage
from simonides.sim.trace import Trace

COLOCATED, ACTORS = {}, {"memory_actors": 2, "private": "actors", "world_actors": 2}


def trial_of(**fields):
    (trial,) = parse_study(toy_study(**{"wiring": MIXED, **fields})).trials()
    return trial


def forked(folder, parent, tick, child=None, layouts=(COLOCATED, COLOCATED)):
    """Run the parent and fork it; return both traces."""
    old, new = (Layout(**layout) for layout in layouts)
    if not (folder / "parent").exists():
        run_inline(parent, folder / "parent", old)
    before = sorted((p, p.stat().st_size) for p in (folder / "parent").rglob("*"))
    trial = (child or parent).model_copy(update={"forked": Forked(trial=parent.id, tick=tick)})
    trial = fork(trial, folder / "child", new, Origin(parent, folder / "parent", old), run_inline)
    outcome = run_inline(trial, folder / "child", new)
    assert outcome.errors == ()
    assert before == sorted((p, p.stat().st_size) for p in (folder / "parent").rglob("*"))
    return Trace(folder / "parent"), Trace(folder / "child")


@pytest.mark.parametrize("tick", [0, 3, 5, 8, 11])
@pytest.mark.parametrize("layouts", [(COLOCATED, COLOCATED), (ACTORS, COLOCATED), (COLOCATED, ACTORS)])
def test_an_unchanged_fork_ends_in_the_digest_of_its_parent(tmp_path, tick, layouts):
    for saves in (True, False):
        fields = {"environment": {"name": "toys:ToyWorld", "saves": saves}, "joins": [0, 4, 0]}
        parent, child = forked(tmp_path / str(saves), trial_of(**fields), tick, layouts=layouts)
        assert child.digest() == parent.digest()


@pytest.mark.parametrize("tick", [2, 6, 9])
@pytest.mark.parametrize("layouts", [(COLOCATED, COLOCATED), (ACTORS, COLOCATED), (COLOCATED, ACTORS)])
def test_interventions_under_way_go_on_in_a_fork(tmp_path, tick, layouts):
    parent, child = forked(tmp_path, trial_of(interventions=EVERYTHING), tick, layouts=layouts)
    assert child.digest() == parent.digest()


def test_worlds_that_have_ended_stay_ended(tmp_path):
    worlds = {"environment": {"name": "toys:ToyWorld", "length": 4}, "more_environments": ["toys:ToyWorld"]}
    parent, child = forked(tmp_path, trial_of(**worlds), 8)
    assert child.digest() == parent.digest()


@pytest.mark.parametrize("every", [0, 4, 100])
def test_a_fork_needs_no_checkpoint_of_its_parent(tmp_path, every):
    parent, child = forked(tmp_path, trial_of(checkpoint_every=every), 7)
    assert child.digest() == parent.digest()


def test_an_intervention_added_by_a_fork_is_that_of_a_trial_that_had_it_from_the_start(tmp_path):
    later = [one for one in EVERYTHING if one.get("tick", 0) >= 5 and "dormancy" not in one and one["kind"] != "stop"]
    later += [{"kind": "defend", "tick": 6, "defences": [{"name": "meddling:Doorman", "grudge": 2}]}]
    later += [{"kind": "cut", "tick": 6, "agent": ONE, "space": "global"}, {"kind": "wipe", "tick": 5, "space": ONE}]
    for n, one in enumerate([*later, {"kind": "purge", "tick": 9, "writer": "w0001/player_1"}]):
        policy = {"name": "toys:ToyPolicy", "hops": False}
        clean, changed = (trial_of(worlds=2, policy=policy, interventions=some) for some in ([], [one]))
        parent, child = forked(tmp_path / str(n), clean, 5, changed)
        run_inline(changed, tmp_path / str(n) / "whole")
        assert child.digest() == Trace(tmp_path / str(n) / "whole").digest() != parent.digest(), one


def test_a_fork_finds_the_tick_of_its_first_change(tmp_path):
    changed = trial_of(interventions=[{"kind": "wipe", "tick": 7, "space": "global"}])
    _, child = forked(tmp_path, trial_of(), None, changed)
    assert (tmp_path / "child" / "forked").read_text() == "7"
    run_inline(changed, tmp_path / "whole")
    assert child.digest() == Trace(tmp_path / "whole").digest()


def test_a_purge_in_a_fork_knows_what_was_lived_before_it(tmp_path):
    purge = {"kind": "purge", "tick": 7, "space": "global", "writer": ONE}
    memory = {"name": "toys:ToyMemory", "capacity": 99, "forgets": False}
    _, child = forked(tmp_path, trial_of(memory=memory), 7, trial_of(memory=memory, interventions=[purge]))
    (done,) = [one for row in rows(child, "global") for one in row.changed]
    assert done.details == {"chosen": 6, "incomplete": []}
    assert {v.stored.writer for v in Lineage.of(child).content("global", 8) if v.tick < 6} <= {"player_0", "player_1"}


def test_what_happened_before_a_fork_cannot_change(tmp_path):
    wipe = {"kind": "wipe", "tick": 3, "space": "global"}
    with pytest.raises(StudyError, match="the wipe of tick 3 begins before the fork at tick 7"):
        forked(tmp_path, trial_of(), 7, trial_of(interventions=[wipe]))


def test_a_memory_that_cannot_go_on_from_the_state_says_so(tmp_path):
    with pytest.raises(StudyError, match=r"memory: the state of .* at tick 7 does not fit"):
        forked(tmp_path, trial_of(), 7, trial_of(memory={"name": "bm25"}))


def test_a_fork_between_two_steps_of_a_world_says_where_to_fork(tmp_path):
    fields = {"more_environments": ["turns:TurnWorld"], "ticks_per_round": 4, "wiring": "global"}
    with pytest.raises(StudyError, match="steps every 4 ticks from tick 0 on; fork at one of its steps, such as 4"):
        forked(tmp_path, trial_of(**fields), 6)
    parent, child = forked(tmp_path / "fits", trial_of(**fields), 8)
    assert child.digest() == parent.digest()
