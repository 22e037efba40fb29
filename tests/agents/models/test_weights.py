"""A model's identity names its weights, wherever they lie, without loading them."""

from __future__ import annotations

import asyncio
import sys

import packages
import pytest

from simonides.agents.models.prepared import prepare
from simonides.agents.models.weights import fingerprint, identity_of, locate
from simonides.sim.errors import ModelFailed, StudyError
from simonides.sim.registry import registry
from simonides.sim.types import Request


def model_folder(path, weights=b"0" * 1_000_000):
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(weights)
    return path


def test_equal_folders_have_one_identity_and_other_weights_another(tmp_path):
    first, second = model_folder(tmp_path / "a" / "m"), model_folder(tmp_path / "b" / "m")
    (second / "notes.md").write_text("no part of it")
    assert identity_of(str(first)) == identity_of(str(second)) == f"m@{fingerprint(first)[:12]}"
    third = model_folder(tmp_path / "c" / "m", b"0" * 500_000 + b"1" * 500_000)
    assert identity_of(str(third)) != identity_of(str(first))


def test_a_prepared_model_has_its_identity_before_it_is_prepared(tmp_path, monkeypatch):
    packages.make_known(tmp_path, monkeypatch)
    packages.install(tmp_path, monkeypatch)
    assert registry("model").build("transformers", {"model": "tiny"}).card.identity.startswith("tiny@")
    with pytest.raises(ModelFailed, match="No model 'tiny' is prepared: simonides models prepare tiny"):
        locate("tiny")
    folder = prepare("tiny")
    assert locate("tiny") == str(folder)


def test_a_hub_id_has_its_revision():
    assert (identity_of("org/name"), identity_of("org/name", "v2")) == ("org/name", "org/name@v2")
    assert locate("org/name") == "org/name"


def test_a_folder_that_is_missing_or_holds_no_model_is_told(tmp_path):
    with pytest.raises(ModelFailed, match=rf"No model's folder is at {tmp_path}/none\. Give a folder"):
        locate(f"{tmp_path}/none")
    with pytest.raises(ModelFailed, match=r"Did you mean 'smollm2'\?"):
        locate("smollm")
    with pytest.raises(ModelFailed, match="is no model's folder: it has no config"):
        locate(str(tmp_path))


def test_wrong_parameters_of_a_study_are_told_before_anything_starts():
    for params, told in (
        ({}, "model.model: field required"),
        ({"model": "x", "batch": 0}, "model.batch: input should be greater than or equal to 1"),
        ({"model": "x", "dtype": "int4"}, "model.dtype: input should be 'float32', 'bfloat16'"),
        ({"model": "x", "overflow": "cut"}, "model.overflow: input should be 'refuse' or 'cut-oldest'"),
    ):
        with pytest.raises(StudyError, match=told):
            registry("model").build("transformers", params, path="model")


def test_a_missing_library_fails_the_call_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "simonides.agents.models.transformers_engine", raising=False)
    model = registry("model").build("transformers", {"model": str(model_folder(tmp_path / "m"))})
    with pytest.raises(ModelFailed, match=r"needs torch, .*: pip install 'simonides\[transformers\]"):
        asyncio.run(model.complete([Request("p", prompt="x")]))
