"""Triggers on a store of keys: what is counted, beside which controls, and what the command says of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simonides.experiments.cli import main
from simonides.experiments.triggers import AT, KEYS, QUESTIONS, Dense, Effort, Words, measure
from simonides.sim.registry import registry

SUBJECTS = ("river", "tower", "garden", "violin", "ferry", "bicycle", "lantern", "orchard", "harbour", "kettle")


def folder(path: Path) -> Path:
    keys = [{"question": f"Did the {who} like the {what}?"} for who in ("miller", "baker") for what in SUBJECTS]
    asked = [{"question": f"Would a {who} sell the {what}?"} for who in ("painter", "sailor") for what in SUBJECTS]
    (path / KEYS).write_text(json.dumps(keys))
    (path / QUESTIONS).write_text(json.dumps(asked))
    return path


def test_poison_is_counted_among_the_top_and_ties_go_to_the_older_key():
    keys = ["red door", "blue gate", "green wall", "white fence", "brown roof", "black path"]
    for store in (Dense("hashing", registry("embedder").build("hashing", {}), keys), Words(keys)):
        counts = store.poisoned(["red door", "blue gate"], ["red door", "red door"])
        assert counts[1].tolist() == [0, 0]
        assert counts[5].tolist()[0] == 2
        assert store.poisoned(["blue gate"], ["yellow"])[1].tolist() == [0]


def test_every_control_stands_beside_the_searches(tmp_path):
    effort = Effort((1, 3), seeds=2, candidates=6, queries=3, length=3, held=5, searches=("random", "coordinate"))
    table = measure(folder(tmp_path), "hashing", "hashing", effort, lambda text: None)
    ways = {row.way for row in table.rows}
    assert ways == {"no trigger", "plain sentence", "drawn words", "random", "coordinate"}
    assert len({row.trigger for row in table.rows if row.way == "plain sentence"}) >= 10
    assert {row.retriever for row in table.rows} == {"hashing", "bm25"}
    assert {(row.records, row.k) for row in table.rows} == {(n, k) for n in (1, 3) for k in AT}
    assert {row.questions for row in table.rows} == {5}
    for row in table.rows:
        assert 0 <= row.triggered <= 5 and 0 <= row.benign_kept <= 1
        assert row.way != "no trigger" or row.triggered == row.untriggered
    assert set(table.passes) == {"random", "coordinate"}
    assert all(0 < spent <= 6 * 3 for passes in table.passes.values() for spent in passes)
    assert any("exploratory" in note for note in table.notes)


def test_the_command_prints_a_table_and_keeps_all_counts(tmp_path, capsys):
    out = tmp_path / "counts.json"
    options = ["--embedder", "hashing", "--seeds", "1", "--candidates", "4", "--held", "3", "--search", "coordinate"]
    (tmp_path / "data").mkdir()
    for name, rows in ((KEYS, 12), (QUESTIONS, 25)):
        asked = [{"question": f"Is {SUBJECTS[n % 10]} number {n} new?"} for n in range(rows)]
        (tmp_path / "data" / name).write_text(json.dumps(asked))
    assert main(["poison", "agentpoison", "--data", str(tmp_path / "data"), "--out", str(out), *options]) == 0
    printed = capsys.readouterr().out
    assert "plain sentence" in printed and "trigger perplexity not measured" in printed
    kept = json.loads(out.read_text())
    assert len(kept["rows"]) > 50 and kept["passes"]["coordinate"][0] <= 32


@pytest.mark.parametrize(
    "options, words",
    [
        (["--data", "nowhere"], "name the folder with"),
        (["--data", ".", "--search", "lucky"], "no search is called 'lucky'"),
        (["--data", ".", "--out", "no/such/folder.json"], "make it first"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options, words, capsys):
    assert main(["poison", "agentpoison", "--embedder", "hashing", *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_file_of_another_form_is_named(tmp_path, capsys):
    folder(tmp_path)
    (tmp_path / QUESTIONS).write_text("{}[")
    assert main(["poison", "agentpoison", "--embedder", "hashing", "--data", str(tmp_path)]) == 2
    assert QUESTIONS in capsys.readouterr().err
