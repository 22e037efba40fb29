"""Studies on the true engine: in Ray actors whose engines are killed, on the command line, resumed, and replayed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pytest
import yaml
from command import simonides, start
from engines import MARKS, dialogue, ended, fields_of, processes

from simonides.cluster.runtime import run_ray
from simonides.experiments.runs import Run
from simonides.sim.config import Layout
from simonides.sim.inline import run_inline
from simonides.sim.modelcalls import CallFile, read_calls
from simonides.sim.modeltimings import read_model_timings
from simonides.sim.trace import Trace

pytestmark = MARKS

PATIENCE = 900.0
BRIEF = {"max_tokens": 8, "temperature": 0.7}
"""Nearly all the time of a study on processors is that of tokens."""


def wait_for(what, seconds=PATIENCE):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.05)


def kill_an_engine(folder, before, killed):
    """Kill one engine core when the run has recorded its first replies."""
    calls = CallFile(folder)
    wait_for(lambda: len(calls) >= 3)
    calls.close()
    victim = max(processes("VLLM::EngineCore") - before)
    os.kill(victim, signal.SIGKILL)
    killed.append(victim)


@pytest.mark.ray
def test_a_study_of_16_agents_on_two_replicas_outlives_the_death_of_an_engine(tmp_path, ray_session, folder):
    trial = dialogue({"model": folder, "dtype": "float32", "max_model_len": 512}, sampling=BRIEF)
    layout = Layout(runtime="ray", world_actors=2, model_replicas=2, model_cpus=0.5)
    before, killed = processes(), []
    killer = threading.Thread(target=kill_an_engine, args=(tmp_path, before, killed), daemon=True)
    killer.start()
    outcome = run_ray(trial, tmp_path / "ray", layout, calls=tmp_path)
    killer.join()
    assert not outcome.failed, outcome.errors
    assert killed
    assert ended(processes() - before)
    calls = list(read_calls(tmp_path))
    assert len({call.parameters["caller"] for call in calls}) > 8  # of 16: who is asked is the dialogue's to say
    samples = list(read_model_timings(tmp_path))
    last = {sample.source: sample.counters for sample in samples}
    assert last["gate"]["asked"] == len(calls)
    assert sum(last[f"replica {i}"]["deaths"] for i in range(2)) == 1
    answering = {sample.source for sample in samples if sample.counters.get("generated_tokens", 0) > 0}
    assert answering == {"replica 0", "replica 1"}
    assert not run_inline(trial, tmp_path / "replayed", Layout(calls="replay"), calls=tmp_path).failed
    assert Trace(tmp_path / "replayed").digest() == Trace(tmp_path / "ray").digest()
    assert not processes() - before


def digest_of(folder):
    (trial,) = Run(folder).trials()
    return Trace(Run(folder).folder_of(trial)).digest()


def recorded(folder):
    if not (folder / "modelcalls.msgpack").exists():
        return 0
    calls = CallFile(folder)
    number = len(calls)
    calls.close()
    return number


def test_a_study_killed_at_a_random_moment_resumes_and_replays_to_one_digest_without_a_model(tmp_path, folder):
    """In bf16, where a reply depends on what else is in the batch: only the record makes the runs agree."""
    place = tmp_path / "weights"
    place.symlink_to(folder)
    environment = {"name": "dialogue", "speakers": 4, "teams": 1, "turns_per_session": 4, "sessions": 2, "questions": 3}
    model = {"model": str(place), "dtype": "bfloat16", "max_model_len": 512}
    fields = fields_of(model, environment=environment, worlds=4, checkpoint_every=4, sampling=BRIEF)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(fields))
    before = processes()
    moment = random.SystemRandom().randint(1, 10)  # of 12 calls
    process = start("run", "study.yaml", "--out", "killed", "--no-report", cwd=tmp_path)
    wait_for(lambda: recorded(tmp_path / "killed") >= moment or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    asked = recorded(tmp_path / "killed")
    assert ended(processes() - before), "the engine outlived its owner"
    resumed = simonides("resume", "killed", cwd=tmp_path, timeout=PATIENCE)
    assert resumed.returncode == 0, (moment, resumed.stdout, resumed.stderr)
    assert ended(processes() - before)
    assert recorded(tmp_path / "killed") >= asked >= moment
    place.unlink()
    for name, calls in (("undisturbed", "record"), ("replayed", "replay")):
        again = simonides("run", "study.yaml", "--out", name, "--calls", calls, "--calls-from", "killed", cwd=tmp_path)
        assert again.returncode == 0, (moment, again.stdout, again.stderr)
        assert digest_of(tmp_path / name) == digest_of(tmp_path / "killed"), moment
    assert not processes() - before
