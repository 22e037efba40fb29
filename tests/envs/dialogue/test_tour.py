"""Interdependent sessions of a dialogue: each stop follows from where the last one really was."""

import pytest

from simonides.envs.dialogue.choices import dialogue_choices
from simonides.envs.dialogue.tour import GRAMMAR, LISTEN, TourEnv
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.needs import Need


def tour(**params):
    made = dialogue_choices(**{"interdependent": True, "sessions": 4, "delay": 3, "distractors": 2, **params})
    assert isinstance(made, TourEnv)
    return made


def play(env, believes=lambda need, known: known):
    """Return every tick's infos, with choices by what `believes` makes of a need and the place that was told."""
    _, infos = env.reset()
    seen, told = [infos], {}
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            said = [claim for one in info["experiences"] for claim in GRAMMAR.read(one["text"])]
            told.update({claim.subject: claim.value for claim in said})
            need = Need.of(info)
            value = believes(need, told.get(need.subject)) if need else ""
            actions[agent] = need.plan.get(value, value) if need else ""
        *_, infos = env.step(actions)
        seen.append(infos)
    return seen


def verdicts(ticks):
    return [one for infos in ticks for info in infos.values() for one in info["answer_key"]["verdicts"]]


def test_who_remembers_each_outcome_makes_every_stop_and_is_asked_for_all_of_them_again():
    env = tour(seed=3)
    found = verdicts(play(env))
    assert [one["task"] for one in found] == ["chain"] * 4 + ["asked again"] * 4
    assert all(one["success"] for one in found)
    assert [one["truth"] for one in found] == list(env.stages.right[:4]) * 2
    assert [one["subject"] for one in found] == [f"stop {k}" for k in range(4)] * 2


def test_a_wrong_stop_is_not_put_right_and_the_next_decision_is_about_where_it_led():
    env = tour(seed=3)

    def once_wrong(need, known):
        return next(one for one in need.options if one != known) if need.id == "stop 2" else known

    found = verdicts(play(env, once_wrong))[:4]
    assert [one["success"] for one in found] == [True, False, False, False]
    assert [one["chosen"] == one["truth"] for one in found] == [True, False, True, True]
    assert found[2]["truth"] != env.stages.right[2]


def test_a_guess_is_right_once_in_as_many_times_as_there_are_values():
    found = [one for seed in range(60) for one in verdicts(play(tour(seed=seed), lambda need, _: need.options[0]))]
    chain = [one["success"] for one in found if one["task"] == "chain"]
    assert 0.18 < sum(chain) / len(chain) < 0.32


def test_who_says_nothing_goes_where_chance_leads_and_never_succeeds():
    found = verdicts(play(tour(seed=1), lambda need, _: ""))
    assert not any(one["success"] for one in found) and {one["chosen"] for one in found} == {""}


def test_distractors_and_sessions_are_counted_and_lie_before_each_choice():
    ticks = play(tour(seed=2, delay=5, distractors=3))
    chain = verdicts(ticks)[:4]
    assert [one["distractors"] for one in chain] == [3, 7, 11, 15]  # 3 more visits and one more stop each time
    assert {one["needed"] - one["seen"] for one in chain} == {6} and {one["sessions"] for one in chain} == {1}
    ends = [infos["player_0"]["session"] for infos in ticks if infos["player_0"]["session_end"]]
    assert ends == [0, 1, 2, 3, 4]


def test_hidden_outcomes_are_told_nowhere():
    ticks = play(tour(seed=5, reveal=False), lambda need, known: need.options[0])
    texts = [info["text"] for infos in ticks for info in infos.values()]
    claims = [claim for text in texts for claim in GRAMMAR.read(text) if claim.subject.startswith("stop")]
    assert claims == [] and not any("outcome" in info for infos in ticks for info in infos.values())
    assert {one["seen"] for one in verdicts(ticks)} == {-1}


def test_two_agents_choose_in_turn_and_neither_is_told_what_the_other_came_to():
    ticks = play(tour(seed=4, seer="other"))
    posed = [agent for infos in ticks for agent, info in infos.items() if "need" in info]
    assert posed == ["player_1", "player_0"] * 4
    told = [
        (agent, claim.subject) for infos in ticks for agent, info in infos.items() for one in info["experiences"]
        for claim in GRAMMAR.read(one["text"]) if claim.subject.startswith("stop")
    ]  # fmt: skip
    assert told == [(f"player_{k % 2}", f"stop {k}") for k in range(5)]
    assert all(one["success"] for one in verdicts(ticks))


def test_a_falsehood_is_about_a_stop_that_is_yet_to_be_needed():
    import numpy as np

    env = tour(seed=6)
    ticks = play(env)
    for n in range(10):
        lie = env.falsehood(np.random.default_rng(n))
        need = next(one for one in verdicts(ticks) if one["subject"] == lie["subject"])
        assert need["seen"] < lie["tick"] <= need["needed"] and lie["value"] in need["options"]
        assert lie["value"] != lie["truth"] == need["truth"]


def test_a_snapshot_goes_on_in_another_instance_and_is_refused_by_another_tour():
    env, other = tour(seed=1), tour(seed=1)
    env.reset()
    other.reset()
    for _ in range(4):
        env.step({"player_0": LISTEN})
    other.restore(env.snapshot())
    assert env.step({"player_0": ""})[0] == other.step({"player_0": ""})[0]
    with pytest.raises(CorruptFile, match="tour"):
        tour(seed=2).restore(env.snapshot())


@pytest.mark.parametrize(
    "params", [{"distractors": 4}, {"questions": 2}, {"changes": 1}, {"options": 99}], ids=lambda one: next(iter(one))
)
def test_sizes_that_do_not_go_together_are_refused_in_one_line(params):
    with pytest.raises(StudyError, match=f"dialogue-choices.{next(iter(params))}"):
        tour(**params)
