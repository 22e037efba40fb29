"""What attacks plan is carried out in a trial: each text becomes a record, and who reads claims acts on the lie."""

from __future__ import annotations

import pytest

from simonides.experiments.metrics.tables import measure
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline

NAMES = {
    "planted-record": 1,
    "memorygraft": 10,
    "poisonedrag": 5,
    "agentpoison": 1,
    "farma": 13,
    "untrusted-content": 1,
}


def run(folder, attack, **fields):
    study = {
        "name": "attacked", "environment": {"name": "dialogue-choices", "delay": 6, "distractors": 1},
        "wiring": "private",
        "memory": "vector", "embedder": {"name": "hashing", "dimension": 64}, "policy": {"name": "believer", "k": 20},
        "interventions": [{"kind": "attack", "attack": attack, "tick": 3}], "seeds": 1, "checkpoint_every": 0, **fields,
    }  # fmt: skip
    (trial,) = parse_study(study).trials()
    assert not run_inline(trial, folder).failed
    tables, values = measure(folder)
    return tables, {row["part"]: row["value"] for row in values.iter_rows(named=True) if row["metric"] == "poisoning"}


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("door", ["memory", "channel"])
def test_every_text_of_a_plan_becomes_a_record(name, door, tmp_path):
    attack = {"name": name, "door": door} | ({"candidates": 5} if name == "agentpoison" else {})
    tables, found = run(tmp_path, attack)
    assert tables.items.height == NAMES[name] and tables.items["tainted"].all()
    assert found["ISR"] == 1.0
    if name != "memorygraft":
        assert found["ASR-r"] == 1.0


def test_the_honest_mistake_is_no_attack_in_the_books(tmp_path):
    tables, found = run(tmp_path, {"name": "planted-record", "content": "mistake"})
    assert tables.items.height == 1 and not tables.items["tainted"].any() and found == {}
