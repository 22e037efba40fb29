"""Parts by name: near matches, owners of duplicates, extras, and parameters checked against signatures."""

import sys
from importlib.util import find_spec
from typing import Annotated

import pytest
from pydantic import Field

from simonides.sim.errors import DuplicateName, MissingExtra, StudyError, UnknownName
from simonides.sim.registry import KINDS, Registry, check_parameters, registries, registry


def test_a_misspelt_name_gets_the_near_one_and_the_list():
    with pytest.raises(UnknownName, match=r"No memory is called 'windw'\. Did you mean 'window'\? Known: bm25, "):
        registry("memory").load("windw")


def test_an_unknown_kind_gets_the_near_one():
    with pytest.raises(UnknownName, match="Did you mean 'memory'"):
        registry("memorie")


def test_two_owners_of_one_name_are_both_named():
    parts = Registry("memory", {"window": "somewhere:Window"})
    with pytest.raises(DuplicateName, match=r"'window': somewhere and .*Another"):

        @parts.register("window")
        class Another:
            pass


def test_a_part_that_fails_to_import_says_which_and_why(tmp_path, monkeypatch):
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('half installed')\n")
    monkeypatch.syspath_prepend(tmp_path)
    parts = Registry("memory", {"broken": "broken_plugin:Memory", "missing": "no_such_module_here:Memory"})
    with pytest.raises(UnknownName, match=r"'broken' is registered at broken_plugin:.*RuntimeError: half"):
        parts.load("broken")
    with pytest.raises(UnknownName, match="No module named 'no_such_module_here'"):
        parts.load("missing")


def test_a_missing_library_names_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises((MissingExtra, UnknownName), match=r"sentence-transformers"):
        registry("embedder").build("sentence-transformers", {"model": "x"}).embed(["x"])


def test_listing_imports_nothing_heavy():
    import subprocess

    code = (
        "import sys; from simonides.sim.registry import KINDS, registry; [registry(k).names() for k in KINDS];"
        "print(sorted({'ray','torch','onnxruntime','networkx','gymnasium','qdrant_client'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("kind", [kind for kind in KINDS if registries[kind].names()])
def test_every_part_in_the_table_can_be_imported(kind):
    for name in registry(kind).names():
        if name == "libero" and find_spec("libero") is None:  # its extra is too large to be part of `dev`
            with pytest.raises(MissingExtra, match=r"pip install 'simonides\[libero\]'"):
                registry(kind).load(name)
        else:
            assert callable(registry(kind).load(name))


def part(size: Annotated[int, Field(ge=1)], ratio: float = 0.5, name: str = "x") -> None:
    """Some part."""


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"size": 0}, r"^memory\.size: input should be greater than or equal to 1, found 0"),
        ({"size": "many"}, r"^memory\.size: input should be a valid integer.*found 'many'"),
        ({}, r"^memory\.size: field required"),
        ({"size": 1, "ration": 1}, r"^memory\.ration: no such parameter. Did you mean 'ratio'\?"),
    ],
)
def test_a_wrong_parameter_is_one_line_with_its_path(params, told):
    with pytest.raises(StudyError, match=told) as caught:
        check_parameters(part, params, "memory")
    assert "\n" not in str(caught.value)
