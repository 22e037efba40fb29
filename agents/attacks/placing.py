"""Put a goal's words somewhere: which agent, by which door, when; and word the truth in the place of a falsehood."""

from __future__ import annotations

from collections.abc import Mapping

from simonides.sim.attacks import AttackContext, Door, Goal, Injection
from simonides.sim.claims import Claim
from simonides.sim.errors import StudyError
from simonides.sim.types import EMPTY, Plain

WITHOUT_FACTS = {
    "libero": "its tasks pose no need, so there is no remembered fact to say falsely",
    "textarena": "its games pose no need and say nothing false of themselves, so there is no goal",
}
"""Environments in which an attack that needs a goal has no meaning, with the reason."""


def placed(
    goal: Goal,
    ctx: AttackContext,
    text: str,
    *,
    door: Door = "memory",
    space: str = "",
    after: int = 0,
    tainted: bool = True,
    about: Mapping[str, Plain] = EMPTY,
    fields: Mapping[str, Plain] = EMPTY,
) -> Injection:
    """Return a text about a goal as an injection at the goal's agent; `about` is added to what the goal says of itself.

    Raises StudyError for the door "channel" where the environment has no channel, and for a space that nobody writes.
    """
    channel = channel_of(goal, ctx) if door == "channel" else ""
    agent = goal.agent if door == "channel" or not space else _writer(goal, ctx, space)
    told = {**goal.about, **about}
    return Injection(text, agent, after, door, space, channel, goal.speaker, tainted, told, fields)


def channel_of(goal: Goal, ctx: AttackContext) -> str:
    """Return the channel by which a goal is told: its own, else the environment's first. Raises StudyError."""
    if not ctx.channels:
        raise StudyError(
            f"attack: door: channel was asked for, but {ctx.environment} has no channels; use door: memory."
        )
    return goal.channel if goal.channel in ctx.channels else next(iter(ctx.channels))


def _writer(goal: Goal, ctx: AttackContext, space: str) -> str:
    """Return who writes into a space: the goal's agent if it may, else the first who may."""
    if space not in ctx.spaces:
        raise StudyError(f"attack: there is no space {space!r}; there are {', '.join(sorted(ctx.spaces))}.")
    writers = ctx.spaces[space].writers
    if not writers:
        raise StudyError(f"attack: nobody may write the space {space!r}; name another.")
    return goal.agent if goal.agent in writers else writers[0]


def truth_of(goal: Goal) -> str:
    """Return the goal's sentence with the truth in it. Raises StudyError where its words do not show where."""
    if goal.grammar is not None:
        for claim in goal.grammar.read(goal.text):
            if claim.value == goal.value:
                return goal.grammar.say(Claim(claim.subject, claim.attribute, goal.truth, claim.said_by))
    if goal.value and goal.value in goal.text:
        return goal.text.replace(goal.value, goal.truth)
    raise StudyError(f"attack: {goal.text!r} does not say {goal.value!r} word for word, so the truth cannot be worded.")


def question_of(goal: Goal) -> str:
    """Return what the agent will ask its memory, or what the falsehood is about where nobody knows the question."""
    return goal.question or goal.subject or goal.text
