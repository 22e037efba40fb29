"""Every built-in memory system passes the suite and its own checks, and gives one digest however it is packed."""

from __future__ import annotations

import asyncio

import pytest
from toys import toy_study

from simonides.agents.models.scripted import RULES
from simonides.memory_actors.systems.baselines.vector import VectorMemory
from simonides.memory_actors.systems.dialogue.generative_agents import minmax
from simonides.memory_actors.systems.dialogue.memorybank import MemoryBank, retention
from simonides.sim.checks import check_memory, render
from simonides.sim.checks.desk import Desk, experience, script
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.inline import run_inline
from simonides.sim.registry import BUILTINS, registry
from simonides.sim.trace import Trace
from simonides.sim.types import Query

NAMES = sorted(BUILTINS["memory"])
VARIANTS = [
    ("full-context", {"max_tokens": 200}),
    ("window", {"turns": 3, "max_tokens": 60}),
    ("running-summary", {"every": 1}),
    ("vector", {"hybrid": True, "turns": 2}),
    ("union", {"each": 2}),
    ("generative-agents", {"compat": "repo", "threshold": 40, "k": 4}),
    ("memorybank", {"compat": "repo", "chunk": 0}),
    ("memorybank", {"forgetting": "threshold", "forget_on": "manage", "unit_days": 7.0}),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_memory_passes_the_suite_and_its_own_checks(name):
    report = check_memory(name)
    assert report.passed, render(report)
    assert len(report.findings) > 13, "its own checks are missing"


@pytest.mark.parametrize(("name", "params"), VARIANTS, ids=[f"{name} {params}" for name, params in VARIANTS])
def test_it_passes_with_other_parameters(name, params):
    report = check_memory(registry("memory").load(name), params)  # by class, so that no other process is started
    assert report.passed, render(report)


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_of_a_trial_does_not_depend_on_packing(name, tmp_path):
    parts = {"memory": {"name": name}, "embedder": {"name": "hashing"}, "model": {"name": "scripted"}}
    digests = set()
    for budget in (None, 0):
        (trial,) = parse_study(toy_study(**parts)).trials()
        outcome = run_inline(trial, tmp_path / str(budget), Layout(memory_budget=budget))
        assert not outcome.errors
        digests.add(Trace(tmp_path / str(budget)).digest())
    assert len(digests) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_scripted_model_has_a_rule_for_every_purpose(name):
    assert set(registry("memory").load(name).card.needs_model) <= set(RULES)


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_that_is_no_snapshot_is_refused(name):
    with pytest.raises(CorruptFile):
        registry("memory").build(name).restore(b"\x93\x01\x02\x03")


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("window", {"turns": 0}, r"memory\.turns"),
        ("memorybank", {"forgetting": "never"}, r"memory\.forgetting"),
        ("vector", {"k": "many"}, r"memory\.k"),
        ("generative-agents", {"decay": 1.5}, r"memory\.decay"),
    ],
)
def test_a_parameter_out_of_range_is_named_by_its_path(name, params, field):
    with pytest.raises(StudyError, match=field):
        registry("memory").build(name, params)


def texts(system, **query):
    async def ask():
        desk = Desk(system)
        await desk.play([step for step in script() if step.kind == "write"])
        return [i.text for i in (await system.read(Query(**query), desk.context("read"))).items]

    return asyncio.run(ask())


@pytest.mark.parametrize("name", ["bm25", "vector", "full-context", "window", "generative-agents"])
def test_a_filter_leaves_only_records_with_these_fields(name):
    found = texts(registry("memory").build(name), text="the garden gate", k=4, filter={"writer": "ben"})
    assert len(found) == 4
    assert all(text.startswith("ben said") for text in found)
    assert texts(registry("memory").build(name), text="the garden gate", filter={"mood": "blue"}) == []


def test_an_index_of_another_kind_can_be_named():
    with pytest.raises(Exception, match="No index is called 'arna'"):
        texts(VectorMemory(index="arna"), text="gate")


def test_retention_falls_with_time_and_is_whole_for_the_future():
    assert retention(0, 1) == 1.0 == retention(-3, 1)
    assert retention(1, 1) > retention(2, 1) and retention(2, 2) > retention(2, 1)


def test_minmax_of_equal_values_is_one_half():
    assert minmax([3, 3]).tolist() == [0.5, 0.5]
    assert minmax([1, 2, 3]).tolist() == [0.0, 0.5, 1.0]


def test_forgetting_a_turn_takes_its_summaries_and_the_diary_is_written_anew():
    async def live():
        desk = Desk(MemoryBank(forgetting="off"))
        for number in range(3):
            await desk.write(experience(number, days=number / 100))
        await desk.manage()
        before = {record.channel: record.id for record in desk.records().values()}
        await desk.forget([experience(1).id])
        between = {record.channel for record in desk.records().values()}
        await desk.manage()
        return before, between, {record.channel: record.id for record in desk.records().values()}

    before, between, after = asyncio.run(live())
    assert between == {"observation"}
    assert set(after) == set(before)
    assert after["overall_history"] != before["overall_history"]
