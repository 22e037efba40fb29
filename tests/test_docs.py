"""The documents' examples run as they are written."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from pettingzoo.test import parallel_api_test

from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.registry import registry
from simonides.sim.trace import WORLD, Trace

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def block(document: str, language: str) -> str:
    """Return the first example in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)
    assert found, f"{document} has no {language} example"
    return found.group(1)


@pytest.fixture
def echo() -> type:
    names: dict = {"__name__": "echo_example"}
    exec(compile(block("docs/write-an-environment.md", "python"), "write-an-environment.md", "exec"), names)
    return names["Echo"]


def test_the_environment_of_the_guide_passes_pettingzoos_checks(echo):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(echo(), num_cycles=20)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_phones_of_the_android_page_work(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/adb.md").read_text(), re.M | re.S)
    inside, _, other, _ = blocks
    exec(compile(inside, "adb.md", "exec"), {})
    assert capsys.readouterr().out == "('org.simonides.notes', '.MainActivity')\n"
    pytest.importorskip("android_env", reason="needs the extra: pip install 'simonides[android]'")
    exec(compile(other, "adb.md", "exec"), {})
    assert capsys.readouterr().out == "(960, 540, 3)\n"


def test_the_environment_of_the_guide_runs_in_a_study(echo, tmp_path):
    if "echo" not in registry("environment").names():
        registry("environment").register("echo")(echo)
    study = {
        "name": "guide",
        "environment": {"name": "echo", "rounds": 4},
        "memory": "toys:ToyMemory",
        "policy": "prompted",
        "model": "scripted",
        "wiring": "global",
        "seeds": 1,
    }
    (trial,) = parse_study(study).trials()
    outcome = run_inline(trial, tmp_path)
    assert outcome.errors == ()
    (world,) = outcome.worlds
    assert world.ticks == 5
    assert len(list(Trace(tmp_path).of(WORLD))) == 5


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_named_files_exist(document):
    text = (ROOT / document).read_text()
    linked = [(ROOT / document).parent / target for target in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = [ROOT / name for name in re.findall(r"`((?:sim|agents|memory_actors|envs|tests|\.ci)/[\w/]+\.\w+)`", text)]
    assert [str(path) for path in [*linked, *named] if not path.exists()] == []
