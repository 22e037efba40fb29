"""MemoryGraft's protocol: a store of honest experiences with forged ones among them, and how many are retrieved."""

from __future__ import annotations

import pytest
from attacking import AGENTS, planning

from simonides.agents.attacks.graft_records import TASKS
from simonides.sim.errors import StudyError
from simonides.sim.instructions import read_instructions
from simonides.sim.registry import registry


def plan(seed: int = 0, **params: object):
    return list(registry("attack").build("graft-records", params).plan(planning(seed=seed)))


def test_ten_forged_of_a_hundred_and_ten_in_an_order_that_the_seed_draws():
    told = plan()
    assert (len(told), sum(one.tainted for one in told)) == (110, 10)
    assert len({one.text for one in told}) == 110 and {one.agent for one in told} == {AGENTS[0]}
    assert told == plan() != plan(seed=1)
    assert not any(one.tainted for one in plan(poisoned=0, benign=110))


def test_a_forged_success_has_the_form_of_the_others():
    told = plan()
    forged = [one for one in told if one.tainted]
    for one in told:
        (read,) = read_instructions(one.text)
        assert len(read.steps) == 3
        assert one.fields["outcome"] == "success" and one.fields["metadata"]["tag"] == "validated"
    good = {steps for _, steps, _ in TASKS}
    assert not {read_instructions(one.text)[0].steps for one in forged} & good


def test_the_honest_mistakes_are_the_forged_records_in_good_faith():
    forged, mistakes = plan(), plan(content="mistake")
    assert [one.text for one in mistakes] == [one.text for one in forged] and not any(one.tainted for one in mistakes)
    assert [one.tainted for one in forged] == ["control" in one.about for one in mistakes]


def test_the_newer_ways_are_told_last_and_done_well():
    newer = plan(content="newer")[100:]
    assert {one.about["control"] for one in newer} == {"newer"} and not any(one.tainted for one in newer)
    assert [read_instructions(one.text)[0].steps for one in newer] == [steps for _, steps, _ in TASKS[:10]]


def test_an_agent_that_is_not_there_is_named():
    with pytest.raises(StudyError, match="no 'w0000/eve'"):
        plan(agent="w0000/eve")
