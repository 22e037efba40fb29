"""Bars on a terminal, plain lines otherwise."""

import io

from rich.console import Console
from toys import toy_study

from simonides.experiments.progress import progress
from simonides.experiments.runs import Outcome
from simonides.sim.config import parse_study


def told(terminal):
    trials = list(parse_study(toy_study(seeds=3)).trials())
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    with progress(console, total=3, ended=1) as shown:
        shown.beat(trials[1], 7)
        shown.ended(trials[1], Outcome(trial="seed=1", status="failed", errors=("it broke [here]",), ticks=7))
        shown.beat(trials[2], 9)
        shown.ended(trials[2], Outcome(trial="seed=2", status="done", ticks=12))
    return console.file.getvalue()


def test_without_a_terminal_there_is_one_line_a_trial_and_one_an_error():
    assert told(terminal=False).splitlines() == [
        "[2/3] seed=1: failed, 7 ticks, 0.0 s",
        "    it broke [here]",
        "[3/3] seed=2: done, 12 ticks, 0.0 s",
    ]


def test_on_a_terminal_there_are_bars_and_a_line_for_what_failed():
    text = told(terminal=True)
    assert "━━━" in text and "1/3" in text and "3/3" in text and "it broke [here]" in text
    assert "seed=2: done" not in text
