"""An OpenAI-compatible server is asked with patience, and whatever it does wrong is one clear line."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import replace

import pytest
from api_server import Answer, ApiServer, WellBehaved, answer, error

from simonides.agents.models.openai_http import OpenAIModel
from simonides.sim.errors import ModelFailed, StudyError, UserError
from simonides.sim.registry import registry
from simonides.sim.types import Message, Request

ASK = Request("reader.answer", seed=7, messages=(Message("system", "Be brief."), Message("user", "Where is Rui?")))
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string", "minLength": 1}}}
KEY = "sk-a-key-that-nobody-may-see-1234567890"
GOOD = {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def ask(url, *requests, **parameters):
    """Ask as an assembler would, in an event loop of its own."""

    async def asked():
        model = registry("model").build("openai", {"model": "toy", "url": url, "backoff": 0.01, **parameters})
        try:
            return await model.complete(requests or [ASK])
        finally:
            await model.close()

    return asyncio.run(asked())


def refusal(script, *requests, **parameters):
    """Return the one line that asking a server fails with, and how many requests it got."""
    with ApiServer(script) as server, pytest.raises(ModelFailed) as caught:
        ask(server.url, *requests, **{"attempts": 3, "timeout": 5.0, **parameters})
    line = str(caught.value)
    assert "\n" not in line and KEY not in line
    return line.replace(server.url, "URL"), len(server.asked)


def test_a_chat_is_sent_with_its_parameters_and_comes_back_as_a_completion():
    with ApiServer() as server:
        (found,) = ask(server.url, replace(ASK, stop=("\n",), temperature=0.5, top_p=0.9, max_tokens=9))
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "toy", "temperature": 0.5, "top_p": 0.9, "max_tokens": 9, "seed": 7, "stop": ["\n"],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Rui?"}],
    }  # fmt: skip
    assert found.text.startswith("reply ") and found.finish == "stop"
    assert (found.prompt_tokens, found.completion_tokens, found.truncated) == (5, 2, 0)


def test_a_prompt_is_completed_and_scored():
    request = replace(ASK, messages=(), prompt="one two three", logprobs=0, prompt_logprobs=True, seed=(1 << 64) - 1)
    with ApiServer() as server:
        (found,) = ask(server.url, request, logprobs=5, prompt_logprobs=True, structured="vllm")
    (asked,) = server.asked
    assert asked.path == "/v1/completions"
    assert (asked.body["logprobs"], asked.body["prompt_logprobs"], asked.body["seed"]) == (0, 0, (1 << 31) - 1)
    assert [(s.token, s.logprob, s.top) for s in found.scores] == [("re", -0.5, {}), ("ply", -0.25, {})]
    assert [(s.token, s.logprob) for s in found.prompt_scores] == [("two", -1.0), ("three", -2.0)]
    assert found.finish == "length"


def test_alternatives_of_a_chats_tokens_come_back():
    with ApiServer() as server:
        (found,) = ask(server.url, replace(ASK, logprobs=2), logprobs=20)
    assert (server.asked[0].body["logprobs"], server.asked[0].body["top_logprobs"]) == (True, 2)
    (score,) = found.scores
    assert (score.token, score.logprob, score.top) == ("reply", -0.25, {"reply": -0.25, "other": -1.5})


def test_a_schema_is_bound_strictly_and_the_reply_fits_it():
    with ApiServer() as server:
        (found,) = ask(server.url, replace(ASK, schema=SCHEMA))
    form = server.asked[0].body["response_format"]["json_schema"]
    assert form["name"] == "reader_answer"
    assert form["schema"] == {
        "type": "object", "properties": {"answer": {"type": "string"}},
        "required": ["answer"], "additionalProperties": False,
    }  # fmt: skip
    assert list(json.loads(found.text)) == ["answer"]


@pytest.mark.parametrize(
    "flavour, bound, field, value",
    [
        ("vllm", {"schema": SCHEMA}, "structured_outputs", {"json": SCHEMA}),
        ("vllm", {"choices": ("a", "b")}, "structured_outputs", {"choice": ["a", "b"]}),
        ("vllm", {"regex": "a+"}, "structured_outputs", {"regex": "a+"}),
        ("guided", {"schema": SCHEMA}, "guided_json", SCHEMA),
        ("guided", {"choices": ("a", "b")}, "guided_choice", ["a", "b"]),
    ],
)
def test_vllm_is_told_in_its_own_words(flavour, bound, field, value):
    with ApiServer() as server:
        ask(server.url, replace(ASK, **bound), structured=flavour)
    assert server.asked[0].body[field] == value


def test_what_a_server_does_not_enforce_is_not_sent_and_the_card_says_so():
    bound = [replace(ASK, choices=("a", "b")), replace(ASK, regex="a+")]
    with ApiServer() as server:
        ask(server.url, *bound)
        ask(server.url, replace(ASK, schema=SCHEMA), structured="none")
    usual = {"model", "messages", "seed", "max_tokens", "temperature", "top_p"}
    assert [set(asked.body) for asked in server.asked] == [usual] * 3
    cards = {f: OpenAIModel("m", "http://x/v1", structured=f).card.structured for f in ("openai", "vllm", "none")}
    assert cards == {"openai": {"json"}, "vllm": {"json", "choice", "regex"}, "none": set()}


def test_the_identity_says_what_replies_and_not_where():
    def identity(**more):
        return OpenAIModel("m", **{"url": "http://one.example/v1", **more}).card.identity

    assert identity() == identity(url="https://two.example/api") == "openai/m"
    assert identity(identity="m of August", structured="none") == "m of August"
    changes = [{"structured": "none"}, {"overflow": "cut-oldest"}, {"omit": ("seed",)}, {"extra": {"effort": "low"}}]
    assert len({identity(), *(identity(**change) for change in changes)}) == 5


def test_fields_are_left_out_and_added_as_the_server_needs_them():
    with ApiServer() as server:
        ask(server.url, omit=["temperature", "top_p"], extra={"reasoning_effort": "low"})
    assert set(server.asked[0].body) == {"model", "messages", "seed", "max_tokens", "reasoning_effort"}


def test_a_server_that_wants_another_name_for_the_limit_gets_it():
    def script(asked):
        if "max_tokens" in asked.body:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return answer(200, GOOD)

    with ApiServer(script) as server:
        assert [c.text for c in ask(server.url, ASK, ASK, attempts=1)] == ["yes"] * 2
    assert server.asked[-1].body["max_completion_tokens"] == 256


def test_busy_and_broken_servers_are_asked_again():
    script = [error(429, "slow down"), error(500, "oops"), Answer(200, b'{"a', cut=2), error(503, "loading")]
    with ApiServer(script) as server:
        (found,) = ask(server.url)
    assert found.text.startswith("reply ")
    assert len(server.asked) == 5


def test_retry_after_is_waited_for_by_everybody():
    with ApiServer([error(429, "slow down", headers={"retry-after": "1"})]) as server:
        started = time.monotonic()
        ask(server.url, ASK, replace(ASK, seed=8), concurrency=1)
    assert len(server.asked) == 3
    assert time.monotonic() - started >= 1.0


def test_nobody_waits_longer_than_patience():
    line, asked = refusal([error(429, "quota", headers={"retry-after": "3600"})], patience=60.0)
    assert asked == 1
    assert line == (
        "Model 'toy' at URL: HTTP 429 (quota). The server asks to wait 3600 s, more than patience (60 s); resume later."
    )


def test_after_all_attempts_the_last_failure_is_told():
    line, asked = refusal(lambda _: error(500, "no\nmemory"))
    assert (line, asked) == (
        "Model 'toy' at URL: HTTP 500 (no memory). Tried 3 times; resume when it can answer.", 3
    )  # fmt: skip


@pytest.mark.parametrize(
    "broken, words, times",
    [
        (Answer(200, b"{nothing"), "of 8 bytes is not valid JSON", 3),
        (Answer(200, b'{"choices": "\xff\xfe"}'), "not valid UTF-8 (byte 13 of 17)", 3),
        (Answer(200, b"[" * 100_000), "not valid JSON", 3),
        (Answer(200, b'{"choices": [1, 2, 3]}', cut=9), "no whole answer came", 3),
        (Answer(200, b"", cut=0, headers={"content-length": "9"}), "no whole answer came", 3),
        (Answer(never=True), "no answer within 0.2 s; raise timeout", 3),
        (Answer(200, b"<html>", content_type="text/html; charset=utf-8"), "the answer is text/html, not JSON", 1),
        (answer(200, [1]), "a JSON list, not an object", 1),
        (answer(200, {"choices": []}), "no choices[0] (found choices)", 1),
        (answer(200, {"result": "yes"}), "no choices[0] (found result)", 1),
        (answer(200, {"choices": [{"text": "yes"}]}), "no choices[0].message.content (found text)", 1),
        (answer(200, {"choices": [{"message": {"content": 5}}]}), "no choices[0].message.content", 1),
        (Answer(307, headers={"location": "https://elsewhere.example/"}), "redirected to https://elsewhere", 1),
        (error(400, "Grammar error: unsupported schema"), "structured: none asks in words", 1),
        (error(422, "unknown field"), "HTTP 422 (unknown field)", 1),
    ],
)
def test_what_a_server_does_wrong_is_one_line(broken, words, times):
    line, asked = refusal(lambda _: broken, replace(ASK, schema=SCHEMA), timeout=0.2 if broken.never else 5.0)
    assert words in line and line.startswith("Model 'toy' at URL: ")
    assert asked == times


def test_a_body_that_drips_for_ever_does_not_hold_the_trial():
    started = time.monotonic()
    line, _ = refusal([Answer(200, b" " * 1000, drip=0.05)], attempts=1, timeout=0.2)
    assert "no answer within 0.2 s" in line
    assert time.monotonic() - started < 20  # whole, it would take 50


def test_missing_log_probabilities_are_told():
    line, _ = refusal([answer(200, GOOD)], replace(ASK, logprobs=1), logprobs=5)
    assert "lacks the log-probabilities" in line


def test_a_refused_key_names_the_variable_and_never_the_key(monkeypatch):
    line, asked = refusal(lambda _: error(401, f"Incorrect API key provided: {KEY}."))
    assert asked == 1
    assert "(Incorrect API key provided: [key].): the server wants a key" in line
    assert "environment variable OPENAI_API_KEY is set, but its key is not accepted" in line
    monkeypatch.delenv("OTHER_KEY", raising=False)
    line, _ = refusal(lambda _: error(403, "no"), key_env="OTHER_KEY")
    assert "environment variable OTHER_KEY is not set where the model runs" in line
    line, asked = refusal(lambda _: error(401, "no"), key_env="")
    assert "key_env is not set" in line and asked == 1


def test_without_a_key_none_is_sent(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with ApiServer() as server:
        ask(server.url)
    assert "authorization" not in server.asked[0].headers


def test_a_key_that_no_header_can_hold_is_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nsecret")
    line, asked = refusal(None)
    assert (line, asked) == (
        "The key in OPENAI_API_KEY holds characters that no header can carry; set it again.", 0
    )  # fmt: skip


def test_a_server_that_repeats_the_key_does_not_get_it_recorded():
    with ApiServer([answer(200, {"choices": [{"message": {"content": f"You sent {KEY}"}}]})]) as server:
        (found,) = ask(server.url)
    assert found.text == "You sent [key]"


def test_a_wrong_model_name_gets_the_near_one_and_the_list():
    line, _ = refusal(None, model="toi")
    assert line == (
        "Model 'toi' at URL: the server has no such model. Did you mean 'toy'? It has: toy, toy-large."
    )  # fmt: skip


def test_a_wrong_path_is_told_apart_from_a_wrong_name():
    line, _ = refusal(lambda _: error(404, "Not Found"))
    assert "HTTP 404 (Not Found). Is this the URL of the API (usually ending in /v1)?" in line


def test_nothing_that_listens_is_told_as_such():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(ModelFailed, match=r"nothing listens there \(connection refused\).*Tried 2 times"):
            ask(url, attempts=2)


def test_an_unknown_host_is_told_as_such():
    with pytest.raises(ModelFailed, match="no such host"):
        ask("http://no-such-host.invalid/v1", attempts=1)


def test_plain_http_behind_https_is_told_as_such():
    with ApiServer() as server, pytest.raises(ModelFailed, match="no secure connection"):
        ask(server.url.replace("http:", "https:"), attempts=1)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://user:secret@x/v1", "http://x/v1?key=secret", "http://[x"]
)
def test_a_wrong_url_is_a_users_mistake_that_repeats_no_secret(url):
    with pytest.raises(UserError, match="url") as caught:
        OpenAIModel("m", url)
    assert "secret" not in str(caught.value)


def test_a_wrong_parameter_has_its_path():
    with pytest.raises(StudyError, match=r"model.timeout: .*greater than 0"):
        registry("model").build("openai", {"model": "m", "url": "http://x/v1", "timeout": 0}, path="model")


def test_what_the_card_does_not_offer_is_refused_before_anything_is_sent():
    line, asked = refusal(None, replace(ASK, logprobs=3))
    assert "asks for log-probabilities with 3 alternatives, but the model gives none" in line and asked == 0
    line, asked = refusal(None, replace(ASK, prompt_logprobs=True))
    assert "prompt_logprobs: true" in line and asked == 0
    line, asked = refusal(None, replace(ASK, messages=()))
    assert "neither messages nor a prompt" in line and asked == 0


def test_no_more_requests_are_under_way_than_allowed():
    well = WellBehaved()

    with ApiServer(lambda asked: replace(well(asked), delay=0.02)) as server:
        found = ask(server.url, *(replace(ASK, seed=i) for i in range(12)), concurrency=3)
    assert server.most_active == 3
    assert len({completion.text for completion in found}) == 12


def test_replies_come_in_the_order_of_their_requests():
    def script(asked):
        seed = asked.body["seed"]
        return answer(200, {"choices": [{"message": {"content": str(seed)}}]}, delay=0.05 - 0.01 * seed)

    with ApiServer(script) as server:
        found = ask(server.url, *(replace(ASK, seed=i) for i in range(5)))
    assert [completion.text for completion in found] == list("01234")


@pytest.mark.parametrize("rate", [{"requests_per_minute": 240.0}, {"tokens_per_minute": 240.0 * 262}])
def test_rates_are_kept(rate):
    requests = [replace(ASK, seed=i) for i in range(6)]  # 262 tokens each, the reply's most included
    with ApiServer() as server:
        started = time.monotonic()
        ask(server.url, *requests, **rate)
    assert time.monotonic() - started >= 0.49  # four pass at once, the others in quarters of a second


def test_a_model_goes_from_one_event_loop_to_the_next():
    with ApiServer() as server:
        model = OpenAIModel("toy", server.url)

        async def once():
            try:
                return await model.complete([ASK])
            finally:
                await model.close()

        assert asyncio.run(once()) == asyncio.run(once())


def test_a_failure_ends_the_other_requests_of_its_batch():
    def script(asked):
        return error(400, "no") if asked.body["seed"] == 0 else Answer(never=True)

    started = time.monotonic()
    refusal(script, *(replace(ASK, seed=i) for i in range(3)), timeout=30.0)
    assert time.monotonic() - started < 5


def test_a_representation_holds_no_key():
    model = OpenAIModel("toy", "http://127.0.0.1:1/v1")
    with pytest.raises(ModelFailed):
        asyncio.run(OpenAIModel("toy", "http://127.0.0.1:1/v1", attempts=1).complete([ASK]))
    assert KEY not in repr(model) + repr(vars(model)) + repr(vars(model._transport))
