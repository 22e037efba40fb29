"""The benchmarks' own parts are true parts, and their arithmetic and command line hold; speed itself is not tested."""

import json

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from simonides.experiments.benchmarks import BENCHMARKS, __main__, load, parts
from simonides.experiments.benchmarks.actors import actors
from simonides.experiments.benchmarks.measure import Figure, Result, Scale, Timing, in_turns
from simonides.experiments.benchmarks.studying import Studied
from simonides.experiments.benchmarks.trials import PARTS, live_here, trial_of
from simonides.sim.config import Part
from simonides.sim.modelcalls import key_of, read_calls


@pytest.mark.parametrize("make", [lambda: parts.Ring(3, 20), lambda: parts.CartPole(2, 20), lambda: parts.Crowd(5, 20)])
def test_the_environments_are_parallel_environments(make):
    parallel_api_test(make(), num_cycles=30)


def test_alternatives_take_turns_and_the_median_counts():
    order, seconds = [], iter([1.0, 9.0, 2.0, 8.0, 6.0, 7.0])

    def run(name):
        order.append(name)
        return Timing(next(seconds), 0.0)

    found = in_turns({"a": lambda: run("a"), "b": lambda: run("b")}, 3)
    assert order == ["a", "b"] * 3
    assert (found["a"].wall, found["b"].wall) == (2.0, 8.0)


def test_an_aim_is_met_on_its_own_side():
    assert Figure.at_least("ratio", 5.0, 5).met
    assert not Figure.at_least("ratio", 4.9, 5).met
    assert Figure.at_most("cost", 30.0, 30, "us").met
    assert not Figure.at_most("cost", 31.0, 30, "us").met


def test_a_failing_world_is_no_quick_one():
    environment = {"name": f"{PARTS}Ring", "length": 5}
    trial = trial_of(environment=environment, policy={"name": "toys:ToyPolicy", "fail_at": 2})
    with pytest.raises(RuntimeError, match="the toy policy breaks here"):
        live_here(trial)


@pytest.mark.ray
def test_a_study_is_timed_against_an_offline_engine_on_the_calls_that_it_made(tmp_path, ray_session):
    asked = []
    part = Part.model_validate({"name": "served:Served"})

    class Offline:
        def generate(self, requests):
            asked.extend(requests)
            return 7 * len(requests)

    with actors() as ray:
        served = ray.served(part, tmp_path)
        try:
            took = Studied(ray, served, Offline(), part, tmp_path).run(1, 2)
        finally:
            served.close()
    assert {key_of("served", request) for request in asked} == {call.key for call in read_calls(tmp_path)}
    assert len(asked) == took.calls >= 12
    assert all(request.messages and request.temperature == 0.8 for request in asked)
    assert (took.tokens, took.offline_tokens, took.prompt) == (5 * took.calls, 7 * took.calls, 10 * took.calls)
    assert took.study > 0 < took.known


def test_the_fake_embedder_gives_unit_vectors_without_negative_scores():
    rows = parts.FakeEmbedder(16).embed(["tea", "coffee", "tea"])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.array_equal(rows[0], rows[2])
    assert rows[0] @ rows[1] > 0


def test_every_benchmark_can_be_loaded():
    assert all(callable(load(name)) for name in BENCHMARKS)


def test_the_overhead_is_measured_printed_and_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(__main__, "QUICK", Scale(1, 0.01))
    assert __main__.main(["overhead", "mem0", "--quick", "--json", str(tmp_path / "b.json")]) == 0
    printed = capsys.readouterr().out
    assert "share of bare speed" in printed
    assert "mem0: skipped" in printed
    overhead, mem0 = json.loads((tmp_path / "b.json").read_text())["results"]
    assert len(overhead["figures"]) == 9
    assert mem0["skipped"]


def test_an_unknown_benchmark_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.main(["mesages"])
    assert ended.value.code == 2
    assert "no benchmark is called 'mesages'" in capsys.readouterr().err


def test_a_skipped_benchmark_says_why():
    assert "because" in str(__main__.table(Result("x", skipped="because")))
