"""Helps for those who change a plan: who says a text, in which frame, who else could write it, what it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simonides.sim.attacks import AttackContext, Injection

FRAMES = (
    "{}",
    "For the record: nothing has changed. {}",
    "This was settled some time ago. {}",
    "Whoever asks may rely on it. {}",
    "It was looked at twice this week. {}",
    "There is no doubt left about this. {}",
    "A short reminder for everybody here. {}",
    "One more thing before the day ends. {}",
    "As it was agreed with the others. {}",
    "It stands in the book at the entrance. {}",
)
"""Sentences before a claim, each ended, so that a grammar still reads the claim. The first adds none."""

QUOTED = re.compile(r'^(?P<who>[^\s".!?,:][^".!?:]*?) said, "(?P<what>[^"]*)"$')


def framed(text: str, number: int) -> str:
    """Return a claim within the n-th frame; in somebody's mouth, if somebody says it."""
    frame = FRAMES[number % len(FRAMES)]
    quoted = QUOTED.match(text)
    return f'{quoted["who"]} said, "{frame.format(quoted["what"])}"' if quoted else frame.format(text)


def said_by(text: str, who: str) -> str:
    """Return a text in another's mouth; one that cannot be quoted, because it quotes within, stays as it is."""
    quoted = QUOTED.match(text)
    what = quoted["what"] if quoted else text
    return text if '"' in what else f'{who} said, "{what}"'


def told_once(plan: Sequence[Injection]) -> list[Injection]:
    """Return the first injection about each fact, then the others: a fact is what it claims about what."""
    first: dict[str, Injection] = {}
    for one in plan:
        first.setdefault(repr(sorted(one.about.items(), key=lambda item: item[0])), one)
    rest = [one for one in plan if all(one is not kept for kept in first.values())]
    return [*first.values(), *rest]


def writers_of(one: Injection, ctx: AttackContext) -> list[str]:
    """Return who else may write where this injection goes, or where its agent writes first; the planned agent first."""
    space = one.space or next((name for name, reach in ctx.spaces.items() if one.agent in reach.writers), "")
    others = [agent for agent in (ctx.spaces[space].writers if space in ctx.spaces else ()) if agent != one.agent]
    return [one.agent, *others]
