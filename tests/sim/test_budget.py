"""Budgets: who is cut, when, and that every layout cuts at the same place."""

from __future__ import annotations

import pytest

from simonides.sim.budget import Account, BudgetConfig, Limits, Spent, TrialLimits, left_of, tightest
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import StudyError
from simonides.sim.inline import run_inline
from simonides.sim.rows import space_row, spent_in, world_row
from simonides.sim.trace import SPACE, WORLD, WORLD_CUT, Trace
from simonides.sim.types import ModelCard

DIALOGUE = {
    "name": "dialogue", "speakers": 4, "teams": 2, "sessions": 3, "turns_per_session": 8, "questions": 10,
}  # fmt: skip


def trial_of(memory="generative-agents", wiring="team", worlds=2, **budget):
    """Two worlds whose memories rate each turn by a model, and whose agents answer questions by one."""
    fields = {
        "name": "spending", "environment": DIALOGUE, "worlds": worlds, "memory": memory, "policy": "prompted",
        "wiring": wiring, "model": "scripted", "embedder": "hashing", "seeds": 1, "budget": budget,
    }  # fmt: skip
    (trial,) = parse_study(fields).trials()
    return trial


def run(trial, folder, layout=None):
    outcome = run_inline(trial, folder, layout)
    assert not outcome.failed, outcome.errors
    return outcome, Trace(folder)


def test_without_a_budget_nothing_is_cut_and_there_is_no_ledger(tmp_path):
    outcome, trace = run(trial_of(), tmp_path)
    assert outcome.cut == ""
    assert not list(trace.of(SPACE, "ledger"))


def test_a_trial_that_reaches_its_calls_ends_before_anybody_acts_again_and_says_why(tmp_path):
    outcome, trace = run(trial_of(trial={"calls": 30}), tmp_path)
    assert "the trial's budget: " in outcome.cut
    assert " of 30 calls" in outcome.cut
    cuts = list(trace.of(WORLD_CUT))
    assert len({row.tick for row in cuts}) == 1
    assert len(cuts) == 2
    (tick,) = {row.tick for row in cuts}
    assert max(row.tick for row in trace.of(WORLD)) == tick - 1
    assert outcome.reproducible


def test_the_cut_comes_at_the_first_tick_at_which_what_was_told_reaches_the_limit(tmp_path):
    limit = 30
    _, whole = run(trial_of(trial={"calls": 10**9}), tmp_path / "whole")
    _, cut = run(trial_of(trial={"calls": limit}), tmp_path / "cut")
    (tick,) = {row.tick for row in cut.of(WORLD_CUT)}

    def before(last):
        """Calls that the ledger knows at the start of a tick: worlds' own to the tick before, memories' one later."""
        own = sum(world_row(r).usage.calls for r in whole.of(WORLD) if r.tick < last)
        return own + sum(space_row(r).usage.calls for r in whole.of(SPACE) if r.tick < last - 1)

    assert before(tick) >= limit > before(tick - 1)


@pytest.mark.parametrize("wiring", ["private", "team", "global"])
@pytest.mark.parametrize("reached", ["end", "fallback"])
def test_every_layout_cuts_at_the_same_place(tmp_path, wiring, reached):
    budget = {"trial": {"calls": 25}, "agent": {"calls": 9}, "reached": reached}
    layouts = [
        Layout(),
        Layout(world_actors=2, memory_actors=2),
        Layout(private="actors", memory_actors=2, memory_budget=0),
    ]
    trial = trial_of(wiring=wiring, **budget)
    digests = {run(trial, tmp_path / str(i), layout)[1].digest() for i, layout in enumerate(layouts)}
    assert len(digests) == 1


def test_with_a_fallback_a_trial_goes_on_without_its_model(tmp_path):
    outcome, trace = run(trial_of(trial={"calls": 30}, reached="fallback"), tmp_path / "cut")
    _, whole = run(trial_of(), tmp_path / "whole")
    assert outcome.cut == ""
    assert len(list(trace.of(WORLD))) == len(list(whole.of(WORLD)))
    calls, _, _ = spent_in(trace)
    assert 30 <= calls < spent_in(whole)[0]
    late = [world_row(row) for row in trace.of(WORLD) if row.tick == max(r.tick for r in trace.of(WORLD))]
    assert sum(row.usage.calls for row in late) == 0


def test_an_agent_that_reaches_its_limit_falls_back_alone(tmp_path):
    trial = trial_of("window", "private", 1, agent={"calls": 1}, reached="fallback")
    _, trace = run(trial, tmp_path)
    answered = [
        (row.tick, agent, acted.notes["fallback"])
        for row in map(world_row, trace.of(WORLD))
        for agent, acted in row.actions.items()
        if "fallback" in acted.notes
    ]
    by_agent: dict[str, list[bool]] = {}
    for _, agent, fallback in sorted(answered):
        by_agent.setdefault(agent, []).append(bool(fallback))
    assert all(fallbacks[0] is False and all(fallbacks[1:]) for fallbacks in by_agent.values())
    assert any(len(fallbacks) > 1 for fallbacks in by_agent.values())


def test_an_agent_that_reaches_its_limit_ends_the_trial_for_all_worlds_at_one_tick(tmp_path):
    outcome, trace = run(trial_of("window", "private", 3, agent={"calls": 1}), tmp_path)
    assert "the budget of " in outcome.cut
    assert len({row.tick for row in trace.of(WORLD_CUT)}) == 1


def test_a_limit_in_seconds_marks_the_trial_as_not_reproducible(tmp_path):
    outcome, _ = run(trial_of(trial={"seconds": 1e-6}), tmp_path)
    assert "more than 1e-06 seconds" in outcome.cut
    assert not outcome.reproducible


def test_a_cut_trial_is_not_begun_again_when_it_is_run_again(tmp_path):
    trial = trial_of(trial={"calls": 30})
    first, trace = run(trial, tmp_path)
    again, later = run(trial, tmp_path)
    assert (again.cut, later.digest()) == (first.cut, trace.digest())


def test_money_is_counted_by_the_prices_of_the_card():
    card = ModelCard("m", prompt_price=2.0, completion_price=8.0)
    spent = Spent(3, 500_000, 250_000)
    assert spent.money(card) == 3.0
    assert spent.reaches(Limits(money=3.0), card) == "3 of 3 money"
    assert spent.reaches(Limits(money=3.01), card) == ""
    assert spent.reaches(Limits(tokens=750_000), card) == "750,000 of 750,000 tokens"


def test_what_is_left_of_a_study_narrows_its_trial():
    card = ModelCard("m")
    left = left_of(Limits(calls=10, tokens=100), Spent(4, 30, 10), card)
    assert left == Limits(calls=6, tokens=60)
    assert left_of(Limits(calls=4), Spent(4, 0, 0), card) is None
    assert tightest(TrialLimits(calls=5, seconds=9), left) == TrialLimits(calls=5, tokens=60, seconds=9)


def test_an_account_survives_its_checkpoint():
    account = Account(BudgetConfig(), TrialLimits(calls=9), ModelCard("m"))
    account.of("ana").add(1, 20, 3)
    account.owed()
    account.muted["ana"] = "why"
    copy = Account(BudgetConfig(), TrialLimits(calls=9), ModelCard("m"))
    copy.restore(account.plain())
    assert copy == account


def test_a_negative_limit_is_a_mistake_of_the_study():
    with pytest.raises(StudyError, match=r"budget\.trial\.calls: .*greater than or equal to 0"):
        trial_of(trial={"calls": -1})
