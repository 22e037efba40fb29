"""In a trial each defence rules at its doors, and the digest does not depend on how often the space was packed."""

from __future__ import annotations

from collections import Counter

import pytest

from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.rows import space_row
from simonides.sim.trace import SPACE, Trace

RUMOUR = "The colour of tower 1 is gold."
STUDY = {
    "name": "defended",
    "environment": {
        "name": "claims", "agents": 6, "claims": 4, "values": 4, "witnesses": 3, "ticks": 24, "ask_every": 5,
        "listed": True,
    },
    "memory": "bm25", "policy": "believer", "wiring": "global", "worlds": 1, "seeds": 1,
    "embedder": {"name": "hashing", "dimension": 64},
    "interventions": [
        {"kind": "inject", "tick": 2, "agent": f"w0000/player_{n}", "channel": "rumour", "text": RUMOUR}
        for n in (0, 0, 1)
    ],
}  # fmt: skip

DEFENCES = [
    ("lineage-trust", {}, {"screened"}),
    ("corroboration", {"outside": "channel"}, {"screened"}),
    ("quarantine", {"patience": 4}, {"hold", "release"}),
    ("trust-decay", {"write": 0.6}, {"refuse"}),
    ("embedding-anomaly", {"warmup": 2}, {"screened"}),
    ("purge-by-origin", {"at": 9, "channels": ["rumour"]}, {"purge"}),
    ("access-tiers", {"rule": "integrity", "sources": {"rumour": -1}}, {"screened"}),
    ("consensus-over-claims", {}, set()),
]


def ruled(folder) -> Counter:
    found: Counter = Counter()
    for row in Trace(folder).of(SPACE):
        told = space_row(row)
        found.update(ruling.verdict for ruling in told.rulings)
        found.update("screened" for *_, effects in told.effects for one in effects if one.kind == "defence::screened")
    return found


@pytest.mark.parametrize(("name", "params", "wanted"), DEFENCES, ids=[one[0] for one in DEFENCES])
def test_a_defence_rules_in_a_trial_the_same_however_it_is_packed(name, params, wanted, tmp_path):
    digests = set()
    for budget in (None, 0):
        (trial,) = parse_study({**STUDY, "defences": [{"name": name, **params}]}).trials()
        outcome = run_inline(trial, tmp_path / str(budget), Layout(memory_budget=budget))
        assert not outcome.errors
        digests.add(Trace(tmp_path / str(budget)).digest())
        found = ruled(tmp_path / str(budget))
        assert wanted <= set(found)
        assert "error" not in found
    assert len(digests) == 1
