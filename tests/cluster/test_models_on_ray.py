"""Models on Ray: one record for all actors, replicas by caller, deaths survived, the digest of an inline run."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_server import ApiServer

from simonides.cluster.model_actor import pack_requests, unpack_requests
from simonides.cluster.runtime import run_ray
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import run_inline
from simonides.sim.modelcalls import CallFile
from simonides.sim.modeltimings import read_model_timings
from simonides.sim.trace import Trace
from simonides.sim.types import Message, Request


def asking(model: dict | str, **fields):
    """Two worlds in which everybody answers questions by asking a model."""
    environment = {"name": "dialogue", "speakers": 2, "teams": 1, "turns_per_session": 8, "sessions": 2, "questions": 6}
    study = {
        "name": "asking", "environment": environment, "worlds": 2, "memory": {"name": "window", "turns": 5},
        "policy": "prompted", "wiring": "global", "model": model, "seeds": 1, "metrics": [], "time_limit": 60.0,
    }  # fmt: skip
    (trial,) = parse_study(study | fields).trials()
    return trial


def log_of(path: Path) -> list[tuple[str, str]]:
    return [tuple(line.split()[:2]) for line in path.read_text().splitlines()]


@pytest.mark.ray
@pytest.mark.parametrize("model", ["served:Served", "served:Dialled"])
def test_a_run_on_ray_and_one_inline_that_share_a_record_have_one_digest(tmp_path, ray_session, model):
    trial = asking({"name": model, "log": str(tmp_path / "log")})
    layout = Layout(runtime="ray", world_actors=2, model_cpus=0.1)
    assert not run_ray(trial, tmp_path / "ray", layout, calls=tmp_path).failed
    asked = len(log_of(tmp_path / "log"))
    assert asked == len(CallFile(tmp_path)) > 4
    assert not run_inline(trial, tmp_path / "inline", calls=tmp_path).failed
    assert not run_ray(trial, tmp_path / "again", Layout(runtime="ray", calls="replay"), calls=tmp_path).failed
    assert len(log_of(tmp_path / "log")) == asked
    digests = {Trace(tmp_path / name).digest() for name in ("ray", "inline", "again")}
    assert len(digests) == 1


@pytest.mark.ray
def test_the_same_caller_is_answered_by_the_same_replica(tmp_path, ray_session):
    trial = asking({"name": "served:Served", "log": str(tmp_path / "log")}, worlds=4)
    layout = Layout(runtime="ray", model_replicas=2, model_cpus=0.1)
    assert not run_ray(trial, tmp_path / "run", layout, calls=tmp_path).failed
    by_caller: dict[str, set[str]] = {}
    for process, caller in log_of(tmp_path / "log"):
        by_caller.setdefault(caller, set()).add(process)
    assert all(len(processes) == 1 for processes in by_caller.values())
    assert len(set.union(*by_caller.values())) == 2


@pytest.mark.ray
@pytest.mark.parametrize("how", ["kill", "engine"])
def test_a_replica_that_dies_is_started_again_and_the_study_finishes(tmp_path, ray_session, how):
    part = {"name": "served:Served", "die_after": 3, "how": how, "marker": str(tmp_path / "died")}
    layout = Layout(runtime="ray", model_cpus=0.1)
    outcome = run_ray(asking(part), tmp_path / "run", layout, calls=tmp_path)
    assert not outcome.failed, outcome.errors
    assert (tmp_path / "died").exists()
    assert not run_inline(asking(part), tmp_path / "inline", calls=tmp_path).failed
    assert Trace(tmp_path / "run").digest() == Trace(tmp_path / "inline").digest()


@pytest.mark.ray
def test_a_model_that_refuses_ends_its_trial_with_its_line(tmp_path, ray_session):
    part = {"name": "served:Served", "die_after": 3, "how": "always"}
    outcome = run_ray(asking(part), tmp_path / "run", Layout(runtime="ray", model_cpus=0.1), calls=tmp_path)
    assert outcome.failed
    assert "no memory left" in outcome.errors[0]
    assert len(CallFile(tmp_path)) == 3


@pytest.mark.ray
def test_a_model_and_an_embedder_by_url_are_asked_from_ray_as_from_one_process(tmp_path, ray_session):
    with ApiServer() as server:
        by_url = {"name": "openai", "model": "toy", "url": server.url, "backoff": 0.01}
        fields = {"embedder": {**by_url, "dimension": 4}, "memory": "vector", "wiring": "private"}
        trial = asking({**by_url, "concurrency": 4}, **fields)
        layout = Layout(runtime="ray", world_actors=2, private="actors")
        on_ray = run_ray(trial, tmp_path / "ray", layout, calls=tmp_path)
        assert not on_ray.failed, on_ray.errors
        chats = [asked for asked in server.asked if asked.path.endswith("/chat/completions")]
        assert len(chats) == len(CallFile(tmp_path)) > 4
        assert any(asked.path.endswith("/embeddings") for asked in server.asked)
        inline = run_inline(trial, tmp_path / "inline")
        assert not inline.failed, inline.errors
    assert Trace(tmp_path / "ray").digest() == Trace(tmp_path / "inline").digest()
    last = {sample.source: sample.counters for sample in read_model_timings(tmp_path)}
    assert set(last) == {"gate"} and last["gate"]["asked"] == len(chats)
    assert last["gate"]["reply_tokens"] > 0 < last["gate"]["busy_seconds"]


def test_requests_arrive_as_they_were_sent():
    plain = Request("a.b", {"x": [1, "é"]}, {"type": "object"}, 2**63, 5, 0.5, 0.9, ("\n",), caller="w0/ana")
    chat = Request("c", choices=("a", "b"), regex="a+", messages=(Message("user", "Hm?"),), logprobs=0)
    whole = Request("d", prompt="Once", prompt_logprobs=True)
    assert unpack_requests(pack_requests([plain, chat, whole])) == [plain, chat, whole]


@pytest.mark.ray
def test_a_budget_cuts_at_the_same_place_on_ray_and_inline(tmp_path, ray_session):
    trial = asking({"name": "served:Dialled"}, budget={"trial": {"calls": 5}, "agent": {"calls": 3}})
    layout = Layout(runtime="ray", world_actors=2, private="actors")
    on_ray = run_ray(trial, tmp_path / "ray", layout, calls=tmp_path)
    inline = run_inline(trial, tmp_path / "inline", calls=tmp_path)
    assert on_ray.cut == inline.cut != ""
    assert Trace(tmp_path / "ray").digest() == Trace(tmp_path / "inline").digest()
