"""The reader without a model: what each part of its rule answers, and that it asks only when asked."""

import asyncio
import json
import os
from datetime import UTC, datetime

import pytest

from simonides.agents.scripted.extractive import NOTHING, ExtractiveReader
from simonides.agents.scripted.timex import resolve, said_on, without_dates
from simonides.sim.types import Observation, Recall, Recalled

NOON = datetime(2023, 6, 9, 12, tzinfo=UTC).timestamp()


def item(text, days=0.0, n=0):
    return Recalled(f"{n:032x}", text, 1.0, time=NOON + 86_400 * days)


def answer(question, *texts, **settings):
    return ExtractiveReader(**settings).answer(question, [item(text, i) for i, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("I ran yesterday.", "8 June 2023"),
        ("It was last night.", "8 June 2023"),
        ("We met two days ago.", "7 June 2023"),
        ("That was 3 weeks ago.", "3 weeks before 9 June 2023"),
        ("I moved four months ago.", "February 2023"),
        ("I saw it two years ago.", "2021"),
        ("Last week I spoke.", "The week before 9 June 2023"),
        ("We met last Friday.", "The Friday before 9 June 2023"),
        ("I go next month.", "July 2023"),
        ("I went last summer.", "Summer 2022"),
        ("On 3 May we left.", "3 May 2023"),
        ("On May 3rd, 2021 we left.", "3 May 2021"),
        ("It opened in March.", "March 2023"),
        ("It opened in 1999.", "1999"),
        ("I start today.", "9 June 2023"),
        ("I may go.", None),
    ],
)
def test_time_expressions_are_resolved_from_when_they_were_said(text, date):
    assert resolve(text, NOON) == date


def test_dates_before_the_epoch_and_texts_without_dates_are_fine():
    assert said_on(-86_400.0) == "31 December 1969"
    assert without_dates("I won last week at chess").split() == ["I", "won", "at", "chess"]


def test_when_is_answered_by_a_date_and_else_by_the_day_it_was_said():
    assert answer("When did Ann adopt the gecko?", 'Ann said, "I adopted a gecko yesterday."') == "8 June 2023"
    assert answer("When did Ann adopt the gecko?", 'Ann said, "I adopted a gecko."') == "9 June 2023"


def test_what_is_answered_by_the_words_that_are_new():
    assert (
        answer("What does Ann work as?", 'Ann said, "Hello there. I work as a piano tuner. It rains."') == "piano tuner"
    )
    assert answer("Where does Ann live?", 'Ann said, "I live with my cat in Cork now."') == "Cork"
    assert answer("What book did Ann read?", 'Ann said, "I read that book, "Blue Hills", in a day."') == "Blue Hills"


def test_amounts_and_yes_or_no_have_their_own_answers():
    assert answer("How many cats does Ann have?", 'Ann said, "I have three cats."') == "three cats"
    assert answer("Does Ann like tea?", 'Ann said, "I like tea."') == "Yes"
    assert answer("Does Ann like tea?", 'Ann said, "I don\'t like tea."') == "No"


def test_what_somebody_else_said_does_not_answer():
    assert answer("Which pet did Bo adopt?", 'Ann said, "I adopted a gecko."', 'Bo said, "Nice."') == NOTHING
    assert answer("Which pet did Bo adopt?", 'Ann said, "I adopted a gecko."') == NOTHING
    assert answer("Which pet did Bo adopt?") == NOTHING


def test_the_newest_word_of_the_person_wins_over_older_ones_and_hearsay():
    texts = (
        'Ann said, "I live in Leeds."',
        'Ann said, "I live in Cork now, I moved."',
        'Bo said, "As far as I know Ann lives in Leeds."',
    )
    assert answer("Where does Ann live now?", *texts) == "Cork"


def test_several_things_are_joined_by_commas():
    texts = ('Ann said, "I took a trip to Peru."', 'Ann said, "My trip to Chile was good."')
    found = answer("Which countries has Ann been to on a trip?", *texts)
    assert sorted(found.split(", ")) == ["Chile", "Peru"]


def test_coverage_trades_answers_for_refusals():
    text = 'Ann said, "The bridge is old."'
    assert answer("What did Ann pay for the bridge in the end?", text) != NOTHING
    assert answer("What did Ann pay for the bridge in the end?", text, coverage=0.9) == NOTHING


@pytest.mark.parametrize("text", ["", "…", '"', 'x said, "', "你好。世界", "a" * 5000, "\n\n"])
@pytest.mark.parametrize("question", ["", "?", "When", "What", "How many", "Where did Ann go?"])
def test_odd_texts_never_stop_it(question, text):
    assert isinstance(answer(question, text), str)


def test_it_is_silent_while_told_and_asks_once_when_asked():
    reader = ExtractiveReader(k=7)
    told = Observation("player_0", "w", 1, NOON, 'Ann said, "Hi."', info={"phase": "telling"})
    assert reader.queries(told, None) == () and asyncio.run(reader.act(told, [], None)).value == ""
    asked = Observation("player_0", "w", 9, NOON, "Where is Ann?", info={"phase": "question", "question_id": "q0"})
    (query,) = reader.queries(asked, None)
    assert (query.text, query.k, query.probe) == ("Where is Ann?", 7, True)
    action = asyncio.run(reader.act(asked, [Recall((item('Ann said, "I am in Cork."'),))], None))
    assert action.value == action.text == "Cork"
    rest = Observation("player_1", "w", 9, NOON, "", info={"phase": "question"})
    assert reader.queries(rest, None) == ()


@pytest.mark.data
@pytest.mark.skipif(
    not os.environ.get("SIMONIDES_DATA"), reason="SIMONIDES_DATA names no folder with the public data sets"
)
def test_dates_of_the_published_conversations_are_mostly_found():
    folder = os.path.join(os.environ["SIMONIDES_DATA"], "locomo")
    name = next(n for n in sorted(os.listdir(folder)) if n.startswith("locomo10"))
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        entry = json.load(file)[0]
    reader, right, asked = ExtractiveReader(), 0, 0
    for qa in entry["qa"]:
        if qa["category"] != 2 or not qa["question"].startswith("When") or len(qa["evidence"]) != 1:
            continue
        session, turn = qa["evidence"][0][1:].split(":")
        said = entry["conversation"][f"session_{session}"][int(turn) - 1]
        when = datetime.strptime(entry["conversation"][f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y")
        unit = Recalled(
            "a", f'{said["speaker"]} said, "{said["text"]}"', 1.0, time=when.replace(tzinfo=UTC).timestamp()
        )
        asked += 1
        right += reader.answer(qa["question"], [unit]).lower() == str(qa["answer"]).lower()
    assert asked > 25 and right / asked > 0.4
