"""The memory gap says of each task whether memory decides it, and what is wrong where it does not."""

from __future__ import annotations

import polars as pl
import pytest
from rich.console import Console

from simonides.experiments.execute import execute
from simonides.experiments.metrics.cells import run_tables
from simonides.experiments.metrics.gap import FULL, NONE, REMOVED, Arm, Gap, gaps
from simonides.experiments.results import print_gap
from simonides.experiments.runs import Run
from simonides.sim.config import Layout, parse_study

ARMS = {
    FULL: {"policy.recall": True, "environment.reveal": True},
    NONE: {"policy.recall": False, "environment.reveal": True},
    REMOVED: {"policy.recall": True, "environment.reveal": False},
}


def study(broken="", seeds=12):
    bell = {"name": "towers:bell", "delay": 3, "broken": broken}
    return parse_study(
        {
            "name": "bells", "environment": bell, "memory": "full-context", "policy": "believer",
            "factors": {"task": {"short": {}, "long": {"environment.delay": 9}}, "arm": ARMS}, "seeds": seeds,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gap")
    run = Run.create(folder / "run", study(), Layout(), folder / "cache")
    with (folder / "out.txt").open("w") as out:
        assert execute(run, 1, Console(file=out, width=200)) == 0
    assert "memory decides" in (folder / "out.txt").read_text()
    return run


def gap(full, none, removed, chance=0.25, constant=0.3):
    arms = {FULL: Arm(*full), NONE: Arm(*none), REMOVED: Arm(*removed)}
    return Gap(("task",), 100, chance, constant, arms)


def test_a_task_that_memory_decides_has_no_faults():
    assert gap((97, 100), (26, 100), (24, 100)).faults == ()


def test_each_fault_is_named():
    assert "full memory's lower bound is 0.79" in gap((87, 100), (25, 100), (25, 100)).faults[0]
    assert "above chance" in gap((97, 100), (40, 100), (40, 100)).faults[0]
    assert "constant guess" in gap((970, 1000), (340, 1000), (340, 1000)).faults[0]
    assert "leaks" in gap((97, 100), (25, 100), (45, 100)).faults[0]


def test_a_run_with_arms_has_a_gap_for_each_task(ran):
    tables = run_tables(ran)
    found = gaps(tables)
    assert [one.labels for one in found] == [("short",), ("long",)]
    assert {one.arms[FULL].hits for one in found} == {24}
    assert all(one.chance == pytest.approx(0.25) and one.arms[NONE].share.estimate < 0.5 for one in found)
    assert tables.needs["delay"].drop_nulls().unique().sort().to_list() == [4, 10]
    success = tables.metrics.filter((pl.col("metric") == "task-success") & (pl.col("part") == ""))
    assert success.height == 72
    console = Console(record=True, width=200)
    print_gap(tables, console)
    assert "exploratory" in console.export_text()


def test_worlds_that_ask_and_worlds_that_do_not_stand_in_one_report(tmp_path):
    """Environments of several families in one study: some pose questions, some tell a reach, some do neither."""
    tasks = {
        "bell": {},
        "dialogue": {"environment": {"name": "dialogue", "sessions": 2, "turns_per_session": 4, "questions": 4}},
        "claims": {"environment": {"name": "claims", "listed": True, "ticks": 12}},
    }
    fields = study(seeds=2).model_dump(mode="json") | {"factors": {"task": tasks}}
    run = Run.create(tmp_path / "run", parse_study(fields), Layout(), tmp_path / "cache")
    with (tmp_path / "out.txt").open("w") as out:
        assert execute(run, 1, Console(file=out, width=200)) == 0
    assert (tmp_path / "run/report.html").exists()
    assert "could not be made" not in (tmp_path / "out.txt").read_text()
