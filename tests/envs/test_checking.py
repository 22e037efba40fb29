"""The suite for environments passes what holds the contract and names what breaks it, in words for its author."""

from __future__ import annotations

import gymnasium
import pytest
from towers import BROKEN, bell

from simonides.envs.adapters import OneAgent, SingleAgent
from simonides.envs.words import InWords
from simonides.sim.checks import check_environment, render
from simonides.sim.errors import StudyError


def test_a_memory_task_that_holds_the_contract_passes_every_check():
    report = check_environment(bell)
    assert report.passed, render(report)
    assert [one.check for one in report.findings if not one.applies] == ["hash"]  # a function has no name elsewhere


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_a_broken_rule_is_named(rule):
    report = check_environment(bell, {"broken": rule}, only=[rule])
    assert [one.check for one in report.findings if not one.passed] == [rule], render(report)
    assert "to do:" in report.findings[0].message


@pytest.mark.parametrize("name", ["claims", "dialogue"])
def test_our_own_pass(name):
    report = check_environment(name)
    assert report.passed, render(report)


def test_gymnasiums_environments_pass_through_the_adapters():
    def cart_pole(seed: int = 0) -> InWords:
        return InWords(SingleAgent(lambda: gymnasium.make("CartPole-v1")))

    report = check_environment(cart_pole)
    assert report.passed, render(report)


def test_a_wrong_parameter_is_the_callers_mistake():
    with pytest.raises(StudyError, match="no such parameter"):
        check_environment("claims", {"agent": 3})


def test_one_agents_form_lets_the_others_follow_the_plan():
    env = OneAgent(bell(seed=1, delay=2))
    seen, info = env.reset(seed=3)
    assert seen.tolist() == [0]
    for _ in range(3):
        _, _, ended, _, info = env.step(4)
    assert "need" in info
    *_, info = env.step(0)
    assert not ended
    assert len(info["answer_key"]["verdicts"]) == 1
