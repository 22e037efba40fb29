"""An audit by ablation finds what decisions hang on: a planted record, however it was written."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from simonides.experiments.audit import audit, suspects
from simonides.experiments.execute import execute
from simonides.experiments.runs import Run
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import UserError
from simonides.sim.trace import Trace

pytestmark = pytest.mark.slow

LIE = "The colour of tower 1 is gold."
NEED = {
    "question": "What is the colour of tower 1?", "subject": "tower 1", "attribute": "colour",
    "options": ["red", "blue", "green", "gold"],
    "grammar": [["colour", "The colour of {subject} is {value}.", "The colour of {subject} is not {value}."]],
}  # fmt: skip
STUDY = {
    "name": "audited",
    "environment": {"name": "claims", "agents": 4, "claims": 3, "witnesses": 2, "ticks": 14, "listed": True},
    "memory": "bm25", "policy": {"name": "believer", "profile": "recent", "trust": 1.0}, "wiring": "global",
    "seeds": 1, "checkpoint_every": 0, "probes": [{"every": 6, "need": NEED}],
    "interventions": [{"kind": "plant", "tick": 3, "agent": "w0000/player_2", "space": "global", "text": LIE}],
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    made = Run.create(folder / "run", parse_study(STUDY), Layout(), folder / "cache")
    assert execute(made, 1, Console(quiet=True), report=False) == 0
    return made


def test_the_planted_record_is_what_every_decision_hangs_on(run, tmp_path):
    found = audit(run, 8, tmp_path / "out", jobs=1)
    first, others = found.findings[0], found.findings[1:]
    assert (first.suspect.text, first.suspect.writer, first.changed, first.asked) == (LIE, "w0000/player_2", 4, 4)
    assert all(with_it == "gold" != without for _, _, with_it, without in first.answers)
    assert others and all(one.changed == 0 for one in others)
    assert found.forks == 1 + len(found.findings) and first.incomplete == 0
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["forks"] == found.forks


def test_copies_of_a_text_and_all_of_a_writer_can_be_left_out_together(run):
    trace = Trace(run.folder_of(run.trials()[0]))
    one, text, writer = (suspects(trace, 8, by) for by in ("origin", "text", "writer"))
    assert [len(found) for found in (one, text, writer)] == [7, 4, 4]
    assert {len(each.origins) for each, _ in text} == {1, 2}  # the lie, and what two witnesses saw
    assert {each.name for each, _ in writer} <= {f"w0000/player_{n}" for n in range(4)}


def test_it_says_what_it_lacks(run, tmp_path):
    silent = parse_study({**STUDY, "probes": [], "seeds": 2})
    two = Run.create(tmp_path / "two", silent, Layout(), tmp_path / "cache")
    with pytest.raises(UserError, match="--trial 0"):
        audit(two, 8, tmp_path / "out")
    with pytest.raises(UserError, match="has no probes"):
        audit(two, 8, tmp_path / "out", trial="0")
