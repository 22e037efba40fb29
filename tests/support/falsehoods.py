"""What attacks need of an environment's falsehood, in one check for all families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simonides.sim.attacking import goal_of


def is_whole(env: Any, told: Mapping[str, Any], channel: str = "") -> bool:
    """Return True when a falsehood names its question, its values and its grammar, and messages have this channel."""
    goal = goal_of("w0000", told)
    read = goal.grammar.read(goal.text) if goal.grammar is not None else ()
    return (
        goal.question.endswith(("?", "."))
        and goal.truth != goal.value
        and {goal.truth, goal.value} <= set(goal.options)
        and [(one.subject, one.attribute, one.value) for one in read] == [(goal.subject, goal.attribute, goal.value)]
        and getattr(env, "message_channel", "") == channel
        and (not channel or channel in env.channels)
    )
