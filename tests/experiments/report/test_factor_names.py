"""A factor may be named like a column of a table: its own column has another name, and the report is made."""

import pytest

from simonides.experiments.metrics.cells import run_tables
from simonides.experiments.metrics.columns import RESERVED
from simonides.experiments.metrics.conditions import factors
from simonides.experiments.metrics.tables import NAMES
from simonides.experiments.report.page import render_report
from simonides.experiments.report.run import context_of
from simonides.experiments.runs import Run
from simonides.experiments.worker import begin, settle
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import Inline

STUDY = {
    "name": "named", "environment": {"name": "claims", "listed": True, "seer": "other", "agents": 3, "ticks": 40},
    "memory": "full-context", "policy": "believer", "wiring": "global", "seeds": 1, "checkpoint_every": 0,
    "factors": {
        "environment.agents": [3, 4],
        "tick": {"early": {"interventions": [{"kind": "plant", "tick": 3}]}, "none": {"interventions": []}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    run = Run.create(folder / "run", parse_study(STUDY), Layout(), folder / "cache")
    with Inline(run.cache) as inline:
        for trial in run.trials():
            started = begin(trial, run.folder_of(trial), run.layout, run.origin(trial), inline, None)
            assert settle(started, run.folder_of(trial), inline.run).status == "done"
    return run


def test_the_report_of_a_study_with_such_factors_is_made(run):
    tables = run_tables(run)
    assert tables.names == ["environment.agents", "tick (factor)"]
    assert tables.ticks["tick"].n_unique() == 40 and set(tables.ticks["tick (factor)"]) == {"early", "none"}
    context = context_of(run, tables)
    assert render_report(context)
    assert {panel.id for panel in context.panels} >= {"infection", "poisoning", "aim", "score"}


def test_every_column_of_every_table_is_reserved(run):
    tables = run_tables(run)
    own = {"seed", *tables.names}
    columns = {column for name in (*NAMES, "metrics") for column in getattr(tables, name).columns}
    assert columns - own <= RESERVED


def test_names_stay_short_where_they_can():
    study = parse_study({**STUDY, "factors": {"environment.claims": [4], "policy.k": [3], "seed": {"a": {}}}})
    assert [one.name for one in factors(study)] == ["claims", "k", "seed (factor)"]
