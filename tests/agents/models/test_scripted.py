"""The scripted model: every purpose's reply fits its schema, is the same each time, and is cut out of its inputs."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from simonides.agents.models.scripted import NO_ANSWER, RULES, ScriptedModel
from simonides.sim.errors import UserError
from simonides.sim.registry import registry
from simonides.sim.types import Completion, Request

TURNS = [
    "Ana: I moved to Porto in 2021 with my brother Rui.",
    "Rui: The bakery in Porto sells almond cake. It is small.",
    "Ana: My job at the bakery starts on Monday!",
    "Rui: We still want to see the bakery garden.",
]
DAYS = [{"date": f"2023-05-0{n}", "text": turn} for n, turn in enumerate(TURNS)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Text(Strict):
    text: str


class Importance(Strict):
    importance: Annotated[int, Field(ge=1, le=10)]


class Questions(Strict):
    questions: Annotated[list[str], Field(min_length=3, max_length=3)]


class Insight(Strict):
    text: str
    evidence: Annotated[list[int], Field(min_length=1)]


class Insights(Strict):
    insights: Annotated[list[Insight], Field(max_length=5)]


class Answer(Strict):
    answer: str


class Chosen(Strict):
    action: str


class Recalling(Strict):
    recall: str


class Answering(Strict):
    thought: str
    do: Answer | Recalling


class Acting(Strict):
    thought: str
    do: Chosen | Recalling


REACT = {"context": TURNS, "steps": [], "recalls": 1}
CASES = {
    "sum.update": ({"summary": "Rui likes cake.", "turns": TURNS}, Text),
    "ga.importance": ({"text": TURNS[0]}, Importance),
    "ga.questions": ({"statements": TURNS}, Questions),
    "ga.insights": ({"statements": TURNS}, Insights),
    "mb.day_summary": ({"turns": TURNS}, Text),
    "mb.overall_summary": ({"days": DAYS}, Text),
    "mb.day_personality": ({"turns": TURNS}, Text),
    "mb.overall_personality": ({"days": DAYS}, Text),
    "reader.answer": ({"question": "What does the bakery sell?", "context": TURNS}, Answer),
    "policy.action": ({"situation": "A cake is here.", "context": TURNS, "actions": ["leave", "eat cake"]}, Chosen),
    "reader.react": ({"question": "What does the bakery sell?", **REACT}, Answering),
    "policy.react": ({"situation": "A cake is here.", "actions": ["leave", "eat cake"], **REACT}, Acting),
}
LABELS = {"reader.order", "judge.answer"}
"""Purposes whose reply is a bare word."""


def complete(*requests: Request, model: ScriptedModel | None = None) -> list[Completion]:
    return asyncio.run((model or ScriptedModel()).complete(requests))


def reply(purpose: str, inputs: dict, **options) -> dict:
    return json.loads(complete(Request(purpose, inputs, **options))[0].text)


def test_every_purpose_has_a_case_here():
    assert set(CASES) | LABELS == set(RULES)


@pytest.mark.parametrize("purpose", sorted(CASES))
def test_a_reply_fits_its_schema_and_does_not_depend_on_seed_or_company(purpose):
    inputs, schema = CASES[purpose]
    request = Request(purpose, inputs, schema.model_json_schema(), seed=1)
    other = Request(purpose, inputs, schema.model_json_schema(), seed=2)
    (alone,) = complete(request)
    assert [alone, alone] == complete(request, other)
    assert TypeAdapter(schema).validate_json(alone.text)


@pytest.mark.parametrize("purpose", sorted(CASES))
@pytest.mark.parametrize("inputs", [{}, {"b": ["Second text 2."], "a": "First text.", "n": 3}, {"a": {"x": ["", " "]}}])
def test_a_reply_fits_its_schema_for_inputs_of_any_shape(purpose, inputs):
    if purpose.startswith("policy."):
        inputs = {**inputs, "actions": ["go"]}
    assert CASES[purpose][1].model_validate(reply(purpose, inputs))


def test_absent_inputs_are_replaced_by_all_texts_in_the_order_of_their_keys():
    assert reply("mb.day_summary", {"z": "Last one.", "a": ["First one.", "Next one."]}) == {
        "text": "First one. Next one. Last one."
    }


def test_of_dated_items_only_the_text_counts():
    assert "2023" not in reply("mb.overall_summary", {"days": DAYS})["text"]


def test_a_summary_is_made_of_sentences_given_and_stays_within_its_limit():
    many = [f"Speaker: The boat number {i} sails to the harbour." for i in range(60)]
    text = reply("sum.update", {"summary": "The harbour is calm.", "turns": many})["text"]
    assert 60 <= len(text.split()) <= 80
    assert all(part + "." in many for part in text.rstrip(".").split(". ") if part.startswith("Speaker"))
    short = reply("sum.update", {"summary": "", "turns": ["word " * 50]}, max_tokens=10)["text"]
    assert short == " ".join(["word"] * 10)


def test_a_portrait_prefers_the_first_person():
    text = reply("mb.day_personality", {"turns": TURNS}, max_tokens=12)["text"]
    assert text == "Ana: I moved to Porto in 2021 with my brother Rui."


@pytest.mark.parametrize(
    "text, importance",
    [
        ("The room is quiet.", 1),
        ("The room has 4 doors.", 3),
        ("We moved to Porto in 2021.", 8),
        ("He died.", 4),
        ("Why? I was told in 2020 that Ana married and " + "then " * 20 + "left.", 10),
    ],
)
def test_importance_counts_surface_features(text, importance):
    assert reply("ga.importance", {"text": text}) == {"importance": importance}


def test_questions_ask_about_the_most_frequent_names_first():
    assert reply("ga.questions", {"statements": TURNS})["questions"] == [
        "What is known about Porto?",
        "What is known about Monday?",
        "What is known about Rui?",
    ]


def test_an_insight_names_the_statements_it_rests_on():
    statements = ["cake bakery", "the bakery sells cake", "rain"]
    found = {item["text"]: item["evidence"] for item in reply("ga.insights", {"statements": statements})["insights"]}
    assert found["cake bakery"] == [0, 1]
    assert found["rain"] == [2]


def test_an_answer_is_the_sentence_nearest_to_the_question_or_none():
    assert reply("reader.answer", CASES["reader.answer"][0]) == {"answer": "The bakery in Porto sells almond cake."}
    assert reply("reader.answer", {"question": "Who flew away?", "context": TURNS}) == {"answer": NO_ANSWER}


def test_an_action_is_one_of_the_legal_or_of_the_schema():
    assert reply("policy.action", CASES["policy.action"][0]) == {"action": "eat cake"}
    schema = {"properties": {"action": {"enum": ["stay", "run"]}}}
    assert reply("policy.action", {"situation": "You must run."}, schema=schema) == {"action": "run"}


def test_tokens_are_words_of_inputs_and_reply():
    (completion,) = complete(Request("ga.importance", {"text": "one two three"}))
    assert (completion.prompt_tokens, completion.completion_tokens, completion.finish) == (3, 2, "stop")


def test_an_unknown_purpose_names_the_known_ones():
    with pytest.raises(UserError, match=r"no rule for 'ga\.importanse'\. Did you mean 'ga\.importance'\? Known: ga\."):
        complete(Request("ga.importanse", {}))


def test_rules_can_be_replaced_by_data_or_by_a_raw_text():
    model = ScriptedModel({"ga.importance": lambda request: "not json", "my.purpose": lambda request: {"n": 1}})
    first, second = complete(Request("ga.importance", {}), Request("my.purpose", {}), model=model)
    assert (first.text, second.text) == ("not json", '{"n": 1}')


def test_a_study_can_fix_replies_as_data():
    fixed = {"reader.answer": {"answer": "x"}, "my.purpose": "raw text"}
    model = registry("model").build("scripted", {"replies": fixed})
    first, second = complete(Request("reader.answer", {}), Request("my.purpose", {}), model=model)
    assert (first.text, second.text) == ('{"answer": "x"}', "raw text")
    with pytest.raises(UserError, match=r"model\.replies: 'p' has a rule as well"):
        ScriptedModel({"p": lambda request: ""}, {"p": ""})


def test_a_reply_is_one_of_the_choices_whether_the_purpose_is_known_or_not():
    choices = ("leave the room", "eat cake")
    inputs = {"situation": "A cake is here.", "actions": list(choices)}
    for purpose in ("policy.action", "no.such.purpose"):
        assert complete(Request(purpose, inputs, choices=choices))[0].text == "eat cake"
    model = ScriptedModel(replies={"p": {"action": "leave the room"}})
    assert complete(Request("p", inputs, choices=choices), model=model)[0].text == "leave the room"


def test_a_reply_matches_the_regex_or_the_model_says_that_it_cannot():
    asked = Request("no.such.purpose", {"b": "on 2023-05-07 or 2023-06-01", "a": "a day"}, regex=r"\d{4}-\d\d-\d\d")
    assert complete(asked)[0].text == "2023-05-07"
    assert complete(asked, model=ScriptedModel(replies={asked.purpose: "1999-01-01"}))[0].text == "1999-01-01"
    for regex, told in (("[0-9]{9}", "finds nothing of the form"), ("(", "is no regular expression")):
        with pytest.raises(UserError, match=told):
            complete(Request("no.such.purpose", {"a": "a day"}, regex=regex))


def test_the_registry_builds_it_by_name():
    assert isinstance(registry("model").build("scripted", {}), ScriptedModel)


def test_a_step_recalls_once_and_then_acts_on_what_was_found():
    given = {"question": "What does the bakery sell?", "context": [], "steps": [], "recalls": 2}
    first = reply("reader.react", given)
    assert set(first["do"]) == {"recall"}
    found = ["Recall: bakery", "Found: Rui: The bakery in Porto sells almond cake."]
    assert reply("reader.react", {**given, "steps": found})["do"] == {
        "answer": "The bakery in Porto sells almond cake."
    }
    assert set(reply("reader.react", {**given, "recalls": 0})["do"]) == {"answer"}


@pytest.mark.parametrize(
    "truth, answer, grade",
    [
        ("almond cake", "It was almond cake.", "correct"),
        ("almond cake", "Some cake", "partly"),
        ("almond cake", "Bread", "wrong"),
        ("", NO_ANSWER, "correct"),
        ("", "Bread", "wrong"),
    ],
)
def test_an_answer_is_graded_by_the_words_of_the_truth(truth, answer, grade):
    assert complete(Request("judge.answer", {"truth": truth, "answer": answer}))[0].text == grade
