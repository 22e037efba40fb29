"""What models did is added up over processes and restarts, and told in the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from simonides.experiments.metrics.serving import serving
from simonides.experiments.report.context import ReportContext
from simonides.experiments.report.page import render_report
from simonides.experiments.report.serving import serving_panel
from simonides.sim import modeltimings
from simonides.sim.modeltimings import Meter, ModelTimings
from simonides.sim.types import Completion


@pytest.fixture
def clock(monkeypatch):
    """The clock of timings: it stands where the test puts it."""
    now = [0.0]
    monkeypatch.setattr(modeltimings, "monotonic", lambda: now[0])
    return now


def write(folder: Path, process: int, samples, clock, monkeypatch):
    """Write the samples (seconds, source, counters) of a process."""
    monkeypatch.setattr(modeltimings.os, "getpid", lambda: process)
    clock[0] = 0.0
    timings = ModelTimings(folder)
    for seconds, source, counters in samples:
        clock[0] = seconds
        timings.write("smollm2", source, counters)
    timings.close()


def rows(folder: Path) -> dict[str, dict]:
    return {row["where"]: row for row in serving(folder).iter_rows(named=True)}


def test_processes_of_a_run_are_added_up(tmp_path, clock, monkeypatch):
    own = {"asked": 4, "known": 1, "shared": 2, "asked_tokens": 80, "reply_tokens": 40, "busy_seconds": 2.0}
    behind = {"finished": 9, "prompt_tokens": 99, "generated_tokens": 9, "prefix_hits": 30, "prefix_queries": 60}
    write(tmp_path, 1, [(0.0, "process", {**behind, **own, "most_at_once": 3})], clock, monkeypatch)
    write(tmp_path, 2, [(0.0, "process", {**own, "most_at_once": 2})], clock, monkeypatch)
    (row,) = rows(tmp_path).values()
    assert (row["asked"], row["known"], row["shared"], row["most_at_once"]) == (8, 2, 4, 3)
    assert (row["prompt_tokens"], row["reply_tokens"], row["tokens_a_second"]) == (160, 80, 20.0)
    assert (row["cache_hits"], row["restarts"], row["most_waiting"]) == (0.5, None, None)


def test_a_replica_counts_on_after_a_restart_and_its_rate_leaves_out_idle_time(tmp_path, clock, monkeypatch):
    samples = [
        (5.0, "replica 0", {"finished": 2, "generated_tokens": 50, "waiting": 7, "deaths": 0}),
        (10.0, "replica 0", {"finished": 2, "generated_tokens": 50, "waiting": 0, "deaths": 0}),
        (15.0, "replica 0", {"finished": 3, "generated_tokens": 30, "waiting": 1, "deaths": 1}),
        (20.0, "replica 0", {"deaths": 1}),
    ]
    write(tmp_path, 1, [*samples, (20.0, "gate", {"asked": 5, "known": 0})], clock, monkeypatch)
    found = rows(tmp_path)
    row = found["replica 0"]
    assert (row["asked"], row["reply_tokens"], row["restarts"], row["most_waiting"]) == (5, 80, 1, 7)
    assert row["tokens_a_second"] == pytest.approx(80 / 10)
    assert found["gate"]["reply_tokens"] is None


def test_the_report_tells_it_in_a_sentence_and_a_table_of_what_is_known(tmp_path, clock, monkeypatch):
    assert serving_panel(tmp_path) == ()
    gate = {"asked": 1234, "known": 6, "shared": 0, "asked_tokens": 9, "reply_tokens": 500, "busy_seconds": 4.0}
    replica = {"generated_tokens": 500, "deaths": 2}
    write(tmp_path, 1, [(9.0, "gate", gate), (9.0, "replica 0", replica)], clock, monkeypatch)
    (panel,) = serving_panel(tmp_path)
    assert panel.answer == (
        "1,234 calls were asked, 6 answered by the record; up to 125 tokens a second; "
        "replicas were started again 2 times."
    )
    assert list(panel.table["where"]) == ["gate", "replica 0"]
    assert "cache_hits" not in panel.table.columns
    page = render_report(ReportContext("Served", "", {}, (panel,)))
    section = page[page.index('<section class="card" id="serving"') :]
    assert '<button type="button">tokens/s</button>' in section and "By the clock of where it ran" in section
    assert '<td class="number" data-order="125.0">125.0</td>' in section


def test_a_meter_counts_the_seconds_in_which_anything_is_asked_once(clock):
    meter = Meter()
    with meter.asking(2):
        clock[0] = 1.0
        with meter.asking(1):
            clock[0] = 3.0
        clock[0] = 4.0
    clock[0] = 9.0
    with pytest.raises(ValueError, match="broken"), meter.asking(1):
        clock[0] = 10.0
        raise ValueError("broken")
    meter.answered([Completion("a", 7, 2), Completion("b", 8, 3)])
    assert meter.counts == {
        "asked": 4.0, "most_at_once": 3.0, "busy_seconds": 5.0, "asked_tokens": 15.0, "reply_tokens": 5.0,
    }  # fmt: skip
