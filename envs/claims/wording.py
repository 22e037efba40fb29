"""How the world of claims words them: sentences, the need that a question is, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from simonides.sim.claims import Form, Grammar
from simonides.sim.needs import Need, Verdict

VALUES = ("red", "blue", "green", "white", "black", "yellow", "purple", "orange", "brown", "pink", "grey", "gold")

GRAMMAR = Grammar([Form("colour", "The colour of {subject} is {value}.", "The colour of {subject} is not {value}.")])
"""In which claims are worded."""

SILENT = "say nothing"
"""What saying nothing is called where actions are listed."""

TASK = "seen-claim"
"""The name of the memory task: a claim was seen at the first tick, and is asked for later."""


def tower(number: int) -> str:
    """Return the name of a claim's subject."""
    return f"tower {number}"


def claim(subject: int, value: str) -> str:
    """Return a claim as a sentence of the grammar, without the time that reading it back takes."""
    return f"The colour of tower {subject} is {value}."


def question(subject: int) -> str:
    """Return the question for a claim."""
    return f"What is the colour of {tower(subject)}?"


def need(agent: str, tick: int, topic: int, options: Sequence[str]) -> Need:
    """Return the need that the question of a tick is: one of the options is to be said."""
    plan = {value: value for value in options}
    return Need(_id(agent, tick), question(topic), tower(topic), "colour", tuple(options), plan, GRAMMAR)


def verdict(
    agent: str, tick: int, topic: int, options: Sequence[str], said: int, truth: int, seen: int, others: int
) -> Verdict:
    """Return how the need of a tick ended; `said` and `truth` count the options from 1, 0 is silence."""
    return Verdict(
        _id(agent, tick), TASK, tower(topic), "colour", tuple(options), options[truth - 1],
        options[said - 1] if said else "", said == truth, seen, tick, others,
    )  # fmt: skip


def _id(agent: str, tick: int) -> str:
    return f"{tick}-{agent}"
