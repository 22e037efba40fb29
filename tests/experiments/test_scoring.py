"""`score judge` and `score sort`: what they write, that they repeat without a model, and what they refuse."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from simonides.agents.prompts import Prompts
from simonides.experiments.cli import main
from simonides.experiments.runs import Run
from simonides.sim.modelcalls import read_calls
from simonides.sim.modeltimings import read_model_timings

STUDY = """
name: small
environment: {name: dialogue, sessions: 2, questions: 3, speakers: 2, teams: 1}
memory: bm25
policy: prompted
model: scripted
prompts: {name: packaged, folder: words}
seeds: 1
"""
JUDGE = "system: Grade it.\nask: '{{ question }} {{ truth }} {{ answer }}'\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    (folder / "words").mkdir()
    (folder / "words" / "judge.answer.yaml").write_text(JUDGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        (folder / "study.yaml").write_text(STUDY)
        assert main(["run", "study.yaml", "--out", "out", "--jobs", "1", "--no-report"]) == 0
    return Run(folder / "out")


def test_the_manifest_holds_the_hashes_of_the_wordings_that_a_run_may_use(run):
    (prompts,) = run.manifest["prompts"]
    assert prompts["folder"] == str(run.folder.parent / "words")
    packaged = Prompts()
    assert prompts["purposes"] == {name: packaged.version(name) for name in ("policy.action", "reader.answer")}


def test_a_run_is_judged_once_and_then_again_from_the_record(run, capsys):
    assert main(["score", "judge", str(run.folder), "--model", "worded:Clerk"]) == 0
    first = capsys.readouterr().out
    assert "Answers as clerk-good grades them" in first and "Agreement with LoCoMo's F1" in first
    (folder,) = (run.folder / "judged").iterdir()
    kept = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert set(kept) == {"grades.parquet", "agreement.csv", "judge.json"}
    graded = pl.read_parquet(folder / "grades.parquet")
    assert graded.height == 3 and set(graded["grade"]) == {"correct"}
    notes = json.loads(kept["judge.json"])
    assert (notes["identity"], notes["answers"]) == ("clerk-good", 3)
    assert notes["prompt"] == Prompts(str(run.folder.parent / "words")).version("judge.answer")
    asked = len(list(read_calls(run.folder)))
    assert asked == notes["distinct"] > 0
    assert main(["score", "judge", str(run.folder), "--model", "worded:Clerk", "--calls", "replay"]) == 0
    assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == kept
    assert len(list(read_calls(run.folder))) == asked


def test_a_replay_of_another_judge_is_refused_in_one_line(run, capsys):
    words = ["score", "judge", str(run.folder), "--model", "worded:Clerk", "manner=mend", "--calls", "replay"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "holds no reply to judge.answer" in error and error.count("\n") == 1


@pytest.mark.ray
@pytest.mark.parametrize("model", ["worded:ServedClerk", "worded:Clerk", "scripted"])
def test_a_judge_grades_alike_on_ray_and_inline(run, ray_session, tmp_path, model):
    for name in ("there", "here"):
        shutil.copytree(run.folder, tmp_path / name, ignore=shutil.ignore_patterns("judged", "model*"))
    on_ray = ["--runtime", "ray", "--model-replicas", "2", "--model-cpus", "0.1"]
    assert main(["score", "judge", str(tmp_path / "there"), "--model", model, *on_ray]) == 0
    assert main(["score", "judge", str(tmp_path / "here"), "--model", model]) == 0
    kept = [
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).glob("judged/*/*"))}
        for name in ("there", "here")
    ]
    assert kept[0] == kept[1] and len(kept[0]) == 3
    sources = {sample.source for sample in read_model_timings(tmp_path / "there")}
    replicas = {"replica 0", "replica 1"} if "Served" in model else set()
    assert sources == (set() if model == "scripted" else {"gate"} | replicas)


@pytest.mark.parametrize(
    "more, told",
    [(["--model", "scripte"], "Did you mean 'scripted'"), (["--model", "worded:Clerk", "maner=x"], "model.maner")],
)
def test_a_judge_that_does_not_exist_is_one_line(run, capsys, more, told):
    assert main(["score", "judge", str(run.folder), *more]) == 2
    assert told in capsys.readouterr().err


@pytest.fixture
def book(tmp_path):
    prose = "\n".join(f"Word{n} flies over hill {n} and comes back home." for n in range(200))
    path = tmp_path / "123-0.txt"
    mark = "OF THE PROJECT GUTENBERG EBOOK THE KITE ***"
    path.write_text(f"*** START {mark}\n     CHAPTER I\n\n{prose}\n\n*** END {mark}\n", encoding="utf-8")
    return path


def test_order_is_scored_by_the_first_token_and_repeats(book, tmp_path, capsys):
    words = ["score", "sort", str(book), "--out", str(tmp_path / "out"), "--excerpts", "4", "--model"]
    assert main([*words, "worded:Clerk"]) == 0
    assert "SORT by clerk-good" in capsys.readouterr().out
    score = json.loads((tmp_path / "out" / "sort.json").read_text())
    assert (score["said_a"], score["unanswered"], score["accuracy"]["estimate"]) == (0.0, 0.0, 0.5)
    rows = [json.loads(line) for line in (tmp_path / "out" / "sort.jsonl").read_text().splitlines()]
    assert len(rows) == score["items"] == 16 and {row["choice"] for row in rows} == {"B"}
    asked = list(read_calls(tmp_path / "out"))
    assert len(asked) == 16 and len(asked[0].asked[1][1].split()) > 250
    assert main([*words, "worded:Clerk", "--calls", "replay"]) == 0


@pytest.mark.ray
def test_order_is_scored_by_replicas_on_ray(book, tmp_path, ray_session, capsys):
    words = ["score", "sort", str(book), "--out", str(tmp_path / "out"), "--excerpts", "4", "--model"]
    assert main([*words, "worded:ServedClerk", "--runtime", "ray", "--model-replicas", "2", "--model-cpus", "0.1"]) == 0
    score = json.loads((tmp_path / "out" / "sort.json").read_text())
    assert (score["items"], score["unanswered"]) == (16, 0.0)
    assert len(list(read_calls(tmp_path / "out"))) == 16
    assert main([*words, "worded:ServedClerk", "--calls", "replay"]) == 0


def test_a_model_without_log_probabilities_cannot_take_the_order_test(book, tmp_path, capsys):
    words = ["score", "sort", str(book), "--out", str(tmp_path / "out"), "--model"]
    for model in (["scripted"], ["worded:Clerk", "logprobs=-1"]):
        assert main([*words, *model]) == 2
        assert "gives no alternatives for a token" in capsys.readouterr().err
