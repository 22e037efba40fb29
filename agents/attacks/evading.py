"""Strategies against defences that look at tiers, at consensus, at wording and at origins: each takes a plan.

None writes more records than the plan has, and none asks for more than what the plan was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simonides.agents.attacks.plans import framed, told_once, writers_of
from simonides.sim.attacks import AttackContext, Injection
from simonides.sim.types import Plain


def climbed(plan: Sequence[Injection], ctx: AttackContext, params: Mapping[str, Plain]) -> list[Injection]:
    """Return the plan as told from the tier that serves best: the highest under `integrity`, else the lowest that may
    write, which everybody may read.

    By the environment's door that is a channel and whom it reaches, by the memory's the writer in whose name it stands.
    """
    return [_best_placed(one, ctx, params) for one in plan]


def _best_placed(one: Injection, ctx: AttackContext, params: Mapping[str, Plain]) -> Injection:
    sources, least = params.get("sources") or {}, params.get("write")
    may = [who for who in writers_of(one, ctx) if least is None or _tier(who, params) >= least]
    high = params.get("rule") == "integrity"

    def height(agent: str, channel: str) -> int:
        tier = int(sources.get(channel, _tier(agent, params)))
        return tier if high else -tier

    channels = (
        [one.channel, *ctx.channels] if one.door == "channel" else [str(one.fields.get("channel", "observation"))]
    )
    places = [(agent, channel) for agent in may or [one.agent] for channel in dict.fromkeys(channels)]
    agent, channel = max(places, key=lambda place: height(*place))
    return replace(one, agent=agent, channel=channel if one.door == "channel" else one.channel)


def _tier(who: str, params: Mapping[str, Plain]) -> int:
    tiers: Any = params.get("tiers") or {}
    return int(tiers.get(who, tiers.get(who.partition("/")[2], params.get("others") or 0)))


def concentrated(plan: Sequence[Injection]) -> list[Injection]:
    """Return as many records, all about the first falsehood and each worded otherwise: to be the majority of a recall.

    Whoever compares what is recalled then finds the truth to be the outlier, where fewer records tell it.
    """
    target = plan[0]
    return [replace(target, text=framed(target.text, n), after=one.after) for n, one in enumerate(plan)]


def plainly(plan: Sequence[Injection], ctx: AttackContext) -> list[Injection]:
    """Return the plan in the environment's own words: the claim alone, without instruction, trigger or frame.

    What a filter of patterns or of unlikely words looks for is then not there; nor is what a trigger or an instruction
    would have done. A record whose goal is not known again stays as it is.
    """
    goals = ctx.goals(len(told_once(plan)))
    words = {(goal.subject, goal.questions, goal.value): goal.text for goal in goals}
    return [replace(one, text=words.get(_key(one), one.text)) for one in plan]


def _key(one: Injection) -> tuple[str, tuple[str, ...], str]:
    about = one.about
    return str(about.get("subject", "")), tuple(about.get("questions", ())), str(about.get("value", ""))


def outlasting(plan: Sequence[Injection], ctx: AttackContext, params: Mapping[str, Plain]) -> list[Injection]:
    """Return the plan beside a purge's rule: by a channel or a writer that it does not name, else after its tick.

    Without a rule the plan stays.
    """
    if params.get("at") is None:
        return list(plan)
    return [_beside(one, ctx, params) for one in plan]


def _beside(one: Injection, ctx: AttackContext, params: Mapping[str, Plain]) -> Injection:
    named, writers = params.get("channels"), set(params.get("writers") or ())
    free = [channel for channel in ctx.channels if named is not None and channel not in named]
    if one.door == "channel" and free:
        return replace(one, channel=free[-1])
    if one.door == "memory" and named is not None and one.fields.get("channel", "observation") not in named:
        return one  # as an observation of its agent's own it is not named
    others = [who for who in writers_of(one, ctx) if writers.isdisjoint({who, who.partition("/")[2]})]
    if writers and others:
        return replace(one, agent=others[0])
    return replace(one, after=max(one.after, int(params["at"]) + 1))
