"""A prompt that does not fit loses its oldest text, if the study says so, and the tokens that it lost are counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from api_server import ApiServer, WellBehaved, answer, error

from simonides.agents.models.fitting import CUT, characters, cut_oldest
from simonides.agents.models.openai_http import OpenAIModel
from simonides.sim.errors import ModelFailed
from simonides.sim.types import Message, Request

SYSTEM, OLD, REPLY, NEW, LAST = (
    Message("system", "s" * 10), Message("user", "o" * 20), Message("assistant", "r" * 20),
    Message("user", "n" * 20), Message("user", "begin" + "m" * 40 + "end"),
)  # fmt: skip
CHAT = Request("p", messages=(SYSTEM, OLD, REPLY, NEW, LAST))


def cut(request, less):
    """Cut at least so many characters."""
    return cut_oldest(request, lambda one: characters(one) - (characters(request) - less))


def test_the_oldest_messages_go_first_and_system_and_last_stay():
    assert cut(CHAT, 1).messages == (SYSTEM, NEW, LAST)  # a chat does not begin with a reply
    assert cut(CHAT, 41).messages == (SYSTEM, LAST)


def test_then_the_middle_of_the_last_message_goes():
    shorter = cut(CHAT, 60 + 20)
    assert shorter.messages[0] == SYSTEM and len(shorter.messages) == 2
    content = shorter.messages[1].content
    assert content.startswith("begin") and content.endswith("end") and CUT in content
    assert characters(shorter) == characters(CHAT) - 80


def test_a_completions_prompt_loses_its_beginning():
    assert cut(Request("p", prompt="0123456789"), 4).prompt == "456789"
    assert cut(Request("p", prompt="0123456789"), 10) is None


def test_what_cannot_lose_so_much_is_not_cut():
    assert cut(CHAT, 60 + 48) is None


VLLM = (
    "This model's maximum context length is {limit} tokens. However, you requested {out} output tokens and your prompt "
    "contains {found} input tokens, for a total of {total} tokens. Please reduce the length of the input prompt."
)
OPENAI = (
    "This model's maximum context length is {limit} tokens. However, you requested {total} tokens ({found} in the "
    "messages, {out} in the completion). Please reduce the length of the messages or completion."
)
LLAMA = "the request ({found} tokens) exceeds the available context size ({limit} tokens), try increasing it"
MUTE = "prompt is too long"


def small(limit, words):
    """A server whose context is `limit` tokens, of which every word is one."""
    well = WellBehaved()

    def script(asked):
        body = asked.body
        texts = [body["prompt"]] if "prompt" in body else [message["content"] for message in body["messages"]]
        found, out = sum(len(text.split()) for text in texts), body["max_tokens"]
        if found + out > limit:
            return error(400, words.format(limit=limit, out=out, found=found, total=found + out))
        return well(asked)

    return script


LONG = Request(
    "reader.answer", max_tokens=50,
    messages=(Message("system", "Be brief."), Message("user", "first " + "memory " * 500 + "what happened last")),
)  # fmt: skip


def ask(url, *requests, **parameters):
    return asyncio.run(_ask(OpenAIModel("toy", url, **parameters), requests))


async def _ask(model, requests):
    try:
        return await model.complete(requests)
    finally:
        await model.close()


@pytest.mark.parametrize("words", [VLLM, OPENAI, LLAMA, MUTE])
def test_a_prompt_is_cut_until_it_fits_and_its_lost_tokens_are_counted(words):
    with ApiServer(small(200, words)) as server:
        (found,) = ask(server.url, LONG, overflow="cut-oldest")
    sent = server.asked[-1].body["messages"]
    assert sent[0]["content"] == "Be brief."
    assert sent[1]["content"].startswith("first") and sent[1]["content"].endswith("what happened last")
    assert 60 < found.prompt_tokens <= 150
    if words is not MUTE:
        assert found.prompt_tokens + found.truncated == 506
    assert len(server.asked) <= (6 if words is MUTE else 3)


def test_a_prompt_that_fits_is_sent_whole():
    with ApiServer(small(600, VLLM)) as server:
        (found,) = ask(server.url, LONG, overflow="cut-oldest")
    assert (found.truncated, found.prompt_tokens, len(server.asked)) == (0, 506, 1)


def test_without_leave_to_cut_it_is_refused_with_what_to_do():
    with ApiServer(small(200, VLLM)) as server, pytest.raises(ModelFailed) as caught:
        ask(server.url, LONG)
    assert "maximum context length is 200 tokens" in str(caught.value)
    assert str(caught.value).endswith("does not fit the context: shorten it, or say overflow: cut-oldest.")
    assert len(server.asked) == 1


def test_a_reply_that_leaves_no_room_for_a_prompt_is_told():
    with ApiServer(small(200, VLLM)) as server, pytest.raises(ModelFailed, match="ask for less than max_tokens"):
        ask(server.url, replace(LONG, max_tokens=200), overflow="cut-oldest")


def test_a_server_that_is_never_satisfied_is_given_up():
    with ApiServer(lambda _: error(400, "too many tokens")) as server, pytest.raises(ModelFailed, match="after 6 cuts"):
        ask(server.url, LONG, overflow="cut-oldest")
    assert len(server.asked) == 6


def test_another_400_is_no_overflow():
    with ApiServer([error(400, "temperature must be positive"), answer(200, {})]) as server:
        with pytest.raises(ModelFailed, match="temperature must be positive"):
            ask(server.url, LONG, overflow="cut-oldest")
        assert len(server.asked) == 1
