"""The shipped study of MemoryGraft's protocol counts what the published one counts, on records of its own."""

from __future__ import annotations

import pytest

from simonides.experiments.metrics.tables import measure
from simonides.experiments.studyfile import load_study
from simonides.sim.inline import run_inline


def test_poisoned_and_retrieved_records_are_counted_from_probes(tmp_path):
    study = load_study("memorygraft", ["seeds=1", "embedder=hashing", "factors.memory=[union]"])
    found = {}
    for trial in study.trials():
        assert not run_inline(trial, tmp_path / trial.id).failed
        tables, values = measure(tmp_path / trial.id, study.metrics)
        assert tables.probes.height == 12 and tables.items.height == 110
        assert tables.contamination["held"].max() == 110
        assert 3 * 12 <= tables.probes["recalled"].sum() <= 6 * 12
        shares = {row["part"]: row["value"] for row in values.iter_rows(named=True) if row["metric"] == "prp"}
        found[str(trial.cell["forged"])] = shares
    forged, mistakes, newer, none = (found[name] for name in study.factors["forged"])
    assert (none[""], mistakes[""], newer[""]) == (0.0, 0.0, 0.0) and "control" not in none | forged
    assert forged[""] == pytest.approx(forged["poisoned"] / forged["retrieved"]) and forged["poisoned"] > 0
    assert mistakes["controls"] == forged["poisoned"] and newer["controls"] > 0
