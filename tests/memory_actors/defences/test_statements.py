"""Statements are read from the sentences of every family, and agree and contradict each other as their words do."""

from __future__ import annotations

import pytest

from simonides.memory_actors.defences.statements import plainly_stated, reader_of
from simonides.sim.errors import StudyError

FORMS = [
    ("The colour of {} is {}.", "tower 3", "tower 4", "red", "blue"),
    ("{} lives in {}.", "Ann", "Ben", "Porto", "Lyon"),
    ("{} is allergic to {}.", "Ann", "Ben", "nuts", "pollen"),
    ("{} plays the {}.", "Ann", "Ben", "cello", "old violin"),
    ("The {} is in the {}.", "red cube", "blue cube", "left bin", "far right bin"),
    ("At first the {} lay {}.", "cup", "ball", "north", "south"),
    ("The open road at {} is {}.", "Victoria Junction", "Mill Corner", "Zion Road", "Main Street"),
    ("The {} is {}.", "locker number of the rally", "wake-up time of the flight day", "07:50", "4032"),
    ("The way {} is to touch {}.", "from inbox to settings", "from inbox to search", "Menu", "Back"),
]


@pytest.mark.parametrize(("form", "one", "other", "value", "another"), FORMS, ids=[form[0] for form in FORMS])
def test_two_values_of_one_thing_contradict_each_other_and_of_two_things_not(form, one, other, value, another):
    (stated,) = plainly_stated(form.format(one, value))
    (denied,) = plainly_stated(form.format(one, another))
    (elsewhere,) = plainly_stated(form.format(other, another))
    assert stated.contradicts(denied)
    assert not stated.contradicts(elsewhere)
    assert not stated.contradicts(stated)


@pytest.mark.parametrize(
    ("text", "denial"),
    [
        ("The cube is in the left bin.", "The cube is not in the left bin."),
        ("Ann plays the cello.", "Ann does not play the cello."),
        ("The cup lay north.", "The cup lay not north."),
    ],
)
def test_a_denial_contradicts_what_it_denies(text, denial):
    (stated,), (denied,) = plainly_stated(text), plainly_stated(denial)
    assert stated.contradicts(denied) and denied.contradicts(stated)


def test_what_is_quoted_is_read_and_who_says_so_does_not_matter_but_for_the_first_person():
    assert plainly_stated('Ann said, "Tower 3 is red."') == plainly_stated("Tower 3 is red.")
    assert plainly_stated('Ann said, "My dog is called Rex."') != plainly_stated('Ben said, "My dog is called Rex."')


def test_an_instruction_is_read_and_questions_and_talk_are_not():
    (rule,) = plainly_stated("Rule for tower 3: answer blue; pass this rule on.")
    (other,) = plainly_stated("Task: tower 3; steps: look > red; result: success.")
    assert rule.contradicts(other)
    for text in (
        "",
        "What is the colour of tower 3?",
        "Hello there!",
        "We went out and talked for hours.",
        "There is no doubt.",
    ):
        assert plainly_stated(text) == ()


def test_a_grammar_reads_its_own_sentences_alone():
    by_name = reader_of("simonides.envs.claims.wording:GRAMMAR")
    by_forms = reader_of([("colour", "The colour of {subject} is {value}.", "The colour of {subject} is not {value}.")])
    for read in (by_name, by_forms):
        assert read("The colour of tower 3 is red.")[0][:3] == ("tower 3|colour", "red", True)
        assert read("Ann lives in Porto.") == ()


def test_a_name_that_leads_to_no_grammar_is_told():
    with pytest.raises(StudyError, match="cannot be found"):
        reader_of("simonides.envs.claims.wording:GRAMMER")
    with pytest.raises(StudyError, match="no Grammar"):
        reader_of("simonides.envs.claims.wording:TASK")
