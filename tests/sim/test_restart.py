"""A trial that dies and goes on ends in the digest of one that was left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from meddling import EVERYTHING, TELLING
from toys import toy_study

from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace

RUN = """
import sys
from pathlib import Path
from simonides.sim.config import Layout, Study, parse_study
from simonides.sim.inline import run_inline
import json
(trial,) = parse_study(json.loads(Path(sys.argv[1]).read_text())).trials()
outcome = run_inline(trial, Path(sys.argv[2]), Layout(memory_actors=2, private=sys.argv[3]))
print(outcome.errors)
sys.exit(0 if not outcome.errors else 1)
"""


@pytest.mark.parametrize("private", ["colocated", "actors"])
@pytest.mark.parametrize("saves", [True, False])
@pytest.mark.parametrize("part", ["memory", "environment"])
@pytest.mark.parametrize("die_at", [4, 5, 11])
def test_a_killed_process_goes_on_to_the_same_digest(tmp_path, private, saves, part, die_at):
    fields = toy_study(wiring={"name": "global", "also_private": True}, joins=[0, 3, 0])
    fields["environment"] = {**fields["environment"], "saves": saves}
    fields[part] = {**fields[part], "die_at": die_at, "marker": str(tmp_path / "died")}
    study = parse_study(fields)
    (tmp_path / "study.json").write_text(study.model_dump_json())
    command = [sys.executable, "-c", RUN, str(tmp_path / "study.json"), str(tmp_path / "run"), private]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    first = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    assert first.returncode == -9
    (trial,) = study.trials()
    second = run_inline(trial, tmp_path / "run", layout(private))
    assert second.errors == ()
    run_inline(trial, tmp_path / "undisturbed")
    assert Trace(tmp_path / "run").digest() == Trace(tmp_path / "undisturbed").digest()


@pytest.mark.parametrize("private", ["colocated", "actors"])
@pytest.mark.parametrize("die_at", [5, 8, 11])
def test_interventions_and_probes_survive_a_killed_process(tmp_path, private, die_at):
    fields = toy_study(wiring={"name": "global", "also_private": True}, interventions=EVERYTHING, policy=TELLING)
    fields |= {"probes": [{"every": 2, "question": "said1"}], "checkpoint_every": 3}
    fields["memory"] = {**fields["memory"], "die_at": die_at, "marker": str(tmp_path / "died")}
    study = parse_study(fields)
    (tmp_path / "study.json").write_text(study.model_dump_json())
    command = [sys.executable, "-c", RUN, str(tmp_path / "study.json"), str(tmp_path / "run"), private]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    assert subprocess.run(command, env=environment, capture_output=True, timeout=60).returncode == -9
    (trial,) = study.trials()
    assert run_inline(trial, tmp_path / "run", layout(private)).errors == ()
    run_inline(trial, tmp_path / "undisturbed")
    again, whole = Trace(tmp_path / "run"), Trace(tmp_path / "undisturbed")
    assert (again.digest(), again.probes_digest()) == (whole.digest(), whole.probes_digest())


def layout(private):
    from simonides.sim.config import Layout

    return Layout(memory_actors=2, private=private)
