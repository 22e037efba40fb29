"""What fails is data: one row, in the same place in every layout, and the others go on."""

import pytest
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.rows import failure, world_row
from simonides.sim.trace import SPACE_FAILED, WORLD, WORLD_FAILED, Trace

LAYOUTS = [
    Layout(),
    Layout(world_actors=2, memory_actors=2, private="actors"),
    Layout(memory_actors=2, private="actors", memory_budget=0),
]


def run_all(study, tmp_path):
    (trial,) = parse_study(study).trials()
    outcomes, traces = [], []
    for i, layout in enumerate(LAYOUTS):
        outcomes.append(run_inline(trial, tmp_path / str(i), layout))
        traces.append(Trace(tmp_path / str(i)))
    assert len({trace.digest() for trace in traces}) == 1
    return outcomes[0], traces[0]


@pytest.mark.parametrize("wiring", ["private", "team", "global", "hub", {"name": "graph", "graph": "cycle_graph"}])
def test_a_memory_that_raises_fails_its_spaces_alone(tmp_path, wiring):
    outcome, trace = run_all(toy_study(memory="breaking:Raises", wiring=wiring), tmp_path)
    failed = list(trace.of(SPACE_FAILED))
    assert failed and all(row.tick == 4 and failure(row).error == "ZeroDivisionError" for row in failed)
    assert any("the toy memory breaks here" in line for line in outcome.errors)
    assert all(world.ticks == 5 for world in outcome.worlds)  # every world uses such a space


def test_a_memory_that_answers_nonsense_fails_the_worlds_that_read_it(tmp_path):
    outcome, trace = run_all(toy_study(memory="breaking:Nonsense", wiring="private"), tmp_path)
    rows = list(trace.of(WORLD_FAILED))
    assert {failure(row).error for row in rows} == {"ContractBroken"}
    assert any("not a Recall" in line for line in outcome.errors)


@pytest.mark.parametrize("layout", LAYOUTS[:2])
@pytest.mark.parametrize("memory", ["Waits", "WaitsOnRead"])
def test_a_memory_that_waits_for_ever_fails_after_the_time_limit(tmp_path, memory, layout):
    (trial,) = parse_study(toy_study(memory=f"breaking:{memory}", wiring="private", time_limit=0.3)).trials()
    outcome = run_inline(trial, tmp_path, layout)
    assert any("time limit" in line for line in outcome.errors)
    assert not outcome.reproducible
    assert {failure(row).error for row in Trace(tmp_path).of(WORLD_FAILED)} == {"TimeoutError"}


def test_a_policy_that_waits_for_ever_fails_its_world_and_the_others_go_on(tmp_path):
    (trial,) = parse_study(toy_study(policy="breaking:WaitingPolicy", time_limit=0.3)).trials()
    outcome = run_inline(trial, tmp_path)
    assert [world.ticks for world in outcome.worlds] == [12, 4, 12]
    assert ["(act)" in line and "time limit" in line for line in outcome.errors] == [True]


def test_a_world_that_breaks_discards_its_tick_and_the_others_go_on(tmp_path):
    study = toy_study(environment={"name": "toys:ToyWorld", "fail_at": 6}, joins=[0, 9, 9])
    outcome, trace = run_all(study, tmp_path)
    broken = list(trace.of(WORLD_FAILED))
    assert [failure(row).phase for row in broken] == ["step"] * 3
    assert max(row.tick for row in trace.of(WORLD, "w0000")) == 5
    assert sum("the toy world breaks here" in line for line in outcome.errors) == 3


def test_a_policy_that_breaks_is_named_with_its_phase(tmp_path):
    outcome, trace = run_all(toy_study(policy={"name": "toys:ToyPolicy", "fail_at": 2}), tmp_path)
    assert {failure(row).phase for row in trace.of(WORLD_FAILED)} == {"act"}
    assert "(act)" in outcome.errors[0]


def test_a_refused_access_is_an_error_to_the_caller_and_an_entry_in_the_trace(tmp_path):
    outcome, trace = run_all(toy_study(policy="breaking:Trespasser", wiring="private", worlds=2), tmp_path)
    assert outcome.errors == ()
    row = world_row(next(iter(trace.of(WORLD, "w0000"))))
    assert row.asked[0].refused == "player_0 may not read nowhere"
    assert row.actions["player_0"].notes["told"] == "AccessRefused"
    later = world_row(list(trace.of(WORLD, "w0000"))[2])
    assert ("w0001/player_0", "player_1", "write") in later.refusals
    assert any("may not write" in line for line in later.actions["player_1"].notes["refused"])
