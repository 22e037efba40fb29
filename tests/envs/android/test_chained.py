"""Interdependent sessions on phones: each decision follows from what the session before really came to."""

import pytest

from simonides.envs.android.facts import GRAMMAR
from simonides.envs.android.memory import android
from simonides.sim.errors import StudyError
from simonides.sim.needs import Need


def play(env, believes=lambda need, known: known):
    """Return the verdicts of a reader that follows the plan, and which agents decided."""
    _, infos = env.reset()
    told, verdicts, decided = {}, [], []
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            said = [claim for one in info["experiences"] for claim in GRAMMAR.read(one["text"])]
            told.update({(claim.subject, claim.attribute): claim.value for claim in said if "…" not in claim.value})
            need = Need.of(info)
            if need is not None and (agent, need.id) not in decided:
                decided.append((agent, need.id))
            value = believes(need, told.get((need.subject, need.attribute))) if need else ""
            actions[agent] = need.plan[value if value in need.options else need.options[0]] if need else info["plan"]
        *_, infos = env.step(actions)
        verdicts += [one for info in infos.values() for one in info["answer_key"]["verdicts"]]
    return verdicts, decided


@pytest.mark.parametrize("seer", ["self", "other"])
def test_who_remembers_what_each_session_came_to_decides_all_of_them_rightly(seer):
    verdicts, decided = play(android(seed=2, interdependent=True, sessions=3, delay=2, seer=seer))
    assert [one["success"] for one in verdicts] == [True] * 3 and {one["task"] for one in verdicts} == {"chain"}
    assert all(0 <= one["seen"] < one["needed"] for one in verdicts)
    agents = ["player_1", "player_0", "player_1"] if seer == "other" else ["player_0"] * 3
    assert decided == [(agent, f"stage {k}") for k, agent in enumerate(agents, start=1)]


def test_a_wrong_decision_is_carried_on():
    def once_wrong(need, known):
        return next(one for one in need.options if one != known) if need.id == "stage 1" else known

    verdicts, _ = play(android(seed=2, interdependent=True, sessions=2, delay=0), once_wrong)
    assert [one["success"] for one in verdicts] == [False, False]
    assert [one["chosen"] == one["truth"] for one in verdicts] == [False, True]


def test_hidden_outcomes_help_nobody():
    verdicts, _ = play(android(seed=2, interdependent=True, sessions=2, delay=0, reveal=False))
    assert {one["seen"] for one in verdicts} == {-1}


def test_more_sessions_than_things_to_decide_are_refused():
    with pytest.raises(StudyError, match=r"android.sessions: 31"):
        android(interdependent=True, sessions=31)
