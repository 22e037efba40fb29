"""The model in process: batches change nothing in float32, forms are enforced, scores are exact, trouble is one line.

With the prepared SmolLM2, whose answers are never asserted to be right.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil

import pytest
from engines import fields_of

from simonides.agents.models.prepared import folder_of
from simonides.agents.models.transformers_local import TransformersModel
from simonides.cluster.runtime import run_ray
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import ModelFailed, UserError
from simonides.sim.inline import run_inline
from simonides.sim.modeltimings import read_model_timings
from simonides.sim.trace import Trace
from simonides.sim.types import Message, Request

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [pytest.mark.vllm, pytest.mark.slow]

QUESTIONS = [
    "What is a harbour?", "Name three colours.", "Write about a lighthouse keeper.", "Count to ten.",
    "Say hello. " * 20, "Who wrote plays?", "What do bakers sell?", "Describe rain in one sentence.",
]  # fmt: skip


def folder():
    """The prepared model's folder; skips where it was not prepared."""
    try:
        return folder_of("smollm2")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def model():
    folder()
    built = TransformersModel("smollm2", device="cpu")
    yield built
    asyncio.run(built.close())


def chat(text, **fields):
    return Request("test", messages=(Message("user", text),), **{"max_tokens": 16, **fields})


def ask(model, *requests):
    return asyncio.run(model.complete(requests))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_reply_is_the_same_alone_and_in_a_batch(model, temperature):
    requests = [chat(q, temperature=temperature, top_p=0.95, seed=n) for n, q in enumerate(QUESTIONS)]
    assert [ask(model, request)[0] for request in requests] == ask(model, *requests)


def test_seeds_decide_what_is_drawn(model):
    first, second, again = ask(model, *(chat(QUESTIONS[2], temperature=1.0, seed=seed) for seed in (1, 2, 1)))
    assert first == again != second


def test_concurrent_calls_share_batches_while_the_event_loop_lives_on(model):
    async def main():
        beats = 0
        calls = asyncio.gather(*(model.complete([chat(question)]) for question in QUESTIONS))
        while not calls.done():
            await asyncio.sleep(0.01)
            beats += 1
        assert all(len(each) == 1 for each in await calls)
        return beats

    ask(model, chat("hello", max_tokens=1))
    before = model.counters()
    assert asyncio.run(main()) > 5
    after = model.counters()
    assert (after["requests"] - before["requests"], after["batches"] - before["batches"]) == (8, 1)


def test_every_form_is_enforced_even_at_a_high_temperature(model):
    properties = {"action": {"enum": ["go", "stay"]}, "n": {"type": "integer", "maximum": 99, "minimum": 0}}
    schema = {"type": "object", "properties": properties, "required": ["action", "n"], "additionalProperties": False}
    hot = {"temperature": 3.0, "max_tokens": 40}
    choices = ("go away", 'stay "here"', "naïve\nnew line")
    requests = [chat("?", schema=schema, seed=n, **hot) for n in range(3)]
    requests += [chat("?", choices=choices, seed=n, **hot) for n in range(3)]
    requests += [chat("?", regex=r"[0-9]{3}-[a-f]{2}", seed=n, **hot) for n in range(3)]
    replies = [completion.text for completion in ask(model, *requests)]
    for text in replies[:3]:
        found = json.loads(text)
        assert found["action"] in ("go", "stay") and 0 <= found["n"] <= 99
    assert set(replies[3:6]) <= set(choices)
    assert all(re.fullmatch(r"[0-9]{3}-[a-f]{2}", text) for text in replies[6:])


@pytest.mark.parametrize("form", [{"regex": "("}, {"schema": {"type": "nothing"}}, {"schema": {"$ref": "#/x"}}])
def test_a_form_that_is_refused_fails_its_own_request_only(model, form):
    async def main():
        bad = model.complete([chat("?", **form)])
        return await asyncio.gather(model.complete([chat("hello", max_tokens=2)]), bad, return_exceptions=True)

    good, failed = asyncio.run(main())
    assert good[0].text
    assert isinstance(failed, ModelFailed)
    assert re.search(r"float32: test has a form that xgrammar refuses: [A-Z][^\n]*\.$", str(failed))


def test_a_stop_string_ends_the_reply_before_it(model):
    (whole,) = ask(model, chat("Count from one to ten.", max_tokens=24))
    stop = whole.text[5:8]
    (cut,) = ask(model, chat("Count from one to ten.", max_tokens=24, stop=(stop, "never")))
    assert cut.text == whole.text[: whole.text.find(stop)] and cut.finish == "stop"
    assert cut.completion_tokens < whole.completion_tokens


def test_token_limits_and_counts(model):
    short, none = ask(model, chat("Tell a story.", max_tokens=3), chat("Tell a story.", max_tokens=0))
    assert (short.completion_tokens, short.finish) == (3, "length")
    assert (none.text, none.completion_tokens, none.finish) == ("", 0, "length")
    assert short.prompt_tokens == none.prompt_tokens > 10


def test_scores_of_a_reply_are_those_of_the_same_text_as_a_prompt(model):
    prompt = "The harbour is"
    (drawn,) = ask(model, Request("test", prompt=prompt, max_tokens=5, logprobs=3))
    assert len(drawn.scores) == 5
    for score in drawn.scores:
        assert len(score.top) == 3 and max(score.top.values()) == score.logprob == score.top[score.token]
        assert sum(math.exp(value) for value in score.top.values()) <= 1
    (whole,) = ask(model, Request("test", prompt=prompt + drawn.text, max_tokens=0, prompt_logprobs=True))
    assert [s.token for s in whole.prompt_scores[-5:]] == [s.token for s in drawn.scores]
    for one, other in zip(whole.prompt_scores[-5:], drawn.scores, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-3)
    assert len(whole.prompt_scores) == whole.prompt_tokens - 1


def test_scores_of_a_long_prompt_do_not_depend_on_its_pieces(model, monkeypatch):
    request = Request("test", prompt="rain and wind " * 10, max_tokens=0, prompt_logprobs=True)
    (whole,) = ask(model, request)
    monkeypatch.setattr("simonides.agents.models.transformers_engine.PIECE", 7)
    (pieces,) = ask(model, request)
    found, expected = ([score.logprob for score in each.prompt_scores] for each in (pieces, whole))
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_prompt_beyond_the_context_is_cut_and_counted():
    folder()
    model = TransformersModel("smollm2", device="cpu", max_context=100, overflow="cut-oldest")
    (completion,) = ask(model, chat("first " + "word " * 200 + "last", max_tokens=8))
    assert completion.prompt_tokens <= 92 and completion.truncated > 100
    assert model.card.context == 100
    asyncio.run(model.close())


def test_memory_that_does_not_suffice_halves_the_batch_and_is_told_for_a_single_request(model, monkeypatch):
    ask(model, chat("hello", max_tokens=1))
    engine, sizes = model._engine, []
    generate = engine._model.generate

    def scarce(ids, **options):
        sizes.append(len(ids))
        if len(ids) > 2 or ids.shape[1] > 60:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.\nmore")
        return generate(ids, **options)

    monkeypatch.setattr(engine._model, "generate", scarce)
    requests = [chat(question) for question in (*QUESTIONS[:4], *QUESTIONS[5:])]
    monkeypatch.undo()
    expected = ask(model, *requests)
    monkeypatch.setattr(engine._model, "generate", scarce)
    assert ask(model, *requests) == expected and sizes == [7, 3, 1, 2, 4, 2, 2]
    with pytest.raises(ModelFailed, match=r"on cpu failed on test \(\d+ tokens\): out of memory: [^\n]*$"):
        ask(model, chat("word " * 100))


@pytest.mark.ray
def test_replicas_on_ray_answer_a_study_as_one_process_does(tmp_path, ray_session):
    folder()
    environment = {"name": "dialogue", "speakers": 2, "teams": 1, "turns_per_session": 6, "sessions": 2, "questions": 3}
    part = {"name": "transformers", "model": "smollm2", "device": "cpu"}
    fields = {"environment": environment, "worlds": 2, "sampling": {"max_tokens": 8, "temperature": 0.7}}
    (trial,) = parse_study(fields_of(part, **fields)).trials()
    on_ray = run_ray(trial, tmp_path / "ray", Layout(runtime="ray", model_replicas=2, model_cpus=0.5), calls=tmp_path)
    assert not on_ray.failed, on_ray.errors
    last = {sample.source: sample.counters for sample in read_model_timings(tmp_path)}
    answered = [last[f"replica {i}"].get("requests", 0.0) for i in range(2)]
    assert sum(answered) == last["gate"]["asked"] >= 6 and all(answered)
    assert not run_inline(trial, tmp_path / "inline").failed  # asked anew: in float32 replies depend on the call alone
    assert Trace(tmp_path / "inline").digest() == Trace(tmp_path / "ray").digest()


@pytest.mark.parametrize("harm", ["weights", "half", "tokenizer", "config", "device"])
def test_a_broken_folder_or_device_is_one_line(tmp_path, harm):
    broken = tmp_path / "broken"
    shutil.copytree(folder(), broken)
    if harm == "weights":
        (broken / "model.safetensors").unlink()
    elif harm == "half":
        with open(broken / "model.safetensors", "r+b") as file:
            file.truncate(1000)
    elif harm == "tokenizer":
        (broken / "tokenizer.json").write_text("{")
    elif harm == "config":
        (broken / "config.json").write_text("not json")
    model = TransformersModel(str(broken), device="cuda:99" if harm == "device" else "cpu")
    with pytest.raises(ModelFailed, match=r"^broken@[0-9a-f]{12} float32 could not be loaded from [^\n]*$"):
        ask(model, chat("hello"))
    asyncio.run(model.close())


def test_a_model_without_a_chat_template_says_so_and_completes_text(tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(folder(), bare, ignore=shutil.ignore_patterns("chat_template.jinja"))
    model = TransformersModel(str(bare), device="cpu")
    with pytest.raises(ModelFailed, match="has no chat template"):
        ask(model, chat("hello"))
    assert ask(model, Request("test", prompt="hello", max_tokens=2))[0].completion_tokens == 2
    asyncio.run(model.close())
