"""A study whose model is asked by URL: recorded, replayed without the server, and no key anywhere."""

from __future__ import annotations

import json

import pytest
import yaml
from api_server import ApiServer, WellBehaved, error
from command import environment, simonides

from simonides.experiments.runs import Run
from simonides.sim.config import Layout, parse_study
from simonides.sim.inline import Inline
from simonides.sim.modelcalls import read_calls
from simonides.sim.trace import Trace

KEY = "sk-a-key-that-nobody-may-see-1234567890"


def study(url, **fields):
    return {
        "name": "asked",
        "environment": {"name": "dialogue", "speakers": 4, "sessions": 2, "turns_per_session": 8, "questions": 4},
        "policy": {"name": "prompted", "budget": 60},
        "memory": {"name": "bm25"},
        "model": {"name": "openai", "model": "toy", "url": url, "backoff": 0.01, "attempts": 2},
        "seeds": 1,
        **fields,
    }


def run(fields, tmp_path, name, mode="record"):
    """Run a study's trials in one loop, as a worker does; return their digests."""
    digests = []
    with Inline(calls=tmp_path / "calls", mode=mode) as inline:
        for n, trial in enumerate(parse_study(fields).trials()):
            outcome = inline.run(trial, tmp_path / name / str(n), Layout(calls=mode))
            assert not outcome.failed, outcome.errors
            digests.append(Trace(tmp_path / name / str(n)).digest())
    return digests


def test_a_study_is_recorded_and_replayed_without_its_server(tmp_path):
    with ApiServer() as server:
        fields = study(server.url, seeds=2)
        recorded = run(fields, tmp_path, "recorded")
        asked = len(server.asked)
    assert asked == len(list(read_calls(tmp_path / "calls"))) > 0
    assert run(fields, tmp_path, "replayed", "replay") == recorded
    assert run(fields, tmp_path, "again") == recorded
    elsewhere = study("https://elsewhere.example/v1", seeds=2)
    assert run(elsewhere, tmp_path, "elsewhere", "replay") == recorded
    assert len(server.asked) == asked


def test_its_replies_bind_the_schema_and_are_parsed(tmp_path):
    with ApiServer() as server:
        run(study(server.url), tmp_path, "run")
    assert all("response_format" in asked.body for asked in server.asked)
    assert {call.purpose for call in read_calls(tmp_path / "calls")} == {"reader.answer"}
    assert all(json.loads(call.completion.text)["answer"] for call in read_calls(tmp_path / "calls"))


@pytest.mark.slow
def test_a_trial_whose_server_refuses_fails_alone_and_no_key_is_written(tmp_path):
    well = WellBehaved()

    def script(asked):
        if asked.headers["authorization"] != f"Bearer {KEY}":
            return error(401, "no key")
        broken = asked.body["model"] == "toy-large"
        return error(400, f"not with {asked.headers['authorization']}") if broken else well(asked)

    with ApiServer(script) as server:
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump(study(server.url, factors={"model.model": ["toy-large", "toy"]})))
        more = environment(XDG_CACHE_HOME=str(tmp_path / "cache"), OPENAI_API_KEY=KEY)
        done = simonides("run", "study.yaml", "--out", "out", "--jobs", 1, cwd=tmp_path, env=more, report=True)
    assert done.returncode == 1, done.stderr
    failed, well_done = (outcome for _, outcome in Run(tmp_path / "out").outcomes())
    assert (failed.status, failed.settled, well_done.status) == ("failed", False, "done")
    assert any("HTTP 400 (not with Bearer [key])" in line for line in failed.errors)
    assert KEY not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
