"""Generated dialogues: pinned by a digest, consistent with what was told, asking those who heard and who did not."""

from collections import Counter

import numpy as np
import pytest

from simonides.envs.dialogue.conversation import ADVERSARIAL, KNOWLEDGE_UPDATE, MULTI_HOP, reach_of
from simonides.envs.dialogue.env import dialogue
from simonides.envs.dialogue.falsehood import falsehood
from simonides.envs.dialogue.generator import generate
from simonides.sim.errors import StudyError

GOLDEN = "a2c6ee2771cf52f88948178b6b5b11e73d82483a8be64affd60f8ea304022ae6"
SEEDS = range(12)


def made(seed=0, **sizes):
    return dialogue(seed=seed, **sizes).conversation


def test_the_default_dialogue_is_pinned_by_its_digest():
    assert made().digest == GOLDEN


def test_equal_seeds_give_equal_dialogues_and_others_differ():
    assert made(3) == made(3)
    assert len({made(seed).digest for seed in SEEDS}) == len(SEEDS)
    assert dialogue(seed=3, world=1).conversation.digest != made(3).digest


def test_the_default_has_at_most_200_turns_and_as_many_questions_as_asked():
    for seed in SEEDS:
        talk = made(seed)
        assert len(talk.turns) == 140 and len(talk.questions) == 24


@pytest.mark.parametrize(
    "sizes", [{"speakers": 2, "teams": 1, "questions": 12}, {"speakers": 9, "teams": 3, "sessions": 40}]
)
def test_sizes_are_parameters(sizes):
    talk = made(**sizes)
    assert len(talk.people) == sizes["speakers"] and len(talk.teams) == sizes["teams"]
    assert sorted(name for team in talk.teams for name in team) == sorted(talk.people)


def test_all_six_categories_and_all_three_reaches_are_asked():
    categories = Counter(q.category for seed in SEEDS for q in made(seed).questions)
    reaches = Counter(q.reach for seed in SEEDS for q in made(seed).questions)
    assert set(categories) == {1, 2, 3, 4, 5, 6} and min(categories.values()) >= 24
    assert set(reaches) == {"private", "team", "global"} and min(reaches.values()) >= 40


def test_reach_and_heard_follow_from_who_was_present():
    for seed in SEEDS:
        talk = made(seed)
        for q in talk.questions:
            assert q.reach == reach_of(q.evidence, q.asked, talk.sessions, talk.teams)
            assert q.heard == (q.reach == "private")


def test_single_answers_stand_in_their_evidence():
    for seed in SEEDS:
        talk = made(seed)
        for q in talk.questions:
            if q.category in (4, KNOWLEDGE_UPDATE):
                assert q.answer in talk.turn(q.evidence[-1]).text


def test_an_updated_fact_is_answered_by_its_owners_latest_word():
    for seed in SEEDS:
        talk = made(seed)
        order = [turn.ref for turn in talk.turns]
        for q in talk.questions:
            if q.category == KNOWLEDGE_UPDATE and "work as now" in q.text:
                owner = talk.turn(q.evidence[0]).speaker
                jobs = [t for t in talk.turns if t.speaker == owner and " work " in t.text and "As far" not in t.text]
                assert len(jobs) > 1 and order.index(q.evidence[0]) == max(order.index(t.ref) for t in jobs)


def test_causes_are_told_in_earlier_sessions_than_their_effects():
    for seed in SEEDS:
        talk = made(seed)
        for q in talk.questions:
            if q.category == MULTI_HOP:
                sessions = [int(ref[1:].split(":")[0]) for ref in q.evidence]
                assert len(sessions) > 1 and sessions == sorted(set(sessions))


def test_adversarial_questions_are_about_somebody_else():
    for seed in SEEDS:
        talk = made(seed)
        for q in talk.questions:
            if q.category == ADVERSARIAL:
                assert q.answer == "" and q.adversarial
                assert talk.turn(q.evidence[0]).speaker not in q.text


def test_outdated_hearsay_contradicts_the_newest_word():
    texts = [turn.text for seed in SEEDS for turn in made(seed).turns]
    assert sum("As far as I know" in t or "If I remember right" in t or "I believe" in t for t in texts) > 10


def test_a_falsehood_contradicts_an_asked_fact_in_its_own_words():
    for seed in SEEDS:
        talk = made(seed)
        lie = falsehood(talk, np.random.default_rng(seed))
        asked = {q.id: q for q in talk.questions}
        assert lie.questions and all(
            asked[i].answer == lie.truth and lie.ref in asked[i].evidence for i in lie.questions
        )
        assert lie.value in lie.text and lie.value != lie.truth
        assert lie.text != talk.turn(lie.ref).unit and lie.text.startswith(f"{lie.speaker} said, ")


def test_the_environment_says_where_and_when_to_plant_a_falsehood():
    env = dialogue(seed=2)
    plan = env.falsehood(np.random.default_rng(0))
    assert plan["agent"] in env.possible_agents and plan["tick"] == 139 and plan["questions"]
    assert plan["question"] and {plan["truth"], plan["value"]} <= set(plan["options"])


def test_too_many_teams_or_questions_are_the_users_mistake():
    with pytest.raises(StudyError, match="a team needs two"):
        generate(0, speakers=4, teams=3, sessions=5, turns_per_session=9, questions=5)
    with pytest.raises(StudyError, match=r"asked for 500, but 5 sessions .* use more sessions"):
        generate(0, speakers=4, teams=2, sessions=5, turns_per_session=9, questions=500)
