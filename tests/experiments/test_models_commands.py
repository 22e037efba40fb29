"""The commands about models: they list, prepare and try, and tell a mistake in one line."""

from __future__ import annotations

import json

import packages
import pytest

from simonides.experiments.cli import main
from simonides.sim.registry import registry


@pytest.fixture
def known(tmp_path, monkeypatch):
    packages.install(tmp_path, monkeypatch)
    return packages.make_known(tmp_path, monkeypatch)


def said(capsys, *words, status=0):
    assert main(["models", *map(str, words)]) == status
    return capsys.readouterr()


def test_the_list_names_every_model_and_what_can_be_prepared(known, capsys):
    out = said(capsys, "list").out
    assert all(f"{name} " in out for name in registry("model").names())
    assert "tiny  Made up, MIT, from made-up-weights==1.2" in out
    assert "No model 'tiny' is prepared: simonides models prepare tiny" in out
    said(capsys, "prepare", "tiny")
    assert f"MB: {known / 'tiny'}\n" in said(capsys, "list").out


def test_the_list_says_which_extra_a_model_lacks(known, capsys, monkeypatch):
    told = "needs torch, transformers, xgrammar: pip install 'simonides[transformers]'"
    monkeypatch.setattr("simonides.experiments.models_commands.find_spec", lambda name: None)
    assert told in said(capsys, "list").out
    monkeypatch.setattr("simonides.experiments.models_commands.find_spec", lambda name: True)
    assert told not in said(capsys, "list").out


def test_a_damaged_model_is_told_in_the_list(known, capsys):
    said(capsys, "prepare", "tiny")
    (known / "tiny" / "model.safetensors").write_bytes(b"")
    assert "is damaged (model.safetensors has 0 bytes, expected 21)" in said(capsys, "list").out


def test_preparing_prints_the_folder_and_one_line_a_step(known, capsys):
    captured = said(capsys, "prepare", "tiny")
    assert captured.out == f"{known / 'tiny'}\n"
    assert captured.err.splitlines() == ["look for what is there", "check the weights", "convert", "done"]


def test_preparing_shows_a_bar_on_a_terminal(known, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    captured = said(capsys, "prepare", "tiny")
    assert captured.out == f"{known / 'tiny'}\n"
    assert "\x1b[" in captured.err


def test_a_model_is_tried_and_says_what_it_cost(capsys):
    captured = said(capsys, "try", "scripted", "We moved to Porto in 2021.", "--purpose", "ga.importance")
    assert captured.out == '{"importance": 8}\n'
    assert captured.err.startswith("scripted: 6 tokens asked, 2 replied, finish stop, ")


def test_parameters_and_choices_are_handed_on(capsys):
    replies = "replies={try: fixed}"
    assert said(capsys, "try", "scripted", replies).out == "fixed\n"
    assert said(capsys, "try", "scripted", "A cake is here.", "--choices", "go away,eat cake").out == "eat cake\n"


def test_a_schema_reaches_the_model(tmp_path, capsys):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"properties": {"action": {"enum": ["stay", "run"]}}}))
    words = ["try", "scripted", "You must run.", "--purpose", "policy.action", "--json-schema", schema]
    assert said(capsys, *words).out == '{"action": "run"}\n'


@pytest.mark.parametrize(
    "words, told",
    [
        (["prepare", "tinny"], "No packaged model is called 'tinny'. Did you mean 'tiny'?"),
        (["try", "scriptd"], "No model is called 'scriptd'. Did you mean 'scripted'? Known: "),
        (["try", "tinny"], "Did you mean 'tiny'?"),
        (["try", "tiny", "hello"], "No model 'tiny' is prepared: simonides models prepare tiny"),
        (["try", "scripted"], "The scripted model has no rule for 'try'."),
        (["try", "scripted", "two", "prompts"], "Found 2 prompts; put one prompt in quotes"),
        (["try", "scripted", "replis={}"], "model.replis: no such parameter. Did you mean 'replies'?"),
        (["try", "scripted", "replies={"], "is not a YAML value"),
        (["try", "transformers", "hello"], "model.model: field required"),
        (["try", "scripted", "--json-schema", "none.json"], "--json-schema none.json: No such file or directory."),
        (["try", "scripted", "--json-schema", "a", "--choices", "b"], "Give --json-schema or --choices"),
        (["try", "scripted", "--max-tokens", "0"], "Invalid value for '--max-tokens'"),
    ],
)
def test_a_mistake_is_told_in_one_line(known, capsys, words, told):
    captured = said(capsys, *words, status=2)
    assert told in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("content, told", [(b"{", "not JSON: "), (b"\xff", "not JSON: "), (b"[]", "found a list.")])
def test_a_schema_that_is_none_is_told_in_one_line(tmp_path, capsys, content, told):
    (tmp_path / "schema.json").write_bytes(content)
    captured = said(capsys, "try", "scripted", "--json-schema", tmp_path / "schema.json", status=2)
    assert told in captured.err and captured.err.count("\n") == 1


def test_a_model_that_gives_no_answer_is_told_in_one_line(tmp_path, capsys):
    pytest.importorskip("torch", reason="without torch it says that instead")
    captured = said(capsys, "try", "transformers", f"model={tmp_path}/none", status=1)
    assert captured.err == (
        f"simonides: No model's folder is at {tmp_path}/none. Give a folder, an id such as org/name, "
        "or one of: smollm2.\n"
    )
