"""The wording of questions: the stable parts come first, forms are told in words, own files go before packaged ones."""

from __future__ import annotations

import hashlib
import json

import pytest
from pydantic import BaseModel, Field

from simonides.agents.models.scripted import RULES
from simonides.agents.prompts import Prompts, purposes
from simonides.sim.errors import ContractBroken, UserError
from simonides.sim.registry import registry
from simonides.sim.types import Request

CONTEXT = ["[2021-05-03] Rui: I work at the bakery now.", "Ana: Lovely weather."]


class Chosen(BaseModel):
    action: str = Field(json_schema_extra={"enum": ["open", "wait"]})


def render(purpose, inputs, prompts=None, **options):
    system, user = (prompts or Prompts()).render(Request(purpose, inputs, **options))
    assert (system.role, user.role) == ("system", "user")
    return system.content, user.content


def test_every_named_question_has_a_file():
    asked = {name for kind in ("policy",) for p in registry(kind).names() for name in _purposes(registry(kind).load(p))}
    needed = {name for m in registry("memory").names() for name in registry("memory").load(m).card.needs_model}
    assert (asked | needed | set(RULES)) <= set(purposes())


def _purposes(part):
    return getattr(part, "purposes", ())


def test_what_is_stable_comes_first_and_what_is_asked_now_last():
    first = render("reader.answer", {"question": "Where is Rui?", "context": CONTEXT, "persona": "Ana."})
    second = render("reader.answer", {"question": "Who baked?", "context": CONTEXT, "persona": "Ana."})
    assert first[0] == second[0]
    shared = first[1].index("Where is Rui?")
    assert first[1][:shared] == second[1][:shared]
    assert shared > first[1].index("Lovely weather") > first[1].index("You are Ana.")


def test_a_reader_without_memories_persona_or_mistake_is_told_nothing_of_them():
    _, user = render("reader.answer", {"question": "Where?", "context": []})
    assert user == "Memories:\n(none)\n\nQuestion: Where?"


def test_a_mistake_is_told_last():
    _, user = render(
        "policy.react", {"situation": "s", "context": [], "steps": ["x"], "recalls": 1, "mistake": "no JSON"}
    )
    assert user.endswith("could not be used (no JSON). Reply again, in the form that is asked for.")


def test_inputs_are_never_read_as_templates():
    _, user = render("reader.answer", {"question": "{{ 7 * 7 }} {% for %}", "context": ["{{ purpose }}"]})
    assert "{{ 7 * 7 }} {% for %}" in user and "{{ purpose }}" in user


def test_a_purpose_without_a_file_shows_its_inputs_in_the_order_given():
    system, user = render("their.own", {"z": "last letter", "a": {"y": 1, "x": [2]}, "list": ["one", "two"]})
    assert user == 'Task: their.own\n\n## z\nlast letter\n\n## a\n{"x": [2], "y": 1}\n\n## list\none\ntwo'
    assert render("another", {"z": "", "a": 1})[0] == system
    assert Prompts().version("their.own") == Prompts().version("another") != Prompts().version("reader.answer")


@pytest.mark.parametrize(
    "schema, told",
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, '{"a": <text>}'),
        ({"properties": {"a": {"type": "boolean"}}}, '{"a": <true or false> (may be left out)}'),
        ({"type": "object"}, "{<name>: <value>, ...}"),
        ({"type": "integer", "minimum": 1, "maximum": 10}, "<integer from 1 to 10>"),
        ({"type": "number", "minimum": 0}, "<number from 0>"),
        ({"type": "number"}, "<number>"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 5}, "[<text>, ...] (up to 5 items)"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}, "[<number>, ...] (2 items)"),
        ({"prefixItems": [{"type": "number"}, {"type": "null"}]}, "[<number>, null]"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "<text> or null"),
        ({"type": ["string", "null"]}, "<text> or null"),
        ({"$ref": "#/$defs/T", "$defs": {"T": {"enum": ["a", 1]}}}, '<one of "a", 1>'),
        ({"const": "only"}, '<"only">'),
        (True, "<any value>"),
        ({"$ref": "#/$defs/T", "$defs": {"T": {"$ref": "#/$defs/T"}}}, "<any value>"),
    ],
)
def test_the_form_of_a_reply_is_told_from_its_schema(schema, told):
    wrapped = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    if isinstance(schema, dict) and "$defs" in schema:
        wrapped["$defs"] = schema["$defs"]
    text = "\n".join(render("any.thing", {"a": "b"}, schema=wrapped))
    assert f'{{"x": {told}}}' in text


def test_choices_and_expressions_are_told_too():
    assert 'exactly one of "yes", "no" and nothing else' in render("x.y", {"a": 1}, choices=("yes", "no"))[1]
    assert "exactly one of the labels listed" in render("x.y", {"labels": ["A", "B"]}, choices=("A", "B"))[0]
    assert "[0-9]+" in render("x.y", {"a": 1}, regex="[0-9]+")[0]


def test_actions_that_are_listed_already_are_not_listed_twice():
    given = {"situation": "A door.", "context": [], "actions": ["open", "wait"]}
    system, user = render("policy.action", given, schema=Chosen.model_json_schema())
    assert '{"action": <one of the actions listed>}' in system and user.count("wait") == 1
    _, user = render("policy.action", {**given, "actions": ["go"]}, schema=Chosen.model_json_schema())
    assert user.endswith('{"action": <one of "open", "wait">}')


# --- files of one's own -----------------------------------------------------------------------------------------------


def own(tmp_path, content, name="reader.answer.yaml"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Prompts(folder=str(tmp_path))


GOOD = "system: Answer like a pirate.\nask: 'Ye ask: {{ question }}'\n"


def test_a_file_takes_the_place_of_the_packaged_one_and_its_hash_is_its_version(tmp_path):
    prompts = own(tmp_path, GOOD)
    assert render("reader.answer", {"question": "Where?", "context": []}, prompts)[1] == "Ye ask: Where?"
    assert prompts.version("reader.answer") == hashlib.sha256(GOOD.encode()).hexdigest()
    assert prompts.version("sum.update") == Prompts().version("sum.update")


def test_a_plug_in_ships_its_wording_in_its_package(tmp_path, monkeypatch, fresh_modules):
    folder = tmp_path / "their_plugin" / "words"
    folder.mkdir(parents=True)
    (tmp_path / "their_plugin" / "__init__.py").touch()
    (folder / "their.own.yaml").write_text("system: s\nask: '{{ anything }}'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert render("their.own", {"anything": "x"}, Prompts("their_plugin:words"))[1] == "x"


@pytest.mark.parametrize(
    "content, told",
    [
        (b"\xff\xfe", r"reader\.answer\.yaml: not UTF-8 text \(byte 0\)"),
        ("system: [", r"reader\.answer\.yaml: not YAML: .*line 1"),
        ("", r"found no map with the keys system, background and ask"),
        ("system: s", r"reader\.answer\.yaml: ask: field required"),
        ("system: s\nask: a\nuser: u", r"user: extra inputs are not permitted"),
        ("system: s\nask: '{% if %}'", r"reader\.answer\.yaml: .*line 1 of the template"),
        ("system: s\nask: '{{ qestion }}'", r"no input of this purpose is called 'qestion'. Did you mean 'question'\?"),
        ("system: s\nask: '{{ question | random }}'", r"No filter named 'random'"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, content, told):
    with pytest.raises(UserError, match=told) as caught:
        own(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_or_holds_nothing_is_refused(tmp_path):
    for folder, told in (("nowhere", "is no folder"), ("no_such_package:x", "names no package")):
        with pytest.raises(UserError, match=told):
            Prompts(folder)
    with pytest.raises(UserError, match="holds no file such as"):
        Prompts(str(tmp_path))
    with pytest.raises(UserError, match=r"is read from reader\.answer\.yaml; rename the file"):
        own(tmp_path, GOOD, "reader.answer.md")


@pytest.mark.parametrize(
    "ask",
    ["{{ missing }}", "{{ a.__class__.__mro__ }}", "{{ a / 0 }}", "{{ inputs.update({'b': 1}) }}", "{{ range(9) }}"],
)
def test_a_template_reaches_nothing_but_its_inputs(tmp_path, ask):
    prompts = own(tmp_path, json.dumps({"system": "s", "ask": ask}), "their.own.yaml")
    with pytest.raises(ContractBroken, match=r"their\.own\.yaml: ") as caught:
        render("their.own", {"a": 1}, prompts)
    assert "\n" not in str(caught.value)
