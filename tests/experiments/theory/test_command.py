"""The command compares, prints, writes one page, and says by its exit status whether the criterion holds."""

import dataclasses
import re

import pytest
from rich.console import Console

from simonides.experiments.cli import main
from simonides.experiments.theory import command
from simonides.experiments.theory.command import Size, compare_with_theory, found

SMALL = Size(agents=200, seeds=2, runs=4, first=200, nodes=40, network_seeds=1, records=20, loop=20, rounds=6)


@pytest.fixture(scope="module")
def findings():
    return found(SMALL, lambda what: None)


def test_it_prints_every_table_and_writes_a_page_that_loads_nothing(findings, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "found", lambda size, tell: findings)
    console = Console(width=160, record=True)
    assert compare_with_theory(SMALL, tmp_path / "theory.html", console) == 0
    printed = console.export_text()
    for words in (
        "albums",
        "without memory",
        "own loop",
        "One infected agent",
        "scale-free",
        "MemoryBank",
        "asked from 100,000",
    ):
        assert words in printed
    page = (tmp_path / "theory.html").read_text()
    assert re.search("Does infection through albums follow its law", page)
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?!data:)[^"]*', page) == []


def test_a_criterion_that_fails_is_exit_status_1(findings, monkeypatch, tmp_path):
    failing = [dataclasses.replace(one, agents=100_000) for one in findings.albums]
    assert not all(one.holds for one in failing)
    monkeypatch.setattr(command, "found", lambda size, tell: dataclasses.replace(findings, albums=failing))
    console = Console(width=160, record=True)
    assert compare_with_theory(SMALL, tmp_path / "theory.html", console) == 1
    assert "fails" in console.export_text()


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--agents", "7"], "an even number"),
        (["--loop", "7"], "an even number"),
        (["--out", "nowhere/theory.html"], "there is no folder"),
    ],
)
def test_bad_options_are_one_line(options, complaint, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["theory", *options]) == 2
    told = capsys.readouterr().err
    assert complaint in told and len(told.splitlines()) == 1
