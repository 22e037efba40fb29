"""Drive the towns of the tests: an expert that knows the truth, or its opposite."""

from collections.abc import Callable
from typing import Any

import pytest

Played = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def play() -> Played:
    """Return what plays an episode: every need is acted on as `believed(values, truth)` says; returns the verdicts."""

    def played(env, believed=lambda values, truth: truth, seed=None, after=None):
        _, infos = env.reset(seed=seed)
        verdicts = []
        while env.agents:
            actions = {agent: _chosen(env, info, believed) for agent, info in infos.items()}
            observations, _, _, _, infos = env.step(actions)
            for info in infos.values():
                why = {"reason": info["answer_key"].get("reason", {}).get("text", "")}
                verdicts += [one | why for one in info["answer_key"]["verdicts"]]
            if after is not None:
                after(observations, infos)
        return verdicts

    return played


def _chosen(env, info, believed):
    legal = {one["text"]: one["value"] for one in info["legal_actions"]}
    need = info.get("need")
    if not need:
        return legal[info["plan"]]
    truth = next(site.truth for site in env.town.sites if site.name == need["subject"])
    return legal[need["plan"][believed(need["options"], truth)]]
