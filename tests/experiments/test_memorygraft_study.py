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
        found[int(tables.items["tainted"].sum())] = shares
    assert found[0][""] == 0.0
    assert found[10][""] == pytest.approx(found[10]["poisoned"] / found[10]["retrieved"]) and found[10]["poisoned"] > 0
